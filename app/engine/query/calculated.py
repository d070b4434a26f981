"""Conditions on what is calculated from fields: functions of texts and dates, sums and products.

Numbers with digits after the point are whole numbers of the smallest units on SQLite, and are
reckoned with as such, so that they stay exact: each value here knows how many of its digits those
are. On PostgreSQL they are decimals.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from sqlalchemy import Boolean, ColumnElement, Integer, Numeric, Text, bindparam, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from app.core.databases.expressions import Expression, SqlType
from app.core.databases.types import Exact

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FieldValue:
    """The value of the field at the end of a path of to-one relations."""

    path: Path


@dataclass(frozen=True, slots=True)
class Constant:
    """The value of a parameter: a text, or a number with so many digits after the point."""

    slot: str
    scale: int | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """A function of `FUNCTIONS`, or `add`, `sub`, `mul`, of values."""

    function: str
    operands: "tuple[Scalar, ...]"


Scalar = FieldValue | Constant | Applied


@dataclass(frozen=True, slots=True)
class Calculated:
    """A comparison of what is calculated; without `right` whether `left` has no value."""

    operator: str
    left: Scalar
    right: Scalar | None


class _Calculation(FunctionElement[str]):
    """A function that the two databases call differently."""

    inherit_cache = True
    templates: dict[str, str]


@compiles(_Calculation)
def _compile(element: _Calculation, compiler: SQLCompiler, **kw: object) -> str:
    operands = [compiler.process(clause, **kw) for clause in element.clauses]
    return "(" + element.templates[compiler.dialect.name].format(*operands) + ")"


def _function(name: str, of: SqlType, sqlite: str, postgresql: str) -> type[_Calculation]:
    templates = {"sqlite": sqlite, "postgresql": postgresql}
    return type(name, (_Calculation,), {"type": of, "templates": templates, "inherit_cache": True})


def _text(name: str, sqlite: str, postgresql: str) -> type[_Calculation]:
    return _function(name, Text(), sqlite, postgresql)


def _number(name: str, sqlite: str, postgresql: str) -> type[_Calculation]:
    return _function(name, Integer(), sqlite, postgresql)


def _part(name: str, first: int, digits: int = 2) -> type[_Calculation]:
    """A part of a date or moment, which SQLite keeps as text (ISO 8601)."""
    sqlite = f"CAST(substr({{0}}, {first}, {digits}) AS INTEGER)"
    # The moments of PostgreSQL are told in the zone of the connection, which is UTC.
    return _number(name, sqlite, f"CAST(floor(extract({name} FROM {{0}})) AS INTEGER)")


#: `lowered` is our own: SQLite's lower() knows the letters of English alone.
FUNCTIONS: Final[dict[str, type[_Calculation]]] = {
    "tolower": _text("tolower", "lowered({0})", "lower({0})"),
    "trim": _text("trim", "trim({0})", "btrim({0})"),
    "concat": _text("concat", "{0} || {1}", "{0} || {1}"),
    # From before its beginning a text is whole, and from far behind its end nothing.
    "substring": _text(
        "substring",
        "substr({0}, min(max({1}, 0), 1000000) + 1)",
        "substr({0}, CAST(least(greatest(trunc({1}), 0), 1000000) AS INTEGER) + 1)",
    ),
    "length": _number("length", "length({0})", "char_length({0})"),
    "indexof": _number("indexof", "instr({0}, {1}) - 1", "strpos({0}, {1}) - 1"),
    "year": _part("year", 1, 4),
    "month": _part("month", 6),
    "day": _part("day", 9),
    "hour": _part("hour", 12),
    "minute": _part("minute", 15),
    "second": _part("second", 18),
}
_TESTS = {
    "contains": _function("contains", Boolean(), "instr({0}, {1}) > 0", "strpos({0}, {1}) > 0"),
    "startswith": _function(
        "startswith", Boolean(), "instr({0}, {1}) = 1", "starts_with({0}, {1})"
    ),
    "endswith": _function(
        "endswith",
        Boolean(),
        "substr({0}, -length({1})) = {1}",
        "right({0}, char_length({1})) = {1}",
    ),
}
_SIGNS = {"add": "+", "sub": "-", "mul": "*"}
_COMPARED = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


class _in_units(FunctionElement[Decimal]):  # noqa: N801 (reads as an SQL function)
    """A number times a power of ten where numbers are counted in units; the number elsewhere."""

    inherit_cache = True
    type = Numeric()


@compiles(_in_units)
def _compile_units(element: _in_units, compiler: SQLCompiler, **kw: object) -> str:
    number, power = (compiler.process(clause, **kw) for clause in element.clauses)
    if compiler.dialect.name == "sqlite":
        return f"({number} * {power})"
    # Two whole numbers may have a product that none of them can be.
    return f"CAST({number} AS NUMERIC)"


class _whole(FunctionElement[Decimal]):  # noqa: N801
    """A number without its digits after the point, which are units where numbers are counted so."""

    inherit_cache = True
    type = Numeric()


@compiles(_whole)
def _compile_whole(element: _whole, compiler: SQLCompiler, **kw: object) -> str:
    number, unit = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({number} / {unit})" if compiler.dialect.name == "sqlite" else f"trunc({number})"


def calculated_sql(term: Calculated, value: Callable[[Path], Expression]) -> ColumnElement[bool]:
    """The condition, `value` giving the column at the end of a path."""
    left, left_scale = _sql(term.left, value)
    if term.right is None:
        return left.is_(None)
    right, right_scale = _sql(term.right, value)
    if term.operator in _TESTS:
        return _TESTS[term.operator](left, right)  # type: ignore[return-value]
    if left_scale != right_scale:
        scale = max(left_scale, right_scale)
        left, right = _scaled(left, scale - left_scale), _scaled(right, scale - right_scale)
    if term.operator == "eq":
        # Two fields without a value are equal.
        return left.is_not_distinct_from(right)
    return left.op(_COMPARED[term.operator], is_comparison=True)(right)


def _sql(scalar: Scalar, value: Callable[[Path], Expression]) -> tuple[Expression, int]:
    """The SQL of a value, and how many of its digits stand after the point on SQLite."""
    match scalar:
        case FieldValue():
            column = value(scalar.path)
            return column, column.type.scale if isinstance(column.type, Exact) else 0
        case Constant(scale=None):
            return bindparam(scalar.slot, type_=Text()), 0
        case Constant():
            scale = scalar.scale or 0
            return bindparam(scalar.slot, type_=_Number(18, scale)), scale
    operands = [_sql(each, value) for each in scalar.operands]
    if scalar.function not in _SIGNS:
        return FUNCTIONS[scalar.function](*(_without_units(*each) for each in operands)), 0
    return _reckoned(scalar.function, *operands)


def _reckoned(
    function: str, one: tuple[Expression, int], other: tuple[Expression, int]
) -> tuple[Expression, int]:
    (left, left_scale), (right, right_scale) = one, other
    if function == "mul":
        scale = left_scale + right_scale
        left, right = _in_units(left, _ONE), _in_units(right, _ONE)
    else:
        scale = max(left_scale, right_scale)
        left, right = _scaled(left, scale - left_scale), _scaled(right, scale - right_scale)
    return left.op(_SIGNS[function], return_type=Numeric())(right).self_group(), scale


def _scaled(number: Expression, power: int) -> Expression:
    return _in_units(number, literal_column(str(10**power)))


def _without_units(value: Expression, scale: int) -> Expression:
    return value if scale == 0 else _whole(value, literal_column(str(10**scale)))


#: What leaves a number as it is.
_ONE: Final[Expression] = literal_column("1")


class _Number(Exact):
    """A number to reckon with, which no column bounds."""

    cache_ok = True

    def load_dialect_impl(self, dialect: object) -> SqlType:
        if dialect.name == "postgresql":  # type: ignore[attr-defined]
            return dialect.type_descriptor(Numeric())  # type: ignore[attr-defined,no-any-return]
        return super().load_dialect_impl(dialect)  # type: ignore[arg-type]
