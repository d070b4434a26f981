"""Filters in their two forms, `field__op=value` and `filter=`, read into one condition."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from itertools import pairwise

from app.core import relative_dates
from app.core.databases.expressions import TableColumn
from app.core.databases.types import caseless, now
from app.core.errors import BadRequest, Fault
from app.core.loose_types import Fields, Value
from app.engine.paths import (
    FieldType,
    PathError,
    RecordField,
    Relation,
    fields_of,
    find_field,
    path_of_rows,
    relations_of,
)
from app.engine.query import by_ref, hints, nodes
from app.engine.query.conditions import (
    Compare,
    Condition,
    Exists,
    Path,
    condition_of,
    conjunction,
    joined,
)
from app.engine.query.expression import parse_expression
from app.engine.query.expression_fields import (
    check_literals,
    check_nullable,
    elements_of,
    field_of,
    match_operator,
)
from app.engine.query.hints import split_name
from app.engine.query.nodes import ExpressionError, Literal, Name, Not
from app.engine.query.operators import OPERATORS, check_operator
from app.engine.query.values import (
    DATED,
    EmptyValue,
    has_period,
    parse_boolean,
    parse_limit,
    parse_value,
    round_to_column,
    sentence,
)
from app.engine.resource import Embedded, Resource

MAX_ITEMS = 256
#: Of all filters of a query; far below what a statement of either database can have.
MAX_VALUES = 4096
Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class CodeUsed:
    """A value that must be in a code list: an unknown one is a mistake, not an empty answer."""

    parameter: str
    column: TableColumn
    code: str


@dataclass(slots=True)
class ParsedFilter:
    """A condition with its values by parameter, and the codes that it names."""

    condition: Condition | None = None
    values: Fields = field(default_factory=dict)
    codes: list[CodeUsed] = field(default_factory=list)
    #: When it is: what dates such as `-12mo` are counted from.
    asked_at: datetime = field(default_factory=lambda: now())
    #: The days and moments that such dates came to.
    relative: list[str] = field(default_factory=list)

    def as_iso(self, record_field: RecordField, text: str, zone: tzinfo) -> str:
        """The text, or for a date such as `-12mo` the day that it comes to; ValueError for one
        that the field cannot be compared with."""
        if record_field.field_type not in DATED:
            return text
        of_days = record_field.field_type is not FieldType.instant
        found = relative_dates.as_iso(text, self.asked_at, zone, of_days=of_days)
        if found is not None:
            self.relative.append(found)
        return text if found is None else found


def bad_parameter(parameter: str, code: str, detail: str) -> BadRequest:
    """The 400 of one parameter."""
    return BadRequest(f"{parameter}: {detail}", [Fault(code, detail, parameter=parameter)])


def read_filters(
    resource: Resource,
    pairs: Pairs,
    text: str | None = None,
    others: Iterable[str] = (),
    zone: tzinfo = UTC,
    asked_at: datetime | None = None,
) -> ParsedFilter:
    """The filters of a query: flat ones from its parameters, AND the expression `text`.

    `others` are the names of the parameters that are no filters, to be suggested for a misspelt
    one. Days, months and years of moments are those of the `zone`; relative dates are counted from
    now, or from when it was `asked_at`. BadRequest tells the first mistake and what would be right.
    """
    parsed = ParsedFilter(asked_at=asked_at) if asked_at else ParsedFilter()
    reader = FilterReader(resource, parsed, tuple(others), zone)
    terms = [reader.flat(name, values) for name, values in _by_name(pairs).items()]
    found = [joined(resource, terms), reader.condition(text) if text is not None else None]
    reader.parsed.condition = conjunction(item for item in found if item is not None)
    return reader.parsed


def _by_name(pairs: Pairs) -> dict[str, list[str]]:
    """In one order however they were sent, so that alike queries share their statement."""
    found: dict[str, list[str]] = {}
    for name, value in sorted(pairs, key=lambda pair: pair[0]):
        found.setdefault(name, []).append(value)
    return found


_ITEM = re.compile(r'"((?:[^"]|"")*)"(?:,|$)|([^,]*)(?:,|$)', re.DOTALL)


def split_items(text: str) -> list[str]:
    """`a,b,"c, d"` as its items; an item with a comma stands in double quotes."""
    items, at = [], 0
    while at <= len(text):
        found = _ITEM.match(text, at)
        assert found is not None
        quoted, plain = found.groups()
        items.append(plain if quoted is None else quoted.replace('""', '"'))
        if found.end() == len(text) and not found[0].endswith(","):
            break
        at = found.end()
    return items


@dataclass(slots=True)
class FilterReader:
    """Reads filters of a kind of record; their values come to stand in `parsed`."""

    resource: Resource | Embedded
    parsed: ParsedFilter
    others: tuple[str, ...] = ()
    zone: tzinfo = UTC

    def flat(self, name: str, texts: list[str]) -> Condition:
        path, operator = split_name(name)
        self._check_name(name, path, texts[0])
        if len(texts) > 1 and not OPERATORS[operator].many:
            raise bad_parameter(name, "repeated", f"{name!r} is given more than once.")
        if operator == "isnull" and (found := self._step(path)):
            if found.is_to_many:
                return self._none_of(name, path, texts[0])
            path = (*path[:-1], f"{path[-1]}_id")
        if (by_key := by_ref.key_path(self.resource, path)) and by_ref.is_asked(operator, texts):
            path = by_key
        if self._step(path):
            raise bad_parameter(name, "unknown", hints.relation(self.resource, path, texts[0]))
        try:
            record_field = find_field(self.resource, path)
        except PathError as error:
            raise bad_parameter(name, "unknown", hints.unknown_field(error)) from None
        try:
            items = self._items(operator, texts)
            return self._term(name, self.resource, path, record_field, operator, items)
        except ValueError as error:
            if isinstance(error, EmptyValue) or (texts == [""] and operator != "isnull"):
                raise bad_parameter(name, "value", hints.empty_value(path, record_field)) from None
            right = hints.right_value(self.resource, name, path, record_field, texts[0])
            raise bad_parameter(name, "value", sentence(error) + right) from None

    def _check_name(self, name: str, path: Path, text: str) -> None:
        first = path[0]
        if first not in fields_of(self.resource) and first not in relations_of(self.resource):
            instead = hints.right_name(self.resource, name, text, self.others)
            raise bad_parameter(name, "unknown", f"There is no parameter {name!r}.{instead}")
        at: Resource | Embedded = self.resource
        for word, following in pairwise(path):
            if word in relations_of(at):
                at = relations_of(at)[word].target
            elif word in fields_of(at):
                text = hints.wrong_operator(word, following, fields_of(at)[word], name)
                raise bad_parameter(name, "operator", text)
            else:
                return

    def _step(self, path: Path) -> Relation | None:
        """The relation at the end of the path, if there is one."""
        *before, last = path
        at: Resource | Embedded = self.resource
        for name in before:
            found = relations_of(at).get(name)
            if found is None:
                return None
            at = found.target
        return None if last in fields_of(at) else relations_of(at).get(last)

    def _none_of(self, name: str, path: Path, text: str) -> Condition:
        try:
            return Not(Exists(path, None)) if parse_boolean(text) else Exists(path, None)
        except ValueError as error:
            raise bad_parameter(name, "value", sentence(error)) from None

    @staticmethod
    def _items(operator: str, texts: list[str]) -> list[str]:
        if not OPERATORS[operator].many:
            return texts
        # Given one by one, values are taken whole: one of them may have a comma in it.
        items = texts if len(texts) > 1 else split_items(texts[0])
        if not 1 <= len(items) <= MAX_ITEMS:
            raise ValueError(f"takes 1 to {MAX_ITEMS} values, not {len(items)}")
        return items

    def _term(
        self,
        name: str,
        at: Resource | Embedded,
        path: Path,
        record_field: RecordField,
        operator: str,
        texts: list[str],
    ) -> Condition:
        """A comparison of the field with values that are still text; ValueError for a wrong one."""
        if record_field.field_type is FieldType.id:
            path, record_field = by_ref.named(at, path, record_field, operator, texts)
            if operator == "under":
                path = by_ref.within_record(path)
        meant = OPERATORS[operator]
        check_operator(record_field, operator)
        if operator != "isnull" and (of_rows := path_of_rows(at, path)):
            return self._any_row(name, at, of_rows, operator, texts)
        if operator == "isnull":
            term = Compare(path, operator, ())
            return term if parse_boolean(texts[0]) else Not(term)
        texts = [self.parsed.as_iso(record_field, text, self.zone) for text in texts]
        if operator in _EQUALITIES and has_period(record_field, texts):
            limits = [self._limit(record_field, t, at_end=end) for t in texts for end in _ENDS]
            during = Compare(path, "during", self.slots(limits))
            return Not(during) if meant.negated else during
        values = [self._value(name, record_field, operator, text) for text in texts]
        if meant.many:
            # As many as a power of two, so that lists of similar length share their statement.
            values += [values[-1]] * ((1 << (len(values) - 1).bit_length()) - len(values))
        term = Compare(path, _POSITIVE.get(operator, operator), self.slots(values))
        return Not(term) if meant.negated else term

    def _any_row(
        self,
        name: str,
        at: Resource | Embedded,
        of_rows: Path,
        operator: str,
        texts: list[str],
    ) -> Condition:
        """That a row of a part has such a value; negated, that none has."""
        positive = _POSITIVE.get(operator, operator)
        found = self._term(name, at, of_rows, find_field(at, of_rows), positive, texts)
        if not OPERATORS[operator].negated:
            return found
        assert isinstance(found, Compare)
        return Not(Exists(of_rows[:-1], Compare(of_rows[-1:], found.operator, found.params)))

    def slots(self, values: list[Value]) -> tuple[str, ...]:
        """The names of parameters of these values; ValueError for too many."""
        first = len(self.parsed.values)
        if first + len(values) > MAX_VALUES:
            raise ValueError(f"is too much: all filters together take {MAX_VALUES} values")
        slots = tuple(f"f{first + at}" for at in range(len(values)))
        self.parsed.values.update(zip(slots, values, strict=True))
        return slots

    def _limit(self, record_field: RecordField, text: str, *, at_end: bool) -> date | datetime:
        return parse_limit(record_field, text, at_end=at_end, zone=self.zone)

    def _value(self, name: str, record_field: RecordField, operator: str, text: str) -> Value:
        if record_field.field_type in DATED and OPERATORS[operator].rounding:
            return self._limit(record_field, text, at_end=OPERATORS[operator].at_end)
        value = parse_value(record_field, text)
        if isinstance(value, Decimal):
            return round_to_column(record_field, value, OPERATORS[operator].rounding)
        if record_field.codes is not None and operator != "startswith":
            self.parsed.codes.append(CodeUsed(name, record_field.codes, value))
        return caseless(value) if operator == "icontains" else value

    def condition(self, text: str) -> Condition:
        """The condition that the expression states; 400 tells where its first mistake is."""
        try:
            return self._within(parse_expression(text), self.resource)
        except ExpressionError as error:
            raise bad_parameter(
                "filter", "expression", f"Character {error.position}: {error.detail}"
            ) from None

    def _within(self, node: nodes.Node, at: Resource | Embedded) -> Condition:
        return condition_of(node, lambda predicate: self.predicate(predicate, at))

    def predicate(self, node: nodes.Predicate, at: Resource | Embedded) -> Condition:
        """What a predicate says of a record or part; ExpressionError for what cannot be."""
        match node:
            case nodes.Some() | nodes.Every():
                return self._quantified(node, at)
            case nodes.Match():
                operator = match_operator(node)
                return self._compared(node.name, operator, (node.literal,), at)
        if node.literals[0].literal_type is not nodes.LiteralType.NULL:
            operator = _FLAT.get(node.op, node.op)
            return self._compared(node.name, operator, node.literals, at)
        check_nullable(node.name, at)
        term = Compare(node.name.steps, "isnull", ())
        return term if node.op == "eq" else Not(term)

    def _quantified(self, node: nodes.Some | nodes.Every, at: Resource | Embedded) -> Condition:
        target = elements_of(node.name, at)
        item = self._within(node.item, target) if node.item is not None else None
        if isinstance(node, nodes.Every):
            assert item is not None
            return Not(Exists(node.name.steps, Not(item)))
        return Exists(node.name.steps, item)

    def _compared(
        self, name: Name, operator: str, literals: tuple[Literal, ...], at: Resource | Embedded
    ) -> Condition:
        record_field = field_of(name, at)
        if len(literals) > MAX_ITEMS:
            raise ExpressionError(literals[0].at, f"Write at most {MAX_ITEMS} values.")
        check_literals(record_field, name, operator, literals)
        try:
            texts = [literal.text for literal in literals]
            return self._term("filter", at, name.steps, record_field, operator, texts)
        except ValueError as error:
            right = hints.right_value(at, "filter", name.steps, record_field, literals[0].text)
            detail = sentence(error) + (right if len(literals) == 1 else "")
            raise ExpressionError(literals[0].at, detail) from None


_FLAT: Mapping[str, str] = {"ge": "gte", "le": "lte"}
#: What finds the whole of a day, a month or a year that is compared with a moment.
_EQUALITIES, _ENDS = ("eq", "ne", "in", "not_in"), (False, True)
_POSITIVE: Mapping[str, str] = {"ne": "eq", "not_in": "in"}
