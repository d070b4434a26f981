"""The change log: every write, in commit order without gaps, in the transaction of the write."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Dialect,
    Index,
    String,
    Text,
    bindparam,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core import jsontext
from app.core.database import Base, Prepared, prepare
from app.core.types import Id, Instant, JsonText, choice, now
from app.crud.filters import Limit, Natural
from app.crud.render import as_json, object_of
from app.crud.schemas import Page, Schema, Timestamp


class Action(StrEnum):
    """What was done to a record."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    RESTORE = "restore"


class Change(Base):
    """One write of one record."""

    __tablename__ = "change"
    __table_args__ = (Index("ix_change_record", "kind", "record_id", "seq"),)

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[Action] = mapped_column(choice(Action, "action"))
    kind: Mapped[str] = mapped_column(String(32))
    record_id: Mapped[UUID] = mapped_column(Id)
    version: Mapped[int]
    changes: Mapped[str] = mapped_column(JsonText)


class ChangeCounter(Base):
    """One row: the number of the newest change.

    A sequence hands out numbers before commit, so that a reader can pass over one that commits
    late. This row is locked from the moment a write takes its number, last of all it does, until
    it is committed: numbers become visible in order and none is missing.
    """

    __tablename__ = "change_counter"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)


#: Stamps change with every write and say nothing of what was changed.
_UNTOLD = {"id", "version", "created_at", "updated_at"}


def difference(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """`{field: [old, new]}` of what differs between two states of a record."""
    old = before or {}
    return {
        name: [old.get(name), value]
        for name, value in after.items()
        if name not in _UNTOLD and old.get(name) != value
    }


def note_change(
    session: Session,
    action: Action,
    kind: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    borrowed: frozenset[str] = frozenset(),
) -> None:
    """Remember a write, but for `borrowed` fields; it is logged when the transaction is to end."""
    changes = difference(before, after)
    session.info.setdefault("changes", []).append(
        {
            "action": action,
            "kind": kind,
            "record_id": UUID(after["id"]),
            "version": after["version"],
            "changes": jsontext.dumps(
                {name: pair for name, pair in changes.items() if name not in borrowed}
            ).decode(),
        }
    )


def log_changes(session: Session, actor: str) -> None:
    """Number and store the changes that were noted; nothing may be written after this."""
    changes = session.info.pop("changes", [])
    if not changes:
        return
    taking = update(ChangeCounter).values(seq=ChangeCounter.seq + len(changes))
    taken = session.execute(taking.returning(ChangeCounter.seq)).scalar_one()
    first = taken - len(changes) + 1
    stamp = {"at": now(), "actor": actor}
    session.execute(
        insert(Change), [{"seq": first + n, **stamp, **change} for n, change in enumerate(changes)]
    )


class ChangeEntry(Schema):
    """One change of a record, as it is read."""

    seq: int
    """The number of the change among all changes: gapless, in commit order."""
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
    changes: dict[str, list[Any]] = Field(json_schema_extra={"additionalProperties": {}})
    """For each field that changed, `[old, new]`."""


class ChangeList(Schema):
    """A page of changes."""

    data: list[ChangeEntry]
    """The changes, newest first."""
    page: Page
    """Where this page lies within the history."""


class HistoryQuery(Schema):
    """Parameters of a record's history."""

    limit: Limit = 50
    """The most changes to answer with; more than 1000 is taken for 1000."""
    offset: Natural = 0
    """How many changes to pass over."""


@cache
def history_statement(dialect: Dialect) -> Prepared:
    """Reads `(json,)` of the changes of `:record` of `:kind`, newest first."""
    shown = {name: as_json(getattr(Change, name)) for name in ChangeEntry.model_fields}
    statement = (
        select(object_of(shown))
        .where(Change.kind == bindparam("kind"), Change.record_id == bindparam("record"))
        .order_by(Change.seq.desc())
        .limit(bindparam("limit", type_=BigInteger))
        .offset(bindparam("offset", type_=BigInteger))
    )
    return prepare(statement, dialect)
