"""What a field can be asked for: each operator, the kinds of fields that have it, and its SQL."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR

from sqlalchemy import BigInteger, ColumnElement, Dialect, Numeric, String, Text, bindparam, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import Boolean, Date

from app.core.databases.expressions import Expression, SqlType
from app.core.databases.types import BLANKS, Exact
from app.engine.paths import FieldType, RecordField

Get = Callable[[str], Expression]
Slots = tuple[str, ...]


class _Function(FunctionElement[bool]):
    """A function that the two databases call differently; its templates take two operands."""

    type = Boolean()
    inherit_cache = True
    templates: dict[str, str]


class contains_text(_Function):  # noqa: N801 (reads as an SQL function)
    """Whether the first text contains the second, letter by letter."""

    inherit_cache = True
    templates = {"sqlite": "instr(%s, %s) > 0", "postgresql": "strpos(%s, %s) > 0"}


#: `caseless` of PostgreSQL.
_CASELESS = "replace(replace(lower(%s), 'i\u0307', 'i'), 'ς', 'σ')"


class contains_folded(_Function):  # noqa: N801
    """Whether the first text contains the second, which is `caseless` already, in capitals or
    not."""

    inherit_cache = True
    # `caseless` is our own: SQLite's lower() knows the letters of English alone.
    templates = {
        "sqlite": "instr(caseless(%s), %s) > 0",
        "postgresql": f"strpos({_CASELESS}, %s) > 0",
    }


class line_key(_Function):  # noqa: N801
    """What lines of text have in common that differ in capitals and blanks alone."""

    type = Text()  # type: ignore[assignment]
    inherit_cache = True
    templates = {
        "sqlite": "line_key(%s)",
        "postgresql": f"btrim(regexp_replace({_CASELESS}, '{BLANKS}', ' ', 'g'))",
    }


class begins_with(_Function):  # noqa: N801
    """Whether the first text begins with the second."""

    inherit_cache = True
    templates = {"sqlite": "instr(%s, %s) = 1", "postgresql": "starts_with(%s, %s)"}


class ends_with(_Function):  # noqa: N801
    """Whether the first text ends with the second."""

    inherit_cache = True
    templates = {
        "sqlite": "substr(%s, -length(%s)) = %s",
        "postgresql": "right(%s, length(%s)) = %s",
    }


class list_holds(_Function):  # noqa: N801
    """Whether a list of texts holds a text."""

    inherit_cache = True
    templates = {
        "sqlite": "EXISTS (SELECT 1 FROM json_each(%s) WHERE json_each.value = %s)",
        "postgresql": "%s @> to_jsonb(%s)",
    }


class list_holds_under(_Function):  # noqa: N801
    """Whether a list of codes holds one that begins with a code, as all do that lie under it."""

    inherit_cache = True
    templates = {
        "sqlite": "EXISTS (SELECT 1 FROM json_each(%s) WHERE instr(json_each.value, %s) = 1)",
        "postgresql": "EXISTS (SELECT 1 FROM jsonb_array_elements_text(%s) AS item(code)"
        " WHERE starts_with(item.code, %s))",
    }


class list_is_empty(_Function):  # noqa: N801
    """Whether a list holds nothing."""

    inherit_cache = True
    templates = {"sqlite": "json_array_length(%s) = 0", "postgresql": "jsonb_array_length(%s) = 0"}


@compiles(_Function)
def _compile(element: _Function, compiler: SQLCompiler, **kw: object) -> str:
    operands = tuple(compiler.process(clause, **kw) for clause in element.clauses)
    return "(" + element.templates[compiler.dialect.name] % operands + ")"


class _Compared(Exact):
    """A number to compare an exact one with: it can be greater than all that the column holds."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> SqlType:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Numeric())
        return super().load_dialect_impl(dialect)


def bound(field: RecordField, slot: str) -> Expression:
    """The parameter of this name, for a value of the field's kind."""
    if isinstance(field.type, Exact):
        return bindparam(slot, type_=_Compared(field.type.digits, field.type.scale))
    return bindparam(slot, type_=_BOUND.get(field.field_type, field.type))


#: Types of parameters where the column's own would refuse or widen what is compared with it.
_BOUND: dict[FieldType, SqlType] = {
    FieldType.integer: BigInteger(),
    FieldType.choice: String(),
    FieldType.code: String(),
    FieldType.text: String(),
    FieldType.list: String(),
}


def _is(field: RecordField, get: Get, slots: Slots) -> ColumnElement[bool]:
    return get(field.name) == bound(field, slots[0])


def _is_in(field: RecordField, get: Get, slots: Slots) -> ColumnElement[bool]:
    return get(field.name).in_([bound(field, slot) for slot in slots])


def _is_during(field: RecordField, get: Get, slots: Slots) -> ColumnElement[bool]:
    """Within any of several periods, each given by its first and its last moment."""
    pairs = zip(slots[::2], slots[1::2], strict=True)
    column = get(field.name)
    return or_(*(column.between(bound(field, first), bound(field, last)) for first, last in pairs))


def _is_null(field: RecordField, get: Get, slots: Slots) -> ColumnElement[bool]:
    if field.field_type is FieldType.list:
        return list_is_empty(get(field.name))
    return get(field.name).is_(None)


def _has(field: RecordField, get: Get, slots: Slots) -> ColumnElement[bool]:
    # Any of several: `sectors__has=46,47`.
    return or_(*(list_holds(get(field.name), bound(field, slot)) for slot in slots))


def _has_under(field: RecordField, get: Get, slots: Slots) -> ColumnElement[bool]:
    return or_(*(list_holds_under(get(field.name), bound(field, slot)) for slot in slots))


def _text_test(function: type[_Function], *order: int) -> Callable[..., ColumnElement[bool]]:
    def test(field: RecordField, get: Get, slots: Slots) -> ColumnElement[bool]:
        operands = (get(field.name), bound(field, slots[0]))
        return function(*(operands[at] for at in order))

    return test


def _compared(sign: str, bound_of_stated: str) -> Callable[..., ColumnElement[bool]]:
    def compare(field: RecordField, get: Get, slots: Slots) -> ColumnElement[bool]:
        if field.field_type is FieldType.stated:
            # Only what is certain: every day that the stated date can mean is beyond the limit.
            return get(f"{field.name}_{bound_of_stated}").op(sign, is_comparison=True)(
                bindparam(slots[0], type_=Date())
            )
        return get(field.name).op(sign, is_comparison=True)(bound(field, slots[0]))

    return compare


_ORDERED = (
    FieldType.integer,
    FieldType.decimal,
    FieldType.date,
    FieldType.instant,
    FieldType.stated,
    FieldType.text,
)
_SINGLE = tuple(kind for kind in FieldType if kind is not FieldType.list)


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """A way to compare. `rounding` is how a number between two possible ones may be moved;
    `at_end` whether it is the end of a month or a year that is compared with, or its beginning."""

    kinds: tuple[FieldType, ...]
    says: str
    sql: Callable[[RecordField, Get, Slots], ColumnElement[bool]]
    many: bool = False
    rounding: str | None = None
    negated: bool = False

    @property
    def at_end(self) -> bool:
        """After the end is more than all of it, and up to the end is all of it or less."""
        return self.rounding == ROUND_FLOOR


OPERATORS: dict[str, Operator] = {
    "eq": Operator(_SINGLE, "is this", _is),
    "ne": Operator(_SINGLE, "is not this, or has no value", _is, negated=True),
    "in": Operator(_SINGLE, "is one of these", _is_in, many=True),
    "not_in": Operator(
        _SINGLE, "is none of these, or has no value", _is_in, many=True, negated=True
    ),
    "gt": Operator(_ORDERED, "is more than this", _compared(">", "earliest"), rounding=ROUND_FLOOR),
    "gte": Operator(
        _ORDERED, "is this or more", _compared(">=", "earliest"), rounding=ROUND_CEILING
    ),
    "lt": Operator(_ORDERED, "is less than this", _compared("<", "latest"), rounding=ROUND_CEILING),
    "lte": Operator(_ORDERED, "is this or less", _compared("<=", "latest"), rounding=ROUND_FLOOR),
    "isnull": Operator(tuple(FieldType), "has no value (true) or has one (false)", _is_null),
    "contains": Operator((FieldType.text,), "contains this text", _text_test(contains_text, 0, 1)),
    "icontains": Operator(
        (FieldType.text,),
        "contains this text, in capitals or not",
        _text_test(contains_folded, 0, 1),
    ),
    "startswith": Operator(
        (FieldType.text, FieldType.code), "begins with this text", _text_test(begins_with, 0, 1)
    ),
    "endswith": Operator((FieldType.text,), "ends with this text", _text_test(ends_with, 0, 1, 1)),
    "has": Operator(
        (FieldType.list,), "has this among its items, or any of these", _has, many=True
    ),
    "under": Operator(
        (FieldType.list, FieldType.id, FieldType.text),
        "is or has this, or what lies under it",
        _has_under,
        many=True,
    ),
}


#: Operators that no parameter names: what one of `OPERATORS` comes to for some values.
DERIVED_OPERATORS: dict[str, Operator] = {
    "during": Operator((FieldType.instant,), "lies within this", _is_during, many=True)
}


def operators_of(field: RecordField) -> list[str]:
    """The operators that a field can be asked with."""
    optional = field.nullable or field.field_type is FieldType.list
    return [
        name
        for name, operator in OPERATORS.items()
        if field.field_type in operator.kinds
        and (name != "isnull" or optional)
        and (name != "under" or _has_levels(field))
    ]


def _has_levels(field: RecordField) -> bool:
    """Whether what it names lies in levels: records, or codes that begin with those above."""
    if field.levels is not None:
        return True
    return (
        field.field_type is FieldType.list
        and field.codes is not None
        and bool(field.codes.table.info.get("levels"))
    )


def check_operator(record_field: RecordField, operator: str) -> None:
    """ValueError when values of the field cannot be compared so, with what is possible."""
    if operator not in operators_of(record_field):
        possible = ", ".join(operators_of(record_field))
        text = f"'{record_field.name}' cannot be asked with {operator}; possible: {possible}"
        raise ValueError(text)
