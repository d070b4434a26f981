"""Statements that read the change log: the feed of all changes, and a record's history."""

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from pydantic import Field
from sqlalchemy import BigInteger, ColumnElement, Dialect, bindparam

from app.core.databases.interface import CompiledQuery, compile_query
from app.core.databases.types import Id, Instant
from app.core.loose_types import JsonValue
from app.engine.history.change_log import Action, Change
from app.engine.history.positions import change_position
from app.engine.query.keyset import select_page
from app.engine.query.render import as_json
from app.engine.schemas import Schema, Timestamp


class ChangeEntry(Schema):
    """One change of a record, as it is read."""

    seq: int
    """The number of the change among all changes: gapless, in commit order."""
    position: str
    """The same and which log it is of, for `since`: a restored database has another log."""
    at: Timestamp
    """When it was made, UTC."""
    actor: str
    """Who made it."""
    action: Action
    """What was done."""
    kind: str
    """The kind of record."""
    record_id: UUID
    """The record's id."""
    version: int
    """The record's version after the change."""
    changes: dict[str, list[JsonValue]] = Field(json_schema_extra={"additionalProperties": {}})
    """For each field that changed, `[old, new]`."""


@dataclass(frozen=True, slots=True)
class FeedShape:
    """What makes two readings of the log the same statement."""

    conditions: tuple[str, ...]
    newest_first: bool
    reversed: bool = False
    seek: bool = False


@lru_cache(maxsize=128)
def feed_statement(shape: FeedShape, dialect: Dialect) -> CompiledQuery:
    """Reads `(json, key)` of changes; parameters are the conditions', `limit` and `seek`."""
    fields = {
        name: change_position() if name == "position" else as_json(getattr(Change, name))
        for name in ChangeEntry.model_fields
    }
    down = shape.newest_first is not shape.reversed
    statement = select_page(fields, Change.seq, down, shape.seek)
    for name in shape.conditions:
        statement = statement.where(_CONDITIONS[name])
    return compile_query(statement, dialect)


_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "since": Change.seq > bindparam("since", type_=BigInteger),
    "kind": Change.kind == bindparam("kind"),
    "record_id": Change.record_id == bindparam("record_id", type_=Id()),
    "actor": Change.actor == bindparam("actor"),
    "action": Change.action == bindparam("action"),
    "later": Change.at > bindparam("later", type_=Instant()),
}
