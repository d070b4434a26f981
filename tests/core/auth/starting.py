"""Commands and servers as an operator starts them, without any setting but those given."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TextIO

import httpx

from tests import processes

PATIENCE = 60.0


def environment(url: str | None, settings: dict[str, str]) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TRADE_MISSIONS_")}
    told = settings if url is None else {"database_url": url, **settings}
    kept |= {f"TRADE_MISSIONS_{name.upper()}": value for name, value in told.items()}
    return kept | {"PYTHONUNBUFFERED": "1"}


def run(*arguments: str, url: str | None, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return processes.run(*arguments, environment=environment(url, settings))


@dataclass(frozen=True)
class Started:
    """A server that has been told to start, and what it says, on either output."""

    process: processes.Process
    output: TextIO


@contextmanager
def starting(url: str, *options: str, **settings: str) -> Iterator[Started]:
    """A server that has been told to start."""
    reading, writing = os.pipe()
    try:
        process = processes.start(
            processes.COMMANDS,
            *("serve", "--port", "0", *options),
            environment=environment(url, settings),
            stdout=writing,
            stderr=writing,
        )
    finally:
        os.close(writing)
    with os.fdopen(reading) as output:
        try:
            yield Started(process, output)
        finally:
            process.kill_group()


def said(started: Started) -> str:
    """What it says until it serves, or until it gives up."""
    lines = []
    for line in started.output:
        lines.append(line)
        if line.startswith("Documentation: "):
            break
    return "".join(lines)


def serving_at(started: Started) -> tuple[str, str]:
    """The address of a server that answers, and what it has said until then."""
    told = said(started)
    address = told.partition("Documentation: ")[2].strip().removesuffix("/docs")
    deadline = time.monotonic() + PATIENCE
    while started.process.poll() is None and time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            httpx.get(f"{address}/health/live", timeout=10)
            return address, told
        time.sleep(0.05)
    raise AssertionError(told)


def start(url: str, *options: str, **settings: str) -> str:
    """What a server says until it serves or gives up; it is ended then."""
    with starting(url, *options, **settings) as started:
        return said(started)
