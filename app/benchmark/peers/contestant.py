"""What every server that is measured can be asked for, in whatever words it takes."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.benchmark.data import Row, Search, normal_id
from app.benchmark.processes import Answer, Program, Request, Server, free_port, running

JSON = (("Content-Type", "application/json"),)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a contestant is set up: its own folder, and what to fill its database with."""

    folder: Path
    #: The database of the service.
    url: str
    #: The files of NDJSON by kind of record.
    files: dict[str, Path]


class Contestant(ABC):
    """A server that is measured."""

    name: str
    #: What it is run with: versions, settings, what it leaves out.
    settings: str
    processes: int = 1

    @abstractmethod
    def set_up(self, place: Place) -> None:
        """Make its database and fill it."""

    @abstractmethod
    def program(self, place: Place, port: int) -> Program:
        """How it is started."""

    @abstractmethod
    def first(self) -> Request:
        """What it answers with 200 as soon as it is up."""

    @contextmanager
    def serving(self, place: Place) -> Iterator[Server]:
        """Its server, until the end of the block."""
        port = free_port()
        log = place.folder / "server.log"
        with running(self.program(place, port), port, self.first(), log) as server:
            yield server


class Api(Contestant):
    """One that has the records, and how it is asked for them. What it has nothing for is None."""

    #: Whether it has a way to store many records at once.
    imports = False
    #: The status of an answer to each write.
    created, changed, deleted = 201, 200, 204

    def first(self) -> Request:
        return self.listing()

    @abstractmethod
    def record(self, key: str) -> Request:
        """One record."""

    @abstractmethod
    def listing(self) -> Request:
        """The first 50 signed ones, dearest first."""

    @abstractmethod
    def expanded(self) -> Request | None:
        """The same with their parties and the parties' organizations."""

    @abstractmethod
    def search(self, search: Search) -> Request | None:
        """The first 50 that have all the words."""

    @abstractmethod
    def create(self, row: Row) -> Request:
        """A new agreement."""

    @abstractmethod
    def change(self, key: str, note: str) -> Request:
        """Another note."""

    @abstractmethod
    def delete(self, key: str) -> Request:
        """Away with it."""

    def batches(self, rows: Iterable[Row]) -> Iterator[Request]:
        """The quickest way that it has to store many rows, with all checks; maybe none."""
        yield from ()

    def records(self, answer: Answer) -> list[Row]:
        """The records of a page."""
        found: list[Row] = json.loads(answer.body)["data"]
        return found

    def key_of(self, record: Row) -> str:
        """The normal id of a record."""
        return normal_id(record["id"])

    def parties_of(self, record: Row) -> list[str]:
        """The names of an expanded record's parties, of those that are organizations."""
        found = (party["organization"] for party in record["parties"])
        return [organization["name"] for organization in found if organization]


def json_request(method: str, path: str, content: Any, *headers: tuple[str, str]) -> Request:
    """A request with a body of JSON."""
    return Request(method, path, json.dumps(content, ensure_ascii=False).encode(), JSON + headers)
