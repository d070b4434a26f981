"""Turns of processes that write to one SQLite file: nobody waits for long, whoever is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.core.databases.sqlite_turns import Turns

#: Another process, which writes a byte whenever it has a turn and keeps it for a while.
OTHER = """
import sys, time
from app.core.databases.sqlite_turns import Turns
turns = Turns(sys.argv[1], 30)
turns.open()
while True:
    with turns.taken():
        sys.stdout.buffer.write(b".")
        sys.stdout.flush()
        time.sleep(float(sys.argv[2]))
"""


@contextmanager
def other(path: Path, seconds: str) -> Iterator[subprocess.Popen[bytes]]:
    """It, once it has had a turn."""
    command = [sys.executable, "-c", OTHER, str(path), seconds]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(1) == b"."
        os.set_blocking(process.stdout.fileno(), False)
        try:
            yield process
        finally:
            process.kill()


def test_a_process_that_writes_all_the_time_lets_another_one_in_after_each_turn(
    tmp_path: Path,
) -> None:
    turns = Turns(str(tmp_path / "records.db"), 30)
    turns.open()
    with other(tmp_path / "records.db", "0.01") as process:
        assert process.stdout is not None
        theirs = []
        for _ in range(10):
            process.stdout.read()
            with turns.taken():
                theirs.append(len(process.stdout.read() or b""))
        # One that was under way, and one more where it had come first; a busy machine adds some.
        assert sorted(theirs)[5] <= 2, theirs
    turns.close()


def test_the_turn_of_a_process_that_is_killed_ends_with_it(tmp_path: Path) -> None:
    turns = Turns(str(tmp_path / "records.db"), 30)
    turns.open()
    with other(tmp_path / "records.db", "60") as process:
        process.send_signal(signal.SIGKILL)
        began = time.monotonic()
        with turns.taken():
            assert time.monotonic() - began < 10
    turns.close()


def test_a_turn_that_does_not_come_in_time_is_done_without(tmp_path: Path) -> None:
    turns = Turns(str(tmp_path / "records.db"), 0.05)
    turns.open()
    with other(tmp_path / "records.db", "60"), turns.taken():
        pass
    turns.close()
    # Nor is there any waiting where nobody takes part.
    with turns.taken():
        pass
