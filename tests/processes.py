"""Processes that run the program, forked from one that has it loaded already."""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from functools import cache

from tests.loaded import LENGTH_BYTES, ROOT

COMMANDS = "app.__main__"
RUN_SECONDS = 120.0
STOP_SECONDS = 10.0
_asking = threading.Lock()


class Process:
    """A fork that runs; it is waited for and told like a `subprocess.Popen`."""

    def __init__(self, status: int) -> None:
        self._status, self._text = status, b""
        self.returncode: int | None = None
        self._read_until(1, None)
        self.pid = int(self._text.split()[0])

    def _read_until(self, lines: int, seconds: float | None) -> bool:
        """Read on until it has said so much, at most so long; whether it has."""
        ends_at = None if seconds is None else time.monotonic() + seconds
        while self._text.count(b"\n") < lines:
            left = None if ends_at is None else max(0.0, ends_at - time.monotonic())
            if not select.select([self._status], [], [], left)[0]:
                return False
            data = os.read(self._status, 100)
            if not data:
                raise EOFError("the process that forks has ended")
            self._text += data
        return True

    def poll(self) -> int | None:
        """The exit status, or the negative number of a signal, if it has ended."""
        if self.returncode is None and self._read_until(2, 0):
            os.close(self._status)
            self.returncode = int(self._text.split()[1])
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, once it has ended; TimeoutExpired when that takes longer."""
        if self.returncode is None and not self._read_until(2, timeout):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        status = self.poll()
        assert status is not None
        return status

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it has not ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def kill_group(self) -> None:
        """End it and those that it has started, as a power cut would."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()


@cache
def _loaded() -> socket.socket:
    """The way to the process that forks, which ends with this one."""
    mine, its = socket.socketpair()
    with its:
        number = its.fileno()
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.loaded", str(number)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            pass_fds=[number],
            start_new_session=True,  # Ctrl-C stops the tests, and they stop it.
        )

    def end() -> None:
        mine.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    atexit.register(end)
    return mine


def start(
    module: str, *arguments: str, environment: Mapping[str, str], stdout: int, stderr: int
) -> Process:
    """Have a module run, as `python -m` would run it, in the folder of the project."""
    asked = {"module": module, "arguments": arguments, "environment": dict(environment)}
    text = json.dumps(asked).encode()
    status, its_status = os.pipe()
    try:
        with _asking:
            loaded = _loaded()
            length = len(text).to_bytes(LENGTH_BYTES)
            socket.send_fds(loaded, [length], [stdout, stderr, its_status])
            loaded.sendall(text)
    finally:
        os.close(its_status)
    return Process(status)


def run(
    *arguments: str, environment: Mapping[str, str], module: str = COMMANDS
) -> "subprocess.CompletedProcess[str]":
    """Run one of the commands, or another module, to its end."""
    with ExitStack() as files:
        out, err = (files.enter_context(tempfile.TemporaryFile()) for _ in range(2))
        descriptors = {"stdout": out.fileno(), "stderr": err.fileno()}
        process = start(module, *arguments, environment=environment, **descriptors)
        try:
            status = process.wait(RUN_SECONDS)
        finally:
            process.kill()
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
        return subprocess.CompletedProcess(["app", *arguments], status, *texts)
