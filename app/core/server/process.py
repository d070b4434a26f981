"""One process that serves: uvicorn's server, which watches connections and ends in order."""

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
import threading
from types import FrameType

import uvicorn

from app.core.server.memory import bound_arenas, give_back_forever
from app.core.server.protocol import BoundedHttp, HttpConfig

#: What the process ends with when requests under way took longer than the stop may.
UNFINISHED_STATUS = 1
#: How long after the time of a stop the process ends whatever it does.
GRACE_SECONDS = 5.0
#: After how long a thread that is at work lets another one go on.
SWITCH_SECONDS = 0.001

log = logging.getLogger("trade_missions")


class Server(uvicorn.Server):
    """Serves until SIGTERM or SIGINT, then finishes what it has begun.

    `lifeline` is a file descriptor that ends when the process that started this one is gone.
    """

    config: HttpConfig

    def __init__(self, config: HttpConfig, lifeline: int | None = None) -> None:
        super().__init__(config)
        self.lifeline = lifeline
        #: What is logged at the end; nothing where the parent logs it for all its processes.
        self.stopped = ""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.should_exit:
            self.should_exit = True
            if self.lifeline is None:
                self.stopped = f"stopped by {signal.Signals(sig).name}"
            end_in_time(self.config.limits.stop_seconds + GRACE_SECONDS, self.stopped)
        elif self.lifeline is None:
            log.warning("%s, told twice: what was under way is given up", self.stopped)
            # Told twice, somebody does not want to wait. (A worker is told by its terminal and by
            # its parent: there the parent counts.) What was acknowledged is stored.
            signal.signal(sig, signal.SIG_DFL)
            signal.raise_signal(sig)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        bound_arenas()
        await super().startup(sockets)
        # What is there now stays until the end, and need not be looked through again and again.
        gc.freeze()
        gc.enable()
        self.own_tasks = [
            asyncio.create_task(self._look()),
            asyncio.create_task(give_back_forever()),
        ]
        # A thread that is at work gives way to the loop so often: a request needs its turn more
        # than once, and others would see five times the default of 5 ms.
        sys.setswitchinterval(SWITCH_SECONDS)
        if self.lifeline is not None:
            asyncio.get_running_loop().add_reader(self.lifeline, self._orphaned, self.lifeline)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Before uvicorn waits for connections: streams without an end look at this event.
        stopping: asyncio.Event | None = self.lifespan.state.get("stopping")
        if stopping is not None:
            stopping.set()
        # Just before uvicorn cancels what is left: cut connections end their requests quietly.
        seconds = self.config.limits.stop_seconds
        cutting = asyncio.get_running_loop().call_later(seconds * 0.95, self._cut)
        await super().shutdown(sockets)
        cutting.cancel()
        for task in self.own_tasks:
            task.cancel()
        await asyncio.gather(*self.own_tasks, return_exceptions=True)
        if self.stopped:
            log.info(self.stopped)
        # The interpreter looks for garbage among all there is before it ends: half a second's work
        # for nothing, which whoever stops the service would wait for.
        gc.freeze()

    def _cut(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    def _orphaned(self, lifeline: int) -> None:
        asyncio.get_running_loop().remove_reader(lifeline)
        self.handle_exit(signal.SIGTERM, None)
        self.stopped = "stopped: the process that had started this one is gone"

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.config.limits.look_seconds)
            now = loop.time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, BoundedHttp):
                    connection.look(now)


def end_in_time(seconds: float, stopped: str) -> None:
    """End the process after this time, whatever holds it: a thread that reads, or the database.

    It is no worse than a kill: what was acknowledged is stored, and nothing is half done.
    """

    def end() -> None:
        if stopped:
            log.warning("%s: what was under way after %g s is given up", stopped, seconds)
        os._exit(UNFINISHED_STATUS)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
