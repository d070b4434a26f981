"""Three reads over 100,000 agreements: this service and the usual way take turns on one database.

    python -m benchmarks.compare [--agreements 100000] [--url postgresql://…]

Prints requests per second (medians of the rounds) and the ratio, which is what counts: absolute
figures are those of a machine and an hour.
"""

import argparse
import asyncio
import json
import os
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from app.commands.generate import run as generate
from app.commands.migrate import migrate
from app.commands.seed import run as seed

CONNECTIONS = 16
ROUNDS = 3
SECONDS = 3.0
#: As an operator starts it, and as the usual way is started.
OURS = ("app", "serve")
USUAL = ("uvicorn", "--factory", "benchmarks.usual:create_app", "--no-access-log")
#: Requests are counted as ever, but the limit is never reached.
UNLIMITED = {"TRADE_MISSIONS_RATE_LIMIT": "1000000000/minute"}
NEEDED = {"sqlite": (4.0, 4.0, 6.0), "postgresql": (2.0, 2.0, 2.0)}

_FILTERED = "?status=signed&sort=-amount"
JOBS = (
    ("one record", "/agreements/{id}", "/agreements/{id}"),
    ("list of 50, filtered and sorted", f"/agreements{_FILTERED}", "/agreements?status=signed"),
    (
        "list of 50 with parties and organizations",
        f"/agreements{_FILTERED}&expand=parties.organization",
        "/full-agreements?status=signed",
    ),
)


@contextmanager
def serving(module: Sequence[str], url: str) -> Iterator[int]:
    """A server process of one worker on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", *module, "--port", str(port)]
    env = {**os.environ, **UNLIMITED, "TRADE_MISSIONS_DATABASE_URL": url}
    process = subprocess.Popen(command, env=env)
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("The server did not start.")


def read(port: int, path: str) -> dict[str, object]:
    """One answer as JSON."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
        found: dict[str, object] = json.load(answer)
        return found


def load(port: int, path: str, seconds: float) -> float:
    """Answers per second over kept-alive connections, each asking again as soon as answered."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    ready = selectors.DefaultSelector()
    for _ in range(CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.sendall(request)
        ready.register(connection, selectors.EVENT_READ, bytearray())
    answered, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < seconds:
        for key, _ in ready.select(1):
            assert isinstance(key.fileobj, socket.socket)
            key.data.extend(key.fileobj.recv(262_144))
            if _whole(key.data):
                answered += 1
                key.data.clear()
                key.fileobj.sendall(request)
    for key in list(ready.get_map().values()):
        assert isinstance(key.fileobj, socket.socket)
        key.fileobj.close()
    return answered / took


def _whole(data: bytearray) -> bool:
    head = data.find(b"\r\n\r\n")
    if head < 0:
        return False
    if not data.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(bytes(data[:300]).decode())
    at = data.lower().find(b"content-length:", 0, head)
    length = int(data[at + 15 : data.find(b"\r", at)])
    return len(data) >= head + 4 + length


def measure(url: str) -> list[tuple[str, float, float]]:
    """For each job, our and the usual rate, medians of rounds that take turns."""
    with serving(OURS, url) as ours, serving(USUAL, url) as usual:
        first = read(ours, f"/agreements{_FILTERED}&limit=1")["data"]
        assert isinstance(first, list)
        record_id = first[0]["id"]
        rows = []
        for name, our_path, usual_path in JOBS:
            our_path, usual_path = (p.format(id=record_id) for p in (our_path, usual_path))
            same_records(read(ours, our_path), read(usual, usual_path))
            rates: tuple[list[float], list[float]] = ([], [])
            for _ in range(ROUNDS):
                rates[0].append(load(ours, our_path, SECONDS))
                rates[1].append(load(usual, usual_path, SECONDS))
            rows.append((name, statistics.median(rates[0]), statistics.median(rates[1])))
    return rows


def same_records(ours: dict[str, object], usual: dict[str, object]) -> None:
    """Both must answer with the same records in the same order, or nothing is compared."""

    def ids(answer: dict[str, object]) -> object:
        data = answer.get("data", [answer])
        assert isinstance(data, list)
        return [record["id"] for record in data]

    if ids(ours) != ids(usual):
        raise RuntimeError("The two servers do not answer with the same records.")


def main() -> int:
    """Prepare the database, measure, print; 1 when a ratio is below what is needed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agreements", type=int, default=100_000)
    parser.add_argument("--url", help="an empty database; by default a new SQLite file")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = asked.url or f"sqlite:///{Path(folder) / 'benchmark.db'}"
        asyncio.run(migrate(url))
        asyncio.run(seed(url))
        print(generate(url, 500, 5_000, asked.agreements, 1))
        rows = measure(url)
    needed = NEEDED[url.partition(":")[0].partition("+")[0]]
    print(f"{'requests/s':45} {'ours':>8} {'usual':>8} {'ratio':>7} {'needed':>7}")
    for (name, ours, usual), least in zip(rows, needed, strict=True):
        print(f"{name:45} {ours:8.0f} {usual:8.0f} {ours / usual:6.1f}x {least:6.1f}x")
    return 0 if all(o / u >= n for (_, o, u), n in zip(rows, needed, strict=True)) else 1


if __name__ == "__main__":
    sys.exit(main())
