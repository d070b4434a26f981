"""Deliveries that are due, and the messages that they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from sqlalchemy import BigInteger, Dialect, bindparam, select

from app.changes.entries import Entry, find_entries, withdrawn
from app.core import json_codec
from app.core.databases.interface import CompiledQuery, Database, compile_query
from app.core.databases.types import Id, Instant
from app.core.loose_types import Fields
from app.engine.history.change_log import Action
from app.engine.query.parameters import View
from app.engine.query.render import as_json, object_of
from app.engine.query.statements import item_statement
from app.engine.resource import Resource
from app.webhooks.tables import PAST, TEST, Delivery, State


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery whose next attempt is due."""

    id: UUID
    seq: int | None
    type: str
    record_id: UUID | None
    attempts: int
    created_at: str


async def find_due(database: Database, webhook_id: UUID, moment: datetime, limit: int) -> list[Due]:
    """The deliveries of the webhook that are due, in order, the first `limit` of them."""
    values = {"webhook": webhook_id, "moment": moment, "limit": limit}
    rows = await database.read(_due_statement(database.dialect), values)
    return [_read_due(row[0]) for row in rows]


async def message_of(database: Database, kinds: Mapping[str, Resource], delivery: Due) -> bytes:
    """The message: the change, and the record as it is now."""
    if delivery.seq is None or delivery.record_id is None:
        return _message(TEST, delivery.created_at, b"null", b"null")
    entry = await _entry(database, delivery.seq)
    resource = kinds.get(entry.kind)
    record = b"null"
    if resource is not None:
        statement = item_statement(resource, View(), "id", database.dialect)
        rows = await database.read(statement, {"key": delivery.record_id}, point_lookup=True)
        record = rows[0][0].encode() if rows else record
    at = json_codec.loads(entry.body)["at"]
    kind = f"{entry.kind}.{PAST[Action(entry.action)]}" if entry.is_withdrawn else delivery.type
    return _message(kind, at, entry.body, record)


async def _entry(database: Database, seq: int) -> Entry:
    """The change as the public sees it; of a record that was withheld since, that it is gone."""
    found = await find_entries(database, seq - 1, 1, {}, few=True)
    if found and found[0].seq == seq:
        return found[0]
    (entry,) = await find_entries(database, seq - 1, 1, {}, few=True, whole=True)
    return withdrawn(entry)


def _message(kind: str, at: str, change: bytes, record: bytes) -> bytes:
    data = b'{"change":%b,"record":%b}' % (change, record)
    return b'{"type":"%b","timestamp":"%b","data":%b}' % (kind.encode(), at.encode(), data)


@lru_cache(maxsize=4)
def _due_statement(dialect: Dialect) -> CompiledQuery:
    """Reads the deliveries of `:webhook` that are due at `:moment`, in order."""
    names = ("id", "seq", "type", "record_id", "attempts", "created_at")
    shown = object_of({name: as_json(getattr(Delivery, name)) for name in names})
    statement = select(shown).where(
        Delivery.webhook_id == bindparam("webhook", type_=Id()),
        Delivery.state == State.PENDING,
        Delivery.next_attempt_at <= bindparam("moment", type_=Instant()),
    )
    limit = bindparam("limit", type_=BigInteger)
    return compile_query(statement.order_by(Delivery.id).limit(limit), dialect)


def _read_due(text: str) -> Due:
    row: Fields = json_codec.loads(text)
    record_id = row["record_id"]
    ids = {"id": UUID(row["id"]), "record_id": None if record_id is None else UUID(record_id)}
    return Due(**(row | ids))
