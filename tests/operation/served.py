"""The service as operators run it: a process, started by its command, with its log at hand."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.keys import ADMIN_KEY, BEARER

ROOT = Path(__file__).parents[2]
Json = dict[str, Any]


@dataclass
class Served:
    """A running server."""

    address: str
    process: subprocess.Popen[bytes]
    log: Path

    def client(self) -> httpx.Client:
        """A client with the key of an admin."""
        return httpx.Client(base_url=self.address, headers=BEARER, timeout=30)

    def lines(self) -> list[Json]:
        """The lines of its log; each must be JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def line(self, **values: Any) -> Json:
        """The line with these values, waited for: it is written just after the answer."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            for line in self.lines():
                if line.items() >= values.items():
                    return line
            time.sleep(0.02)
        raise AssertionError(f"no line has {values}:\n{self.log.read_text()}")

    def stop(self) -> int:
        """Tell it to stop, and wait until it has; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


@contextmanager
def served(
    url: str, folder: Path, environment: Mapping[str, str] | None = None, **settings: str
) -> Iterator[Served]:
    """A server on a migrated database, with settings by their names, until the context ends."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})}
    environment |= {"TRADE_MISSIONS_DATABASE_URL": url, "TRADE_MISSIONS_ADMIN_KEY": ADMIN_KEY}
    environment |= {f"TRADE_MISSIONS_{name.upper()}": value for name, value in settings.items()}
    log = folder / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve", "--port", "0"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=file,
        )
    try:
        yield Served(_address(process, log), process, log)
    finally:
        process.terminate()
        process.wait(timeout=60)
        assert process.stdout is not None
        process.stdout.close()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where it serves, once it does; the server chooses a free port itself and tells it."""
    assert process.stdout is not None
    told = ""
    for line in process.stdout:
        told += line.decode()
        if found := re.search(r"Documentation: (http\S+)/docs", told):
            break
    else:
        raise AssertionError(f"The server did not start:\n{told}{log.read_text()}")
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            httpx.get(f"{found[1]}/health/live", timeout=10)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return found[1]
    raise AssertionError(f"The server does not answer:\n{log.read_text()}")
