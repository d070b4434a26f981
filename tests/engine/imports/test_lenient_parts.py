"""A lenient import of many rows is stored batch by batch, and others write between them."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.orm import Session

from app.commands.import_ import import_into
from app.core.databases.db_errors import commit_unknown, overloaded
from app.core.errors import Problem
from app.core.sheets.tabular import SheetRow
from app.engine.imports import named_records, report
from app.engine.imports.import_file import ImportFile
from app.engine.imports.import_run import ImportRun
from app.resources.person import person
from tests.conftest import client_of
from tests.engine.imports.calls import by_ref, is_there, lines, position, send, table

Client = httpx.AsyncClient
Work = Callable[[Session], Any]
Write = Callable[[Work], Awaitable[Any]]
Before = Callable[[int, Work], Awaitable[None]]
LENIENT = {"prefer": "handling=lenient"}


@pytest.fixture(autouse=True)
def _batches_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("read_ahead", "import_run", "lenient_import"):
        monkeypatch.setattr(f"app.engine.imports.{module}.BATCH_ROWS", 2)


@pytest.fixture
def parts(imports_app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> "Parts":
    """The transactions of imports."""
    database = imports_app.state.database
    found = Parts(database.write)
    monkeypatch.setattr(database, "write", found.write)
    return found


class Parts:
    """Counts the transactions, and does something else `before` each."""

    def __init__(self, write: Write) -> None:
        self.count, self._write = 0, write
        self.before: Before = _nothing
        self._is_meanwhile = False

    @contextmanager
    def doing(self, before: "Before") -> Iterator[None]:
        """Within, the transactions are counted anew, and this is done before each of them."""
        self.count, self.before = 0, before
        yield
        self.before = _nothing

    async def write(self, work: Work) -> Any:
        if not self._is_meanwhile:
            self.count += 1
            self._is_meanwhile = True
            try:
                await self.before(self.count, work)
            finally:
                self._is_meanwhile = False
        return await self._write(work)

    async def undone(self, _: int, work: Work) -> None:
        """Do the work in a transaction that is undone, as where PostgreSQL has it repeated."""

        def undoing(session: Session) -> None:
            work(session)
            raise _Undone

        with pytest.raises(_Undone):
            await self._write(undoing)


class _Undone(Exception):
    pass


async def _nothing(part: int, work: Work) -> None:
    pass


def _people(ref: str, how_many: int) -> list[dict[str, Any]]:
    return [{"ref": f"{ref}-{n}", "full_name": f"Person {n}"} for n in range(how_many)]


def _organizations(ref: str) -> list[dict[str, Any]]:
    """Rows that are right, wrong, wait for others below them or for those that fail; twelve."""
    one = {"kind": "company", "parent": ""}
    return [
        {"ref": f"{ref}-1", "name": f"{ref} one", **one, "parent": f"{ref}-9"},
        {"ref": f"{ref}-2", "name": "", **one},
        {"ref": f"{ref}-3", "name": f"{ref} three", **one, "parent": f"{ref}-2"},
        {"ref": f"{ref}-4", "name": f"{ref} four", **one, "kind": "nonsense"},
        {"ref": f"{ref}-5", "name": f"{ref} five", **one, "parent": f"{ref}-1"},
        {"ref": f"{ref}-6", "name": f"{ref} six", **one, "parent": f"Above {ref}"},
        {"ref": f"{ref}-5", "name": f"{ref} five again", **one},
        {"ref": f"{ref}-old", "name": f"{ref} new name", **one, "parent": f"{ref} nine"},
        {"ref": f"{ref}-9", "name": f"{ref} nine", **one},
        {"ref": f"{ref}-10", "name": f"{ref} ten", **one, "parent": f"{ref}-4"},
        {"ref": f"{ref}-11", "name": f"{ref} eleven", **one, "parent": "\0"},
        {"ref": f"{ref}-12", "name": f"{ref} twelve", **one, "parent": f"{ref} ten"},
    ]


async def test_others_write_between_its_parts(client: Client, parts: Parts, ref: str) -> None:
    """Nobody waits for the whole of it, and what is stored is there for others at once."""
    found: list[object] = []

    async def other(part: int, _: Work) -> None:
        if part in (2, 3):
            answer = await client.post("/people", json={"full_name": "Somebody else"})
            stored = [await is_there(client, "people", f"{ref}-{n}") for n in range(5)]
            found.append((answer.status_code, stored.count(True)))

    with parts.doing(other):
        answer = await send(client, "people", table(*_people(ref, 5)), headers=LENIENT)
    assert (answer.status_code, answer.json()["created"]) == (207, 5)
    assert found == [(201, 2), (201, 4)]


async def test_parts_that_take_long_are_followed_by_smaller_ones(
    client: Client, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So nobody waits long, whatever the rows and the machine are."""
    for module in ("read_ahead", "import_run", "lenient_import"):
        monkeypatch.setattr(f"app.engine.imports.{module}.BATCH_ROWS", 80)
    clock, sizes = count(step=1.0), list[int]()  # A second goes by whenever it is looked at.
    monkeypatch.setattr("app.engine.imports.lenient_import.perf_counter", lambda: next(clock))
    work = ImportRun._work_rows

    def noted(self: ImportRun, rows: list[SheetRow]) -> None:
        sizes.append(len(rows))
        work(self, rows)

    monkeypatch.setattr(ImportRun, "_work_rows", noted)
    file = table(*_people(ref, 100))
    assert (await send(client, "people", file, headers=LENIENT)).json()["created"] == 100
    assert sizes == [50, 10, 10, 10, 10, 10]


async def test_what_is_all_or_nothing_is_one_transaction(
    client: Client, parts: Parts, ref: str
) -> None:
    people = _people(ref, 5)
    broken = table(*people) + b'"open'
    cases: dict[str, tuple[bytes, dict[str, str], dict[str, str]]] = {
        "a wrong header": (table(*({**row, "x": "y"} for row in people)), LENIENT, {}),
        "a file that cannot be read": (broken, LENIENT, {}),
        "a dry run": (table(*people), LENIENT, {"dry_run": "true"}),
        "an import that is not lenient": (table(*people), {}, {}),
        "a repeatable one": (table(*people), {**LENIENT, "idempotency-key": ref}, {}),
        "few rows": (table(*people[:2]), LENIENT, {}),
    }
    wrong = {}
    for name, (file, headers, query) in cases.items():
        parts.count = 0
        answer = await send(client, "people", file, headers=headers, **query)
        # A wrong header is found in a part of which nothing is stored.
        if parts.count != 1 + (name == "a wrong header"):
            wrong[name] = parts.count, answer.text
    assert wrong == {}


async def test_its_report_is_that_of_one_transaction(
    client: Client, parts: Parts, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the database has a part done twice, as PostgreSQL may."""
    # What is tried twice looks twice for the names that are near.
    monkeypatch.setattr(named_records, "_MAX_NEAREST", 1000)
    cases: list[tuple[str, Before, dict[str, str]]] = [
        ("csv", _nothing, {"create_missing": "true", "skip_unknown": "true"}),
        ("csv", parts.undone, {"create_missing": "true", "skip_unknown": "true"}),
        ("ndjson", parts.undone, {}),
    ]
    wrong = {}
    for at, (kind, before, query) in enumerate(cases):
        own = f"{ref}-case-{at}"
        old = {"ref": f"{own}-old", "name": "Old name", "kind": "company"}
        assert (await client.post("/organizations", json=old)).status_code == 201
        file = _file(kind, _organizations(own))
        dry = {**query, "dry_run": "true"}
        whole = (await send(client, "organizations", file, kind, LENIENT, **dry)).json()
        with parts.doing(before):
            answer = await send(client, "organizations", file, kind, LENIENT, **query)
        if answer.json() != {**whole, "taken": []} or not whole["failed"] or parts.count < 7:
            wrong[own] = parts.count, answer.json(), whole
        stored = await by_ref(client, "organizations", f"{own}-old")
        if (stored["version"], stored["name"]) != (2, f"{own} new name"):
            wrong[f"{own} old"] = stored
    assert wrong == {}


def _file(kind: str, rows: list[dict[str, Any]]) -> bytes:
    """The rows, and what is no row but has to be told."""
    if kind == "csv":
        more = [{**row, "nonsense": "x"} for row in rows]
        return table(*more[:6], {"name": "Total", "nonsense": "12"}, *more[6:])
    said = [{name: value for name, value in row.items() if value != ""} for row in rows]
    return lines(*said[:4], {"nonsense": 1}, *said[4:]) + b"[]\n\xff\n"


async def test_a_part_that_cannot_be_stored_ends_it_and_what_is_stored_is_told(
    client: Client, parts: Parts, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of its rows has an error that says so, even where there is no room for more."""
    wrong = {}
    cases = ((1000, overloaded()), (1, overloaded()), (1000, commit_unknown()))
    for at, (most, problem) in enumerate(cases):
        monkeypatch.setattr(report, "MAX_FAULTS", most)
        own = f"{ref}-{at}"
        rows = [*_people(own, 7), {"full_name": "Total", "note": "12"}]
        rows[1]["full_name"] = ""
        with parts.doing(_failing(problem, 3)):
            answer = await send(client, "people", table(*rows), headers=LENIENT)
        told = answer.json()
        counts = told["created"], told["failed"], parts.count
        errors = [(each["row"], each["code"]) for each in told["errors"]]
        right = [(3, "missing"), (6, "service-unavailable")][-most:]
        if (answer.status_code, counts, errors) != (207, (3, 4, 3), right):
            wrong[own] = answer.text
        if not told["errors"][-1]["detail"].endswith(problem.detail):
            wrong[f"{own} detail"] = answer.text
        stored = [n for n in range(7) if await is_there(client, "people", f"{own}-{n}")]
        if stored != [0, 2, 3]:
            wrong[f"{own} stored"] = str(stored)
    assert wrong == {}


async def test_one_of_which_no_part_could_be_stored_is_refused(
    client: Client, imports_app: FastAPI, parts: Parts, ref: str
) -> None:
    before = await position(imports_app)
    rows = _people(ref, 5)
    for row in rows[:2]:
        row["full_name"] = ""
    for failing in (1, 2):
        with parts.doing(_failing(overloaded(), failing)):
            answer = await send(client, "people", table(*rows), headers=LENIENT)
        assert (answer.status_code, parts.count) == (503, failing), answer.text
    assert await position(imports_app) == before


async def test_rows_that_wait_for_others_when_it_ends_are_told_each(
    client: Client, parts: Parts, ref: str
) -> None:
    mission = {"title": "A", "kind": "trade_fair", "parent": ""}
    rows = [{"ref": f"{ref}-{n}", **mission} for n in range(1, 7)]
    rows[0]["parent"] = rows[1]["parent"] = rows[2]["parent"] = f"{ref}-6"
    for failing, created, refused in ((3, 1, [2, 3, 4, 6]), (4, 3, [2, 3, 4])):
        with parts.doing(_failing(overloaded(), failing)):
            told = (await send(client, "missions", table(*rows), headers=LENIENT)).json()
        assert [each["row"] for each in told["errors"]] == refused, told
        assert {each["code"] for each in told["errors"]} == {"service-unavailable"}
        assert told["created"] + told["unchanged"] == created
        assert sum(told[n] for n in ("created", "unchanged", "failed")) == 6


def _failing(problem: Problem, part: int) -> Before:
    async def fail(at: int, _: Work) -> None:
        if at == part:
            raise problem

    return fail


async def test_a_record_that_goes_between_its_parts_is_missed_by_the_rows_after(
    client: Client, parts: Parts, ref: str
) -> None:
    above = {"ref": ref, "name": f"Above {ref}", "kind": "company"}
    key = (await client.post("/organizations", json=above)).json()["id"]

    async def trash(part: int, _: Work) -> None:
        if part == 2:
            assert (await client.delete(f"/organizations/{ref}")).status_code == 204

    for named in (f"Above {ref}", key):
        rows = [{"name": f"{named} {n}", "kind": "company", "parent": named} for n in range(4)]
        with parts.doing(trash):
            told = (await send(client, "organizations", table(*rows), headers=LENIENT)).json()
        assert (told["created"], told["failed"]) == (2, 2)
        assert [each["column"] for each in told["errors"]] == ["parent", "parent"]
        assert (await client.post(f"/organizations/{key}/restore")).status_code == 200


async def test_the_command_stores_it_in_parts_too(
    fresh_app: FastAPI, fresh_url: str, tmp_path: Path
) -> None:
    """Ended on its way, it has stored and logged what came before."""
    path = tmp_path / "people.csv"
    rows = 0

    def ended(more: int) -> None:
        nonlocal rows
        rows += more
        if rows == 4:
            raise _Undone

    path.write_bytes(table(*_people("by-command", 7)))
    file = ImportFile(path, "csv", lenient=True)
    with pytest.raises(_Undone):
        await import_into(fresh_url, person, file, dry_run=False, on_progress=ended)
    async with client_of(fresh_app) as own:
        found = (await own.get("/people?ref__startswith=by-command&sort=ref")).json()["data"]
        assert [each["ref"] for each in found] == [f"by-command-{n}" for n in range(4)]
        history = (await own.get("/people/by-command-3/history")).json()["data"]
        assert [each["actor"] for each in history] == ["import"]
    rows = -1000
    done = await import_into(fresh_url, person, file, dry_run=False, on_progress=ended)
    assert (done.created, done.unchanged, done.failed) == (3, 4, 0)
