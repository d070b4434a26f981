"""The change log: every write, in commit order without gaps, in the transaction of the write."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from functools import cache
from tempfile import TemporaryFile
from typing import IO
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Connection,
    Dialect,
    Index,
    String,
    Text,
    bindparam,
    insert,
    select,
    union_all,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core import json_codec
from app.core.databases.deferred import complete, defer
from app.core.databases.interface import Base, CompiledQuery, compile_query, table_of
from app.core.databases.prepared import Prepared
from app.core.databases.public_reads import ALL, HIDDEN, ROWS, hidden_column
from app.core.databases.types import Id, Instant, JsonText, choice
from app.core.loose_types import Json, JsonValue, Values
from app.engine.composed_titles import composed_of_record, tells_composed_title


class Action(StrEnum):
    """What was done to a record."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    RESTORE = "restore"
    PURGE = "purge"
    #: Many records at once by a file: one change, whose `record_id` is that of the import.
    IMPORT = "import"


class Turn(StrEnum):
    """What a change came to for the public: a record that it sees no more, or sees again."""

    WITHHELD = "withheld"
    SHOWN = "shown"


#: Which entries the public is shown: those of what is withheld now are left out, but for that by
#: which it was.
_PUBLIC_ROWS = f"({ROWS} OR turn = '{Turn.WITHHELD}')"
_PUBLIC_COLUMNS = {
    # Whoever follows the log drops the record, and takes it up again.
    "action": f"CASE WHEN {HIDDEN} = '{ALL}' THEN '{Action.DELETE}'"
    f" WHEN turn = '{Turn.SHOWN}' THEN '{Action.RESTORE}' ELSE action END",
    "changes": f"CASE WHEN {HIDDEN} IS NULL THEN changes WHEN {HIDDEN} = '{ALL}' THEN '{{}}'"
    f" ELSE {HIDDEN} END",
}


def _public_column(name: str, dialect: str) -> str | None:
    return _PUBLIC_COLUMNS.get(name)


class Change(Base):
    """One write of one record."""

    __tablename__ = "change"
    __table_args__ = (
        Index("ix_change_record", "kind", "record_id", "seq"),
        # How far the log had come at a time.
        Index("ix_change_at", "at", "seq"),
    )

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[Action] = mapped_column(choice(Action, "action"))
    kind: Mapped[str] = mapped_column(String(32))
    record_id: Mapped[UUID] = mapped_column(Id)
    version: Mapped[int]
    changes: Mapped[str] = mapped_column(JsonText)
    #: What the public is shown in place of `changes`, or that it is shown nothing.
    hidden: Mapped[str | None] = hidden_column(_PUBLIC_ROWS, _public_column)
    turn: Mapped[Turn | None] = mapped_column(String(8))


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


_INSERT = Prepared(insert(Change), [column.name for column in table_of(Change).c])
_TAKE = Prepared(
    update(ChangeCounter)
    .values(seq=ChangeCounter.seq + bindparam("count", type_=BigInteger))
    .returning(ChangeCounter.seq)
)
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: Stamps change with every write and say nothing of what was changed.
_UNTOLD = {"id", "version", "created_at", "updated_at"}


def difference(before: Values | None, after: Values) -> dict[str, list[JsonValue]]:
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
    before: Values | None,
    after: Values,
    derived_elsewhere: frozenset[str] = frozenset(),
    *,
    hidden: str | None,
    was_hidden: str | None,
) -> None:
    """Remember a write, without the fields that are `derived_elsewhere`; it is logged when the
    transaction is to end. `hidden` is what is withheld of the record now, `was_hidden` what was."""
    known_of_kinds(session).pop(kind, None)
    changes = difference(before, after)
    stored = json_codec.dumps(
        {name: pair for name, pair in changes.items() if name not in derived_elsewhere}
    )
    session.info.setdefault("changes", []).append(
        {
            # When the record changed, and not when the log is written: what it was at its own
            # `updated_at` is its present state.
            "at": datetime.fromisoformat(after["updated_at"]),
            "action": action,
            "kind": kind,
            "record_id": UUID(after["id"]),
            "version": after["version"],
            "changes": stored.decode(),
            "hidden": _shown_changes(stored.decode(), hidden),
            "turn": _turn(hidden, was_hidden),
            "hides": None if hidden == was_hidden else (hidden or ""),
        }
    )


def known_of_kinds(session: Session) -> dict[str, dict[str, set[str]]]:
    """What a session has found out of the records of each kind, by what it is of: right until one
    of the kind is changed."""
    kept: dict[str, dict[str, set[str]]] = session.info.setdefault("known of kinds", {})
    return kept


def _turn(hidden: str | None, was_hidden: str | None) -> str | None:
    if (hidden == ALL) is (was_hidden == ALL):
        return None
    return Turn.WITHHELD if hidden == ALL else Turn.SHOWN


def _shown_changes(
    changes: str,
    hidden: str | None,
    withheld: Collection[str] = (),
    is_named: Callable[[str, JsonValue], bool] = lambda field, pair: False,
) -> str | None:
    """What the public is shown in place of an entry's changes; null for all of them. Values that
    name records which are `withheld` are not, by their ids or otherwise: `is_named` tells that of a
    field and its old and new value."""
    if hidden == ALL or (hidden is None and not withheld):
        return hidden
    names = (hidden or "").strip(",").split(",")
    told = json_codec.loads_stored(changes)
    left = {
        name: pair
        for name, pair in told.items()
        if name not in names
        and not any(each in str(pair) for each in withheld)
        and not is_named(name, pair)
    }
    return None if len(left) == len(told) else json_codec.dumps(left).decode()


def noted_count(session: Session) -> int:
    """How many changes are noted by now, for `forget`."""
    return len(session.info.get("changes", ()))


def forget(session: Session, count: int) -> None:
    """Forget the changes noted beyond the first `count`: they were undone."""
    del session.info.setdefault("changes", [])[count:]


class _Spool:
    """Changes that wait in a file; a line of JSON holds as many as were noted at a time."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.count = file, 0

    def add(self, changes: list[Json]) -> None:
        rows = [{**change, "record_id": str(change["record_id"])} for change in changes]
        self.file.write(json_codec.dumps(rows) + b"\n")
        self.count += len(changes)

    def batches(self) -> Iterator[list[Json]]:
        self.file.seek(0)
        for line in self.file:
            changes = json.loads(line)
            yield [{**change, **_read_back(change)} for change in changes]


def _read_back(change: Values) -> Json:
    """What of a spooled change is no JSON."""
    at, record_id = datetime.fromisoformat(change["at"]), UUID(change["record_id"])
    return {"at": at, "record_id": record_id}


@contextmanager
def spooling(session: Session) -> Iterator[None]:
    """Within, `spill_to_disk` keeps the changes of a long transaction out of memory."""
    with TemporaryFile() as file:
        session.info["spool"] = _Spool(file)
        try:
            yield
        finally:
            session.info.pop("spool", None)


def spill_to_disk(session: Session) -> None:
    """Put what is noted into the file; it can no longer be forgotten one by one."""
    if changes := session.info.pop("changes", []):
        session.info["spool"].add(changes)


def log_changes(session: Session, actor: str) -> None:
    """Log the changes that were noted when the transaction ends; a write calls it last of all."""
    spooled: _Spool | None = session.info.get("spool")
    if spooled is not None:
        spill_to_disk(session)
        # Their numbers come after those of earlier writes of the transaction.
        complete(session)
        _store(session.connection(), spooled.count, spooled.batches(), actor)
    for change in session.info.pop("changes", ()):
        change["actor"] = actor
        defer(session, _log, change)


def _log(connection: Connection, changes: list[Json]) -> None:
    _store(connection, len(changes), [changes])


def _store(
    connection: Connection, count: int, batches: Iterable[list[Json]], actor: str = ""
) -> None:
    """Number and store changes."""
    if not count:
        return
    ((taken,),) = _TAKE.rows(connection, {"count": count})
    seq = taken - count
    hiding: dict[tuple[str, UUID], str] = {}
    for batch in batches:
        for change in batch:
            if change["hides"] is not None:
                hiding[change["kind"], change["record_id"]] = change["hides"]
        # Each stays as it is: it is stored again if a later write of the group undoes this.
        told = ({name: value for name, value in c.items() if name != "hides"} for c in batch)
        rows = ({"actor": actor, **each, "seq": seq + n} for n, each in enumerate(told, 1))
        _INSERT.run_many(connection, rows)
        seq += len(batch)
    for (kind, record_id), hidden in hiding.items():
        _hide(connection, kind, record_id, hidden or None)


def _hide(connection: Connection, kind: str, record_id: UUID, hidden: str | None) -> None:
    """Show of a record's earlier entries what is shown of the record now, and nothing of other
    records that are withheld, which it may have named once."""
    of_record = (Change.kind == kind, Change.record_id == record_id)
    if hidden == ALL:
        connection.execute(update(Change).where(*of_record).values(hidden=ALL))
        return
    found = connection.execute(select(Change.seq, Change.changes).where(*of_record)).all()
    withheld = _withheld_ids(connection, {each for row in found for each in _ID.findall(row[1])})
    composed_of = composed_of_record(connection, kind, record_id) if withheld else None

    def is_named(field: str, pair: JsonValue) -> bool:
        return composed_of is not None and tells_composed_title(kind, field, pair, composed_of)

    for seq, changes in found:
        shown = _shown_changes(changes, hidden, withheld, is_named)
        connection.execute(update(Change).where(Change.seq == seq).values(hidden=shown))


def _withheld_ids(connection: Connection, ids: set[str]) -> set[str]:
    """Those that are ids of records which are withheld."""
    if not ids:
        return set()
    keys = [UUID(each) for each in ids]
    tables = (each for each in Base.metadata.sorted_tables if HIDDEN in each.c)
    records = [each for each in tables if each.c[HIDDEN].info["shown"] is None]
    several = (select(of.c.id).where(of.c.id.in_(keys), of.c[HIDDEN] == ALL) for of in records)
    return {str(each) for each in connection.execute(union_all(*several)).scalars()}


def hide_former(session: Session, record_id: UUID) -> None:
    """Look anew at the entries of records that named one, now or once, which is withheld now or is
    shown again; with what else is left for the end of the transaction."""
    defer(session, _hide_former, record_id)


def _hide_former(connection: Connection, ids: list[UUID]) -> None:
    for record_id in ids:
        named = select(Change.kind, Change.record_id).where(
            Change.changes.contains(str(record_id)), Change.record_id != record_id
        )
        for kind, other_id in connection.execute(named.distinct()).all():
            table = Base.metadata.tables.get(kind)
            if table is not None and HIDDEN in table.c:
                hidden = connection.scalar(select(table.c[HIDDEN]).where(table.c.id == other_id))
                _hide(connection, kind, other_id, hidden)


def changes_since(session: Session, kind: str, record_id: UUID, version: int) -> list[Values]:
    """What was changed after a version of a record, newest first, each `{field: [old, new]}`."""
    complete(session)
    found = session.scalars(
        select(Change.changes)
        .where(Change.kind == kind, Change.record_id == record_id, Change.version > version)
        .order_by(Change.seq.desc())
    )
    return [json_codec.loads_stored(changes) for changes in found]


def undo(state: Json, changes: Values) -> None:
    """Put a state back to what it was before these changes."""
    for name, (old, _) in changes.items():
        if name in state:
            state[name] = old


@cache
def newest_seq_statement(dialect: Dialect) -> CompiledQuery:
    """Reads `(seq,)`: the number of the newest change."""
    return compile_query(select(ChangeCounter.seq), dialect)
