"""The tree of an expression of OData (4.0 URL Conventions, 5.1.1), before it is known what its
names stand for; every `at` is a position from 1."""

from dataclasses import dataclass, field

from app.engine.query.nodes import Literal

At = int


@dataclass(frozen=True, slots=True)
class Path:
    """`mission/host_country`, its steps."""

    steps: tuple[str, ...]
    at: At = field(compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """`tolower(title)`."""

    function: str
    arguments: "tuple[Expression, ...]"
    at: At = field(compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """`amount gt 5`, `a and b`, `amount add 1`."""

    operator: str
    left: "Expression"
    right: "Expression"
    at: At = field(compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`not …` and `-…`."""

    operator: str
    item: "Expression"
    at: At = field(compare=False)


@dataclass(frozen=True, slots=True)
class Among:
    """`status in ('signed','completed')`."""

    left: "Expression"
    items: tuple[Literal, ...]
    at: At = field(compare=False)


@dataclass(frozen=True, slots=True)
class Quantified:
    """`parties/any(p: …)` and `…/all(p: …)`; `any()` has neither a variable nor an item."""

    collection: Path
    quantifier: str
    variable: str
    item: "Expression | None"
    at: At = field(compare=False)


Expression = Literal | Path | Call | Binary | Unary | Among | Quantified


def levels_of(tree: "Expression | None") -> int:
    """How many levels of operators and functions it has; a row of and, or of or, is one."""
    match tree:
        case Binary("and" | "or" as operator, left, right):
            is_row = isinstance(left, Binary) and left.operator == operator
            return max(levels_of(left) + (not is_row), levels_of(right) + 1)
        case Binary():
            return 1 + max(levels_of(tree.left), levels_of(tree.right))
        case Call():
            return 1 + max(map(levels_of, tree.arguments), default=0)
        case Unary() | Quantified():
            return 1 + levels_of(tree.item)
        case Among():
            return 1 + levels_of(tree.left)
    return 0
