"""What is asked of each contestant, and what a right answer is: nothing wrong is timed."""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.benchmark.data import Data, Search, normal_id
from app.benchmark.peers.bare_server import BareServer
from app.benchmark.peers.contestant import Api, Contestant
from app.benchmark.peers.service import Service
from app.benchmark.processes import Answer, Request, Server

#: How many different bodies are written, one after the other.
BODIES = 2_000


class WrongAnswer(Exception):
    """An answer is not what it should be; the text says in what."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One contestant's turn: its server, its share of the data, which round of how many."""

    server: Server
    data: Data
    number: int = 0
    rounds: int = 1


class Job(ABC):
    """Requests that are sent as fast as they are answered."""

    name: str
    #: Whether each request is sent once only.
    once = False
    #: Whether the bare server does it too.
    bare = False
    #: Whether it is sent before it is timed, so that caches are filled.
    warmed = True

    def does(self, contestant: Contestant) -> bool:
        """Whether a contestant can be asked for it."""
        return isinstance(contestant, Api) or (self.bare and isinstance(contestant, BareServer))

    def prepared(self, contestant: Contestant, turn: Turn) -> list[Request]:
        """The requests of a turn; none for what it cannot do."""
        if isinstance(contestant, Api):
            return [request for request in self.requests(contestant, turn) if request]
        return [contestant.first()]

    def expected(self, contestant: Contestant) -> int:
        """The status of every answer."""
        return self.status(contestant) if isinstance(contestant, Api) else 200

    @abstractmethod
    def requests(self, api: Api, turn: Turn) -> Sequence[Request | None]:
        """The requests of a turn."""

    def status(self, api: Api) -> int:
        """The status of every answer."""
        return 200

    @abstractmethod
    def check(self, api: Api, turn: Turn) -> None:
        """Ask once and look at the answer; WrongAnswer says what is wrong with it."""


class OneRecord(Job):
    """One record by its id, another each time."""

    name = "one record"
    bare = True

    def requests(self, api: Api, turn: Turn) -> Sequence[Request]:
        return [api.record(key) for key in turn.data.sample]

    def check(self, api: Api, turn: Turn) -> None:
        for key in list(turn.data.sample)[:5]:
            _check_record(turn.server.ask(api.record(key)), api, key, turn.data.sample[key])


class FilteredList(Job):
    """The first page of a list, filtered by status and sorted by amount."""

    name = "list of 50, filtered and sorted"

    def requests(self, api: Api, turn: Turn) -> Sequence[Request | None]:
        return [api.listing()]

    def check(self, api: Api, turn: Turn) -> None:
        _check_page(_page(api, turn, api.listing()), api, turn.data)


class ExpandedList(Job):
    """The same list, where each record comes with its parties and their organizations."""

    name = "list of 50 with parties and organizations"

    def requests(self, api: Api, turn: Turn) -> Sequence[Request | None]:
        return [api.expanded()]

    def check(self, api: Api, turn: Turn) -> None:
        request = api.expanded()
        assert request is not None
        page = _page(api, turn, request)
        _check_page(page, api, turn.data)
        for record in page:
            names = turn.data.listed[api.key_of(record)]
            _same(f"the parties of {api.key_of(record)}", api.parties_of(record), names)


class UnchangedList(Job):
    """The list again, by who has it already; of the peers none answers that without reading it."""

    name = "unchanged list, If-None-Match"
    bare = True

    def does(self, contestant: Contestant) -> bool:
        return isinstance(contestant, Service | BareServer)

    def requests(self, api: Api, turn: Turn) -> Sequence[Request]:
        tag = turn.server.ask(api.listing()).headers.get("etag", "")
        return [Request("GET", api.listing().path, headers=(("If-None-Match", tag),))]

    def status(self, api: Api) -> int:
        return 304

    def check(self, api: Api, turn: Turn) -> None:
        answer = turn.server.ask(self.requests(api, turn)[0])
        _same("the status", answer.status, 304)
        _same("the body", answer.body, b"")


class FullTextSearch(Job):
    """The first page of what has all the words."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.name = f"search: {search.name}"

    def does(self, contestant: Contestant) -> bool:
        return isinstance(contestant, Api) and contestant.search(self.search) is not None

    def requests(self, api: Api, turn: Turn) -> Sequence[Request | None]:
        return [api.search(self.search)]

    def check(self, api: Api, turn: Turn) -> None:
        request = api.search(self.search)
        assert request is not None
        page = _page(api, turn, request)
        _same("how many are found", len(page), self.search.found)
        for record in page:
            text = f"{record['title']} {record['subject']}".lower()
            missing = [word for word in self.search.words if word not in text]
            _same(f"the words that {text!r} lacks", missing, [])
            for name, value in self.search.filters.items():
                _same(name, record[name], value)


class Post(Job):
    """A new record from each of 16 writers."""

    name = "POST, 16 writers"
    warmed = False

    def requests(self, api: Api, turn: Turn) -> Sequence[Request]:
        return [api.create(row) for row in turn.data.new_agreements(BODIES)]

    def status(self, api: Api) -> int:
        return api.created

    def check(self, api: Api, turn: Turn) -> None:
        row = next(turn.data.new_agreements(1))
        answer = turn.server.ask(api.create(row))
        _same("the status", answer.status, api.created)
        key = str(json.loads(answer.body)["id"])
        stored = turn.server.ask(api.record(key))
        _check_record(stored, api, key, row["title"])
        _same("the amount", float(json.loads(stored.body)["amount"]), float(row["amount"]))


class Patch(Job):
    """Another note on a record, from each of 16 writers."""

    name = "PATCH, 16 writers"
    warmed = False

    def requests(self, api: Api, turn: Turn) -> Sequence[Request]:
        keys = turn.data.free[::2]
        note = f"Changed in round {turn.number}"
        return [api.change(key, f"{note}: {at}") for at, key in enumerate(keys)]

    def status(self, api: Api) -> int:
        return api.changed

    def check(self, api: Api, turn: Turn) -> None:
        key = turn.data.free[0]
        answer = turn.server.ask(api.change(key, "Changed to see it."))
        _same("the status", answer.status, api.changed)
        stored = json.loads(turn.server.ask(api.record(key)).body)
        _same("the note", stored["note"], "Changed to see it.")


class Delete(Job):
    """A record less, from each of 16 writers; the service keeps it in the trash."""

    name = "DELETE, 16 writers"
    once = True
    warmed = False

    def requests(self, api: Api, turn: Turn) -> Sequence[Request]:
        return [api.delete(key) for key in turn.data.free[3::2][turn.number :: turn.rounds]]

    def status(self, api: Api) -> int:
        return api.deleted

    def check(self, api: Api, turn: Turn) -> None:
        key = turn.data.free[1]
        _same("the status", turn.server.ask(api.delete(key)).status, api.deleted)
        after = turn.server.ask(api.record(key)).status
        if after not in (404, 410):
            raise WrongAnswer(f"a deleted record is answered with {after}")


def loads(data: Data) -> tuple[list[Job], list[Job]]:
    """The jobs that only read, and those that write, in the order that they are done in."""
    searches = [FullTextSearch(search) for search in data.searches]
    reads = [OneRecord(), FilteredList(), ExpandedList(), UnchangedList(), *searches]
    return reads, [Post(), Patch(), Delete()]


def _page(api: Api, turn: Turn, request: Request) -> list[dict[str, Any]]:
    answer = turn.server.ask(request)
    _same("the status", answer.status, 200)
    return api.records(answer)


def _check_page(page: list[dict[str, Any]], api: Api, data: Data) -> None:
    _same("the records of the list", [api.key_of(record) for record in page], list(data.listed))


def _check_record(answer: Answer, api: Api, key: str, title: str) -> None:
    _same("the status", answer.status, 200)
    record = json.loads(answer.body)
    _same("the id", api.key_of(record), normal_id(key))
    _same("the title", record["title"], title)


def _same(what: str, found: object, right: object) -> None:
    if found != right:
        raise WrongAnswer(f"{what}: {str(found)[:300]}, where {str(right)[:300]} is right")
