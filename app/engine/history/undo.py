"""One kind of record as it was: its rows and those of its parts, in temporary tables."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Dialect, Table

from app.core import json_codec
from app.core.databases.expressions import TableColumn
from app.core.databases.interface import ReadTransaction, plain_query, table_of
from app.core.databases.public_reads import ALL, ROWS
from app.core.errors import BadRequest, Fault, Gone
from app.core.loose_types import Fields, Json, JsonValue, Value
from app.engine.composed_titles import COMPOSED_OF, title_field
from app.engine.history.past_tables import deleting, inserting, stored_value, updating
from app.engine.query.filter_reader import bad_parameter
from app.engine.record import bound_values
from app.engine.resource import Embedded, Resource
from app.engine.withholding import Pointer, pointers_of, told_together

#: The parameter that names the moment.
PARAMETER: Final = "as_of"
#: Of how many records of a kind it is worked out what they were.
MAX_UNDONE_RECORDS: Final = 20_000
#: What is withheld now stays so, whatever was told then.
NOT_UNDONE: Final = frozenset({"confidential", "withheld"})
#: The column of records that came by a file which is one change: its `record_id`.
IMPORTED: Final = "import_id"
#: By record the old values of the fields that have changed since, as JSON has them.
Olds = dict[str, Json]


def tables_of(resource: Resource) -> list[str]:
    """The tables that hold the records of a kind: its own, and those of their parts."""
    parts = (part.table.__tablename__ for part in resource.embedded.values())
    return [resource.table.__tablename__, *parts]


class Undo:
    """Undoes what was changed of the records of a kind after the change `seq`.

    It reads the log from the table `past_changes`, which has `(seq, at, kind, record_id, action)`
    of these changes. `schema` is where the present tables are.
    """

    def __init__(
        self,
        transaction: ReadTransaction,
        dialect: Dialect,
        schema: str,
        resource: Resource,
        seq: int,
    ) -> None:
        self.transaction, self.dialect, self.schema = transaction, dialect, schema
        self.resource, self.seq = resource, seq
        self.table = table_of(resource.table)
        self.changed = f'"past_ids_of_{self.table.name}"'
        self.of_kind = f"kind = '{resource.record_type}'"
        # What came by a file that is one change names it.
        self.is_imported = IMPORTED in self.table.columns

    async def run(self) -> None:
        """Let the names of the tables stand for what they held; BadRequest where that is too much,
        and Gone where it is not known any more."""
        await self._find_changed()
        olds = await self._old_values()
        there = f"SELECT id FROM {self.changed} WHERE is_new = 0"
        parts = self.resource.embedded
        copied = [*self._copy(self.table, "id", there), self._restamped()]
        for part in parts.values():
            copied += self._copy(table_of(part.table), part.owner, there)
        await self.transaction.run(*copied)
        await self._put_back_fields(olds)
        await self._put_back_replaced()
        for name, part in parts.items():
            await self._put_back_parts(name, part, olds)
        views = [self._view(table_of(part.table), part.owner) for part in parts.values()]
        await self.transaction.run(*self._hidden(), self._view(self.table, "id"), *views)

    async def _find_changed(self) -> None:
        """Note which records have changed, and which of them were not there yet."""
        first = (
            "SELECT record_id, min(seq) AS first, max(CASE WHEN action = 'purge' THEN 1 ELSE 0 END)"
            f" AS is_purged FROM \"past_changes\" WHERE {self.of_kind} AND action <> 'import'"
            " GROUP BY record_id"
        )
        await self.transaction.run(
            f"CREATE TEMP TABLE {self.changed} AS SELECT c.record_id AS id, c.is_purged,"
            f" CASE WHEN p.action = 'create' THEN 1 ELSE 0 END AS is_new FROM ({first}) AS c"
            ' JOIN "past_changes" AS p ON p.seq = c.first',
            f'CREATE UNIQUE INDEX "ix_past_ids_of_{self.table.name}" ON {self.changed} (id)',
            *self._imported(),
        )
        counted = plain_query(
            f"SELECT count(*), sum(is_purged) FROM {self.changed} WHERE is_new = 0"
        )
        ((count, purged),) = await self.transaction.read(counted, {})
        if purged:
            raise _purged(self.resource, int(purged))
        if count > MAX_UNDONE_RECORDS:
            raise _too_many(self.resource, count)

    async def _old_values(self) -> Olds:
        """What the records that were there held, of the fields that have changed since."""
        statement = plain_query(
            'SELECT c.record_id, c.changes FROM "change" AS c JOIN "past_changes" AS p'
            f" ON p.seq = c.seq JOIN {self.changed} AS r ON r.id = c.record_id"
            f" WHERE r.is_new = 0 AND p.{self.of_kind} ORDER BY c.seq"
        )
        rows = await self.transaction.read(statement, {})
        # The loop goes on serving others while many are read.
        return await asyncio.to_thread(_oldest, rows)

    def _imported(self) -> list[str]:
        """What notes the records that files have brought, and those that were replaced by them and
        so went to the trash: a file is one change, and no record has one of its own."""
        if not self.is_imported:
            return []
        brought = f"SELECT id FROM {self._now} WHERE {IMPORTED} IN ({self._files('record_id')})"
        return [
            f"DELETE FROM {self.changed} WHERE id IN ({brought})",
            f"INSERT INTO {self.changed} SELECT id, 0, 1 FROM ({brought}) AS brought",
            f"INSERT INTO {self.changed} SELECT id, 0, 0 FROM {self._now} AS present"
            f" WHERE deleted_at IN ({self._files('at')}) AND {self._is_unchanged('present.id')}",
        ]

    def _is_unchanged(self, record_id: str) -> str:
        # Not NOT IN: PostgreSQL looks through all of many ids for each row, as far as it knows.
        changed = f"SELECT 1 FROM {self.changed} AS changed WHERE changed.id = {record_id}"
        return f"NOT EXISTS ({changed})"

    def _files(self, column: str) -> str:
        return f"SELECT {column} FROM \"past_changes\" WHERE {self.of_kind} AND action = 'import'"

    @property
    def _now(self) -> str:
        """The present table."""
        return f'"{self.schema}"."{self.table.name}"'

    async def _put_back_replaced(self) -> None:
        """Take out of the trash what files have replaced."""
        if self.is_imported:
            await self.transaction.run(
                f'UPDATE "past_{self.table.name}" SET deleted_at = NULL'
                f" WHERE deleted_at IN ({self._files('at')})"
            )

    async def _put_back_fields(self, olds: Olds) -> None:
        for column in self.table.columns:
            values = _values(olds, column)
            if values:
                statement = updating(self.table, (column.name,), self.dialect)
                await self.transaction.run_many(statement, values)
        for field in self.resource.edtf_dates:
            several = [
                {"key": key, **bound_values(field, old[field])} for key, old in _with(olds, field)
            ]
            if several:
                bounds = tuple(bound_values(field, None))
                await self.transaction.run_many(updating(self.table, bounds, self.dialect), several)
        await self._forget_texts(olds)

    def _restamped(self) -> str:
        """What sets the version of the records and when they were changed last."""
        return (
            f'UPDATE "past_{self.table.name}" SET version = coalesce(({self._last("version")}), 1),'
            f" updated_at = coalesce(({self._last('at')}), created_at)"
        )

    def _last(self, column: str) -> str:
        """What the log says in a column of the last change that is not undone."""
        return (
            f'SELECT c.{column} FROM "change" AS c WHERE c.{self.of_kind}'
            f' AND c.record_id = "past_{self.table.name}".id AND c.seq <= {self.seq}'
            " ORDER BY c.seq DESC LIMIT 1"
        )

    async def _forget_texts(self, olds: Olds) -> None:
        """A long text that was another one then is not known any more."""
        text = self.resource.long_text
        if text is None:
            return
        keys = [key for key, old in olds.items() if not old.keys().isdisjoint(text.told_by)]
        if keys:
            statement = updating(self.table, (text.column,), self.dialect)
            await self.transaction.run_many(
                statement, [{"key": UUID(key), text.column: None} for key in keys]
            )

    async def _put_back_parts(self, name: str, part: Embedded, olds: Olds) -> None:
        table = table_of(part.table)
        several = list(_with(olds, name))
        if not several:
            return
        owners = [{"key": key} for key, _ in several]
        await self.transaction.run_many(deleting(table, part.owner, self.dialect), owners)
        rows = [row for key, old in several for row in _part_rows(part, key, old[name])]
        if rows:
            names = tuple(rows[0])
            await self.transaction.run_many(inserting(table, names, self.dialect), rows)

    def _hidden(self) -> Iterator[str]:
        """What withholds that of the rows put back which is withheld now: what they named then may
        be, and rows of parts that are no more belong to records that are."""
        past, parts = f'"past_{self.table.name}"', self.resource.embedded
        for pointer in pointers_of(self.resource):
            gone = f'"{pointer.key}" IN ({self._withheld_ids(pointer)})'
            if pointer.is_whole:
                yield f"UPDATE {past} SET hidden = '{ALL}' WHERE {gone}"
            else:
                yield (
                    f"UPDATE {past} SET hidden = coalesce(hidden, ',') || '{pointer.key},'"
                    f" WHERE {gone} AND {ROWS}"
                )
        for name, part in parts.items():
            rows = f'"past_{table_of(part.table).name}"'
            gone = f'"{part.owner}" IN ({self._withholding(name)})'
            for pointer in pointers_of(part):
                if pointer.is_whole:
                    gone += f' OR "{pointer.key}" IN ({self._withheld_ids(pointer)})'
            yield f"UPDATE {rows} SET hidden = '{ALL}' WHERE {gone}"
            for pointer in pointers_of(part):
                if not pointer.is_whole:
                    yield (
                        f"UPDATE {rows} SET hidden = coalesce(hidden, ',')"
                        f" || '{','.join(pointer.names)},'"
                        f' WHERE "{pointer.key}" IN ({self._withheld_ids(pointer)}) AND {ROWS}'
                    )
            yield from self._told(past, name, f"SELECT {part.owner} FROM {rows}")
        yield from self._hidden_titles(past)

    def _told(self, past: str, part: str, owners: str) -> Iterator[str]:
        """What tells of records that rows of a part are withheld, or some of what rows hold."""
        all_of_it = ",".join(sorted(told_together(self.resource, [part])))
        for names, is_so in ((all_of_it, f"= '{ALL}'"), (part, f"<> '{ALL}'")):
            yield (
                f"UPDATE {past} SET hidden = coalesce(hidden, ',') || '{names},'"
                f" WHERE {ROWS} AND id IN ({owners} WHERE hidden {is_so})"
            )

    def _withholding(self, part: str) -> str:
        """The ids of the records that are withheld, or whose rows of a part are, all of them."""
        fields = told_together(self.resource, [part])
        says = (f"CAST(withheld AS TEXT) LIKE '%\"{field}\"%'" for field in sorted(fields))
        where = " OR ".join((f"hidden = '{ALL}'", *says))
        return f'SELECT id FROM "past_{self.table.name}" WHERE {where}'

    def _hidden_titles(self, past: str) -> Iterator[str]:
        """What withholds titles that were made up of whom the public is not shown."""
        title = title_field(self.resource)
        for name, part in self.resource.embedded.items():
            if title is not None and name in self.resource.title_parts:
                rows = f'"past_{table_of(part.table).name}"'
                yield (
                    f"UPDATE {past} SET hidden = coalesce(hidden, ',') || '{title},'"
                    f" WHERE {ROWS} AND substr({title}, 1, length({COMPOSED_OF})) = {COMPOSED_OF}"
                    f" AND id IN (SELECT {part.owner} FROM {rows} WHERE hidden = '{ALL}')"
                )

    def _withheld_ids(self, pointer: Pointer) -> str:
        named = table_of(pointer.target.table).name
        return f"""SELECT id FROM "{self.schema}"."{named}" WHERE hidden = '{ALL}'"""

    def _copy(self, table: Table, key: str, records: str) -> list[str]:
        """What makes the temporary table, of the rows that are of these records."""
        past = f'"past_{table.name}"'
        return [
            f'CREATE TEMP TABLE {past} AS SELECT * FROM "{self.schema}"."{table.name}"'
            f' WHERE "{key}" IN ({records})',
            f'CREATE INDEX "ix_past_{table.name}" ON {past} ("{key}")',
        ]

    def _view(self, table: Table, key: str) -> str:
        """What hides the present table: the rows that have not changed, and those that were."""
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        own = f'present."{key}"'
        return (
            f'CREATE TEMP VIEW "{table.name}" AS SELECT {names} FROM "{self.schema}"."{table.name}"'
            f" AS present WHERE {self._is_unchanged(own)}"
            f' UNION ALL SELECT {names} FROM "past_{table.name}"'
        )


def _oldest(rows: Sequence[tuple[Value, str]]) -> Olds:
    """The old values of the first change of each field, of changes in order."""
    olds: Olds = {}
    for record_id, changes in rows:
        known = olds.setdefault(str(record_id), {})
        for name, (old, _) in json_codec.loads_stored(changes).items():
            if name not in NOT_UNDONE:
                known.setdefault(name, old)
    return olds


def _with(olds: Olds, field: str) -> Iterator[tuple[UUID, Json]]:
    return ((UUID(key), old) for key, old in olds.items() if field in old)


def _values(olds: Olds, column: TableColumn) -> list[Fields]:
    """The old values of the field of a column, for the statement that stores them."""
    name = column.name
    return [
        {"key": key, name: stored_value(column.type, old[name])} for key, old in _with(olds, name)
    ]


def _part_rows(part: Embedded, owner: UUID, rows: JsonValue) -> Iterator[Fields]:
    """The rows of a part as its table holds them."""
    columns = table_of(part.table).columns
    for at, row in enumerate(rows or ()):
        values = {part.owner: owner, "position": at}
        for name in part.fields.model_fields:
            values[name] = stored_value(columns[name].type, row.get(name))
        for name in part.edtf_dates:
            values |= bound_values(name, row.get(name))
        yield values


def _purged(resource: Resource, count: int) -> Gone:
    text = (
        f"{count:,} of the {resource.plural} that were there then have been purged since, and what"
        " they were is not kept: ask for a later time."
    )
    return Gone(text, [Fault("purged", text, parameter=PARAMETER)])


def _too_many(resource: Resource, count: int) -> BadRequest:
    return bad_parameter(
        PARAMETER,
        "too_many_changes",
        f"{count:,} {resource.plural} have been changed since, of which at most"
        f" {MAX_UNDONE_RECORDS:,} are undone: ask for a later time.",
    )
