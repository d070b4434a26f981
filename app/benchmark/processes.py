"""Servers as processes of their own, each of which ends with all that it has started."""

import ctypes
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.settings import PREFIX

START_SECONDS = 60.0
STOP_SECONDS = 15.0
#: prctl(2): what to send a process when the one that has started it is gone.
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Program:
    """How a server is started: its command, its environment beside ours, and where it runs."""

    command: Sequence[str | Path]
    environment: Mapping[str, str]
    folder: Path


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, whole."""

    status: int
    body: bytes
    #: By their names in small letters.
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Request:
    """A request, to be sent once or as often as one can."""

    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    def as_text(self) -> str:
        """The request as it is sent, a character a byte."""
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: 127.0.0.1", "Accept: */*"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", self.body.decode("latin-1")])


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers."""

    port: int
    #: The id of its session, and of its first process.
    session: int
    #: How long it took from its start to its first answer.
    start_seconds: float

    def ask(self, request: Request, seconds: float = 600.0) -> Answer:
        """The answer to one request, on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            connection.request(
                request.method, request.path, request.body or None, dict(request.headers)
            )
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, answer.read(), headers)
        finally:
            connection.close()


def free_port() -> int:
    """A port that the kernel gives, free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(program: Program, port: int, first: Request, log: Path) -> Iterator[Server]:
    """A server from its first answer until the end of the block, whatever ends it.

    RuntimeError with the end of its log where it does not answer the first request with 200.
    """
    with log.open("ab") as output, ended_with(program, output) as process:
        began = time.perf_counter()
        while not _answers(port, first):
            if process.poll() is not None or time.perf_counter() - began > START_SECONDS:
                raise RuntimeError(f"{program.command[0]} does not answer: {tail(log)}")
            time.sleep(0.01)
        yield Server(port, process.pid, time.perf_counter() - began)


def _answers(port: int, first: Request) -> bool:
    with suppress(OSError, http.client.HTTPException):
        # Cheap, as it takes from what is starting: most often nobody listens yet.
        socket.create_connection(("127.0.0.1", port), START_SECONDS).close()
        return Server(port, 0, 0).ask(first, START_SECONDS).status == 200
    return False


@contextmanager
def ended_with(
    program: Program, output: IO[bytes], stdin: int = subprocess.DEVNULL, stdout: int | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that ends with the block, and all that it has started.

    It has a session of its own: Ctrl-C reaches only us, and we end it.
    """
    process = subprocess.Popen(
        [str(part) for part in program.command],
        cwd=program.folder,
        env={**_neutral_environment(), **program.environment},
        stdin=stdin,
        stdout=output if stdout is None else stdout,
        stderr=output,
        start_new_session=True,
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,
    )
    try:
        yield process
    finally:
        _end(process)


def _neutral_environment() -> dict[str, str]:
    """Ours without the service's settings: it is measured as it is shipped."""
    return {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        # What it has started may outlive it; nobody else is in its session.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def run_to_end(program: Program, log: Path) -> None:
    """Run a program that ends; RuntimeError with the end of its log where it fails."""
    with log.open("ab") as output, ended_with(program, output) as process:
        if process.wait():
            raise RuntimeError(f"{program.command[0]} has failed: {tail(log)}")


def tail(log: Path) -> str:
    """The end of a log."""
    return log.read_text(errors="replace")[-1500:].strip()
