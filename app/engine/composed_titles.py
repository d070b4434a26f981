"""Titles that the program makes up of other fields of a record, as sheets have none.

The server keeps in the column `composed_of` what of such a title names nobody, `Supply contract` of
`Supply contract: Nobel, Katren`: the public is shown that where it is not shown all whom the title
names.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, select

from app.core.databases.interface import table_of
from app.core.loose_types import JsonValue
from app.engine.record import Record
from app.engine.registry import RECORD_TYPES
from app.engine.resource import Resource

#: The column of tables whose records can have such titles.
COMPOSED_OF: Final = "composed_of"
_MAX_LENGTH: Final = 500


def composed_title(composed_of: str, names: Iterable[str]) -> str:
    """The title of these words and names."""
    return ": ".join(filter(None, [composed_of, ", ".join(names)]))[:_MAX_LENGTH]


def title_field(resource: Resource) -> str | None:
    """The field of the title, of kinds whose titles can be composed."""
    return resource.title_parts[0] if resource.title_parts else None


def has_composed_title(resource: Resource, record: Record) -> bool:
    """Whether its title is still the one that was made up, or begins as that did."""
    held = record.__dict__
    composed_of = held.get(COMPOSED_OF)
    field = title_field(resource)
    return field is not None and composed_of is not None and is_composed(held[field], composed_of)


def is_composed(title: object, composed_of: str) -> bool:
    """Whether a title is, or was, one that was made up of these words."""
    return isinstance(title, str) and title.startswith(composed_of)


def composed_of_record(connection: Connection, kind: str, record_id: UUID) -> str | None:
    """What names nobody of the title that a record has, or had; None of one that was given."""
    resource = RECORD_TYPES.get(kind)
    if resource is None or title_field(resource) is None:
        return None
    table = table_of(resource.table)
    found = select(table.c[COMPOSED_OF]).where(table.c.id == record_id)
    composed_of: str | None = connection.scalar(found)
    return composed_of


def tells_composed_title(kind: str, field: str, pair: JsonValue, composed_of: str) -> bool:
    """Whether one of the old and the new value of a field is such a title."""
    resource = RECORD_TYPES[kind]
    values = pair if isinstance(pair, list) else []
    return field == title_field(resource) and any(is_composed(v, composed_of) for v in values)
