"""The floor under every answer: a server that does nothing but answer."""

import sys
from pathlib import Path

import uvicorn

from app.benchmark.peers.contestant import Contestant, Place
from app.benchmark.processes import Program, Request


class BareServer(Contestant):
    """Uvicorn as the service uses it, with an application that knows one answer, in one process."""

    name = "bare ASGI server"
    settings = (
        f"uvicorn {uvicorn.__version__}, httptools, uvloop, no access log; 1 KiB of constant JSON"
    )

    def set_up(self, place: Place) -> None:
        pass

    def program(self, place: Place, port: int) -> Program:
        command = (sys.executable, "-m", "uvicorn", "bare_asgi:application", "--port", str(port))
        options = ("--http", "httptools", "--loop", "uvloop", "--lifespan", "off", "--ws", "none")
        quiet = ("--no-access-log", "--no-server-header", "--log-level", "warning")
        return Program((*command, *options, *quiet), {}, Path(__file__).parent / "programs")

    def first(self) -> Request:
        return Request("GET", "/")
