"""A real server process for a test: it tells where it is, and is read, asked and stopped."""

import http.client
import json
import os
import re
import signal
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests import processes
from tests.keys import ADMIN_KEY, BEARER

START_SECONDS = 120.0
STOP_SECONDS = 60.0
_TOLD = re.compile(r"Documentation: (https?)://(\S+):(\d+)/docs")
Json = dict[str, Any]


@dataclass
class Server:
    """A server process on a database; `log` holds what it logs, the file beside it what else it
    says."""

    url: str
    log: Path
    options: tuple[str, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    #: Variables of its environment besides the settings.
    variables: Mapping[str, str] = field(default_factory=dict)
    #: What runs, and the arguments before the options.
    program: tuple[str, ...] = (processes.COMMANDS, "serve", "--port", "0")
    process: processes.Process | None = None
    port: int = 0

    @property
    def said(self) -> Path:
        """The file that holds what it says on its standard output."""
        return self.log.with_suffix(".said")

    def start(self) -> None:
        """Start the process and wait until it answers."""
        self.begin()
        self.wait_until_ready()

    def begin(self) -> None:
        """Start the process, without waiting until it answers."""
        settings = {
            "database_url": self.url,
            "admin_key": ADMIN_KEY,
            "rate_limit": "",
            "rate_limit_key": "",
            **self.settings,
        }
        told = {f"TRADE_MISSIONS_{name.upper()}": str(value) for name, value in settings.items()}
        module, *arguments = self.program
        with self.log.open("ab") as log, self.said.open("ab") as said:
            self._began = said.tell()
            self.process = processes.start(
                module,
                *arguments,
                *self.options,
                environment={**os.environ, **told, **self.variables},
                stdout=said.fileno(),
                stderr=log.fileno(),
            )

    def wait_until_ready(self) -> None:
        """Wait until the process answers, once it has begun."""
        assert self.process is not None
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            found = _TOLD.search(_content(self.said)[self._began :])
            if found:
                self.port = int(found[3])
                if self._answers(found[1]):
                    return
            assert self.process.poll() is None, self.text()
            time.sleep(0.01)
        raise TimeoutError(self.text())

    def _answers(self, scheme: str) -> bool:
        connection: http.client.HTTPConnection
        if scheme == "https":
            trusting = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=trusting)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/health/live")
            connection.getresponse().read()
            connection.close()
            return True
        connection.close()
        return False

    @property
    def address(self) -> str:
        """The server's root, as clients write it."""
        scheme = "https" if self.settings.get("tls_certificate") else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def text(self) -> str:
        """All that the process has said and logged."""
        return _content(self.said) + _content(self.log)

    def lines(self) -> list[Json]:
        """The lines of its log; each must be JSON."""
        return [json.loads(line) for line in _content(self.log).splitlines()]

    def line(self, **values: Any) -> Json:
        """The line of its log with these values, waited for: it is written after the answer."""
        end = time.monotonic() + STOP_SECONDS
        while time.monotonic() < end:
            for line in self.lines():
                if line.items() >= values.items():
                    return line
            time.sleep(0.02)
        raise AssertionError(f"no line has {values}:\n{_content(self.log)}")

    def tell(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """The exit status, once the process has ended."""
        assert self.process is not None
        return self.process.wait(seconds)

    def kill(self) -> None:
        """End the process, and those that it has started, as a power cut would."""
        assert self.process is not None
        self.process.kill_group()

    def stop(self) -> int:
        """Ask the process to end and wait until it has; returns its exit status."""
        self.tell(signal.SIGTERM)
        return self.wait()

    def client(self, **options: Any) -> httpx.Client:
        """A client that calls the server with the admin key."""
        # Without the certificates of the world, which take longer to read than a test.
        return httpx.Client(
            base_url=self.address, headers=BEARER, verify=False, **{"timeout": 30, **options}
        )

    def memory(self) -> int:
        """How many bytes of memory the process holds (its resident set)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found[1]) * 1024


def calling(
    address: str, headers: Mapping[str, str] = BEARER, timeout: float = 60
) -> httpx.AsyncClient:
    """A client with the admin key, or with other headers."""
    return httpx.AsyncClient(base_url=address, headers=headers, timeout=timeout, verify=False)


def _content(file: Path) -> str:
    return file.read_text(errors="replace") if file.exists() else ""


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """The server, started; whatever is left of it is killed at the end."""
    try:
        server.start()
        yield server
    finally:
        if server.process is not None:
            server.kill()


@contextmanager
def running_server(url: str, folder: Path, *options: str, **settings: object) -> Iterator[Server]:
    """A server on a database that is migrated, with these options and settings."""
    with running(Server(url, folder / "server.log", options, settings)) as server:
        yield server
