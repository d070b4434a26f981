"""The database as it was: temporary tables and views that hide those of the present.

What was changed since is undone into tables of the transaction's own, and a view with the name of
each table that changed shows these rows in place of the present ones. So every statement answers
as it would have answered then, and no rule of filtering, rendering or adding is written twice.
"""

import re
from datetime import datetime
from functools import cache
from typing import Final

from sqlalchemy import Dialect, bindparam, func, select

from app.core.databases.interface import CompiledQuery, ReadTransaction, compile_query, plain_query
from app.core.databases.types import Instant, instant_text
from app.core.errors import BadRequest
from app.core.loose_types import Value
from app.engine.history.change_log import Change
from app.engine.history.positions import Position, position_statement, read_stored, refuse_gone
from app.engine.history.undo import PARAMETER, Undo, tables_of
from app.engine.query.filter_reader import bad_parameter
from app.engine.registry import RECORD_TYPES
from app.engine.resource import Resource

#: How many changes may have been made since the moment that is asked for.
MAX_LATER_CHANGES: Final = 200_000
_WORD = re.compile(r"\w+")
_LATER = 'CREATE TEMP TABLE "past_changes" AS SELECT seq, at, kind, record_id, action FROM "change"'
#: Without them each change would be looked for among all others, of each kind anew.
_LATER_INDEXES = (
    'CREATE UNIQUE INDEX "ix_past_changes_seq" ON "past_changes" (seq)',
    'CREATE INDEX "ix_past_changes_kind" ON "past_changes" (kind, record_id, seq)',
)
#: The schema of the tables, with the name and the definition of each view in it; those of the
#: datasets are for others to read.
_VIEWS = {
    "sqlite": (
        "SELECT 'main', v.name, v.sql FROM (SELECT 1) LEFT JOIN sqlite_master AS v"
        " ON v.type = 'view' AND v.name NOT LIKE 'bi\\_%' ESCAPE '\\'"
    ),
    "postgresql": (
        "SELECT n.nspname, v.relname, pg_get_viewdef(v.oid) FROM pg_class AS c"
        " JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " LEFT JOIN pg_class AS v ON v.relnamespace = n.oid AND v.relkind = 'v'"
        " AND v.relname NOT LIKE 'bi\\_%'"
        " WHERE c.oid = 'change'::regclass"
    ),
}


@cache
def first_later(dialect: Dialect) -> CompiledQuery:
    """Reads `(seq,)` of the first change that was made after `:moment`; null without one.

    All changes from it on were committed after that moment: their numbers are in the order of
    commits, and it was not even begun by then.
    """
    later = Change.at > bindparam("moment", type_=Instant())
    return compile_query(select(func.min(Change.seq)).where(later), dialect)


@cache
def time_of_change(dialect: Dialect) -> CompiledQuery:
    """Reads `(text,)`: when the change `:seq` was made."""
    statement = select(Change.at).where(Change.seq == bindparam("seq"))
    return compile_query(statement, dialect)


class Past:
    """What a transaction sees of the database as it was; its statements read through `read`."""

    def __init__(self, transaction: ReadTransaction, dialect: Dialect) -> None:
        self.transaction, self.dialect = transaction, dialect
        #: The number of the last change that is not undone.
        self.seq = 0
        self._schema = ""
        #: The kinds of which records have changed since, and are not hidden yet.
        self._changed: dict[str, Resource] = {}
        #: The views of the database, each with what defines it.
        self._views: dict[str, str] = {}

    async def open(self, as_of: datetime | Position) -> None:
        """Find out what has changed since; BadRequest where it is too much, and Gone for a position
        that is not in the log."""
        ((newest,),) = await self.transaction.read(position_statement(self.dialect), {})
        position = read_stored(newest)
        self.seq = await self._last(as_of, position)
        if self.seq >= position.seq:
            return
        if position.seq - self.seq > MAX_LATER_CHANGES:
            raise await self._too_many(position)
        await self.transaction.run(f"{_LATER} WHERE seq > {self.seq}", *_LATER_INDEXES)
        kinds = await self._rows('SELECT DISTINCT kind FROM "past_changes"')
        self._changed = {kind: RECORD_TYPES[kind] for (kind,) in kinds if kind in RECORD_TYPES}
        # PostgreSQL tells what a view reads by names that still mean the present tables.
        found = await self._rows(_VIEWS[self.dialect.name])
        self._schema = found[0][0]
        self._views = {name: definition for _, name, definition in found if name is not None}

    async def hide(self, sql: str) -> None:
        """Let the tables that a statement names show what they held then; Gone where that is not
        known any more."""
        if not self._changed and not self._views:
            return
        words = set(_WORD.findall(sql))
        views = {name: self._views[name] for name in self._views.keys() & words}
        for definition in views.values():
            words.update(_WORD.findall(definition))
        for kind, resource in list(self._changed.items()):
            if not words.isdisjoint(tables_of(resource)):
                await Undo(self.transaction, self.dialect, self._schema, resource, self.seq).run()
                del self._changed[kind]
        for name, definition in views.items():
            await self.transaction.run(_temporary(name, definition))
            del self._views[name]

    async def _last(self, as_of: datetime | Position, newest: Position) -> int:
        """The number of the last change that was made by then."""
        if isinstance(as_of, Position):
            refuse_gone(as_of, newest)
            return as_of.seq
        ((later,),) = await self.transaction.read(first_later(self.dialect), {"moment": as_of})
        return newest.seq if later is None else int(later) - 1

    async def _too_many(self, newest: Position) -> BadRequest:
        first = {"seq": newest.seq - MAX_LATER_CHANGES + 1}
        ((at,),) = await self.transaction.read(time_of_change(self.dialect), first)
        return bad_parameter(
            PARAMETER,
            "too_many_changes",
            f"{newest.seq - self.seq:,} changes were made since, of which at most"
            f" {MAX_LATER_CHANGES:,} are undone: ask for a time after {_text(at)}.",
        )

    async def _rows(self, sql: str) -> list[Value]:
        return list(await self.transaction.read(plain_query(sql), {}))


def _text(at: datetime | str) -> str:
    return at if isinstance(at, str) else instant_text(at)


def moment_of(at: datetime | str) -> datetime:
    """A moment as `time_of_change` reads it, which SQLite keeps as a text."""
    return datetime.fromisoformat(at) if isinstance(at, str) else at


def _temporary(name: str, definition: str) -> str:
    """What makes a view anew in the transaction, where it reads the tables that hide others."""
    made = re.sub(r"(?is)^\s*CREATE\s+VIEW", "CREATE TEMP VIEW", definition)
    return made if made != definition else f'CREATE TEMP VIEW "{name}" AS {definition}'
