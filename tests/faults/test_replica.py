"""Reads go to a replica while it is there and near, and writers see what they wrote."""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from app.commands.migrate import migrate
from app.core.databases.opening import open_database
from app.core.databases.replica import UNKNOWN_LSN, LastWrites
from tests.faults.load import check_kept, loading
from tests.postgres import create_database
from tests.postgres_server import OwnServer, own_server, replica_of
from tests.servers import Server, running_server
from tests.waiting import wait_until

PATIENCE = 30.0
#: How many seconds behind a replica is read from: longer than a test takes, unless it says so.
FAR_BEHIND = 600.0


@dataclass
class Trio:
    """The service, its database and the replica."""

    server: Server
    primary: OwnServer
    replica: OwnServer

    def writer(self) -> httpx.Client:
        """The one who writes, by a key."""
        return self.server.client(timeout=PATIENCE)

    def reader(self) -> httpx.Client:
        """Somebody without a key."""
        return httpx.Client(base_url=self.server.address, timeout=PATIENCE)

    def gauge(self, name: str) -> float:
        """One of the database's gauges, as /metrics tells it."""
        with self.writer() as client:
            told = client.get("/metrics").text
        found = re.search(rf"^trade_missions_database_{name} (\S+)$", told, re.MULTILINE)
        assert found
        return float(found[1])

    def replay(self, how: str) -> None:
        """Let the replica `pause` or `resume` to follow the primary."""
        self.replica.run(f"SELECT pg_wal_replay_{how}()")
        paused = "SELECT pg_get_wal_replay_pause_state() = 'paused'"
        wait_until(lambda: self.replica.run(paused)[0][0] == (how == "pause"))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Within, what is written does not reach the replica's readers."""
        self.replay("pause")
        try:
            yield
        finally:
            self.replay("resume")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, OwnServer, OwnServer]]:
    """The address of a migrated database, its server, and the replica of that."""
    folder = tmp_path_factory.mktemp("replica")
    with pytest.MonkeyPatch.context() as patch, own_server(folder / "primary") as primary:
        # Where the processes that serve keep in mind who wrote.
        patch.setenv("TMPDIR", str(folder))
        patch.setattr("tempfile.tempdir", str(folder))
        url = create_database(primary.url, "missions")
        asyncio.run(migrate(url))
        with replica_of(primary, folder / "standby") as replica:
            yield url, primary, replica


@contextmanager
def serving(
    servers: tuple[str, OwnServer, OwnServer], folder: Path, *options: str, lag: float = FAR_BEHIND
) -> Iterator[Trio]:
    url, primary, replica = servers
    read_url = replica.url.rpartition("/")[0] + "/missions"
    settings = {"database_read_url": read_url, "max_replica_lag": lag}
    with running_server(url, folder, *options, **settings) as server:
        trio = Trio(server, primary, replica)
        wait_until(lambda: trio.gauge("replica_in_use") == 1)
        yield trio
        assert "request failed" not in server.text()


@pytest.fixture(scope="module")
def trio(
    servers: tuple[str, OwnServer, OwnServer], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Trio]:
    """One process that serves, reading from the replica however far it is behind."""
    with serving(servers, tmp_path_factory.mktemp("served")) as trio:
        yield trio


def add(client: httpx.Client) -> str:
    """The address of a new person."""
    ref = f"p-{uuid4().hex}"
    answer = client.post("/people", json={"ref": ref, "full_name": "Somebody"})
    assert answer.status_code == 201, answer.text
    return f"/people/{ref}"


def test_reads_go_to_the_replica_and_the_writer_sees_what_was_written(trio: Trio) -> None:
    with trio.writer() as writer, trio.reader() as reader:
        with trio.paused():
            path = add(writer)
            assert reader.get(path).status_code == 404
            assert writer.get(path).status_code == 200
            assert path.rpartition("/")[2] in writer.get("/people?sort=-created_at").text
            assert path.rpartition("/")[2] in writer.get("/people.ndjson").text
            assert path.rpartition("/")[2] not in reader.get("/people.ndjson").text
        wait_until(lambda: reader.get(path).status_code == 200)


def test_an_etag_is_as_old_as_what_it_is_of(trio: Trio) -> None:
    with trio.writer() as writer, trio.reader() as reader:
        before = add(writer)
        wait_until(lambda: reader.get(before).status_code == 200)
        with trio.paused():
            path = add(writer)
            old, new = (client.get("/people?sort=-created_at") for client in (reader, writer))
            assert old.headers["etag"] != new.headers["etag"]
            assert path.rpartition("/")[2] not in old.text
            tag = {"If-None-Match": old.headers["etag"]}
            assert reader.get("/people?sort=-created_at", headers=tag).status_code == 304
            assert writer.get("/people?sort=-created_at", headers=tag).status_code == 200


def test_the_writer_reads_from_the_replica_again_once_it_has_caught_up(trio: Trio) -> None:
    with trio.writer() as writer:
        path = add(writer)
        pools = "SELECT sum(xact_commit) FROM pg_stat_database WHERE datname = 'missions'"

        def is_read_there() -> bool:
            begun = trio.replica.run(pools)[0][0]
            for _ in range(20):
                assert writer.get(path).status_code == 200
            # The server adds up what its connections did once a second or when they are idle.
            time.sleep(1.1)
            writer.get(path)
            return bool(trio.replica.run(pools)[0][0] - begun >= 20)

        wait_until(is_read_there)


def test_a_replica_that_stops_is_left_at_once_and_used_again_when_it_is_back(trio: Trio) -> None:
    with trio.writer() as writer, trio.reader() as reader:
        trio.replica.stop()
        for _ in range(20):
            assert reader.get(add(writer)).status_code == 200
        assert trio.gauge("replica_in_use") == 0
        assert trio.gauge("replica_lag_seconds") == -1
        trio.replica.start()
        wait_until(lambda: trio.gauge("replica_in_use") == 1)
        with trio.paused():
            assert reader.get(add(writer)).status_code == 404


def test_reads_go_on_while_the_primary_is_away(trio: Trio) -> None:
    with trio.writer() as writer, trio.reader() as reader:
        path = add(writer)
        wait_until(lambda: reader.get(path).status_code == 200)
        trio.primary.stop()
        try:
            assert reader.get(path).status_code == 200
            assert reader.get("/people").status_code == 200
            refused = writer.patch(path, json={"note": "x"})
            assert refused.status_code == 503
        finally:
            trio.primary.start()
        wait_until(lambda: writer.patch(path, json={"note": "x"}).status_code == 200)
        wait_until(lambda: trio.gauge("replica_in_use") == 1)
        wait_until(lambda: reader.get(path).json()["note"] == "x")


async def test_nothing_is_lost_when_the_replica_comes_and_goes_under_load(trio: Trio) -> None:
    async with loading(trio.server.address) as load:
        for _ in range(2):
            await load.more(10)
            await asyncio.to_thread(trio.replica.stop)
            await load.more(10)
            await asyncio.to_thread(trio.replica.start)
            await asyncio.to_thread(wait_until, lambda: trio.gauge("replica_in_use") == 1)
    assert {status for _, status in load.answers} <= {0, 200, 201}
    await check_kept(load)


def test_a_replica_that_is_too_far_behind_is_not_read_from(
    servers: tuple[str, OwnServer, OwnServer], tmp_path: Path
) -> None:
    with serving(servers, tmp_path, lag=1) as trio:
        with trio.writer() as writer, trio.reader() as reader, trio.paused():
            path = add(writer)
            assert reader.get(path).status_code == 404
            wait_until(lambda: reader.get(path).status_code == 200)
            assert trio.gauge("replica_in_use") == 0
            assert trio.gauge("replica_lag_seconds") > 1
        wait_until(lambda: trio.gauge("replica_in_use") == 1)


def test_a_writer_sees_what_was_written_through_another_process(
    trio: Trio, servers: tuple[str, OwnServer, OwnServer], tmp_path: Path
) -> None:
    with serving(servers, tmp_path) as second:
        writing, same, other = trio.writer(), second.writer(), second.reader()
        with writing, same, other, trio.paused():
            path = add(writing)
            assert other.get(path).status_code == 404
            assert same.get(path).status_code == 200


async def test_a_second_primary_is_not_taken_for_a_replica(
    servers: tuple[str, OwnServer, OwnServer],
) -> None:
    url, _, _ = servers
    database = open_database(url, read_url=url)
    await database.start()
    assert database.gauges()["replica_in_use"] == 0
    await database.stop()


def test_sqlite_has_no_replicas() -> None:
    with pytest.raises(ValueError, match="no replicas"):
        open_database("sqlite:///file.db", read_url="postgresql://host/name")


def test_a_write_is_remembered_for_as_long_as_a_replica_may_lack_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    writers = LastWrites(uuid4().hex, 0.2)
    assert not writers.must_read_primary("anna", 0)
    writers.wrote("anna", 100)
    assert writers.must_read_primary("anna", 99)
    assert not writers.must_read_primary("anna", 100)
    assert not writers.must_read_primary("boris", 0)
    writers.wrote("anna", UNKNOWN_LSN)
    wait_until(lambda: not writers.must_read_primary("anna", 100))
