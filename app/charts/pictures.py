"""What a picture shows, as plain data: nothing in it knows where its figures come from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from app.charts.marks import Mark, Theme
from app.charts.numbers import Number
from app.engine.labels import Language


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar."""

    mark: str
    value: int
    #: What it counts, in words.
    label: str
    #: Tells apart what has the same mark, such as statuses of one class.
    key: str = ""
    #: The filters that choose what is counted, where there are some.
    chosen_by: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of bars, or a column: its segments lie one after another."""

    key: str
    label: str
    segments: Sequence[Segment]
    #: Whether it stands apart from the others: what is not stated, or has no year.
    is_apart: bool = False
    #: What the bars from here on are of, where they are of several.
    heading: str | None = None

    @property
    def total(self) -> int:
        """All of its segments."""
        return sum(segment.value for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum of money of one class in one currency."""

    mark: str
    label: str
    #: The sum of what is stated, and what it is at least and at most, each where it is known.
    value: Number | None
    at_least: Number | None
    at_most: Number | None
    is_firm: bool
    about: str


@dataclass(frozen=True, slots=True)
class Currency:
    """The sums in one currency, which has a scale of its own."""

    code: str
    label: str
    about: str
    amounts: Sequence[Amount]


@dataclass(frozen=True, slots=True)
class Party:
    """Who deals with somebody."""

    key: str
    label: str
    about: str
    is_left: bool


@dataclass(frozen=True, slots=True)
class Deal:
    """Two parties with what they agreed on."""

    left: str
    right: str
    segments: Sequence[Segment]

    @property
    def total(self) -> int:
        """All their agreements."""
        return sum(segment.value for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of a picture, in its language."""

    title: str
    #: What is shown, as one reads it above the picture.
    subtitle: str
    #: What is counted along the axis.
    axis: str
    #: Stands in place of a picture of nothing.
    nothing: str
    source: str
    #: What is left out of it, and how it is to be read.
    notes: Sequence[str] = ()

    def heard(self, figures: str) -> str:
        """The figures in words, for whoever hears the picture."""
        return f"{self.subtitle} {f'{figures}.' if figures else self.nothing}"


@dataclass(frozen=True, slots=True)
class Style:
    """How a picture is drawn."""

    name: str
    language: Language
    theme: Theme
    width: int
    marks: Mapping[str, Mark]
    #: The marks that are explained, with what they mean, in order.
    legend: Sequence[tuple[str, str]] = field(default=())
    #: Whether the marks are lines, which are told apart by their dashes.
    is_of_lines: bool = False
    #: Makes the address of what filters choose, where parts of the picture are links.
    link: Callable[[Sequence[tuple[str, str]]], str] | None = None
