"""A PostgreSQL server of a test's own, to be stopped, killed and started again, and its replica."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.postgres import START_SECONDS, Cluster, address_at, execute, new_cluster

#: What is acknowledged survives a server that is killed; only a power cut may take it here.
DURABLE = {"synchronous_commit": "on", "max_connections": "60"}


class OwnServer:
    """A server that keeps its port and its data however often it is stopped and started."""

    def __init__(self, cluster: Cluster, port: int) -> None:
        self.cluster, self.port = cluster, port

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of its first database."""
        return address_at(self.port)

    def run(self, statement: str, database: str = "postgres") -> list[Any]:
        """Run a statement as an administrator and return its rows."""
        return execute(self.url.rpartition("/")[0] + f"/{database}", statement)

    def start(self) -> None:
        """Start it, and wait until it accepts connections."""
        deadline = time.monotonic() + START_SECONDS
        # Processes of one that was killed may hold its memory for a while yet.
        while not self.cluster.start_at(self.port):
            if time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{self.cluster.log_text()}")
            time.sleep(0.05)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """Stop it as `pg_ctl stop` does: SIGTERM smart, SIGINT fast, SIGQUIT immediate; SIGKILL
        ends its first process alone, the others find that out themselves."""
        assert self.cluster.server is not None
        self.cluster.server.send_signal(number)
        self.cluster.server.wait(START_SECONDS)

    def freeze(self) -> None:
        """Let all its processes stand still: it accepts connections and never answers."""
        self._tell_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        self._tell_all(signal.SIGCONT)

    def _tell_all(self, number: signal.Signals) -> None:
        assert self.cluster.server is not None
        first = self.cluster.server.pid
        found = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for pid in (first, *map(int, found)):
            os.kill(pid, number)


@contextmanager
def own_server(directory: Path, *, megabytes: int = 0, **settings: str) -> Iterator[OwnServer]:
    """A new server with these settings; with `megabytes` its data, but not its write-ahead log,
    is on a disk of that size, or PermissionError tells that none can be had."""
    with new_cluster(directory, DURABLE | settings) as cluster, ExitStack() as disk:
        options = []
        if megabytes:
            disk.enter_context(small_disk(cluster.data, megabytes))
            cluster.own(cluster.data)
            options = [f"--waldir={cluster.home / 'wal'}", "--wal-segsize=1"]
        cluster.initialise(*options)
        try:
            yield OwnServer(cluster, cluster.start())
        finally:
            cluster.stop()


@contextmanager
def replica_of(primary: OwnServer, directory: Path) -> Iterator[OwnServer]:
    """A second server that follows the first one by streaming replication."""
    with new_cluster(directory, DURABLE) as cluster:
        source = ["-h", "127.0.0.1", "-p", str(primary.port), "-U", "postgres"]
        options = ["-D", str(cluster.data), "-R", "-X", "stream", "-c", "fast", "--no-sync"]
        if cluster.run("pg_basebackup", *source, *options) != 0:
            raise RuntimeError(f"pg_basebackup failed:\n{cluster.log_text()}")
        try:
            yield OwnServer(cluster, cluster.start())
        finally:
            cluster.stop()


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of this size in memory; PermissionError where none can be mounted."""
    folder.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        raise PermissionError("only root can mount a file system")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode != 0:
        raise PermissionError(made.stderr.decode())
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, leave: int = 0) -> Path:
    """A file that takes all the room but so many bytes; deleting it gives the room back."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            if leave:
                file.truncate(file.tell() - leave)
    return ballast
