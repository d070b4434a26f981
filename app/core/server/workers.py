"""Several processes that serve one address: those that end are replaced, and they stop together.

Uvicorn's supervisor replaces them too; what it lacks is told in docs/decisions.md.
"""

import gc
import logging
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType

from app.core.server.process import GRACE_SECONDS, UNFINISHED_STATUS, Server
from app.core.server.protocol import HttpConfig

#: How often the parent looks at its processes.
CHECK_SECONDS = 0.2
#: How long a process lives at least before it is replaced at once.
MIN_LIFE_SECONDS = 2.0
#: What uvicorn ends with when the application does not start; another process would not either.
NOT_STARTED_STATUS = 3

#: Whether processes are copies of the parent, which has all modules loaded: they start sooner and
#: share that memory. It is sound as long as the parent has one thread, no event loop and no open
#: database. Elsewhere than on Linux processes begin anew: libraries of macOS do not survive a fork,
#: and Windows has none.
FORKS = sys.platform == "linux"
#: What the parent handles, and a process in another way.
STOPPING_SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = logging.getLogger("trade_missions")


def sockets_of(shared: socket.socket, count: int) -> list[socket.socket]:
    """A listening socket for each process, of the same address: the system spreads connections over
    them, where of one socket whoever wakes first takes all that wait.

    The parent holds them open, so that what waits for a process that has ended is taken by the next
    one in its place. Elsewhere than on Linux they are the one socket.
    """
    if not FORKS or count == 1:
        return [shared] * count
    # Only now, as an address that others may share would be taken twice without a word.
    shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    found = [shared]
    for _ in range(count - 1):
        another = socket.socket(shared.family, shared.type, shared.proto)
        another.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        another.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if shared.family == socket.AF_INET6:
            only = shared.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
            another.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
        another.bind(shared.getsockname())
        found.append(another)
    return found


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    began: float


class Workers:
    """The parent of the processes; it serves nothing itself."""

    def __init__(self, make: Callable[[], HttpConfig], sockets: list[socket.socket]) -> None:
        self.make, self.sockets, self.count = make, sockets, len(sockets)
        #: Nothing is ever written to it: it ends with this process.
        self.lifeline, self.lifeline_end = multiprocessing.Pipe(duplex=False)
        self.signals: list[int] = []
        #: What a signal writes to, so that it is seen at once.
        self.woken, self.waking = multiprocessing.Pipe(duplex=False)

    def run(self, stop_seconds: float) -> int:
        """Serve until told to stop; returns the exit status."""
        for number in STOPPING_SIGNALS:
            signal.signal(number, self._tell)
        workers = [self._start(place) for place in range(self.count)]
        status = 0
        while not self.signals and not status:
            ended = set(
                wait([*(worker.process.sentinel for worker in workers), self.woken], CHECK_SECONDS)
            )
            for place, worker in enumerate(workers):
                if worker.process.sentinel in ended and not self.signals:
                    status = status or self._ended(worker)
                    workers[place] = self._start(place)
        # Nobody must be kept waiting for a connection that no process will take.
        for each in self.sockets:
            each.close()
        left = self._stop(workers, stop_seconds + GRACE_SECONDS)
        self._log_end(left)
        status = UNFINISHED_STATUS if left else status
        gc.freeze()  # As a server does at its end.
        return status

    def _tell(self, number: int, frame: FrameType | None) -> None:
        self.signals.append(number)
        os.write(self.waking.fileno(), b".")

    def _start(self, place: int) -> _Worker:
        process = self._copy(place) if FORKS else self._anew(place)
        return _Worker(process, time.monotonic())

    def _anew(self, place: int) -> BaseProcess:
        arguments = (self.make, self.sockets[place], self.lifeline)
        process = multiprocessing.get_context("spawn").Process(
            target=_work, args=arguments, daemon=True
        )
        process.start()
        return process

    def _copy(self, place: int) -> BaseProcess:
        process = multiprocessing.get_context("fork").Process(
            target=self._work_copy, args=(place,), daemon=True
        )
        # A copy has the parent's handlers at first: what it is told before its own are set must
        # wait, or only the parent's would run.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING_SIGNALS)
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING_SIGNALS)
        return process

    def _work_copy(self, place: int) -> None:
        own = self.sockets[place]
        for other in self.sockets:
            if other is not own:
                other.close()
        # Held here as well, the lifeline would not end with the parent.
        for end in (self.lifeline_end, self.woken, self.waking):
            end.close()
        for number in STOPPING_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING_SIGNALS)
        _work(self.make, own, self.lifeline)

    def _ended(self, worker: _Worker) -> int:
        """The status to end with, when it makes no sense to start another one; else 0."""
        worker.process.join()
        log.warning("process %s ended (%s)", worker.process.pid, worker.process.exitcode)
        if worker.process.exitcode == NOT_STARTED_STATUS:
            return NOT_STARTED_STATUS
        if time.monotonic() - worker.began < MIN_LIFE_SECONDS:
            time.sleep(MIN_LIFE_SECONDS)
        return 0

    def _log_end(self, left: int) -> None:
        why = (
            f"by {signal.Signals(self.signals[0]).name}"
            if self.signals
            else "as a process did not start"
        )
        if left:
            text = "stopped %s: %s of %s processes had not finished and were killed"
            log.warning(text, why, left, self.count)
        else:
            log.info("stopped %s: all %s processes have ended", why, self.count)

    def _stop(self, workers: list[_Worker], seconds: float) -> int:
        """Stop all; by force when they take longer, or when a second signal comes. Returns how
        many took force."""
        before = len(self.signals)
        ends_at = time.monotonic() + seconds
        for worker in workers:
            worker.process.terminate()
        left = workers
        while left and time.monotonic() < ends_at and len(self.signals) == max(before, 1):
            wait([worker.process.sentinel for worker in left], CHECK_SECONDS)
            left = [worker for worker in left if worker.process.is_alive()]
        for worker in left:
            worker.process.kill()
        for worker in workers:
            worker.process.join()
        return len(left)


def _work(make: Callable[[], HttpConfig], own: socket.socket, lifeline: Connection) -> None:
    # As in the process that was started first: what is made while starting is never garbage.
    gc.disable()
    # A terminal tells all its processes; the parent decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = Server(make(), os.dup(lifeline.fileno()))
    server.run([own])
