"""Filters in their two forms, `field__op=value` and `filter=`, read into one condition."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Never

from app.core.databases.expressions import TableColumn
from app.core.databases.types import simple_lower
from app.core.errors import BadRequest, Fault
from app.core.loose_types import Fields, Value
from app.engine.paths import (
    FieldType,
    PathError,
    RecordField,
    Relation,
    fields_of,
    find_field,
    find_relation,
    leads_to_many,
    relations_of,
)
from app.engine.query import hints, nodes
from app.engine.query.conditions import (
    And,
    Compare,
    Condition,
    Exists,
    Not,
    Or,
    Path,
    conjunction,
    joined,
)
from app.engine.query.expression import parse_expression
from app.engine.query.hints import split_name
from app.engine.query.nodes import ExpressionError, Literal, Name
from app.engine.query.operators import OPERATORS, operators_of
from app.engine.query.values import (
    DATED,
    EmptyValue,
    parse_boolean,
    parse_limit,
    parse_value,
    round_to_column,
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


def bad_parameter(parameter: str, code: str, detail: str) -> BadRequest:
    """The 400 of one parameter."""
    return BadRequest(f"{parameter}: {detail}", [Fault(code, detail, parameter=parameter)])


def read_filters(
    resource: Resource, pairs: Pairs, text: str | None = None, others: Iterable[str] = ()
) -> ParsedFilter:
    """The filters of a query: flat ones from its parameters, AND the expression `text`.

    `others` are the names of the parameters that are no filters, to be suggested for a misspelt
    one. BadRequest tells the first mistake and what would be right.
    """
    reader = _Reader(resource, ParsedFilter(), tuple(others))
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
class _Reader:
    resource: Resource
    parsed: ParsedFilter
    others: tuple[str, ...]

    def flat(self, name: str, texts: list[str]) -> Condition:
        path, operator = split_name(name)
        self._check_name(name, path, texts[0])
        if len(texts) > 1 and not OPERATORS[operator].many:
            raise bad_parameter(name, "repeated", f"{name!r} is given more than once.")
        if operator == "isnull" and (found := self._step(path)):
            if found.is_to_many:
                return self._none_of(name, path, texts[0])
            path = (*path[:-1], f"{path[-1]}_id")
        if self._step(path):
            raise bad_parameter(name, "unknown", hints.relation(self.resource, path, texts[0]))
        try:
            record_field = find_field(self.resource, path)
        except PathError as error:
            raise bad_parameter(name, "unknown", _told(error)) from None
        try:
            return self._term(name, path, record_field, operator, self._items(operator, texts))
        except ValueError as error:
            if isinstance(error, EmptyValue) or (texts == [""] and operator != "isnull"):
                raise bad_parameter(name, "value", hints.empty_value(path, record_field)) from None
            right = hints.right_value(self.resource, name, path, record_field, texts[0])
            raise bad_parameter(name, "value", _told(error) + right) from None

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
            raise bad_parameter(name, "value", _told(error)) from None

    @staticmethod
    def _items(operator: str, texts: list[str]) -> list[str]:
        if not OPERATORS[operator].many:
            return texts
        items = [item for text in texts for item in split_items(text)]
        if not 1 <= len(items) <= MAX_ITEMS:
            raise ValueError(f"takes 1 to {MAX_ITEMS} values, not {len(items)}")
        return items

    def _term(
        self, name: str, path: Path, record_field: RecordField, operator: str, texts: list[str]
    ) -> Condition:
        """A comparison of the field with values that are still text; ValueError for a wrong one."""
        meant = OPERATORS[operator]
        _check_operator(record_field, operator)
        if operator == "isnull":
            term = Compare(path, operator, ())
            return term if parse_boolean(texts[0]) else Not(term)
        values = [self._value(name, record_field, operator, text) for text in texts]
        if meant.many:
            # As many as a power of two, so that lists of similar length share their statement.
            values += [values[-1]] * ((1 << (len(values) - 1).bit_length()) - len(values))
        term = Compare(path, _POSITIVE.get(operator, operator), self._slots(values))
        return Not(term) if meant.negated else term

    def _slots(self, values: list[Value]) -> tuple[str, ...]:
        first = len(self.parsed.values)
        if first + len(values) > MAX_VALUES:
            raise ValueError(f"is too much: all filters together take {MAX_VALUES} values")
        slots = tuple(f"f{first + at}" for at in range(len(values)))
        self.parsed.values.update(zip(slots, values, strict=True))
        return slots

    def _value(self, name: str, record_field: RecordField, operator: str, text: str) -> Value:
        if record_field.field_type in DATED and OPERATORS[operator].rounding:
            return parse_limit(record_field, text, at_end=OPERATORS[operator].at_end)
        value = parse_value(record_field, text)
        if isinstance(value, Decimal):
            return round_to_column(record_field, value, OPERATORS[operator].rounding)
        if record_field.codes is not None and operator != "startswith":
            self.parsed.codes.append(CodeUsed(name, record_field.codes, value))
        return simple_lower(value) if operator == "icontains" else value

    def condition(self, text: str) -> Condition:
        try:
            return self._node(parse_expression(text), self.resource)
        except ExpressionError as error:
            raise bad_parameter(
                "filter", "expression", f"Character {error.position}: {error.detail}"
            ) from None

    def _node(self, node: nodes.Node, at: Resource | Embedded) -> Condition:
        match node:
            case nodes.And():
                return And(tuple(self._node(item, at) for item in node.items))
            case nodes.Or():
                return Or(tuple(self._node(item, at) for item in node.items))
            case nodes.Not():
                return Not(self._node(node.item, at))
            case nodes.Some() | nodes.Every():
                return self._quantified(node, at)
            case nodes.Match():
                return self._match(node, at)
            case nodes.Comparison():
                return self._comparison(node, at)

    def _quantified(self, node: nodes.Some | nodes.Every, at: Resource | Embedded) -> Condition:
        target: Resource | Embedded = at
        found = None
        for name in node.name.steps:
            try:
                found = find_relation(target, name)
            except PathError as error:
                _refuse(node.name.at, str(error))
            target = found.target
        if found is None or not found.is_to_many:
            _refuse(node.name.at, f"{node.name.steps[-1]} leads to one record: write its fields.")
        item = self._node(node.item, target) if node.item is not None else None
        if isinstance(node, nodes.Every):
            assert item is not None
            return Not(Exists(node.name.steps, Not(item)))
        return Exists(node.name.steps, item)

    def _match(self, node: nodes.Match, at: Resource | Embedded) -> Condition:
        if node.folded and node.function != "contains":
            _refuse(node.at, f"tolower goes with contains only, not with {node.function}.")
        operator = "icontains" if node.folded else node.function
        return self._compared(node.name, operator, (node.literal,), at)

    def _comparison(self, node: nodes.Comparison, at: Resource | Embedded) -> Condition:
        if node.literals[0].literal_type is nodes.LiteralType.NULL:
            record_field = _field(node.name, at)
            if "isnull" not in operators_of(record_field):
                _refuse(node.name.at, f"{record_field.name} always has a value.")
            term = Compare(node.name.steps, "isnull", ())
            return term if node.op == "eq" else Not(term)
        return self._compared(node.name, _FLAT.get(node.op, node.op), node.literals, at)

    def _compared(
        self, name: Name, operator: str, literals: tuple[Literal, ...], at: Resource | Embedded
    ) -> Condition:
        record_field = _field(name, at)
        if len(literals) > MAX_ITEMS:
            _refuse(literals[0].at, f"Write at most {MAX_ITEMS} values.")
        try:
            _check_operator(record_field, operator)
        except ValueError as error:
            _refuse(
                literals[0].at,
                _told(error) + hints.held(record_field, name.steps, literals[0].text),
            )
        for literal in literals:
            if literal.literal_type.value not in _WRITTEN.get(
                record_field.field_type, ("text",)
            ) and not (record_field.field_type in DATED and literal.is_year):
                right = _EXAMPLES.get(record_field.field_type, "a text in quotes, such as 'signed'")
                _refuse(literal.at, f"{record_field.name} is compared with {right}.")
        try:
            texts = [literal.text for literal in literals]
            return self._term("filter", name.steps, record_field, operator, texts)
        except ValueError as error:
            right = hints.right_value(at, "filter", name.steps, record_field, literals[0].text)
            _refuse(literals[0].at, _told(error) + (right if len(literals) == 1 else ""))


_FLAT: Mapping[str, str] = {"ge": "gte", "le": "lte"}
_POSITIVE: Mapping[str, str] = {"ne": "eq", "not_in": "in"}
#: How a literal that is compared with a field of this kind may be written; a text otherwise.
_WRITTEN: Mapping[FieldType, tuple[str, ...]] = {
    FieldType.id: ("guid", "text"),
    FieldType.integer: ("number",),
    FieldType.decimal: ("number",),
    FieldType.boolean: ("boolean",),
    FieldType.date: ("date", "text"),
    FieldType.instant: ("instant", "date", "text"),
    FieldType.stated: ("text", "date"),
}
_EXAMPLES: Mapping[FieldType, str] = {
    FieldType.id: "an id, such as 0197c5a0-0000-7000-8000-000000000000",
    FieldType.integer: "a number without quotes",
    FieldType.decimal: "a number without quotes, such as 1250.5",
    FieldType.boolean: "true or false",
    FieldType.date: "a date, such as 2016-04-12",
    FieldType.instant: "a time, such as 2016-04-12T09:30:00Z",
    FieldType.stated: "a date, such as 2016-04-12 or 2016-04",
}


def _field(name: Name, at: Resource | Embedded) -> RecordField:
    try:
        record_field = find_field(at, name.steps)
    except PathError as error:
        _refuse(name.at, str(error))
    steps = leads_to_many(at, name.steps)
    if steps is not None:
        relation, inner = "/".join(name.steps[:steps]), "/".join(name.steps[steps:])
        _refuse(
            name.at,
            f"{relation} leads to any number of records: write {relation}/any(x: x/{inner} …).",
        )
    return record_field


def _check_operator(record_field: RecordField, operator: str) -> None:
    if operator not in operators_of(record_field):
        possible = ", ".join(operators_of(record_field))
        text = f"'{record_field.name}' cannot be asked with {operator}; possible: {possible}"
        raise ValueError(text)


def _refuse(position: int, detail: str) -> Never:
    raise ExpressionError(position, detail)


def _told(error: ValueError) -> str:
    text = str(error).rstrip(".")
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('?') else '.'}"
