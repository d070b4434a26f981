"""A portable backup takes all from SQLite to PostgreSQL and back, to the last value."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from json import dumps, loads
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import (
    Boolean,
    Connection,
    Date,
    Enum,
    Integer,
    LargeBinary,
    String,
    Text,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from app.commands.backup import backup
from app.commands.backups.contents import Checksums
from app.commands.backups.moving import MADE_ANEW, moved_tables
from app.commands.connection import engine_run
from app.commands.reindex import kinds, reindex
from app.commands.restore import restore
from app.commands.snapshot import snapshot_run
from app.commands.unmigrated import declared
from app.commands.verify import verify
from app.core.databases.expressions import TableColumn
from app.core.databases.types import CodeList, Exact, Id, Instant, JsonText, StatedDate
from app.core.instance_secret import Installation
from tests.commands.backups.drills import sums_of
from tests.conftest import client_of, copy_of, serving
from tests.templates import seeded_url
from tests.test_migrations import empty_database, run_sql

ODD_TEXT = " ' \" \\ \\. \t \u2028 ﻿ Ә İ ё 😀 NULL \\N "
REPEATED = {"Idempotency-Key": "sent-before-the-move"}
PERSON = {"full_name": "Нурлан Ахметов", "ref": "nurlan"}
RATE = {"base": "KZT", "quote": "USD", "date": "2016-04-12", "rate": "0.0029871", "provider": "B"}
SOURCE = {"publisher": "A paper", "title": "A report"}
OUTCOME = {"agreement": {"ref": "alina-office"}, "actual_amount": "1.5", "currency": "KZT"}
OF_OTHERS = (
    "CREATE TABLE of_others (id INTEGER PRIMARY KEY)",
    "ALTER TABLE person ADD COLUMN remark TEXT",
)
HOOK = {"name": "A hook", "url": "https://example.org/hook", "enabled": False}


@dataclass
class Moved:
    """A database that has been lived in, moved to PostgreSQL and from there back to SQLite."""

    urls: dict[str, str]
    sums: dict[str, Checksums]
    files: tuple[Path, Path]
    #: What the commands said.
    told: str
    answers: dict[str, str]
    key: str
    first_answer: str


@pytest.fixture(scope="module")
async def moved(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Moved]:
    folder = tmp_path_factory.mktemp("moved")
    files = folder / "from-sqlite", folder / "from-postgresql"
    async with copy_of(seeded_url("sqlite"), folder) as first:
        key, answer = await live_in(first)
        await engine_run(first, make_odd)
        with (
            empty_database("postgresql", folder) as there,
            empty_database("sqlite", folder) as back,
        ):
            await backup(first, files[0], portable=True)
            told = await restore(there, files[0])
            sums = {"sqlite": await sums_of(first), "postgresql": await sums_of(there)}
            await run_sql(there, *OF_OTHERS)
            told += str(await backup(there, files[1], portable=True))
            told += await restore(back, files[1])
            urls = {"sqlite": first, "postgresql": there, "back": back}
            sums["back"] = await sums_of(back)
            answers = {name: await answered(url) for name, url in urls.items()}
            yield Moved(urls, sums, files, told, answers, key, answer)


async def live_in(url: str) -> tuple[str, str]:
    """Leave what a service leaves; returns a key of it, and an answer that is kept."""
    async with serving(url) as app, client_of(app) as client:
        answers = [await client.post("/people", json=PERSON, headers=REPEATED)]
        answers.append(await client.patch("/people/nurlan", json={"note": ODD_TEXT.strip()}))
        withheld = {"full_name": "withheld", "confidential": True}
        answers += [await client.post("/people", json=withheld)]
        for body in ({"full_name": ref, "ref": ref} for ref in ("in-trash", "purged")):
            answers += [await client.post("/people", json=body)]
        answers.append(await client.delete("/people/in-trash"))
        answers.append(await client.delete("/people/purged?purge=true"))
        answers.append(await client.post("/exchange-rates", json=RATE))
        answers.append(await client.post("/outcomes", json=OUTCOME))
        answers.append(await client.post("/sources", json=SOURCE))
        answers.append(await client.post("/webhooks", json=HOOK))
        answers.append(await client.post("/api-keys", json={"name": "Moves", "scope": "write"}))
    assert [answer.text for answer in answers if answer.is_error] == []
    return answers[-1].json()["key"], answers[0].text


def make_odd(connection: Connection) -> None:
    """Leave no table empty, and have each column hold the oddest value that its table takes."""
    for table in moved_tables():
        if not connection.scalar(select(func.count()).select_from(table)):
            connection.execute(insert(table), {c.name: simple(connection, c) for c in table.c})
        key = list(table.primary_key)
        last = connection.execute(select(*key).order_by(*(c.desc() for c in key)).limit(1)).one()
        for column in table.columns:
            for value in odd_values(column):
                with suppress(IntegrityError), connection.begin_nested():
                    found = zip(key, last, strict=True)
                    only = [of == is_now for of, is_now in found]
                    connection.execute(update(table).where(*only).values({column.name: value}))
    reindex(connection)


def simple(connection: Connection, column: TableColumn) -> Any:
    """A value for a new row of a table that has none."""
    for reference in column.foreign_keys:
        # One that a record is related to is another than the record itself.
        key = reference.column if column.primary_key else reference.column.desc()
        return connection.scalar(select(reference.column).order_by(key).limit(1))
    if column.nullable:
        return None
    match column.type:
        case Enum():
            return column.type.enums[0]
        case Id():
            return UUID(int=7)
        case Instant():
            return datetime(2026, 11, 29, tzinfo=UTC)
        case Date():
            return date(2026, 11, 29)
        case JsonText():
            return "[]"
        case CodeList():
            return []
        case LargeBinary():
            return bytes(range(32))
        case String() | Text() | StatedDate():
            return "x"
    return 1


def odd_values(column: TableColumn) -> Iterator[Any]:
    """Values that are easily lost on the way, for a column that nothing depends on."""
    has_meaning = {"id", "seq", "version", "position", "code", "list", "type", "caller", "state"}
    has_meaning |= {"confidential"}  # What is so is hidden, as is what belongs to it.
    if column.primary_key or column.foreign_keys or column.name in has_meaning:
        return
    if column.table.name == "api_key":  # It is used afterwards.
        return
    match column.type:
        case Enum() | JsonText() | Id() | StatedDate():
            return
        case Instant() if column.nullable and column.name != "deleted_at":
            yield datetime(1, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
            yield datetime(9999, 12, 31, 23, 59, 59, 999998, tzinfo=UTC)
        case Date():
            yield date.min
            yield date.max
        case Exact():
            for digits in (10**column.type.digits - 1, 1):
                yield Decimal(digits).scaleb(-column.type.scale)
        case Integer():
            yield 2**31 - 1
        case Boolean() if column.table.name != "webhook":
            yield True
        case LargeBinary():
            yield bytes(range(224, 256))
        case Text() if column.table.name not in {"kept_answer", "webhook", "change"}:
            yield ODD_TEXT


async def answered(url: str) -> str:
    """What is answered of every kind, without the epoch of the database."""
    paths = [f"/{resource.path}" for resource in kinds()]
    paths += ["/changes", "/webhooks", "/api-keys", "/people/nurlan/history"]
    async with serving(url) as app, client_of(app) as client:
        found = [await client.get(path, params={"limit": 1000}) for path in paths]
        for path in ("/people?deleted=only&q=trash", "/search?q=novosibirsk&limit=1000"):
            found += [await client.get(path)]
    assert [answer.text for answer in found if answer.is_error] == []
    # PostgreSQL writes blanks between the parts of JSON; digits are to stay.
    texts = [dumps(loads(answer.text, parse_float=str)) for answer in found]
    return "\n".join(texts).replace(await epoch_of(url), "EPOCH")


async def epoch_of(url: str) -> str:
    found = await snapshot_run(url, lambda on: on.scalar(select(Installation.epoch)))
    return str(found)


def test_every_table_that_there_is_is_moved_and_was_not_empty(moved: Moved) -> None:
    names = {table.name for table in moved_tables()}
    assert names == moved.sums["sqlite"].keys() - MADE_ANEW
    assert names == declared().tables.keys() - MADE_ANEW
    assert [name for name in names if not moved.sums["sqlite"][name].rows] == []


def test_each_table_has_the_same_checksum_there_and_back(moved: Moved) -> None:
    first, there = moved.sums["sqlite"], moved.sums["postgresql"]
    assert moved.sums["back"] == first
    kept = first.keys() - MADE_ANEW
    assert {name: there[name] for name in kept} == {name: first[name] for name in kept}
    assert "each table has the checksum that it had" in moved.told


def test_what_is_not_of_this_program_is_left_behind_and_told(moved: Moved) -> None:
    assert "Left out: table of_others, which is not of this program." in moved.told
    assert "Left out: column remark of table person, which" in moved.told
    assert moved.told.count("Left out") == len(OF_OTHERS)
    assert "of_others" not in moved.sums["back"]


async def test_all_is_well_there_and_back_and_each_has_an_epoch_of_its_own(moved: Moved) -> None:
    assert len({await epoch_of(url) for url in moved.urls.values()}) == 3
    # A restore checks what it has made, and tells what is wrong.
    assert "already" not in moved.told
    assert (await verify(moved.urls["back"], moved.files[1])).faults == []


def test_the_api_answers_there_and_back_as_it_did(moved: Moved) -> None:
    first = moved.answers["sqlite"]
    assert moved.answers["postgresql"] == first
    assert moved.answers["back"] == first


async def test_the_service_goes_on_there_where_it_was(moved: Moved) -> None:
    async with serving(moved.urls["postgresql"]) as app, client_of(app) as client:
        again = await client.post("/people", json=PERSON, headers=REPEATED)
        assert again.text == moved.first_answer
        client.headers["Authorization"] = f"Bearer {moved.key}"
        newest = (await client.get("/changes?limit=1000")).json()["data"][-1]
        last, epoch = newest["seq"], await epoch_of(moved.urls["sqlite"])
        before = newest["position"][: -len(epoch)] + epoch
        assert (await client.get(f"/changes?since={before}")).status_code == 410
        await client.patch("/people/nurlan", json={"note": "Changed there"})
        (change,) = (await client.get(f"/changes?since={last}")).json()["data"]
        assert (change["seq"], change["actor"]) == (last + 1, "Moves")
        assert change["changes"]["note"] == [ODD_TEXT.strip(), "Changed there"]
