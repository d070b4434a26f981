"""Writes the rows of the views to a file of SQLite, for programs that make charts of it."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

import app.api  # noqa: F401 (lists all kinds, and so what lies under each)
from app.commands.backups import files
from app.commands.readiness import refuse_unready
from app.commands.snapshot import snapshot_run
from app.core.databases.types import instant_text
from app.core.loose_types import Value
from app.core.sheets.sheet import CellKind
from app.datasets.columns import ALL_DATASETS, AnyDataset, columns
from app.datasets.views import definition, view_name

#: What tells of every table and column of the file.
DICTIONARY: Final = "bi_dictionary"
#: The types of columns, as programs take them from the file: SQLite itself keeps to none.
_TYPES: Final = {
    CellKind.text: "TEXT",
    CellKind.integer: "INTEGER",
    CellKind.decimal: "REAL",
    CellKind.boolean: "BOOLEAN",
    CellKind.date: "DATE",
    CellKind.instant: "TIMESTAMP",
}
_BATCH_ROWS: Final = 2_000


def run(url: str, file: Path) -> str:
    """Write the file, in place of one that was written before, and tell what it holds.

    RuntimeError, and nothing changed, where something else is there.
    """
    return asyncio.run(_written(url, file))


async def _written(url: str, file: Path) -> str:
    await refuse_unready(url)
    mode = _mode_of_former(file)
    with files.written_whole(file, force=True) as part:
        rows = await snapshot_run(url, lambda source: _write(source, part))
        if mode is not None:
            # Whoever was given the file to read can read what replaces it.
            part.chmod(mode)
    held = ", ".join(f"{count:,} {name}" for name, count in rows.items())
    return f"Wrote {file}: {files.size_of(file)}. What is public: {held}."


def _mode_of_former(file: Path) -> int | None:
    """The rights of the file that is to be replaced; RuntimeError where it is not of this command:
    a database must not be lost because its name was given here."""
    if not file.is_file():
        return None
    if file.stat().st_size and not _is_of_views(file):
        raise RuntimeError(
            f"{file} is there already, and `views` did not write it. Choose another name."
            " Nothing was changed."
        )
    return file.stat().st_mode & 0o777


def _is_of_views(file: Path) -> bool:
    tables = "SELECT name FROM sqlite_master WHERE type = 'table'"
    with files.told(file), file.open("rb"):
        pass
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as reading:
            names = {name for (name,) in reading.execute(tables)}
    except sqlite3.Error:
        return False
    return DICTIONARY in names and all(name.startswith("bi_") for name in names)


def _write(source: Connection, part: Path) -> dict[str, int]:
    """Write all datasets as they are at one moment; how many rows each has."""
    with closing(sqlite3.connect(part, isolation_level=None)) as target:
        # The file gets its name when it is finished: it need survive nothing before.
        target.execute("PRAGMA journal_mode=OFF")
        target.execute("PRAGMA synchronous=OFF")
        target.execute("BEGIN")
        _write_dictionary(target)
        rows = {dataset.name: _write_rows(source, target, dataset) for dataset in ALL_DATASETS}
        target.execute("COMMIT")
    return rows


def _write_dictionary(target: sqlite3.Connection) -> None:
    names = ("table_name", "column_name", "type", "unit", "meaning")
    target.execute(f"CREATE TABLE {DICTIONARY} ({', '.join(f'{name} TEXT' for name in names)})")
    target.executemany(f"INSERT INTO {DICTIONARY} VALUES (?, ?, ?, ?, ?)", _entries())  # noqa: S608


def _entries() -> Iterator[tuple[str | None, ...]]:
    for dataset in ALL_DATASETS:
        name = view_name(dataset)
        yield name, None, None, None, f"{dataset.grain.capitalize()}."
        for column in columns(dataset):
            yield name, column.name, column.kind, column.unit, column.about


def _write_rows(source: Connection, target: sqlite3.Connection, dataset: AnyDataset) -> int:
    name, shown = view_name(dataset), columns(dataset)
    typed = (f"{column.name} {_TYPES[column.kind]}" for column in shown)
    target.execute(f"CREATE TABLE {name} ({', '.join(typed)})")
    places = ", ".join("?" for _ in shown)
    streaming = source.execution_options(stream_results=True, yield_per=_BATCH_ROWS)
    count = 0
    for batch in streaming.exec_driver_sql(definition(dataset, source.dialect)).partitions():
        found = [tuple(map(_stored, row)) for row in batch]
        target.executemany(f"INSERT INTO {name} VALUES ({places})", found)  # noqa: S608
        count += len(found)
    return count


def _stored(value: Value) -> Value:
    """A value as the file has it: of PostgreSQL's types, those of SQLite's views."""
    match value:
        case Decimal():
            return float(value)
        case UUID():
            return str(value)
        case bool():
            return int(value)
        case datetime():
            return instant_text(value)
        case date():
            return value.isoformat()
    return value
