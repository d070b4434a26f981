"""Commands and servers as an operator starts them, without any setting but those given."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from tests import processes

ROOT = Path(__file__).parents[3]
PATIENCE = 60.0


def environment(url: str | None, settings: dict[str, str]) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TRADE_MISSIONS_")}
    told = settings if url is None else {"database_url": url, **settings}
    kept |= {f"TRADE_MISSIONS_{name.upper()}": value for name, value in told.items()}
    return kept | {"PYTHONUNBUFFERED": "1"}


def run(*arguments: str, url: str | None, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return processes.run(*arguments, environment=environment(url, settings))


@contextmanager
def starting(url: str, *options: str, **settings: str) -> Iterator["subprocess.Popen[str]"]:
    """A server that has been told to start; whatever it says is in its standard output."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", "--port", "0", *options],
        cwd=ROOT,
        env=environment(url, settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def said(process: "subprocess.Popen[str]") -> str:
    """What it says until it serves, or until it gives up."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Documentation: "):
            break
    return "".join(lines)


def serving_at(process: "subprocess.Popen[str]") -> tuple[str, str]:
    """The address of a server that answers, and what it has said until then."""
    told = said(process)
    address = told.partition("Documentation: ")[2].strip().removesuffix("/docs")
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            httpx.get(f"{address}/health/live", timeout=10)
            return address, told
        time.sleep(0.05)
    raise AssertionError(told)


def start(url: str, *options: str, **settings: str) -> str:
    """What a server says until it serves or gives up; it is ended then."""
    with starting(url, *options, **settings) as process:
        return said(process)
