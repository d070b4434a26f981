"""The processes of a measurement: all of them end with it, whatever ends it."""

import io
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.benchmark.machine import MIB, growth, usage
from app.benchmark.processes import Program, Request, ended_with, free_port, running

#: A server that starts another process, tells its number, and listens to no signal to stop.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
time.sleep(60)
"""
#: A server that takes 20 MB for a moment; its child has ended, takes none, and is not waited for.
GROWING = """
import os
os.fork() or os._exit(0)
input()
taken = bytes(range(256)) * 80_000
del taken
print(flush=True)
input()
"""


def is_gone(number: int) -> bool:
    """Whether a process has ended, or is only left to be waited for."""
    try:
        text = Path(f"/proc/{number}/stat").read_text()
    except OSError:
        return True
    return text.rpartition(")")[2].split()[0] == "Z"


def interrupted(folder: Path) -> None:
    """Start a server that has a child and stops for nobody, and be told to end."""
    program = Program((sys.executable, "-S", "-c", STUBBORN), {}, folder)
    log = folder / "log"
    with log.open("wb") as output, ended_with(program, output) as process:
        while not log.read_text():
            time.sleep(0.005)
        used = usage(process.pid)
        assert used is not None
        assert used.memory > used.largest > 0
        raise KeyboardInterrupt


@pytest.mark.skipif(sys.platform != "linux", reason="what runs is seen in /proc")
def test_a_server_ends_with_all_that_it_has_started_even_at_ctrl_c(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("app.benchmark.processes.STOP_SECONDS", 0.05)
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path)
    child = int((tmp_path / "log").read_text())
    deadline = time.monotonic() + 5
    while not is_gone(child) and time.monotonic() < deadline:
        time.sleep(0.005)
    assert is_gone(child)


@pytest.mark.skipif(sys.platform != "linux", reason="what runs is seen in /proc")
def test_by_how_much_a_process_grows_is_seen_though_it_is_small_again(tmp_path: Path) -> None:
    program = Program((sys.executable, "-S", "-c", GROWING), {}, tmp_path)
    with (
        (tmp_path / "log").open("wb") as log,
        ended_with(program, log, subprocess.PIPE, subprocess.PIPE) as process,
        growth(process.pid) as seen,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
        process.stdout.readline()
    assert seen.memory is not None
    assert 15 * MIB < seen.memory < 60 * MIB


def test_a_server_that_does_not_start_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    program = Program(
        (sys.executable, "-S", "-c", "raise SystemExit('no such table')"), {}, tmp_path
    )
    with (
        pytest.raises(RuntimeError, match="does not answer: no such table"),
        running(program, free_port(), Request("GET", "/"), tmp_path / "log"),
    ):
        pass


def test_the_service_s_own_settings_do_not_reach_what_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TRADE_MISSIONS_PUBLIC_READING", "false")
    code = "import os; print(sorted(n for n in os.environ if n.startswith('TRADE_')))"
    program = Program((sys.executable, "-S", "-c", code), {"TRADE_MISSIONS_PORT": "1"}, tmp_path)
    log = tmp_path / "log"
    with log.open("wb") as output, ended_with(program, output) as process:
        assert process.wait() == 0
    assert log.read_text() == "['TRADE_MISSIONS_PORT']\n"


def test_a_request_is_sent_as_http() -> None:
    text = Request("POST", "/x", '{"a": "ё"}'.encode(), (("Content-Type", "a/b"),)).as_text()
    head, _, body = text.encode("latin-1").partition(b"\r\n\r\n")
    assert io.BytesIO(head).readline() == b"POST /x HTTP/1.1\r\n"
    assert b"Content-Length: 11\r\n" in head + b"\r\n"
    assert body.decode() == '{"a": "ё"}'
