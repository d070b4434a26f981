"""Looks into a dump of PostgreSQL without a server: rows by table, revision, change log.

A restore needs this before it drops a table, and so does whoever verifies a backup where no server
is at hand. A trial restore checks more.
"""

from dataclasses import dataclass, field
from pathlib import Path

from app.commands.backups.postgresql import script_lines

_COPY = b"COPY "
_END = b"\\."


@dataclass(slots=True)
class Dump:
    """What a dump holds; `seen` are the change log's numbers: how many, and the largest."""

    revision: str | None = None
    counter: int = 0
    seen: tuple[int, int] = (0, 0)
    rows: dict[str, int] = field(default_factory=dict)
    #: Where the epoch of the database stands, quoted and with its schema; None in older ones.
    epoch_table: str | None = None


def read_dump(file: Path) -> Dump:
    """Read all of a dump; RuntimeError when it is damaged."""
    found = Dump()
    table, names = None, list[str]()
    for line in script_lines(file, "--data-only"):
        row = line.rstrip(b"\n")
        if table is not None and row == _END:
            table = None
        elif table is not None:
            found.rows[table] += 1
            _note(found, table, names, row)
        elif row.startswith(_COPY):
            table, names = _header(row)
            if table == "installation" and "epoch" in names:
                found.epoch_table = row.removeprefix(_COPY).decode().partition(" (")[0]
            found.rows[table] = 0
    return found


def _header(line: bytes) -> tuple[str, list[str]]:
    """The table and the columns of `COPY public.change (seq, at, …) FROM stdin;`."""
    name, _, rest = line.removeprefix(_COPY).decode().partition(" (")
    columns = rest.partition(")")[0].split(", ")
    return name.rpartition(".")[2].strip('"'), [column.strip('"') for column in columns]


def _note(found: Dump, table: str, names: list[str], row: bytes) -> None:
    if table == "alembic_version":
        found.revision = row.decode()
    elif table == "change_counter":
        found.counter = _number(names, row)
    elif table == "change":
        count, last = found.seen
        found.seen = (count + 1, max(last, _number(names, row)))


def _number(names: list[str], row: bytes) -> int:
    return int(row.split(b"\t")[names.index("seq")])
