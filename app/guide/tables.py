"""The guide's tables, made of the program itself so that they are never out of date."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cache
from html import escape

from app.api import RESOURCES
from app.core import json_codec
from app.core.errors import PROBLEMS
from app.core.http.requests import MAX_PARAMETERS
from app.core.sheets.zipped_parts import MAX_CHARACTERS
from app.engine.aggregates import query as aggregate_query
from app.engine.history import past, undo
from app.engine.imports.cells import MAX_SHORT_CHARACTERS
from app.engine.paths import MAX_DEPTH, FieldType, RecordField, fields_of
from app.engine.query import expression, fan_out, parameters
from app.engine.query import filter_reader as filters
from app.engine.query.operators import OPERATORS, Operator, operators_of
from app.engine.writes import bulk, nested_schemas
from app.guide.markdown import render_inline
from app.insights.search import MAX_HITS
from app.questions.writes import MAX_QUESTIONS, MAX_VERSIONS
from app.receipts.behind import MAX_PASSAGES, MAX_RECORDS
from app.receipts.writes import MAX_ANSWER_BYTES, MAX_RECEIPTS
from app.rest import idempotency
from app.settings import Settings

#: What a kind of field is called.
KINDS: dict[FieldType, str] = {
    FieldType.id: "an id",
    FieldType.text: "text",
    FieldType.choice: "one word of a few",
    FieldType.code: "a code of a list",
    FieldType.integer: "a whole number",
    FieldType.decimal: "a number with decimals",
    FieldType.boolean: "true or false",
    FieldType.date: "a day",
    FieldType.instant: "a time",
    FieldType.stated: "a stated date",
    FieldType.list: "a list of texts or codes",
}
#: How an operator is written in an expression, where not by its own name.
_WRITTEN = {
    "gte": "ge",
    "lte": "le",
    "not_in": "not … in (…)",
    "in": "in (…)",
    "isnull": "eq null, ne null",
    "contains": "contains(…)",
    "icontains": "contains(tolower(…),…)",
    "startswith": "startswith(…)",
    "endswith": "endswith(…)",
}


def operators() -> str:
    """Each operator with what it asks and how an expression writes it."""
    rows = [
        (_parameter(name), escape(_asks(operator)), _code(_WRITTEN.get(name, name)))
        for name, operator in OPERATORS.items()
    ]
    return _table(("parameter", "finds records whose field …", "in an expression"), rows)


def _parameter(name: str) -> str:
    return _code("field=" if name == "eq" else f"field__{name}=")


def _asks(operator: Operator) -> str:
    return f"{operator.says}; several, by commas" if operator.many else operator.says


def kinds() -> str:
    """Each kind of field with its operators and some fields of the kind."""
    rows = []
    for kind, name in KINDS.items():
        found = _leaves(kind)
        possible = {
            operator for _, record_field in found for operator in operators_of(record_field)
        }
        asked = " ".join(_code(operator) for operator in OPERATORS if operator in possible)
        rows.append((name, ", ".join(_code(field) for field, _ in found[:2]), asked))
    return _table(("kind", "for example", "operators"), rows)


@cache
def _leaves(kind: FieldType) -> list[tuple[str, RecordField]]:
    """The fields of a kind, each by its first name, those of agreements first."""
    first = sorted(RESOURCES, key=lambda resource: resource.path != "agreements")
    found: dict[str, tuple[str, RecordField]] = {}
    for resource in first:
        for name, record_field in fields_of(resource).items():
            if record_field.field_type is kind:
                found.setdefault(name, (f"{resource.path}: {name}", record_field))
    return list(found.values())


def problems() -> str:
    """Each kind of problem with its status and what it means."""
    rows = [
        (
            str(kind.status),
            f'<a href="problems/{kind.slug()}">{escape(kind.title)}</a>',
            render_inline(kind.about),
        )
        for kind in sorted(PROBLEMS, key=lambda kind: kind.status)
    ]
    return _table(("status", "problem", "what it means"), rows)


def limits() -> str:
    """What the service takes at most."""
    return _table(("what", "at most"), [*_limits_of_reads(), *_limits_of_writes()])


def _limits_of_reads() -> list[tuple[str, str]]:
    keys, metrics = aggregate_query.MAX_KEYS, aggregate_query.MAX_METRICS
    levels = f"{expression.MAX_TERMS}, {expression.MAX_DEPTH}"
    return [
        ("records on a page", _number(parameters.MAX_LIMIT)),
        ("records passed over by `offset`; a cursor goes on", _number(parameters.MAX_OFFSET)),
        ("related records in one answer", _number(fan_out.MAX_RELATED)),
        ("long texts in one answer", f"{_number(fan_out.MAX_TEXT_BYTES)} bytes"),
        ("hits of the search on a page", _number(MAX_HITS)),
        ("groups of figures", _number(aggregate_query.MAX_LIMIT)),
        ("group keys, metrics", f"{keys}, {metrics}"),
        ("fields to sort by", _number(parameters.MAX_SORT)),
        ("steps through related records", _number(MAX_DEPTH)),
        ("changes since `as_of`", _number(past.MAX_LATER_CHANGES)),
        ("records of a kind that have changed since", _number(undo.MAX_UNDONE_RECORDS)),
        ("parameters of an address", _number(MAX_PARAMETERS)),
        ("values of one filter, of all", f"{filters.MAX_ITEMS}, {_number(filters.MAX_VALUES)}"),
        (
            "an expression: characters, conditions, levels",
            f"{_number(expression.MAX_LENGTH)}, {levels}",
        ),
    ]


def _limits_of_writes() -> list[tuple[str, str]]:
    default = {name: setting.default for name, setting in Settings.model_fields.items()}
    return [
        ("a body", f"{_number(default['max_body'])} bytes, unless the operator sets another"),
        ("a bulk request or an imported file", f"{_number(default['max_import'])} bytes, likewise"),
        ("all cells of a workbook", f"{_number(MAX_CHARACTERS)} characters"),
        (
            "a cell that is neither text nor a list",
            f"{_number(MAX_SHORT_CHARACTERS)} characters",
        ),
        ("the answer that a receipt keeps", f"{_number(MAX_ANSWER_BYTES)} bytes"),
        ("records behind it, their citations", f"{_number(MAX_RECORDS)}, {_number(MAX_PASSAGES)}"),
        ("receipts", _number(MAX_RECEIPTS)),
        ("saved questions", _number(MAX_QUESTIONS)),
        ("versions of a saved question", _number(MAX_VERSIONS)),
        ("levels of a JSON body", _number(json_codec.MAX_DEPTH)),
        ("records in one list of a nested create", _number(nested_schemas.MAX_NESTED)),
        ("operations of a bulk request", _number(bulk.MAX_OPERATIONS)),
        (
            "how long an Idempotency-Key is kept",
            f"{idempotency.RESPONSE_TTL // timedelta(hours=1)} hours",
        ),
    ]


#: The tables by the names that the text calls them.
TABLES: dict[str, Callable[[], str]] = {
    "operators": operators,
    "kinds": kinds,
    "problems": problems,
    "limits": limits,
}


def _number(value: int) -> str:
    return f"{value:,}"


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    names = "".join(f"<th scope=col>{name}</th>" for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>\n" for row in rows)
    opening = f'<div class=scroll tabindex=0 role=region aria-label="Table: {head[0]}">'
    return f"{opening}<table><thead><tr>{names}</tr></thead>\n<tbody>\n{body}</tbody></table></div>"
