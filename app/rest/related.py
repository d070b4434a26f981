"""Answers that would show too many related records are refused before the work is done."""

from collections.abc import Sequence
from types import MappingProxyType

from starlette.requests import Request

from app.core import json_codec
from app.core.http.app_state import state_of
from app.core.loose_types import Values
from app.core.public_path import public_path
from app.engine.query.fan_out import (
    MAX_RELATED,
    fan_out_statement,
    leads_to_collection,
    list_of,
    shown_many,
)
from app.engine.query.filter_reader import bad_parameter
from app.engine.query.parameters import View
from app.engine.resource import Resource
from app.rest.audience import reading_dialect

#: Up to how many records the parts of these are shown with what they point to uncounted.
_UNCOUNTED = 100
NO_VALUES: Values = MappingProxyType({})
ID_ALONE = View(fields=(("id",),))


def needs_count(resource: Resource, view: View, limit: int) -> bool:
    """Whether so many records could show more related ones than an answer may have."""
    if not view.expand and view.fields is None:
        return False
    paths = shown_many(resource, view)
    return any(limit > _UNCOUNTED or leads_to_collection(resource, path) for path in paths)


async def check_related(
    request: Request, resource: Resource, view: View, ids: Sequence[str], values: Values = NO_VALUES
) -> None:
    """Refuse (400) to show the records with these ids in a view that shows too many others, whose
    parameters have these values."""
    statement = fan_out_statement(resource, view, reading_dialect(request))
    values = {**values, "ids": json_codec.dumps(list(ids)).decode()}
    (counts,) = await state_of(request).database.read(statement, values)
    if sum(counts) <= MAX_RELATED:
        return
    shown = list(zip(shown_many(resource, view), counts, strict=True))
    # What is too much by itself, else what is most.
    path, count = next(
        (each for each in shown if each[1] > MAX_RELATED), max(shown, key=lambda each: each[1])
    )
    many = f"more than {MAX_RELATED}" if count > MAX_RELATED else str(count)
    fewer = "Ask for fewer records with limit, or leave" if len(ids) > 1 else "Leave"
    text = f"{'.'.join(path)} would show {many} related records; an answer has at most"
    text += f" {MAX_RELATED} of them in all. {fewer} it out"
    if own := list_of(resource, path):
        text += f" and read them page by page from {public_path(f'/{own.path}')}"
    raise bad_parameter("expand", "too_many", f"{text}.")
