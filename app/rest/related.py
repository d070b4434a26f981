"""Answers that would show too many related records, or too much text, are refused before the work
is done."""

from collections.abc import Sequence
from types import MappingProxyType

from starlette.requests import Request

from app.core import json_codec
from app.core.http.app_state import state_of
from app.core.loose_types import Values
from app.core.public_path import public_path
from app.engine.query.conditions import Path
from app.engine.query.fan_out import (
    MAX_RELATED,
    MAX_TEXT_BYTES,
    fan_out_statement,
    leads_to_collection,
    list_of,
    shown_long,
    shown_many,
)
from app.engine.query.filter_reader import bad_parameter
from app.engine.query.parameters import View
from app.engine.resource import Resource
from app.rest.audience import reading_dialect

#: Up to how many records the parts of these are shown with what they point to uncounted, and up to
#: how many where that has long texts.
_UNCOUNTED, _UNCOUNTED_LONG = 100, 20
NO_VALUES: Values = MappingProxyType({})
ID_ALONE = View(fields=(("id",),))


def needs_count(resource: Resource, view: View, limit: int) -> bool:
    """Whether so many records could show more related ones, or more text, than an answer may."""
    if limit <= _UNCOUNTED and not view.expand and view.fields is None:
        return False
    many, long = shown_many(resource, view), shown_long(resource, view)
    if limit > _UNCOUNTED and (many or long):
        return True
    if limit > _UNCOUNTED_LONG and any(path in many for path in long):
        return True
    return any(leads_to_collection(resource, path) for path in many)


async def check_related(
    request: Request, resource: Resource, view: View, ids: Sequence[str], values: Values = NO_VALUES
) -> None:
    """Refuse (400) to show the records with these ids in a view that shows too many others or too
    much text, whose parameters have these values."""
    statement = await fan_out_statement.beside_loop(resource, view, reading_dialect(request))
    values = {**values, "ids": json_codec.dumps(list(ids)).decode()}
    (row,) = await state_of(request).database.read(statement, values)
    paths = shown_many(resource, view)
    refuse_many(resource, paths, row[: len(paths)], is_one=len(ids) == 1)
    _refuse_long(shown_long(resource, view), row[len(paths) :], is_one=len(ids) == 1)


def _refuse_long(paths: Sequence[Path], sizes: Sequence[int], *, is_one: bool) -> None:
    if sum(sizes) <= MAX_TEXT_BYTES:
        return
    path = max(zip(sizes, paths, strict=True))[1]
    what = f"{'.'.join(path)} has" if path else "These records have"
    fewer = "Name" if is_one else "Ask for fewer records with limit, or name"
    text = (
        f"{what} long texts: they would be {_megabytes(sum(sizes))} in all, and an answer has at"
        f" most {_megabytes(MAX_TEXT_BYTES)} of them. {fewer} with fields what to show, without"
        " these. A file (.ndjson, .csv) has them all."
    )
    raise bad_parameter("expand" if path else "limit", "too_long", text)


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


def refuse_many(
    resource: Resource, paths: Sequence[Path], counts: Sequence[int], *, is_one: bool = False
) -> None:
    """Refuse (400) to show more records at the ends of these paths than an answer may have."""
    if sum(counts) <= MAX_RELATED:
        return
    shown = list(zip(paths, counts, strict=True))
    # What is too much by itself, else what is most.
    path, count = next(
        (each for each in shown if each[1] > MAX_RELATED), max(shown, key=lambda each: each[1])
    )
    many = f"more than {MAX_RELATED}" if count > MAX_RELATED else str(count)
    fewer = "Leave" if is_one else "Ask for fewer records with limit, or leave"
    text = f"{'.'.join(path)} would show {many} related records; an answer has at most"
    text += f" {MAX_RELATED} of them in all. {fewer} it out"
    if own := list_of(resource, path):
        text += f" and read them page by page from {public_path(f'/{own.path}')}"
    raise bad_parameter("expand", "too_many", f"{text}.")
