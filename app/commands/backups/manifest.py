"""What a portable backup says of itself: its release and, of each table, rows and a checksum.

It is a view of constants within the file of SQLite, so that whoever opens the file can read it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import orjson

VIEW = "about_this_backup"
#: The row that tells of the whole: how many rows there are, and which release made it.
_WHOLE = ""
_STATED = f"SELECT table_name, row_count, digest FROM {VIEW} WHERE table_name <> ''"  # noqa: S608


def write(file: Path) -> None:
    """Put the manifest into a finished backup, in place of one that is there."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        remove(connection)
        found = list(_tables(connection))
        total = sum(rows for _, rows, _ in found)
        release = f"trade-missions {version('trade-missions')}"
        values = ",\n".join(
            f"('{name}', {rows}, '{digest}')"
            for name, rows, digest in [(_WHOLE, total, release), *found]
        )
        names = "column1 AS table_name, column2 AS row_count, column3 AS digest"
        connection.execute(f"CREATE VIEW {VIEW} AS SELECT {names} FROM (VALUES\n{values})")  # noqa: S608


def remove(connection: sqlite3.Connection) -> None:
    """Take the manifest away: of a database that goes on, it would soon be wrong."""
    connection.execute(f"DROP VIEW IF EXISTS {VIEW}")


def faults(file: Path) -> list[str]:
    """Where a backup is not what its manifest says, a line each; empty without a manifest."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        try:
            stated = connection.execute(_STATED).fetchall()
        except sqlite3.OperationalError:
            return []
        found = {name: (rows, digest) for name, rows, digest in _tables(connection)}
    expected = {name: (rows, digest) for name, rows, digest in stated}
    return [
        f"table {name} is not what it was when the backup was made"
        for name in sorted(expected.keys() | found.keys())
        if expected.get(name) != found.get(name)
    ]


def _tables(connection: sqlite3.Connection) -> Iterator[tuple[str, int, str]]:
    """Each table that the program declares or that stands beside: name, rows, checksum.

    The values count as SQLite keeps them, whatever a later release takes them for. What full-text
    search keeps for itself is left out: SQLite's own check looks at it.
    """
    names = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'search\\_words%'"
        " ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    ).fetchall()
    connection.text_factory = bytes
    for (name,) in names:
        count, digest = 0, 0
        for row in connection.execute(f'SELECT * FROM "{name}"'):  # noqa: S608 (of the file itself)
            count += 1
            content = orjson.dumps(row, default=bytes.hex)
            digest += int.from_bytes(sha256(content).digest())
        yield name, count, f"{digest % 2**256:064x}"
    connection.text_factory = str
