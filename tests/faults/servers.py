"""A real server process for a test: it tells where it is, and is read, asked and stopped."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.keys import ADMIN_KEY, BEARER

ROOT = Path(__file__).parent.parent.parent
START_SECONDS = 240.0
_TOLD = re.compile(r"Documentation: (https?)://(\S+):(\d+)/docs")


@dataclass
class Server:
    """A server process on a database; its log holds all that it said."""

    url: str
    log: Path
    options: tuple[str, ...] = ()
    settings: Mapping[str, object] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None
    port: int = 0

    def start(self) -> None:
        """Start the process and wait until it answers."""
        settings = {
            "database_url": self.url,
            "admin_key": ADMIN_KEY,
            "rate_limit": "",
            "rate_limit_key": "",
            **self.settings,
        }
        told = {f"TRADE_MISSIONS_{name.upper()}": str(value) for name, value in settings.items()}
        with self.log.open("ab") as log:
            began = log.tell()
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app", "serve", "--port", "0", *self.options],
                cwd=ROOT,
                env={**os.environ, **told, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_ready(began)

    def _wait_until_ready(self, began: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            found = _TOLD.search(self.text()[began:])
            if found:
                self.port = int(found[3])
                with suppress(httpx.TransportError):
                    httpx.get(f"{self.address}/openapi.json", verify=False, headers=BEARER)
                    return
            assert self.process is not None
            assert self.process.poll() is None, self.text()
            time.sleep(0.02)
        raise TimeoutError(self.text())

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
        """All that the process has said."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def tell(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def wait(self, seconds: float = 60) -> int:
        """The exit status, once the process has ended."""
        assert self.process is not None
        return self.process.wait(seconds)

    def kill(self) -> None:
        """End the process, and those that it has started, as a power cut would."""
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Ask the process to end and wait until it has; returns its exit status."""
        self.tell(signal.SIGTERM)
        return self.wait()

    def client(self, **options: object) -> httpx.Client:
        """A client that calls the server with the admin key."""
        return httpx.Client(base_url=self.address, headers=BEARER, **options)  # type: ignore[arg-type]

    def memory(self) -> int:
        """How many bytes of memory the process holds (its resident set)."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found[1]) * 1024

    def files(self) -> list[str]:
        """What the process has open."""
        folder = Path(f"/proc/{self.pid}/fd")
        names = []
        for entry in folder.iterdir():
            with suppress(OSError):
                names.append(str(entry.readlink()))
        return names


@contextmanager
def running_server(url: str, folder: Path, *options: str, **settings: object) -> Iterator[Server]:
    """A server on a database that is migrated; whatever is left of it is killed at the end."""
    server = Server(url, folder / "server.log", options, settings)
    try:
        server.start()
        yield server
    finally:
        if server.process is not None:
            server.kill()
