"""What the names and literals of a filter expression stand for: the fields of a kind of record.

Each refusal is an ExpressionError with the position of what is refused.
"""

from collections.abc import Mapping

from app.engine.paths import (
    FieldType,
    PathError,
    RecordField,
    find_field,
    find_relation,
    leads_to_many,
)
from app.engine.query import hints
from app.engine.query.nodes import ExpressionError, Literal, Match, Name
from app.engine.query.operators import check_operator, operators_of
from app.engine.query.values import DATED, sentence
from app.engine.resource import Embedded, Resource

#: How a literal that is compared with a field of this kind may be written; a text otherwise.
_WRITTEN: Mapping[FieldType, tuple[str, ...]] = {
    FieldType.id: ("guid", "text"),
    FieldType.integer: ("number",),
    FieldType.decimal: ("number",),
    FieldType.boolean: ("boolean",),
    FieldType.date: ("date", "text", "relative"),
    FieldType.instant: ("instant", "date", "text", "relative"),
    FieldType.stated: ("text", "date", "relative"),
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


def field_of(name: Name, at: Resource | Embedded) -> RecordField:
    """The field that a name outside `any` and `all` leads to."""
    try:
        record_field = find_field(at, name.steps)
    except PathError as error:
        raise ExpressionError(name.at, hints.unknown_field(error)) from None
    steps = leads_to_many(at, name.steps)
    if steps is not None:
        relation, inner = "/".join(name.steps[:steps]), "/".join(name.steps[steps:])
        right = f"write {relation}/any(x: x/{inner} …)"
        raise ExpressionError(name.at, f"{relation} leads to any number of records: {right}.")
    return record_field


def elements_of(name: Name, at: Resource | Embedded) -> Resource | Embedded:
    """The kind of what is in the collection that `any` or `all` asks for."""
    target, leads_to_one = at, True
    for step in name.steps:
        try:
            found = find_relation(target, step)
        except PathError as error:
            raise ExpressionError(name.at, str(error)) from None
        target, leads_to_one = found.target, not found.is_to_many
    if leads_to_one:
        detail = f"{name.steps[-1]} leads to one record: write its fields."
        raise ExpressionError(name.at, detail)
    return target


def match_operator(node: Match) -> str:
    """The operator of `contains(title,'x')`; in lower case it is another."""
    if node.folded and node.function != "contains":
        detail = f"tolower goes with contains only, not with {node.function}."
        raise ExpressionError(node.at, detail)
    return "icontains" if node.folded else node.function


def check_nullable(name: Name, at: Resource | Embedded) -> None:
    """Refuse to compare with null what is never null."""
    record_field = field_of(name, at)
    if "isnull" not in operators_of(record_field):
        raise ExpressionError(name.at, f"{record_field.name} always has a value.")


def check_literals(
    record_field: RecordField, name: Name, operator: str, literals: tuple[Literal, ...]
) -> None:
    """Refuse an operator that the field has not, and literals of another type than its values."""
    try:
        check_operator(record_field, operator)
    except ValueError as error:
        right = hints.membership(record_field, name.steps, literals[0].text)
        raise ExpressionError(literals[0].at, sentence(error) + right) from None
    written = _WRITTEN.get(record_field.field_type, ("text",))
    for literal in literals:
        is_year = record_field.field_type in DATED and literal.is_year
        if literal.literal_type.value not in written and not is_year:
            right = _EXAMPLES.get(record_field.field_type, "a text in quotes, such as 'signed'")
            raise ExpressionError(literal.at, f"{record_field.name} is compared with {right}.")
