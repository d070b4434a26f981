"""What clients are told of their mistakes: one language, and nothing of what we are written in."""

import inspect
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from pydantic import BaseModel
from pydantic_core import core_schema
from typer.testing import CliRunner

from app import api
from app.__main__ import commands
from app.core.errors import Fault, Problem
from app.core.http.dispatch import Route
from app.core.http.requests import read_query
from app.core.validation import explain, validate
from app.engine.paths import fields_of
from app.engine.query.filter_reader import read_filters
from app.engine.query.operators import OPERATORS
from app.engine.resource import Resource
from app.main import create_app
from app.settings import Settings

#: What must not show: Pydantic's and Python's words, names of classes, line breaks of docstrings.
FORBIDDEN = re.compile(
    r"Input should|[Vv]alue error|[Aa]ssertion failed|\bvalid (?:string|list|integer|number|dict)"
    r"|pydantic|(?<!-)\bNone\b(?!-)|\bTrue\b|\bFalse\b|\bdict(?:ionary)?\b|\bstr\b|\bint\b|\bfloat\b|\bbool\b|tuple"
    r"|NoneType|Decimal|datetime|<class|object at 0x|Traceback|Exception|\b\w*Error\b|instance"
    r"|[a-z](?:Fields|Create|Patch|Query|Operations|Tree)\b|\\x|\n|  |\{|\}"
)
CODES = {"type", "form", "length", "range", "choice", "value", "missing", "unknown", "operator"}
CODES |= {"nul", "repeated", "expression"}

WRONG: list[Any] = [
    None,
    True,
    0,
    -1,
    10**30,
    Decimal("0.00000000001"),
    Decimal("1e40"),
    "",
    " ",
    "x",
    "signd",
    "x" * 30_000,
    "a\0b",
    "\u200b",
    "\ud800",
    "2016-13-45",
    "http:",
    [],
    [1],
    [None],
    ["x", "x"],
    [{}] * 300,
    [{"x": 1}],
    {},
    {"x": 1},
    {"op": "x"},
    {"op": 5},
]
WRONG_TEXTS = ["", "x", "-1", "1.5", "1e99", "null", "9" * 40, "a" * 3000, "é", "a,,b", "%20"]


@cache
def routes() -> dict[str, list[Route]]:
    """The operations of each section of the documentation."""
    found: dict[str, list[Route]] = {}
    for route in api.routes():
        # Which makes the models of its bodies.
        route.documented()
        found.setdefault(str(route.tags[0]), []).append(route)
    return found


def model_of(route: Route, name: str) -> type[BaseModel] | None:
    """The model of an operation's `query` or `body`."""
    parameter = inspect.signature(route.endpoint).parameters.get(name)
    model = None if parameter is None else get_args(parameter.annotation)[0]
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def told(call: Any, *arguments: Any) -> tuple[str, list[Fault]]:
    """What a call is refused with: the detail and the faults; empty where it is not."""
    try:
        call(*arguments)
    except Problem as problem:
        return problem.detail, list(problem.errors)
    return "", []


def mistakes(section: str) -> Iterator[tuple[str, str, list[Fault]]]:
    """Every parameter and every field of a section's operations with every wrong value."""
    for route in routes()[section]:
        place = f"{route.methods} {route.path}"
        if query := model_of(route, "query"):
            for name in [*query.model_fields, "no_such"]:
                for value in WRONG_TEXTS:
                    yield (
                        f"{place}?{name}={value}",
                        *told(read_query, query, f"{name}={value}".encode("ascii", "ignore")),
                    )
        if body := model_of(route, "body"):
            for value in WRONG:
                yield f"{place} {value!r}", *told(validate, body, value)
                everything = dict.fromkeys([*body.model_fields, "no_such"], value)
                yield f"{place} all {value!r}", *told(validate, body, everything)


@pytest.mark.parametrize("section", routes())
def test_no_message_shows_what_we_are_written_in(section: str) -> None:
    faults = []
    for place, detail, found in mistakes(section):
        for fault in found:
            if FORBIDDEN.search(fault.detail) or fault.code not in CODES:
                faults.append(f"{place[:80]}: {fault.code}: {fault.detail}")
            if not re.match(r"[A-Z'0-9].*[.?]$", fault.detail) and fault.code != "expression":
                faults.append(f"{place[:80]}: no sentence: {fault.detail}")
        if FORBIDDEN.search(detail):
            faults.append(f"{place[:80]}: {detail}")
    assert not faults, "\n".join(faults[:40])


@pytest.mark.parametrize("resource", api.RESOURCES, ids=lambda resource: resource.path)
def test_no_message_of_a_filter_does_so(resource: Resource) -> None:
    faults = []
    for name, leaf in fields_of(resource).items():
        for operator in OPERATORS:
            for value in WRONG_TEXTS:
                asked: list[tuple[list[tuple[str, str]], str | None]] = [
                    ([(f"{name}__{operator}", value)], None),
                    ([], f"{name} {operator} {value}"),
                    ([], f"{name} {operator} '{value}'"),
                ]
                for parameters in asked:
                    detail, _ = told(read_filters, resource, *parameters)
                    # What a choice or a pattern allows may stand in braces or be called so.
                    if FORBIDDEN.search(detail):
                        faults.append(f"{parameters} ({leaf.field_type}): {detail}")
    assert not faults, "\n".join(faults[:40])


class Nothing(BaseModel):
    """A body without fields."""


def test_every_kind_of_error_that_pydantic_knows_has_words_of_ours() -> None:
    """Also those that no schema leads to today: whoever adds a type of field meets them first."""
    names = "expected expected_tags discriminator gt ge lt le multiple_of min_length max_length"
    names += " max_digits decimal_places whole_digits expected_schemes pattern"
    context = dict.fromkeys(names.split(), "'x'")
    for kind in get_args(core_schema.ErrorType):
        item = {
            "type": kind,
            "loc": ("field",),
            "input": 5,
            "msg": "Input should be a valid dictionary",
            "ctx": {**context, "error": ValueError("must be\n    more")},
        }
        code, words = explain(item, Nothing)
        assert code in CODES
        assert not FORBIDDEN.search(words), words


def test_a_choice_is_told_with_the_nearest_and_a_form_with_an_example() -> None:
    agreement = next(r for r in api.RESOURCES if r.path == "agreements")
    body = {"title": "x", "instrument": "suply_contract", "currency": "usd"}
    _, faults = told(validate, agreement.create, body)
    words = {fault.pointer: fault.detail for fault in faults}
    assert words["/instrument"].startswith("Must be one of supply_contract, sale_contract,")
    assert words["/instrument"].endswith("Given: 'suply_contract'. Did you mean 'supply_contract'?")
    assert words["/currency"].startswith("Must be written like 'USD'.")


def test_no_description_of_the_document_is_broken_as_our_source_is(tmp_path: Path) -> None:
    app = create_app(Settings(database_url=f"sqlite:///{tmp_path}/a.db"))
    faults = []
    for place, text in descriptions(app.openapi(), ""):
        # What begins a new paragraph or the item of a list is broken on purpose.
        if re.search(r"(?<!\n)\n(?![\n*|-])|(?<!-)\bNone\b(?!-)|pydantic", text):
            faults.append(f"{place}: {text}")
    assert not faults, "\n".join(faults)


def descriptions(told: Any, place: str) -> Iterator[tuple[str, str]]:
    """Every description of the document, with its place."""
    items = told.items() if isinstance(told, dict) else enumerate(told)
    for name, value in items:
        if name == "description" and isinstance(value, str):
            yield place, value
        elif isinstance(value, dict | list):
            yield from descriptions(value, f"{place}/{name}")


def test_no_message_of_a_command_shows_it_either() -> None:
    """Every option that takes not just any text, with what it cannot be; but for those of `serve`,
    which are settings (tests/commands/test_settings.py)."""
    faults, refused = [], 0
    for words, command in parsed(typer.main.get_command(commands), []):
        for name, parameter in inspect.signature(command.callback).parameters.items():
            kinds = str(parameter.annotation)
            if "int" not in kinds and "Scope" not in kinds:
                continue
            for value in ("nope", "1.5", ""):
                flag = f"--{name.replace('_', '-')}={value}"
                done = CliRunner().invoke(commands, [*words, *_ARGUMENTS.get(words[-1], ()), flag])
                refused += done.exit_code == 2
                _, _, said = done.output.partition("Error")
                if FORBIDDEN.search(" ".join(re.sub(r"[│\n]", " ", said).split())):
                    faults.append(f"{words} {flag}: {said}")
    assert not faults, "\n".join(faults)
    assert refused >= 18


_ARGUMENTS = {"create": ["Desk"]}


def parsed(group: Any, words: list[str]) -> Iterator[tuple[list[str], Any]]:
    """Every command with the words that call it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from parsed(command, [*words, name])
        else:
            yield [*words, name], command


def test_a_wrong_option_is_told_with_what_would_be_right() -> None:
    told = {
        ("generate", "--agreements=x"): "Must be a whole number. Given: 'x'.",
        ("generate", "--agreements=0"): "Must be 1 or more.",
        ("keys", "create", "Desk", "--days=0"): "Must be 1 or more.",
        ("keys", "create", "Desk", "--scope=writ"): "'writ' is not one of 'read', 'write', 'admin'",
    }
    for arguments, words in told.items():
        done = CliRunner().invoke(commands, list(arguments))
        assert done.exit_code == 2
        assert words in " ".join(re.sub(r"[│\n]", " ", done.output).split()), done.output
