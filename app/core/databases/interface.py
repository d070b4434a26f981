"""Where work meets a database: prepared reads, and writes that are plain functions of a Session."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import Context
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Date, Dialect, Executable, MetaData, Table, Text
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.sql.compiler import SQLCompiler

from app.core import json_codec
from app.core.databases.expressions import SqlType
from app.core.databases.types import Id, Instant, instant_text
from app.core.loose_types import Fields, Value, Values

T = TypeVar("T")
Rows = list[Any]

#: How many rows of a stream are at hand at a time.
STREAM_BATCH_ROWS = 2000
#: About how many characters of long rows are read at a time.
STREAM_BATCH_CHARACTERS = 1 << 20


#: Options of every engine: JSON is stored with its letters, not with their escapes; and errors do
#: not tell the values that a statement was given, which are users' and have no place in a log.
ENGINE_OPTIONS: Values = {
    "json_serializer": lambda value: json_codec.dumps(value).decode(),
    "hide_parameters": True,
}
#: Options of every Session: nothing is written but by an explicit flush, whose refusals are told.
SESSION_OPTIONS: Values = {"autoflush": False, "expire_on_commit": False}


class Base(DeclarativeBase):
    """All tables; constraints are named by rule, so that migrations can name them too."""

    type_annotation_map = {str: Text(), UUID: Id(), datetime: Instant(), date: Date()}
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def table_of(mapped: type[Base]) -> Table:
    """The table of a mapped class."""
    table = mapped.__table__
    assert isinstance(table, Table)
    return table


@dataclass(frozen=True, slots=True)
class CompiledQuery:
    """SQL of one dialect with the names of its parameters in order, ready for the driver."""

    sql: str
    names: tuple[str, ...]
    converters: tuple[Callable[[Value], Value] | None, ...]
    #: What stands in the statement, as the driver takes it: statements of figures have hundreds.
    constants: Values

    def arguments(self, values: Values) -> list[Value]:
        """The driver's positional arguments; `values` are by parameter name, in Python types."""
        constants = self.constants
        return [
            constants[name]
            if name in constants and name not in values
            else value
            if (value := values[name]) is None or convert is None
            else convert(value)
            for name, convert in zip(self.names, self.converters, strict=True)
        ]


def plain_query(sql: str) -> CompiledQuery:
    """SQL that takes no parameters."""
    return CompiledQuery(sql, (), (), {})


def compile_query(
    statement: Executable, dialect: Dialect, columns: Sequence[str] | None = None
) -> CompiledQuery:
    """Compile a statement once, so that running it again costs the driver alone; `columns` are
    those that an INSERT without values names."""
    compiled = statement.compile(dialect=dialect, column_keys=columns)  # type: ignore[attr-defined]
    assert isinstance(compiled, SQLCompiler)
    left_open = {name: None for name, bind in compiled.binds.items() if bind.required}
    # Lists of constants (`status IN (…)`) become one parameter an item.
    state = compiled.construct_expanded_state(left_open)
    names = tuple(state.positiontup or ())
    processors: Fields = {
        name: _converter(bind.type, dialect) for name, bind in compiled.binds.items()
    }
    processors |= state.processors
    # An item of a list of constants that the driver takes as it is has none.
    converters = tuple(processors.get(name) for name in names)
    constants = {
        name: value if value is None or convert is None else convert(value)
        for name, value in state.parameters.items()
        for convert in (processors.get(name),)
    }
    return CompiledQuery(state.statement, names, converters, constants)


#: Of types of SQLite that every record has: a processor of SQLAlchemy's calls three functions.
_SQLITE_CONVERTERS: dict[type, Callable[[Value], Value]] = {
    Id: str,
    Instant: instant_text,
    Date: date.isoformat,
}


def _converter(kind: SqlType, dialect: Dialect) -> Callable[[Value], Value] | None:
    """What makes the driver's value of one of Python's that is not None."""
    if dialect.name == "sqlite" and type(kind) in _SQLITE_CONVERTERS:
        return _SQLITE_CONVERTERS[type(kind)]
    return kind.dialect_impl(dialect).bind_processor(dialect)


class ReadTransaction(ABC):
    """A transaction of reads on a connection of its own, which may make temporary tables.

    All its reads see one moment. What it makes is its own, and gone when it ends: nothing that
    others see can be written.

    Its methods raise what those of the database raise.
    """

    @abstractmethod
    async def run(self, *statements: str) -> None:
        """Run statements that take no parameters and return no rows."""

    @abstractmethod
    async def read(self, statement: CompiledQuery, values: Values) -> Rows:
        """All rows of the statement, as tuples."""

    @abstractmethod
    async def run_many(self, statement: CompiledQuery, several: Sequence[Values]) -> None:
        """Run a statement once for each of the values."""

    @abstractmethod
    def stream(
        self, statement: CompiledQuery, values: Values, batch_rows: int = STREAM_BATCH_ROWS
    ) -> AsyncGenerator[Rows]:
        """The rows of the statement in batches; memory does not grow with their number."""


class Database(ABC):
    """One database: how to read from it and how to write to it.

    Raises `Unavailable` (503) from every call while the database cannot be reached, is busy for
    too long or takes no changes, `InsufficientStorage` (507) when it has no room left, and
    `UnsupportedByEngine` (501) of what its engine lacks.
    """

    #: What reads are compiled for: those who read see what is public. Whoever may see what is
    #: withheld reads by the other one.
    dialect: Dialect
    whole_dialect: Dialect
    #: Whether counting everything takes less than estimating it would.
    counts_quickly = False

    @abstractmethod
    async def start(self) -> None:
        """Open what is needed; the database must be there."""

    @abstractmethod
    async def stop(self) -> None:
        """Finish the writes that wait, then close everything."""

    @abstractmethod
    async def write(self, work: Callable[[Session], T]) -> T:
        """Run the work in one transaction and return what it returned, once that is committed."""

    @abstractmethod
    async def read(
        self, statement: CompiledQuery, values: Values, *, point_lookup: bool = False
    ) -> Rows:
        """All rows of the statement, as tuples; `point_lookup` promises few, found by a key."""

    @abstractmethod
    def stream(
        self, statement: CompiledQuery, values: Values, batch_rows: int = STREAM_BATCH_ROWS
    ) -> AsyncGenerator[Rows]:
        """The rows of the statement in batches, as they were at one moment.

        Memory does not grow with their number; closing the generator ends the reading.
        """

    @abstractmethod
    def read_transaction(
        self, *, for_export: bool = False
    ) -> AbstractAsyncContextManager[ReadTransaction]:
        """A transaction of reads with temporary tables of its own; one `for_export` may last."""

    @abstractmethod
    def gauges(self) -> Mapping[str, float]:
        """How busy the database is at this moment, by name; it costs some microseconds.

        What ends in `_total` only grows. Both: `writes_waiting` and `reads_waiting` (for their
        turn or a connection). SQLite: `reads_running`, `write_groups_total` (commits) and
        `grouped_writes_total` (the writes that these held). PostgreSQL: `read_connections`,
        `read_connections_idle`, `write_connections_busy`; where a replica is set up
        `replica_in_use` (0 or 1) and `replica_lag_seconds` (-1 while it is not known).
        """


def task_outside_request(work: Coroutine[object, object, T]) -> asyncio.Task[T]:
    """The work as a task of no request: what it reads is the newest there is, where requests may
    read from a copy of the database that is behind."""
    return asyncio.create_task(work, context=Context())


def first_batch(batch_rows: int) -> int:
    """How many rows of a stream are read first: one where each can be of any length."""
    return 1 if batch_rows < STREAM_BATCH_ROWS else batch_rows


def next_batch(rows: Rows, batch_rows: int) -> int:
    """How many rows of a stream are read after these, so that memory does not grow with what is
    in them; where they cannot be long, always as many."""
    if batch_rows >= STREAM_BATCH_ROWS:
        return batch_rows
    longest = max((len(cell) for row in rows for cell in row if isinstance(cell, str)), default=0)
    return max(1, min(batch_rows, STREAM_BATCH_CHARACTERS // max(longest, 1)))
