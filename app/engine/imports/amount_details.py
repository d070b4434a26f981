"""The fields that say of a number what people write in its cell, too."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from app.core.loose_types import JsonValue
from app.engine.imports.cell_error import CellError, shown
from app.engine.imports.stated_amounts import BOUND, MAX, PERIOD, YEARS
from app.engine.paths import fields_of
from app.engine.resource import Resource

#: As printed.
_TEXT: Final = "text"
_MAX_TEXT: Final = 500
_SAYS: Final = {
    MAX: "the end of a range",
    BOUND: "that it is a limit",
    PERIOD: "for what time it is",
    YEARS: "for how many years it is",
}


@cache
def detail_fields(resource: Resource, name: str) -> Mapping[str, str]:
    """The fields beside that of a number, by what they say: `amount_max` and `amount_bound` beside
    `amount`; empty where there are none."""
    known = fields_of(resource)
    if f"{name}_max" not in known and f"{name}_bound" not in known:
        return MappingProxyType({})
    ways = {
        MAX: (f"{name}_max",),
        BOUND: (f"{name}_bound", "bound"),
        PERIOD: (f"{name}_period", "amount_period", "per"),
        YEARS: (f"{name}_years", "amount_years"),
        _TEXT: (f"{name}_text",),
    }
    found = ((says, [each for each in names if each in known]) for says, names in ways.items())
    return MappingProxyType({says: names[0] for says, names in found if names})


def said_by_details(
    fields: Mapping[str, str], details: Mapping[str, JsonValue], cell: object
) -> dict[str, JsonValue]:
    """What is said of a number, by the fields that hold it; CellError for what none does."""
    found = dict[str, JsonValue]()
    for says, value in details.items():
        field = fields.get(says)
        if field == "per" and value == "per_year":
            found[field] = "year"
        elif field is None or field == "per":
            raise CellError(f"{shown(cell)} says {_SAYS[says]}, for which there is no column.")
        else:
            found[field] = value
    if found and (text := fields.get(_TEXT)):
        found[text] = " ".join(str(cell).split())[:_MAX_TEXT]
    return found
