"""Comparisons of what is calculated: functions, sums, and fields with each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar, Final

from app.core.databases.types import simple_lower
from app.engine.paths import FieldType
from app.engine.query.calculated import Applied, Calculated, Constant, FieldValue, Scalar
from app.engine.query.expression_fields import field_of
from app.engine.query.filter_reader import FilterReader
from app.engine.query.nodes import ExpressionError, Literal, LiteralType, Name
from app.engine.resource import Embedded, Resource
from app.odata.filter.nodes import Binary, Call, Expression, Path, Unary
from app.odata.filter.parser import unsupported

TESTS: Final = ("contains", "startswith", "endswith")
_SUMS: Final = ("add", "sub", "mul")
#: What a number may have of digits, before and after the point together.
_MAX_DIGITS: Final = 15
_TEXTS = (FieldType.text, FieldType.choice, FieldType.code, FieldType.stated)
_KINDS: Final = {
    **dict.fromkeys(_TEXTS, "text"),
    FieldType.integer: "number",
    FieldType.decimal: "number",
    FieldType.date: "date",
    FieldType.instant: "moment",
    FieldType.id: "id",
    FieldType.boolean: "truth",
}
_PARTS: Final = ("year", "month", "day", "hour", "minute", "second")
#: What each function takes and gives.
_TAKES: Final[Mapping[str, tuple[str, ...]]] = {
    "tolower": ("text",),
    "trim": ("text",),
    "concat": ("text", "text"),
    "substring": ("text", "number"),
    "length": ("text",),
    "indexof": ("text", "text"),
    **dict.fromkeys(_PARTS, ("date",)),
}
_GIVES: Final = {
    **dict.fromkeys(("tolower", "trim", "concat", "substring"), "text"),
    **dict.fromkeys(("length", "indexof", *_PARTS), "number"),
}


@dataclass(slots=True)
class Calculations:
    """Reads what is calculated of a record or part into the engine's terms."""

    ARITY: ClassVar[Mapping[str, int]] = {
        **{name: len(takes) for name, takes in _TAKES.items()},
        **dict.fromkeys(TESTS, 2),
        "toupper": 1,
        "date": 1,
        "now": 0,
    }

    reader: FilterReader
    at: Resource | Embedded
    variable: str
    worked_out: Mapping[str, str] = field(default_factory=dict)

    def comparison(self, operator: str, tree: Binary) -> Calculated:
        """`length(title) gt 5`, `amount gt amount_max`."""
        left, right = _lowered(tree.left, tree.right)
        one, kind = self._value(left)
        if isinstance(right, Literal) and right.literal_type is LiteralType.NULL:
            return Calculated("isnull", one, None)
        other, other_kind = self._value(right)
        if kind != other_kind:
            raise ExpressionError(tree.at, f"A {kind} is compared with a {other_kind} here.")
        return Calculated(operator, one, other)

    def test(self, tree: Call) -> Calculated:
        """`startswith(tolower(title),'a')`."""
        self._check_count(tree, 2)
        left, right = _lowered(*tree.arguments)
        one, other = (self._text(each) for each in (left, right))
        return Calculated(tree.function, one, other)

    def _text(self, tree: Expression) -> Scalar:
        value, kind = self._value(tree)
        if kind != "text":
            raise ExpressionError(tree.at, f"Write a text here, not a {kind}.")
        return value

    def _value(self, tree: Expression) -> tuple[Scalar, str]:
        """A value, and of what kind it is."""
        match tree:
            case Literal():
                return self._constant(tree)
            case Path():
                return self._field(tree)
            case Call():
                return self._applied(tree)
            case Binary(operator="add" | "sub" | "mul"):
                sides = (self._number(tree.left), self._number(tree.right))
                return Applied(tree.operator, sides), "number"
            case Binary(operator="div" | "mod" | "divby" as operator):
                raise unsupported(f"The operator {operator}")
            case Unary(operator="-"):
                zero = Literal(LiteralType.NUMBER, "0", tree.at)
                return self._value(Binary("sub", zero, tree.item, tree.at))
        raise ExpressionError(tree.at, "Write a value or a field here, not a condition.")

    def _number(self, tree: Expression) -> Scalar:
        value, kind = self._value(tree)
        if kind != "number":
            text = f"The operators {', '.join(_SUMS)} take numbers, not a {kind}."
            raise ExpressionError(tree.at, text)
        return value

    def _constant(self, literal: Literal) -> tuple[Scalar, str]:
        if literal.literal_type is LiteralType.TEXT:
            return Constant(self._slot(literal, literal.text)), "text"
        if literal.literal_type is LiteralType.NUMBER:
            number = Decimal(literal.text)
            _, digits, exponent = number.as_tuple()
            scale = max(0, -int(exponent))
            if len(digits) + abs(int(exponent)) > _MAX_DIGITS:
                text = f"Write a number of at most {_MAX_DIGITS} digits to calculate with."
                raise ExpressionError(literal.at, text)
            return Constant(self._slot(literal, number), scale), "number"
        raise unsupported(f"{literal.text[:50]}, compared with what is calculated,")

    def _slot(self, literal: Literal, value: str | Decimal) -> str:
        try:
            return self.reader.slots([value])[0]
        except ValueError as error:
            raise ExpressionError(literal.at, str(error)) from None

    def _field(self, path: Path) -> tuple[Scalar, str]:
        steps, at = path.steps, path.at
        if steps[0] in self.worked_out:
            return FieldValue(steps), self.worked_out[steps[0]]
        if self.variable:
            if steps[0] != self.variable or len(steps) == 1:
                text = f"Names here begin with {self.variable}: {self.variable}/name."
                raise ExpressionError(at, text)
            steps = steps[1:]
        found = field_of(Name(steps, at), self.at)
        kind = _KINDS.get(found.field_type)
        if kind is None:
            raise ExpressionError(at, f"{path.steps[-1]} is a list: ask any() of it.")
        return FieldValue(steps), kind

    def _applied(self, tree: Call) -> tuple[Scalar, str]:
        takes = _TAKES.get(tree.function)
        if takes is None:
            raise unsupported(f"The function {tree.function[:100]} here")
        if tree.function == "substring" and len(tree.arguments) == 3:
            raise unsupported("substring with a length")
        self._check_count(tree, len(takes))
        operands = []
        for argument, wanted in zip(tree.arguments, takes, strict=True):
            value, kind = self._value(argument)
            if not (_has_part(kind, tree.function) if wanted == "date" else kind == wanted):
                text = f"{tree.function} takes a {wanted}, not a {kind}."
                raise ExpressionError(argument.at, text)
            operands.append(value)
        return Applied(tree.function, tuple(operands)), _GIVES[tree.function]

    @staticmethod
    def _check_count(tree: Call, count: int) -> None:
        if len(tree.arguments) != count:
            text = f"{tree.function} takes {count} arguments, not {len(tree.arguments)}."
            raise ExpressionError(tree.at, text)


def _has_part(kind: str, part: str) -> bool:
    return kind == "moment" or (kind == "date" and part in ("year", "month", "day"))


def _lowered(left: Expression, right: Expression) -> tuple[Expression, Expression]:
    """`toupper(x)` and a text in capitals as `tolower(x)` and the same in small letters: the
    databases have no way alike to make capitals."""
    if not (isinstance(left, Call) and left.function == "toupper"):
        return left, right
    if not isinstance(right, Literal) or right.literal_type is not LiteralType.TEXT:
        raise unsupported("toupper, compared with anything but a text,")
    if right.text != right.text.upper():
        raise ExpressionError(right.at, f"No text in capitals is {right.text[:50]!r}.")
    small = Literal(LiteralType.TEXT, simple_lower(right.text), right.at)
    return Call("tolower", left.arguments, left.at), small
