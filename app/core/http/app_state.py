"""What an application keeps while it serves: one object, and the one function that reads it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import FastAPI
from sqlalchemy import Column
from starlette.requests import Request

from app.core.auth.authorizer import Authorizer
from app.core.databases.interface import Database
from app.core.http.finished_files import FinishedFiles
from app.core.instance_secret import CurrentEpoch
from app.core.observability.metrics import RequestMetrics


def _nothing() -> None:
    """Nobody waits for changes."""


@dataclass(kw_only=True)
class AppState:
    """What routes need beyond their request.

    A layer above adds its own in a subclass. `secret` and `stopping` are there once the
    application has started.
    """

    database: Database
    authorizer: Authorizer
    #: The largest body in bytes, and that of an import.
    max_body: int
    max_import: int
    #: Whose exchange rates money is converted with, the first that has them.
    rate_providers: tuple[str, ...] = ()
    require_if_match: bool = False
    metrics: RequestMetrics = field(default_factory=RequestMetrics)
    #: The codes of each list as last read.
    codes: dict[Column[str], frozenset[str]] = field(default_factory=dict)
    #: The idempotency keys of requests under way, each with its caller.
    running: set[tuple[str, str]] = field(default_factory=set)
    #: The addresses of lists that were answered: path and query string.
    answered_lists: set[tuple[str, bytes]] = field(default_factory=set)
    #: Exports that were asked for by length or in parts.
    finished_files: FinishedFiles = field(default_factory=FinishedFiles)
    #: Called after each committed write: who listens for changes reads them at once.
    after_write: Callable[[], None] = _nothing
    epoch: CurrentEpoch = field(init=False)
    #: Signs cursors.
    secret: bytes = field(init=False)
    #: Set as soon as the server is to stop: streams without an end look at it.
    stopping: asyncio.Event = field(init=False)

    def __post_init__(self) -> None:
        self.epoch = CurrentEpoch(self.database)


def set_state(app: FastAPI, state: AppState) -> None:
    """Put the state where requests find it: in place of Starlette's bag of names, which only we
    look into and which knows no types."""
    vars(app)["state"] = state


def state_of(request: Request) -> AppState:
    """The state of the application that serves the request."""
    state: AppState = request.app.state
    return state
