"""What the sums of a kind of record count: declared once for a kind, and kept by whatever adds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import ColumnElement

from app.core.databases.expressions import AnyTable, Expression, Selection

#: In how many levels records hold each other, at most: rules of writing keep to it, and sums see so
#: far.
MAX_LEVELS: Final = 32


@dataclass(frozen=True, eq=False)
class Range:
    """How far a field of a row can be from the true number, which is never below zero.

    `at_least(row)` and `at_most(row)` are the limits that are certain, null without one;
    `is_not_exact(row)` whether the field is a limit, the end of a range or an approximation.
    """

    at_least: Callable[[AnyTable], Expression]
    at_most: Callable[[AnyTable], Expression]
    is_not_exact: Callable[[AnyTable], ColumnElement[bool]]


@dataclass(frozen=True, eq=False)
class Holding:
    """Records whose values others on record hold already: what is a part, or was replaced.

    `pairs()` reads `(held, holder)` ids. A record is left out where its holder is among those that
    are added: of its own group alone, or of any group where it is `across_groups`. A holder that is
    a claim is added where one about its figure is taken.
    """

    name: str
    pairs: Callable[[], Selection]
    across_groups: bool = False


@dataclass(frozen=True, eq=False)
class SetApart:
    """Values of another nature, such as those for each year: left out where `when(row)` holds,
    unless all that are added are alike in the field `unless`."""

    name: str
    when: Callable[[AnyTable], ColumnElement[bool]]
    unless: str


@dataclass(frozen=True, eq=False)
class Cumulative:
    """Records of which some state all so far, those that `is_cumulative(row)`: of those that are
    equal in what they are `about`, the newest of these has in it all that is not later for certain.

    `since(row)` and `until(row)` are the first and the last day that a record can be of.
    """

    name: str
    about: Callable[[AnyTable], Expression]
    is_cumulative: Callable[[AnyTable], ColumnElement[bool]]
    since: Callable[[AnyTable], Expression]
    until: Callable[[AnyTable], Expression]


@dataclass(frozen=True, eq=False)
class Claims:
    """Records that are claims about one figure, those that are equal in what they are `about`, by
    its names: one of the best rank is taken where all of that rank are equal in `says`, else none.

    `rank(row)` is 0 for the best; a claim of the rank `never` or worse is not taken at all. Where
    sums of several units become one, claims in different ones are about one figure, too: `unit` is
    the name among those of `about`.
    """

    about: Mapping[str, Callable[[AnyTable], Expression]]
    says: tuple[Callable[[AnyTable], Expression], ...]
    rank: Callable[[AnyTable], Expression]
    never: int
    unit: str

    #: What is not added since another claim says the same, or another one.
    REPEATED = "repeated_claims"
    RIVAL = "rival_claims"


@dataclass(frozen=True, eq=False)
class FigureRules:
    """The rules of a kind: they hold for sums and averages of `fields`, the first of which says
    whether a record has a value at all.

    `weight` is the field that tells how many a record stands for where records are counted.
    `marked()` reads the ids of the few that stand for several, are set apart or can be in what is
    cumulative.
    """

    fields: tuple[str, ...]
    ranges: Mapping[str, Range] = field(default_factory=dict)
    weight: str | None = None
    marked: Callable[[], Selection] | None = None
    holdings: tuple[Holding, ...] = ()
    set_apart: tuple[SetApart, ...] = ()
    cumulative: Cumulative | None = None
    claims: Claims | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why a record can be left out, the first that holds being told."""
        claims = () if self.claims is None else (Claims.REPEATED, Claims.RIVAL)
        apart, held = (each.name for each in self.set_apart), (each.name for each in self.holdings)
        earlier = () if self.cumulative is None else (self.cumulative.name,)
        return (*apart, *held, *earlier, *claims)
