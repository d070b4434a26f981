"""What the guide lists is what the program has: no value and no limit is left out."""

import re
from collections.abc import Iterable
from types import ModuleType

from app.core.auth.principals import Scope
from app.engine.aggregates import query as aggregates
from app.engine.aggregates.shape import DatePart, Function
from app.engine.history.change_log import Action
from app.engine.query import expression, fan_out, filter_reader, parameters
from app.engine.writes import bulk, nested_schemas
from app.guide import tables
from app.rest.exports import FORMATS
from tests.guide.test_guide import FOLDER

#: Sections, the words before and after a list in them, and what is to be in it.
LISTS: tuple[tuple[str, str, str, Iterable[str]], ...] = (
    ("changes", "`action=` (", ")", Action),
    ("aggregates", "part of a date: ", ".", DatePart),
    ("aggregates", "**Metrics**: ", ". ", Function),
    ("keys", "includes those before it: ", ".", Scope),
    ("formats", "the suffix ", " gives", FORMATS),
)
#: Whose limits the table of the guide tells.
LIMITED = (aggregates, bulk, expression, fan_out, filter_reader, nested_schemas, parameters)


def test_each_list_of_the_guide_has_all_there_is() -> None:
    wrong = {}
    for section, before, after, values in LISTS:
        text = (FOLDER / f"{section}.md").read_text("utf-8")
        told = text.partition(before)[2].partition(after)[0]
        names = {name.strip(".()") for name in re.findall(r"`([^`]+)`", told)}
        if names != {str(value) for value in values}:
            wrong[section] = names
    assert wrong == {}


def limits_of(module: ModuleType) -> dict[str, int]:
    return {
        f"{module.__name__}.{name}": value
        for name, value in vars(module).items()
        if name.startswith("MAX_") and isinstance(value, int)
    }


def test_each_limit_of_a_request_is_in_the_table() -> None:
    numbers = set(re.findall(r"[0-9][0-9,]*[0-9]|[0-9]", tables.limits()))
    known = {name: value for module in LIMITED for name, value in limits_of(module).items()}
    assert {name for name, value in known.items() if f"{value:,}" not in numbers} == set()
