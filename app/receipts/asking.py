"""Requests that the service makes of itself, in the same process, for what any reader may see."""

import re
from collections.abc import Sequence
from inspect import get_annotations
from typing import get_args
from urllib.parse import parse_qsl, unquote, urlencode

from pydantic import BaseModel
from starlette.requests import Request

from app.core import json_codec
from app.core.auth.principals import Permission, Principal, Scope
from app.core.databases.types import now
from app.core.errors import Invalid
from app.core.http.dispatch import Route, most_literal
from app.core.loose_types import Json
from app.core.public_path import public_path, public_root, without_root
from app.core.relative_dates import as_iso
from app.engine.history.undo import PARAMETER
from app.engine.registry import by_record_type
from app.engine.resource import Resource
from app.rest.handlers import ASKED_AT, caller_name
from app.rest.past import answer_as_of

Pairs = list[tuple[str, str]]
#: What is not there for a request of the service itself: it has neither a body nor conditions.
_KEPT = (
    *("app", "http_version", "scheme", "server", "client", "root_path", "request_id", "state"),
    ASKED_AT,
)
#: Reads of records that tell of the log, which goes on.
_NOT_KEPT = re.compile(r"/(history|text)$|\.csv$|\.\{format\}$")
#: Where figures across kinds are, and the parameter that says until which day they are counted.
INSIGHTS, _DAY = "insights", "today"
#: The parameter whose words are looked for in what is there now.
_WORDS = "q"


class Question:
    """A read of this service: its route, its path and the pairs of its query."""

    def __init__(self, route: Route, path: str, pairs: Pairs) -> None:
        self.route, self.path, self.pairs = route, path, pairs

    @property
    def url(self) -> str:
        return f"{self.path}?{urlencode(self.pairs)}" if self.pairs else self.path


class Asker:
    """Asks the routes that can be asked, as somebody of the scope `read` who makes the request."""

    def __init__(self, routes: Sequence[Route], resources: Sequence[Resource]) -> None:
        firsts = {resource.path for resource in resources}
        self.paths = {resource.path: resource for resource in resources}
        self.resources = by_record_type(resources)
        self._changes = next(route for route in routes if route.path == "/changes")
        self._routes = [route for route in routes if _can_be_asked(route, firsts)]

    def path_of(self, kind: str) -> str:
        """Where the records of a kind are listed."""
        return self.resources[kind].path

    def question(self, url: str) -> Question:
        """What an address asks; Invalid (422) for what cannot be kept."""
        path, _, query = url.partition("?")
        path = without_root(unquote(path), public_root())
        found = most_literal(() if "\0" in path else self._routes, path)
        if found is None:
            text = (
                f"Nothing that can be kept is answered at {path[:100]}: name a read of records, a"
                " list, an aggregate, a summary or an insight, such as"
                f" {public_path('/missions/…/summary')}; files, datasets and the log are not."
            )
            raise Invalid.at("/url", "address", text)
        pairs = parse_qsl(query, keep_blank_values=True)
        # How it is written for people is not what it says.
        route, kept = found[0], [pair for pair in pairs if pair[0] != "pretty"]
        return Question(route, path, _of_its_day(_of_its_moment(kept), route))

    async def body(self, request: Request, question: Question) -> bytes:
        """The JSON that is answered; raises the problem that is."""
        match = question.route.path_regex.match(question.path)
        assert match is not None
        scope = {name: request.scope[name] for name in _KEPT if name in request.scope}
        scope |= {
            "type": "http",
            "method": "GET",
            "path": question.path,
            "path_params": match.groupdict(),
            "query_string": urlencode(question.pairs).encode(),
            "headers": [(b"accept", b"application/json")],
            "principal": Principal(caller_name(request), Scope.READ),
        }
        response = await question.route.get_route_handler()(Request(scope))
        return bytes(response.body)

    async def ask(self, request: Request, path: str, pairs: Pairs) -> Json:
        """The answer to a question of our own."""
        question = self.question(path)
        question.pairs = pairs
        answer: Json = json_codec.loads(await self.body(request, question))
        return answer

    async def changes(self, request: Request, pairs: Pairs) -> list[Json]:
        """Entries of the log; Gone for a position that is not in it."""
        question = Question(self._changes, "/changes", pairs)
        found: list[Json] = json_codec.loads(await self.body(request, question))["data"]
        return found


def query_of(route: Route) -> type[BaseModel] | None:
    """The parameters of a route's query, where it has any."""
    found = get_args(get_annotations(route.endpoint).get("query"))
    return found[0] if found else None


def at_position(question: Question, position: str) -> Question:
    """The same question of the moment of a position, where it can be asked so; else itself."""
    names = {name for name, _ in question.pairs}
    if question.route.around is not answer_as_of or names & {PARAMETER, _WORDS}:
        return question
    return Question(question.route, question.path, [*question.pairs, (PARAMETER, position)])


def _of_its_moment(pairs: Pairs) -> Pairs:
    """The query with the moment that its `as_of` comes to where that is counted from now."""
    return [(n, _counted(text) if n == PARAMETER else text) for n, text in pairs]


def _counted(text: str) -> str:
    try:
        return as_iso(text, now()) or text
    except ValueError:
        # The answer tells what is wrong with it.
        return text


def _of_its_day(pairs: Pairs, route: Route) -> Pairs:
    """The query with the day that its figures are counted until: it is the same a year later."""
    query, names = query_of(route), {name for name, _ in pairs}
    if query is None or _DAY not in query.model_fields or names & {_DAY, PARAMETER}:
        return pairs
    return [*pairs, (_DAY, now().date().isoformat())]


def _can_be_asked(route: Route, firsts: set[str]) -> bool:
    return (
        route.methods == {"GET"}
        and route.needs is Permission.READ_OR_PUBLIC
        and route.path.split("/")[1] in {*firsts, INSIGHTS}
        and _NOT_KEPT.search(route.path) is None
    )
