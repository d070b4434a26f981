"""Conditions on the groups of an aggregate: `count gt 5 and sum_amount ge 1000000`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, tzinfo
from decimal import ROUND_DOWN, Context, Decimal
from typing import Never

from app.core.databases.types import Exact
from app.core.errors import did_you_mean
from app.core.loose_types import Value
from app.core.relative_dates import as_iso
from app.engine.aggregates.periods import period_of
from app.engine.aggregates.shape import (
    ADDED,
    UNDATED,
    DatePart,
    Function,
    GroupKey,
    Metric,
    Output,
    find_output,
    output_field,
)
from app.engine.paths import FieldType, find_field
from app.engine.query.conditions import Compare, Condition, condition_of
from app.engine.query.expression import parse_expression
from app.engine.query.filter_reader import CodeUsed, ParsedFilter, bad_parameter
from app.engine.query.nodes import (
    Comparison,
    ExpressionError,
    Literal,
    LiteralType,
    Not,
    Or,
    Predicate,
)
from app.engine.query.operators import OPERATORS, operators_of
from app.engine.query.values import DATED, parse_limit, parse_value, round_to_column
from app.engine.resource import Resource

#: Sums and averages are compared as integers of their smallest units in two parts, `high` and
#: `low`, because SQLite's integers end at 64 bits: how much of the low one makes a high one.
SUM_PART, AVG_PART = 10**9, 10**4
#: Decimals that an average has more than its field.
AVG_DECIMALS = 4

# Beyond every sum and every average that there can be, and within both parts.
_FURTHEST = {
    Function.SUM: Decimal(10**27),
    Function.AT_LEAST: Decimal(10**27),
    Function.AT_MOST: Decimal(10**27),
    Function.AVG: Decimal(10**22),
}
_MOST = Decimal(2**62)
_WIDE = Context(prec=200)

_CALLS = "|".join([*DatePart, *Function])
_TEXT_OR_CALL = re.compile(rf"'(?:[^']|'')*'|\b(?:{_CALLS})\([\w./]+\)", re.ASCII)
_FORMS = {
    DatePart.year: "[0-9]{4}",
    DatePart.quarter: "[0-9]{4}-Q[1-4]",
    DatePart.month: "[0-9]{4}-[0-9]{2}",
    DatePart.week: "[0-9]{4}-W[0-9]{2}",
    DatePart.day: "[0-9]{4}-[0-9]{2}-[0-9]{2}",
}
_EXAMPLES = {
    DatePart.year: "'2016'",
    DatePart.quarter: "'2016-Q2'",
    DatePart.month: "'2016-04'",
    DatePart.week: "'2016-W15'",
    DatePart.day: "'2016-04-12'",
}
_FLAT = {"ge": "gte", "le": "lte", "ne": "eq"}


def read_having(
    resource: Resource,
    outputs: Mapping[str, Output],
    text: str,
    parsed: ParsedFilter,
    zone: tzinfo,
) -> Condition:
    """The condition on outputs, each a Term whose path is the output's name; its values and codes
    are added to `parsed`. BadRequest tells the position of the first mistake."""
    calls: dict[str, str] = {}

    def as_word(found: re.Match[str]) -> str:
        """A call as a word of the same length, so that positions stay."""
        if found[0].startswith("'"):
            return found[0]
        word = found[0].replace("(", "_").replace(")", "_")
        calls[word] = found[0]
        return word

    reader = _Reader(resource, outputs, parsed, calls, zone)
    try:
        return condition_of(parse_expression(_TEXT_OR_CALL.sub(as_word, text)), reader.predicate)
    except ExpressionError as error:
        detail = error.detail
        for word, call in calls.items():
            detail = detail.replace(word, call)
        raise bad_parameter(
            "having", "expression", f"Character {error.position}: {detail}"
        ) from None


def _refuse(position: int, detail: str) -> Never:
    raise ExpressionError(position, detail)


@dataclass(slots=True)
class _Reader:
    resource: Resource
    outputs: Mapping[str, Output]
    parsed: ParsedFilter
    calls: Mapping[str, str]
    zone: tzinfo
    used: int = field(default=0)

    def predicate(self, node: Predicate) -> Condition:
        if not isinstance(node, Comparison):
            _refuse(node.at, "Groups are chosen by comparisons only, such as count gt 5.")
        output = self._output(node)
        name, first = (output.name,), node.literals[0]
        if node.op in ("has", "under"):
            _refuse(node.at, f"{output.name} is one value: write eq or in.")
        if first.literal_type is LiteralType.NULL:
            none = Compare(name, "isnull", ())
            return none if node.op == "eq" else Not(none)
        operator = _FLAT.get(node.op, node.op)
        texts = [i for i in node.literals if not _is_undated(output, i)]
        if len(texts) < len(node.literals) and operator not in ("eq", "in"):
            _refuse(first.at, f"{UNDATED!r} has no place in the order of dates: write eq or ne.")
        terms: list[Condition] = []
        if texts:
            slots = tuple(self._slot(output, operator, node, literal) for literal in texts)
            terms.append(Compare(name, operator, slots))
        if len(texts) < len(node.literals):
            terms.append(Compare(name, "isnull", ()))
        found = terms[0] if len(terms) == 1 else Or(tuple(terms))
        return Not(found) if node.op == "ne" else found

    def _output(self, node: Comparison) -> Output:
        word = ".".join(node.name.steps)
        name = self.calls.get(word, word)
        output = find_output(self.outputs, name)
        if output is None:
            near = did_you_mean(name, self.outputs)
            known = f" Possible here: {', '.join(self.outputs)}."
            _refuse(node.name.at, f"There is no group key or metric {name!r}.{near}{known}")
        return output

    def _slot(self, output: Output, operator: str, node: Comparison, literal: Literal) -> str:
        """The parameter of a value that is compared with the output."""
        slot = f"h{self.used}"
        self.used += 1
        try:
            value = self._value(output, operator, node, literal)
        except ValueError as error:
            if isinstance(error, ExpressionError):
                raise
            _refuse(literal.at, f"{output.name} {error}".rstrip(".") + ".")
        self.parsed.values[slot] = value
        if isinstance(output, Metric) and output.function in _FURTHEST:
            self._split(slot, value, output)
        return slot

    def _split(self, slot: str, value: Decimal, output: Metric) -> None:
        part = AVG_PART if output.function is Function.AVG else SUM_PART
        scale = scale_of(self.resource, output)
        units = int(value.scaleb(scale, context=_WIDE))
        sign = -1 if units < 0 else 1
        high, low = divmod(abs(units), part)
        self.parsed.values |= {f"{slot}_high": sign * high, f"{slot}_low": sign * low}

    def _value(self, output: Output, operator: str, node: Comparison, literal: Literal) -> Value:
        if isinstance(output, GroupKey) and output.part is not None:
            return self._part_text(output.part, literal)
        is_number = isinstance(output, Metric) and output.function in _NUMBERS
        record_field = None if is_number else output_field(self.resource, output)
        _check_written(
            FieldType.decimal if record_field is None else record_field.field_type, output, literal
        )
        if record_field is None:
            assert isinstance(output, Metric)
            return _number(self.resource, output, operator, Decimal(literal.text))
        stated = record_field.field_type is FieldType.stated
        if operator not in operators_of(record_field) or (stated and operator not in ("eq", "in")):
            _refuse(node.at, f"{output.name} has no order: write eq, ne or in.")
        text = self.parsed.as_iso(record_field, literal.text, self.zone)
        if record_field.field_type in DATED and OPERATORS[operator].rounding:
            at_end = OPERATORS[operator].at_end
            return parse_limit(record_field, text, at_end=at_end, zone=self.zone)
        value = parse_value(record_field, text)
        if record_field.codes is not None:
            self.parsed.codes.append(CodeUsed("having", record_field.codes, value))
        if isinstance(value, Decimal):
            return round_to_column(record_field, value, OPERATORS[operator].rounding)
        return value

    def _part_text(self, part: DatePart, literal: Literal) -> str:
        """A month as it is called, or that which a date such as `-12mo` lies in."""
        found = as_iso(literal.text, self.parsed.asked_at, self.zone, of_days=True)
        if found is not None:
            text = period_of(part, date.fromisoformat(found))
            self.parsed.relative.append(text)
            return text
        if not re.fullmatch(_FORMS[part], literal.text):
            right = f"{_EXAMPLES[part]}, a day such as -12mo or {UNDATED!r}"
            _refuse(literal.at, f"{part}() is compared with texts such as {right}.")
        return literal.text


_NUMBERS = (Function.COUNT, Function.COUNT_DISTINCT, *ADDED)


def _is_undated(output: Output, literal: Literal) -> bool:
    part = output.part if isinstance(output, GroupKey) else None
    return part is not None and literal.text == UNDATED


def _check_written(kind: FieldType, output: Output, literal: Literal) -> None:
    """Refuse a literal that is written as another sort of value."""
    wanted = {
        FieldType.integer: "number",
        FieldType.decimal: "number",
        FieldType.boolean: "boolean",
    }.get(kind)
    if wanted not in (None, literal.literal_type.value):
        right = "a number without quotes" if wanted == "number" else "true or false"
        _refuse(literal.at, f"{output.name} is compared with {right}.")
    is_year = kind in DATED and literal.is_year
    others = ("number", "boolean") if kind in DATED else ("number", "boolean", "relative")
    if wanted is None and not is_year and literal.literal_type.value in others:
        _refuse(literal.at, f"{output.name} is compared with a text in quotes or a date.")


def _number(resource: Resource, output: Metric, operator: str, value: Decimal) -> Decimal | int:
    """The number that compares with what the metric can be just as the given one does."""
    furthest = _FURTHEST.get(output.function, _MOST)
    scale = scale_of(resource, output)
    beyond = furthest.scaleb(-scale, context=_WIDE)
    rounding = OPERATORS[operator].rounding
    moved = beyond.copy_sign(value)
    if abs(value) < beyond:
        unit = Decimal(1).scaleb(-scale)
        moved = value.quantize(unit, rounding=rounding or ROUND_DOWN, context=_WIDE)
        if rounding is None and moved != value:
            moved = beyond
    return moved if output.function in _FURTHEST else int(moved)


def scale_of(resource: Resource, output: Metric) -> int:
    """The decimals of a count, a sum or an average."""
    if output.function not in _FURTHEST:
        return 0
    kind = find_field(resource, output.path).type
    own = kind.scale if isinstance(kind, Exact) else 0
    return own + AVG_DECIMALS if output.function is Function.AVG else own
