"""How each class is drawn, wherever it is: a colour and a pattern of its own.

The fills of a theme differ in lightness, so that they can be told apart in grey print and by
whoever sees no red or green; the patterns say it a second time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.insights.cohorts import CohortState
from app.resources.firmness import Firmness
from app.resources.status import AgreementStatus


class Theme(StrEnum):
    """What a picture lies on."""

    light = "light"
    dark = "dark"


@dataclass(frozen=True, slots=True)
class Ground:
    """The colours of all that is no mark: contrast with the ground is 4.5 at least for texts."""

    ground: str
    text: str
    quiet: str
    line: str
    #: What lies behind that which stands apart, such as what has no year.
    apart: str


GROUNDS: Final[Mapping[Theme, Ground]] = {
    Theme.light: Ground("#ffffff", "#16191d", "#565d66", "#d5d9de", "#f3f4f6"),
    Theme.dark: Ground("#14171c", "#eceef1", "#a9b0ba", "#3a404a", "#1e232a"),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """How something is filled: the colours of the area and of the lines on it, and these lines as
    a path in a square of eight by eight."""

    fills: Mapping[Theme, tuple[str, str]]
    pattern: str = ""
    #: Whether the lines are areas, such as dots.
    is_filled: bool = False


def _mark(light: str, ink: str, dark: str, dark_ink: str, pattern: str = "") -> Mark:
    fills = {Theme.light: (light, ink), Theme.dark: (dark, dark_ink)}
    return Mark(fills, pattern, is_filled=pattern == _DOTS)


_DIAGONAL = "M-2 2L2 -2M0 8L8 0M6 10L10 6"
_DOTS = "M2 2h2v2h-2zM6 6h2v2h-2z"
_UPRIGHT = "M2 0V8"
_ACROSS = "M0 3H8M0 7H8"
_CROSSES = "M1 1L5 5M5 1L1 5"

#: From firm to loose, and then what stands no more.
CLASS_MARKS: Final[Mapping[str, Mark]] = {
    Firmness.signed_binding: _mark("#0b3a6b", "#0b3a6b", "#c3dcff", "#c3dcff"),
    Firmness.signed_not_binding: _mark("#5fa6d8", "#1d5f94", "#3a7fb3", "#a9d3f2", _DIAGONAL),
    Firmness.accomplished: _mark("#1c6b52", "#a8d8c5", "#62c8a3", "#0f4635", _DOTS),
    Firmness.announced: _mark("#f4c553", "#8a6410", "#7a5a14", "#f0c75e", _UPRIGHT),
    Firmness.replaced: _mark("#e3e6ea", "#7c8591", "#454b54", "#99a1ac", _ACROSS),
    Firmness.fallen_through: _mark("#cb5d45", "#5e1c0e", "#e37f66", "#5e1c0e", _CROSSES),
}
#: The same as lines: the lengths of dashes and of what is between them.
DASHES: Final[Mapping[str, str]] = {
    Firmness.signed_binding: "",
    Firmness.signed_not_binding: "9 4",
    Firmness.accomplished: "2 3",
    Firmness.announced: "12 4 2 4",
    Firmness.replaced: "1 6",
    Firmness.fallen_through: "4 8",
}
#: Where agreements stand after a time, in the marks of the classes that they come nearest to.
STATE_MARKS: Final[Mapping[str, Mark]] = {
    CohortState.completed: CLASS_MARKS[Firmness.accomplished],
    CohortState.in_force: CLASS_MARKS[Firmness.signed_binding],
    CohortState.signed: CLASS_MARKS[Firmness.signed_not_binding],
    CohortState.announced: CLASS_MARKS[Firmness.announced],
    CohortState.replaced: CLASS_MARKS[Firmness.replaced],
    CohortState.fallen_through: CLASS_MARKS[Firmness.fallen_through],
    "unknown": _mark("#ffffff", "#9aa2ac", "#14171c", "#6b727d", _DOTS),
    "not_yet": _mark("#ffffff", "#ffffff", "#14171c", "#14171c"),
}
#: How long ago, from the newest on.
AGE_MARKS: Final[Mapping[str, Mark]] = {
    "this_year": _mark("#bcd9ee", "#bcd9ee", "#35536b", "#35536b"),
    "last_year": _mark("#86b8dc", "#3f7fae", "#4d7c9f", "#bcd9ee", _UPRIGHT),
    "few_years": _mark("#4585b6", "#bcd9ee", "#73aed8", "#1d3e57", _DIAGONAL),
    "long_ago": _mark("#123f66", "#123f66", "#c3e0f7", "#c3e0f7"),
    "no_year": _mark("#ffffff", "#9aa2ac", "#14171c", "#6b727d", _DOTS),
}
#: What counts something else than agreements.
PLAIN_MARKS: Final[Mapping[str, Mark]] = {"missions": CLASS_MARKS[Firmness.signed_binding]}

#: Statuses in the order of a life, and the exits after them.
STATUSES: Final[tuple[AgreementStatus, ...]] = tuple(AgreementStatus)
