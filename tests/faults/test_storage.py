"""Disks that are full or read-only, and files that go: writes are refused, nothing is damaged."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy.orm import Session

from app.commands import check
from app.core.databases.interface import Database
from app.core.errors import InsufficientStorage, Unavailable
from tests.conftest import client_of, serving
from tests.faults.conftest import copied, make_ready
from tests.postgres import create_database
from tests.postgres_server import OwnServer, fill, own_server, small_disk

on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True, scope="session")
#: Room for the database and some writes, in megabytes.
SMALL = 24
SMALL_POSTGRES = 120


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk that is soon full."""
    try:
        with small_disk(tmp_path / "disk", SMALL) as folder:
            yield folder
    except PermissionError as error:
        pytest.skip(f"no file system can be mounted: {error}")


@asynccontextmanager
async def client_on(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(url) as app, client_of(app) as client:
        yield client


async def add(client: httpx.AsyncClient, note: str = "a note") -> httpx.Response:
    ref = f"p-{uuid4().hex}"
    return await client.post("/people", json={"ref": ref, "full_name": "Somebody", "note": note})


async def check_reads(client: httpx.AsyncClient) -> None:
    for path in ("/people", "/people.csv", "/changes", "/missions/novosibirsk-april"):
        assert (await client.get(path)).status_code in (200, 404), path


def check_refusal(answer: httpx.Response, status: int, words: str) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0


def digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


# Full


@on_sqlite
async def test_a_full_disk_refuses_writes_until_there_is_room(
    template_url: str, disk: Path
) -> None:
    url = copied(template_url, disk)
    async with client_on(url) as client:
        stored = [(await add(client)).json()["ref"]]
        ballast = fill(disk)
        check_refusal(await add(client, "x" * 20_000), 507, "no room")
        await check_reads(client)
        check_refusal(await add(client, "x" * 20_000), 507, "no room")
        ballast.unlink()
        answer = await add(client, "x" * 20_000)
        assert answer.status_code == 201
        stored.append(answer.json()["ref"])
        for ref in stored:
            assert (await client.get(f"/people/{ref}")).status_code == 200
        assert (await client.get("/people")).json()["data"]
    assert await check.run(url) == []


@on_sqlite
async def test_writes_until_a_disk_is_full_are_kept_and_the_others_are_not(
    template_url: str, disk: Path
) -> None:
    url = copied(template_url, disk)
    async with client_on(url) as client:
        fill(disk, leave=1_500_000).rename(disk / "most")
        told = [await add(client, "x" * 20_000) for _ in range(100)]
        assert {answer.status_code for answer in told} == {201, 507}
        (disk / "most").unlink()
        refs = {a.json()["ref"] for a in told if a.status_code == 201}
        lines = (await client.get("/people.ndjson?fields=ref,note")).text
        kept = {ref for ref in refs if ref in lines}
        assert kept == refs
        assert sum("xxxx" in line for line in lines.splitlines()) == len(refs)
    assert await check.run(url) == []


@on_sqlite
async def test_a_write_that_fills_the_disk_takes_no_other_with_it(
    template_url: str, disk: Path
) -> None:
    url = copied(template_url, disk)
    async with client_on(url) as client:
        many = [{"full_name": "Somebody", "note": "x" * 20_000} for _ in range(2000)]
        large = "\n".join(
            f'{{"full_name": "{m["full_name"]}", "note": "{m["note"]}"}}' for m in many
        )
        headers = {"Content-Type": "application/x-ndjson"}
        answer = await client.post("/people/import", content=large, headers=headers)
        check_refusal(answer, 507, "no room")
        # What SQLite took back with it must not look as if it had been stored.
        assert (await add(client)).status_code == 201
        assert "xxxx" not in (await client.get("/people.ndjson")).text
    assert await check.run(url) == []


@pytest.fixture
def small_server(tmp_path: Path) -> Iterator[OwnServer]:
    """A PostgreSQL whose tables are on a disk that is soon full."""
    try:
        with own_server(tmp_path, megabytes=SMALL_POSTGRES) as server:
            yield server
    except PermissionError as error:
        pytest.skip(f"no file system can be mounted: {error}")


async def test_a_full_disk_of_postgresql_refuses_writes_until_there_is_room(
    small_server: OwnServer,
) -> None:
    url = create_database(small_server.url, "missions")
    await make_ready(url)
    async with client_on(url) as client:
        assert (await add(client)).status_code == 201
        ballast = fill(small_server.cluster.data)
        told = [await add(client, _noise(20_000)) for _ in range(60)]
        check_refusal(told[-1], 507, "no room")
        assert {answer.status_code for answer in told} <= {201, 507}
        await check_reads(client)
        ballast.unlink()
        assert (await add(client, _noise(20_000))).status_code == 201
        kept = sum(answer.status_code == 201 for answer in told) + 2
        assert len((await client.get("/people.ndjson")).text.splitlines()) == kept
    assert await check.run(url) == []


def _noise(length: int) -> str:
    """Text that does not become small when it is compressed."""
    return os.urandom(length // 2).hex()


# Read-only


async def test_a_postgresql_that_is_set_read_only_says_so(tmp_path: Path) -> None:
    with own_server(tmp_path) as server:
        url = create_database(server.url, "missions")
        await make_ready(url)
        async with client_on(url) as client:
            for value in ("on", "off"):
                server.run(f"ALTER DATABASE missions SET default_transaction_read_only = {value}")
                # The setting is of new sessions.
                server.run(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = 'missions'"
                )
                answer = await add(client)
                if value == "on":
                    check_refusal(answer, 503, "read-only")
                    await check_reads(client)
                else:
                    assert answer.status_code == 201, answer.text


@contextmanager
def mounted_read_only(file: Path) -> Iterator[None]:
    """Within, the file can be read alone, by root too."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a file")
    name = str(file)
    for command in (["mount", "--bind", name, name], ["mount", "-o", "remount,bind,ro", name]):
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"no file can be mounted: {done.stderr.decode()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", name], check=True)


@on_sqlite
async def test_a_file_that_is_read_only_is_read_and_says_so(fresh_url: str, tmp_path: Path) -> None:
    async with client_on(fresh_url) as client:
        assert (await add(client)).status_code == 201
    with mounted_read_only(Path(fresh_url.removeprefix("sqlite:///"))):
        async with client_on(fresh_url) as client:
            check_refusal(await add(client), 503, "read-only")
            await check_reads(client)
    async with client_on(fresh_url) as client:
        assert (await add(client)).status_code == 201


# Gone


@on_sqlite
async def test_a_file_that_is_moved_away_is_not_written_to_and_used_again_when_it_is_back(
    fresh_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.core.databases.sqlite.CHECK_SECONDS", 0.01)
    file = Path(fresh_url.removeprefix("sqlite:///"))
    async with client_on(fresh_url) as client:
        aside = file.with_suffix(".aside")
        shutil.move(file, aside)
        check_refusal(await add(client), 503, "moved, deleted or replaced")
        while (answer := await client.get("/people")).status_code == 200:
            pass
        check_refusal(answer, 503, "moved, deleted or replaced")
        shutil.move(aside, file)
        assert (await add(client)).status_code == 201
        while (await client.get("/people")).status_code == 503:
            pass
    assert await check.run(fresh_url) == []


@on_sqlite
async def test_a_file_that_is_replaced_is_not_written_to(fresh_url: str) -> None:
    file = Path(fresh_url.removeprefix("sqlite:///"))
    async with client_on(fresh_url) as client:
        other = file.with_suffix(".other")
        shutil.copy(file, other)
        before = digest(other)
        shutil.move(other, file)
        check_refusal(await add(client), 503, "moved, deleted or replaced")
        assert digest(file) == before


# The writer


@on_sqlite
async def test_a_write_that_would_end_its_thread_does_not_end_the_writer(
    fresh_url: str,
) -> None:
    def leaving(session: Session) -> None:
        raise SystemExit

    async with serving(fresh_url) as app, client_of(app) as client:
        database: Database = app.state.database
        with pytest.raises(Unavailable):
            await database.write(leaving)
        assert (await add(client)).status_code == 201


async def test_a_write_whose_own_file_finds_no_room_is_told_so(
    fresh_url: str, tmp_path: Path
) -> None:
    def spooling(session: Session) -> None:
        with Path("/dev/full").open("wb", buffering=0) as file:
            file.write(b"x")

    async with serving(fresh_url) as app:
        database: Database = app.state.database
        with pytest.raises(InsufficientStorage):
            await database.write(spooling)
