"""The change log: every write, in commit order without gaps, in the transaction of the write."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Dialect,
    Index,
    String,
    Text,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core import jsontext
from app.core.database import Base, Prepared, prepare
from app.core.types import Id, Instant, JsonText, choice, now


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


def changes_since(
    session: Session, kind: str, record_id: UUID, version: int
) -> list[Mapping[str, Any]]:
    """What was changed after a version of a record, newest first, each `{field: [old, new]}`."""
    found = session.scalars(
        select(Change.changes)
        .where(Change.kind == kind, Change.record_id == record_id, Change.version > version)
        .order_by(Change.seq.desc())
    )
    return [jsontext.loads(changes) for changes in found]


def undo(state: dict[str, Any], changes: Mapping[str, Any]) -> None:
    """Put a state back to what it was before these changes."""
    for name, (old, _) in changes.items():
        if name in state:
            state[name] = old


@cache
def position_statement(dialect: Dialect) -> Prepared:
    """Reads `(seq,)`: how far the log has come."""
    return prepare(select(ChangeCounter.seq), dialect)
