"""The search index: the words of every record, kept in the transaction of each write."""

from collections.abc import Iterable
from itertools import repeat
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Connection,
    Integer,
    String,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core import json_codec
from app.core.databases.deferred import defer
from app.core.databases.interface import Base
from app.core.databases.prepared import Prepared, connection_of
from app.core.databases.public_reads import ALL, hidden_column, rows_only
from app.core.databases.types import Id
from app.core.loose_types import Fields, Values
from app.core.text.analyze import analyser
from app.engine.resource import Resource
from app.engine.search.searched import (
    GAP,
    State,
    Texts,
    index_words,
    long_text_of,
    tells_other_text,
    texts_of,
)
from app.engine.withholding import public_part


class SearchEntry(Base):
    """A record in the index; on PostgreSQL with a column `words`, on SQLite beside `search_words`.

    `number` sorts as the records' ids do, newest last.
    """

    __tablename__ = "search_entry"
    __table_args__ = (UniqueConstraint("kind", "record_id"),)

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False
    )
    kind: Mapped[str] = mapped_column(String(32))
    record_id: Mapped[UUID] = mapped_column(Id)
    in_trash: Mapped[bool]
    #: Whether the record is withheld; of its fields that are, no word is in the index.
    hidden: Mapped[str | None] = hidden_column(shown=rows_only)


class SearchVersion(Base):
    """One row: which analyser made the words of the index."""

    __tablename__ = "search_version"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    analyser: Mapped[str]


_NUMBER, _KIND = bindparam("number", type_=BigInteger), bindparam("kind", type_=String)
_RECORD_ID, _IN_TRASH = bindparam("record_id", type_=Id), bindparam("in_trash", type_=Boolean)
_HIDDEN = bindparam("hidden", type_=Text)
_INTO = "INSERT INTO search_entry (number, kind, record_id, in_trash, hidden"
_WITH = "VALUES (:number, :kind, :record_id, :in_trash, :hidden"
_FREE = "ON CONFLICT (number) DO NOTHING RETURNING number"
_WORDS = bindparam("words", type_=Text)
_INSERT = {
    "sqlite": Prepared(
        text(f"{_INTO}) {_WITH}) {_FREE}").bindparams(
            _NUMBER, _KIND, _RECORD_ID, _IN_TRASH, _HIDDEN
        )
    ),
    "postgresql": Prepared(
        text(f"{_INTO}, words) {_WITH}, CAST(:words AS tsvector)) {_FREE}").bindparams(
            _NUMBER, _KIND, _RECORD_ID, _IN_TRASH, _HIDDEN, _WORDS
        )
    ),
}
_INSERT_WORDS = Prepared(
    text(
        "INSERT INTO search_words (rowid, kind, words, stems, names, name_stems)"
        " VALUES (:number, :kind, :words, :stems, :names, :name_stems)"
    )
)
_KNOWN = Prepared(
    text("INSERT OR IGNORE INTO search_words_known (word) SELECT value FROM json_each(:known)")
)
_UPDATE_WORDS = {
    "sqlite": Prepared(
        text(
            "UPDATE search_words SET words = :words, stems = :stems, names = :names,"
            " name_stems = :name_stems WHERE rowid = :number"
        )
    ),
    "postgresql": Prepared(
        text(
            "UPDATE search_entry SET words = CAST(:words AS tsvector) WHERE number = :number"
        ).bindparams(_WORDS, _NUMBER)
    ),
}
_OF_RECORD = (SearchEntry.kind == _KIND, SearchEntry.record_id == _RECORD_ID)
_FIND = Prepared(select(SearchEntry.number).where(*_OF_RECORD))
_MOVE = Prepared(
    update(SearchEntry)
    .where(*_OF_RECORD)
    .values(
        in_trash=bindparam("is_in_trash", type_=Boolean),
        hidden=bindparam("is_hidden", type_=Text),
    )
)
_DELETE = Prepared(delete(SearchEntry).where(*_OF_RECORD).returning(SearchEntry.number))
_DELETE_WORDS = Prepared(text("DELETE FROM search_words WHERE rowid = :number"))


#: Leaves room above for records of the last moment there is, which a client's own id can have.
_LAST_NUMBER = 2**63 - 2**20


def _number(record_id: UUID) -> int:
    """63 bits that sort as ids of UUID version 7 do: 42 of their time, 21 of their noise."""
    bits = record_id.int
    time, noise = (bits >> 80) & (2**42 - 1), (bits >> 64) & 0xFFF
    return min(time << 21 | noise << 9 | (bits >> 53) & 0x1FF, _LAST_NUMBER)


class _Entry(NamedTuple):
    """A record as the index is to know it from now on."""

    kind: str
    record_id: UUID
    in_trash: bool
    hidden: str | None
    texts: Texts
    #: Whether it was in the index; `is_moved` into the trash or back, `is_changed` in its texts.
    is_new: bool
    is_moved: bool = False
    is_changed: bool = False


def index_record(
    session: Session,
    resource: Resource,
    state: State,
    before: State | None = None,
    *,
    hidden: str | None = None,
    was_hidden: str | None = None,
) -> None:
    """Keep the index in step with a write: the record's JSON as it is now, and as it was.

    It is done when the transaction ends: SQLite writes its index out at every savepoint, and so
    once for all writes of a group. What is not searched may change without any cost here. `hidden`
    is what is withheld of the record now, `was_hidden` what was.
    """
    texts, in_trash = texts_of(resource, _found(state, hidden)), state["deleted_at"] is not None
    whole = ALL if hidden == ALL else None
    entry = _Entry(resource.record_type, UUID(state["id"]), in_trash, whole, texts, before is None)
    if before is not None:
        is_turned = (hidden == ALL) is not (was_hidden == ALL)
        entry = entry._replace(
            is_moved=is_turned or in_trash != (before["deleted_at"] is not None),
            is_changed=texts != texts_of(resource, _found(before, was_hidden))
            or tells_other_text(resource, state, before),
        )
    if entry.is_new or entry.is_changed:
        texts.others.extend(long_text_of(connection_of(session), resource, state))
    if entry.is_new or entry.is_moved or entry.is_changed:
        defer(session, _store, entry)


def _found(state: State, hidden: str | None) -> State:
    """What of a record words are looked for in: what is withheld as a whole is found by those who
    see it, single fields that are by nobody."""
    return state if hidden == ALL else public_part(state, hidden)


def _store(connection: Connection, entries: list[_Entry]) -> None:
    new: list[_Entry] = []
    for entry in entries:
        if entry.is_new:
            new.append(entry)
        else:
            _insert(connection, new)
            new = []
            _change(connection, entry)
    _insert(connection, new)


def _change(connection: Connection, entry: _Entry) -> None:
    here = {"kind": entry.kind, "record_id": entry.record_id}
    if entry.is_moved:
        _MOVE.run(connection, {**here, "is_in_trash": entry.in_trash, "is_hidden": entry.hidden})
    if not entry.is_changed:
        return
    found = _FIND.rows(connection, here)
    if not found:
        _insert(connection, [entry])
        return
    words = index_words(connection.dialect.name, entry.kind, entry.texts)
    changed = {"number": found[0][0], **words}
    _UPDATE_WORDS[connection.dialect.name].run(connection, changed)
    if connection.dialect.name == "sqlite":
        _learn(connection, [changed])


def _insert(connection: Connection, entries: Iterable[_Entry]) -> None:
    """Put records into the index that are not there yet."""
    rows: list[Fields] = [
        {
            "number": _number(entry.record_id),
            "kind": entry.kind,
            "record_id": entry.record_id,
            "in_trash": entry.in_trash,
            "hidden": entry.hidden,
            **index_words(connection.dialect.name, entry.kind, entry.texts),
        }
        for entry in entries
    ]
    for row in rows:
        # Two records of the same moment can have the same number: then the next one is taken.
        while not _INSERT[connection.dialect.name].rows(connection, row):
            row["number"] += 1
    if connection.dialect.name == "sqlite":
        _INSERT_WORDS.run_many(connection, rows)
        _learn(connection, rows)


def _learn(connection: Connection, rows: Iterable[Values]) -> None:
    """SQLite: keep each word by itself, to look up those that begin with others."""
    known = {word for row in rows for word in row["words"].split()} - {GAP}
    if known:
        _KNOWN.run(connection, {"known": json_codec.dumps(sorted(known)).decode()})


def _texts(connection: Connection, resource: Resource, state: State) -> Texts:
    texts = texts_of(resource, state)
    texts.others.extend(long_text_of(connection, resource, state))
    return texts


def index_many(
    connection: Connection,
    resource: Resource,
    states: Iterable[State],
    hidden: Iterable[str | None] = repeat(None),
) -> None:
    """Index records of a kind that are not in the index yet, in few statements; of each the JSON
    and what is withheld of it."""
    kind, dialect = resource.record_type, connection.dialect.name
    rows: list[Fields] = []
    for state, withheld in zip(states, hidden, strict=False):
        record_id = UUID(str(state["id"]))
        rows.append(
            {
                "number": _number(record_id),
                "kind": kind,
                "record_id": record_id,
                "in_trash": state.get("deleted_at") is not None,
                "hidden": ALL if withheld == ALL else None,
                **index_words(dialect, kind, _texts(connection, resource, _found(state, withheld))),
            }
        )
    if not rows:
        return
    _number_rows(connection, rows)
    _INSERT[dialect].run_many(connection, rows)
    if dialect == "sqlite":
        _INSERT_WORDS.run_many(connection, rows)
        _learn(connection, rows)


def move_many_to_trash(
    connection: Connection, resource: Resource, record_ids: Iterable[UUID]
) -> None:
    """Know records of a kind to be in the trash from now on."""
    here = {"kind": resource.record_type, "is_in_trash": True}
    _MOVE.run_many(connection, ({**here, "record_id": each} for each in record_ids))


def _number_rows(connection: Connection, rows: list[Fields]) -> None:
    """Move numbers that are taken to the next one that is free."""
    rows.sort(key=lambda row: row["number"])
    between = SearchEntry.number.between(rows[0]["number"], rows[-1]["number"] + len(rows))
    taken = set(connection.scalars(select(SearchEntry.number).where(between)))
    for row in rows:
        while row["number"] in taken:
            row["number"] += 1
        taken.add(row["number"])


def remove_record(session: Session, resource: Resource, record_id: UUID) -> None:
    """Take a record out of the index, when it is gone for good."""
    here = {"kind": resource.record_type, "record_id": record_id}
    connection = connection_of(session)
    for (number,) in _DELETE.rows(connection, here):
        if connection.dialect.name == "sqlite":
            _DELETE_WORDS.run(connection, {"number": number})


def clear(connection: Connection) -> None:
    """Empty the index, and note that this analyser fills it."""
    connection.execute(delete(SearchEntry))
    if connection.dialect.name == "sqlite":
        connection.execute(text("DELETE FROM search_words"))
        connection.execute(text("DELETE FROM search_words_known"))
    connection.execute(delete(SearchVersion))
    connection.execute(insert(SearchVersion), {"id": 1, "analyser": analyser()})


def is_current(connection: Connection) -> bool:
    """Whether the index was made by this analyser."""
    return connection.scalar(select(SearchVersion.analyser)) == analyser()
