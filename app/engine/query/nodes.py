"""The tree of a filter expression, and the connectives of every tree of conditions."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class ExpressionError(ValueError):
    """`detail` says what was found and what would be right; `position` counts from 1."""

    def __init__(self, position: int, detail: str) -> None:
        super().__init__(position, detail)
        self.position = position
        self.detail = detail

    def __str__(self) -> str:
        return f"character {self.position}: {self.detail}"


class LiteralType(StrEnum):
    """How a literal is written; a text may still stand for something else, such as a code."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"
    DATE = "date"
    INSTANT = "instant"
    RELATIVE = "relative"
    GUID = "guid"


@dataclass(frozen=True, slots=True)
class Name:
    """`mission/host_country` or `mission.host_country`: at least one step.

    Within `any` and `all` it is relative to an element of the collection: the variable is left out
    and `at` is where the first step after it stands.
    """

    steps: tuple[str, ...]
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as it was written, a text without its quotes; dates and instants are real ones, and
    relative ones such as `-12mo` are counted from today."""

    literal_type: LiteralType
    text: str
    at: int = field(compare=False)

    @property
    def is_year(self) -> bool:
        """Whether it can be a year, which is written like any number."""
        return (
            self.literal_type is LiteralType.NUMBER
            and len(self.text) == 4
            and self.text.isdecimal()
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """`amount gt 5`: `in` has one literal or more, every other operator one; `at` is its place."""

    name: Name
    op: str
    literals: tuple[Literal, ...]
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Match:
    """`contains(title,'x')`; `folded` when it was written `contains(tolower(title),'x')`."""

    function: str
    name: Name
    folded: bool
    literal: Literal
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Some:
    """`parties/any(p: …)`; `item` is null for `parties/any()`, which asks for any element."""

    name: Name
    item: "Node | None"
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Every:
    """`parties/all(p: …)`, which an empty collection fulfils too."""

    name: Name
    item: "Node"
    at: int = field(compare=False)


@dataclass(frozen=True, slots=True)
class Not(Generic[T]):
    item: T


@dataclass(frozen=True, slots=True)
class And(Generic[T]):
    """Two items or more; of an expression none is an And."""

    items: tuple[T, ...]


@dataclass(frozen=True, slots=True)
class Or(Generic[T]):
    """Two items or more; of an expression none is an Or."""

    items: tuple[T, ...]


Predicate = Comparison | Match | Some | Every
Node = Predicate | Not["Node"] | And["Node"] | Or["Node"]
