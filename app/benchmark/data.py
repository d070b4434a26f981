"""The records that all are measured on, and what each must answer about them."""

import asyncio
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, and_, func, inspect, select

from app.benchmark.machine import MIB
from app.commands.connection import engine_run
from app.commands.generate import run as generate
from app.commands.migrate import migrate
from app.commands.seed import run as seed
from app.core.databases.addresses import is_sqlite, sqlite_path
from app.resources.agreement import Agreement
from app.resources.mission import Mission
from app.resources.organization import Organization
from app.resources.party import AgreementParty

Row = dict[str, Any]

PAGE = 50
#: The filter of the lists, and the status of what is written.
LISTED, WRITTEN = "signed", "negotiated"
#: How many records are asked for by id, in turn.
SAMPLE = 1_000
#: What a kind of record is called in the files that the peers load.
TABLES: dict[str, Any] = {
    "organization": Organization,
    "mission": Mission,
    "agreement": Agreement,
    "agreement_party": AgreementParty,
}
#: Searches by what they find: what they are called, their words, other filters.
SEARCHES: tuple[tuple[str, str, Row], ...] = (
    ("rare word", "{rare}", {}),
    ("word in a tenth", "c1050", {}),
    ("two words", "synthetic c1050", {}),
    ("word in all", "synthetic", {}),
    ("word in all, filtered, by amount", "synthetic", {"status": LISTED}),
)


@dataclass(frozen=True, slots=True)
class Search:
    """A full-text search, and how many records it finds on its first page."""

    name: str
    words: tuple[str, ...]
    filters: Row
    found: int


@dataclass(frozen=True, slots=True)
class Data:
    """What is asked for, and the right answers. Ids are normal: see `normal_id`."""

    #: Ids as the service writes them, and titles, of records that stay as they are.
    sample: dict[str, str]
    #: The records of the list, in order, by normal id, with the names of their parties.
    listed: dict[str, list[str]]
    searches: tuple[Search, ...]
    #: Ids of records that can be changed and deleted.
    free: tuple[str, ...]
    missions: tuple[str, ...]
    agreements: int

    def new_agreements(self, count: int) -> Iterator[Row]:
        """What is written: agreements that name a mission, and no two alike."""
        chosen = random.Random(2)  # noqa: S311 (data to try things, no secret)
        for number in range(count):
            yield {
                "title": f"Measured agreement {number}",
                "subject": "A made-up deal about C2732",
                "mission_id": chosen.choice(self.missions),
                "instrument": "supply_contract",
                "status": WRITTEN,
                "amount": chosen.randrange(1_000, 100_000_000),
                "currency": chosen.choice(("USD", "EUR", "KZT")),
                "note": "Synthetic: written to measure how long it takes.",
            }


#: For who is asked for nothing of it.
EMPTY = Data({}, {}, (), (), (), 0)


def normal_id(text: object) -> str:
    """What the ids of one record have in common with all peers: the last 15 hexadecimal digits."""
    return str(text).replace("-", "")[-15:]


def refuse_used(url: str) -> None:
    """RuntimeError where the database is not an empty one of PostgreSQL: records are changed and
    deleted to measure it."""
    if is_sqlite(url):
        raise RuntimeError("--database is one of PostgreSQL; a file of SQLite is made without it.")
    names = asyncio.run(engine_run(url, lambda connection: inspect(connection).get_table_names()))
    if names:
        raise RuntimeError(
            f"The database has tables already ({', '.join(sorted(names)[:3])}, …), and records are"
            " changed and deleted to measure it. Name an empty one."
        )


def prepare(url: str, rows: int) -> None:
    """Make the tables, the code lists and so many agreements, each time the same."""
    asyncio.run(migrate(url))
    asyncio.run(seed(url))
    generate(url, max(5, rows // 200), max(20, rows // 20), rows, 1)


def read_data(url: str) -> Data:
    """What there is to ask for in a prepared database."""
    return asyncio.run(engine_run(url, _read))


def write_files(url: str, folder: Path) -> dict[str, Path]:
    """A file of NDJSON for each kind of record, for the peers; values as the API has them."""

    def write(connection: Connection) -> dict[str, Path]:
        return {name: _write(connection, name, folder) for name in TABLES}

    return asyncio.run(engine_run(url, write))


def size_of(url: str) -> str:
    """How large the database is, in words."""
    if not is_sqlite(url):
        return "a server's"
    return f"{Path(sqlite_path(url)).stat().st_size / MIB:.0f} MiB"


def _write(connection: Connection, name: str, folder: Path) -> Path:
    table: Table = TABLES[name].__table__
    columns = [column for column in table.c if column.name != "deleted_at"]
    file = folder / f"{name}.ndjson"
    with file.open("w") as lines:
        rows = connection.execution_options(yield_per=1000).execute(select(*columns))
        for row in rows.mappings():
            lines.write(json.dumps(dict(row), default=str, ensure_ascii=False) + "\n")
    return file


def _read(connection: Connection) -> Data:
    listed = _listed(connection)
    ids = [str(key) for key in connection.scalars(select(Agreement.id).order_by(Agreement.id))]
    random.Random(1).shuffle(ids)  # noqa: S311 (which ones are asked for is no secret)
    ids = [key for key in ids if normal_id(key) not in listed]
    sample = set(ids[: min(SAMPLE, len(ids) // 2)])
    titles = connection.execute(select(Agreement.id, Agreement.title))
    found = connection.execute(select(func.count()).select_from(Agreement)).scalar_one()
    return Data(
        sample={str(key): title for key, title in titles if str(key) in sample},
        listed=listed,
        searches=tuple(_searches(connection, found)),
        free=tuple(key for key in ids if key not in sample),
        missions=tuple(str(key) for key in connection.scalars(select(Mission.id))),
        agreements=found,
    )


def _listed(connection: Connection) -> dict[str, list[str]]:
    page = (
        select(Agreement.id)
        .where(Agreement.status == LISTED, Agreement.deleted_at.is_(None))
        .order_by(Agreement.amount.desc().nulls_last(), Agreement.id.desc())
        .limit(PAGE)
    )
    ids = list(connection.scalars(page))
    parties = connection.execute(
        select(AgreementParty.agreement_id, Organization.name)
        .join(Organization, AgreementParty.organization_id == Organization.id)
        .where(AgreementParty.agreement_id.in_(ids))
        .order_by(AgreementParty.agreement_id, AgreementParty.position)
    )
    found: dict[str, list[str]] = {normal_id(key): [] for key in ids}
    for key, name in parties:
        found[normal_id(key)].append(name)
    return found


def _searches(connection: Connection, agreements: int) -> Iterator[Search]:
    rare = str(agreements * 9 // 10)
    for name, words, filters in SEARCHES:
        asked = tuple(words.format(rare=rare).split())
        condition = and_(
            *(
                func.lower(Agreement.title + " " + Agreement.subject).contains(word)
                for word in asked
            ),
            *(getattr(Agreement, field) == value for field, value in filters.items()),
        )
        count = select(func.count()).select_from(Agreement).where(condition)
        yield Search(name, asked, filters, min(PAGE, connection.execute(count).scalar_one()))
