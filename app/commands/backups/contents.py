"""What a database holds: its revision, its change log's position, and a checksum of each table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

import orjson
from sqlalchemy import JSON, Connection, LargeBinary, func, inspect, select

from app.commands.reindex import kinds
from app.commands.revision import revision_of
from app.core.databases.expressions import AnyTable, SqlType
from app.core.databases.interface import Base
from app.core.databases.types import CELL_FORMS, CodeList, JsonText
from app.engine.history.change_log import ChangeCounter
from app.webhooks.encrypted_secrets import count_encrypted

BATCH = 5_000
#: What SQLite's full-text search keeps for itself behind the table of words.
_BEHIND = ("search_words_config", "search_words_content", "search_words_data", "search_words_idx")
#: The index of search, which each database makes of the records and keeps its way.
INDEX = frozenset({"search_entry", "search_words", "search_words_known"})


@dataclass(frozen=True, slots=True)
class Checksum:
    """How many rows a table has, and 64 hexadecimal digits that are the same for the same rows."""

    rows: int
    digest: str


Checksums = dict[str, Checksum]


@dataclass(frozen=True, slots=True)
class Summary:
    """A database in figures; the position is that of the change log."""

    revision: str | None
    records: int
    position: int
    #: How many webhooks have secrets that are encrypted.
    encrypted: int = 0


def summary(connection: Connection) -> Summary:
    """The figures of a database of any revision."""
    there = set(inspect(connection).get_table_names())
    tables: list[AnyTable] = [resource.table.__table__ for resource in kinds()]
    records = sum(
        connection.scalar(select(func.count()).select_from(table)) or 0
        for table in tables
        if table.name in there
    )
    position = connection.scalar(select(ChangeCounter.seq)) if "change_counter" in there else 0
    encrypted = count_encrypted(connection) if "webhook" in there else 0
    return Summary(revision_of(connection), records, position or 0, encrypted)


def table_names(connection: Connection) -> list[str]:
    """All tables, by name, without those that full-text search keeps for itself."""
    names = set(inspect(connection).get_table_names())
    return sorted(names - {*_BEHIND, "search_words_docsize"})


def checksums(connection: Connection, only: Mapping[str, Iterable[str]] | None = None) -> Checksums:
    """The checksum of every table, or of those in `only` with the columns given there.

    It does not depend on the order in which rows lie, and is the same on both databases for tables
    that the program declares; not so for the index of search, which each database keeps its way.
    """
    if only is not None:
        return {name: _checksum(connection, name, set(only[name])) for name in only}
    return {name: _checksum(connection, name, None) for name in table_names(connection)}


def total(sums: Checksums) -> str:
    """One checksum of all tables but the index of search: 64 hexadecimal digits."""
    told = [[n, s.rows, s.digest] for n, s in sorted(sums.items()) if n not in INDEX]
    return sha256(orjson.dumps(told)).hexdigest()


def _checksum(connection: Connection, table: str, only: set[str] | None) -> Checksum:
    """The sum of the SHA-256 of all rows, modulo 2^256, so that their order does not matter."""
    kinds = _columns(connection, table)
    # The epoch is of the database and not of what it holds: a restore makes another one.
    left_out = {"epoch"} if table == "installation" else set[str]()
    names = sorted((kinds.keys() if only is None else only) - left_out)
    cells = ", ".join(_cell(connection, kinds[name], name) for name in names)
    quoted = connection.dialect.identifier_preparer.quote
    rows = connection.exec_driver_sql(
        f"SELECT {cells} FROM {quoted(table)}",  # noqa: S608 (names of the database itself)
        execution_options={"yield_per": BATCH},
    )
    count, digest = 0, _number(orjson.dumps(names))
    # The number is said again: of a statement that is text the option is not remembered, and
    # PostgreSQL's driver would get all rows at once.
    for batch in rows.partitions(BATCH):
        count += len(batch)
        digest += sum(_number(orjson.dumps(tuple(row), default=bytes.hex)) for row in batch)
    return Checksum(count, f"{digest % 2**256:064x}")


def _number(content: bytes) -> int:
    return int.from_bytes(sha256(content).digest())


def _columns(connection: Connection, table: str) -> dict[str, SqlType]:
    """The types of the columns that are there: as the program declares them, else as they are."""
    declared = Base.metadata.tables.get(table)
    known = {} if declared is None else {column.name: column.type for column in declared.columns}
    there = inspect(connection).get_columns(table)
    return {column["name"]: known.get(column["name"], column["type"]) for column in there}


def _cell(connection: Connection, kind: SqlType, name: str) -> str:
    """The SQL of a value as text that is the same on both databases."""
    dialect = connection.dialect.name
    sql = connection.dialect.identifier_preparer.quote(name)
    if isinstance(kind, JsonText):
        return sql
    if isinstance(kind, LargeBinary) and dialect == "sqlite":
        return f"lower(hex({sql}))"
    if isinstance(kind, LargeBinary):
        return f"encode({sql}, 'hex')"
    if isinstance(kind, CodeList) and dialect == "sqlite":
        # Older releases stored letters as their escapes, which json() would keep.
        items = f"(SELECT json_group_array(value) FROM json_each({sql}))"  # noqa: S608
        return f"CASE WHEN {sql} IS NOT NULL THEN {items} END"
    if isinstance(kind, JSON) and dialect == "sqlite":
        return f"json({sql})"
    if isinstance(kind, JSON | CodeList):
        # The one function of PostgreSQL 15 that writes JSON without blanks.
        return f"CAST(json_strip_nulls(CAST(CAST({sql} AS TEXT) AS JSON)) AS TEXT)"
    return CELL_FORMS[dialect](kind, sql)
