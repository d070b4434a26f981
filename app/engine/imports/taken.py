"""What the cells of a row were taken for, as a dry run tells it."""

from itertools import islice
from uuid import UUID

from app.core import json_codec
from app.core.loose_types import Json, JsonValue, Value
from app.engine.imports.entry import Entry

#: How many cells of a row are told, how much of a text, and how many items of a list.
_MAX_CELLS = 100
_MAX_SHOWN = 200
_MAX_ITEMS = 20


def taken(entry: Entry) -> Json:
    """The row, and of each cell that is not empty the field and the value that it became; null
    where it stands for none, or could not be read. One that says more, as the currency of
    an amount, is told again for each field."""
    by_header = {header: name for name, header in entry.plan.headers.items()}
    by_header |= {part.header: part.part for part in entry.plan.parts}
    cells = [
        _cell(entry, header, by_header.get(header), cell)
        for header, cell in islice(entry.cells.items(), _MAX_CELLS)
        if cell is not None and cell != ""
    ]
    said = entry.said_in.items()
    cells += [_cell(entry, header, name, entry.cells[header]) for name, header in said]
    # A record that is there already keeps its name.
    if entry.composed and (name := _name_field(entry)) is not None:
        cells.append(_told(" + ".join(entry.plan.title_parts), None, name, entry.composed))
    return {"sheet": entry.sheet, "row": entry.row, "cells": cells}


def _name_field(entry: Entry) -> str | None:
    named = (name for name, value in entry.resolved.items() if value == entry.composed)
    return next(named, None)


def _cell(entry: Entry, header: str, name: str | None, cell: Value) -> Json:
    values = {**entry.values, **entry.resolved}
    value = values.get(name) if name is not None else None
    if name in entry.part_headers:
        rows = zip(entry.part_headers[name], values.get(name) or [], strict=False)
        value = [row for over, row in rows if over == header]
    if name in ("id", "version", "deleted_at"):
        value = getattr(entry, name)
    return _told(header, cell, name, value)


def _told(header: str, cell: Value, name: str | None, value: Value) -> Json:
    return {
        "column": header,
        "cell": None if cell is None else str(cell)[:_MAX_SHOWN],
        "field": name,
        "value": _plain(value),
    }


def _plain(value: Value) -> JsonValue:
    """The value as JSON has it."""
    if isinstance(value, UUID | str):
        return str(value)[:_MAX_SHOWN]
    if isinstance(value, list):
        return [_plain(item) for item in value[:_MAX_ITEMS]]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in islice(value.items(), _MAX_ITEMS)}
    return json_codec.loads(json_codec.dumps(value))
