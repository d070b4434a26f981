"""The `curl` commands of the guide, read as requests."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

#: Where the commands send their requests; a reader puts the real address in its place.
ADDRESS = "http://127.0.0.1:8000"


@dataclass(slots=True)
class Call:
    """A request: `path` is the rest of the address, with its query.

    A body that begins with `@` is the content of a file; `saves` is the file for the answer;
    `user` is a name and a password with a colon between, as of HTTP Basic.
    """

    method: str = ""
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    saves: str | None = None
    user: str | None = None

    @property
    def is_link(self) -> bool:
        """Whether a browser can send it from its address bar."""
        return self.method == "GET" and not (self.headers or self.user or "$" in self.path)


def read_command(command: str) -> Call:
    """The request that a command sends; ValueError for an option that the guide does not use."""
    words = iter(shlex.split(command.replace("\\\n", " "))[1:])
    call, pairs = Call(), []
    for word in words:
        if word in _OPTIONS:
            _OPTIONS[word](call, next(words))
        elif word == "--data-urlencode":
            pairs.append(next(words))
        elif word == "-I":
            call.method = "HEAD"
        elif word.startswith(ADDRESS):
            call.path = word.removeprefix(ADDRESS)
        elif word not in _IGNORED:
            raise ValueError(f"The guide's commands have no {word!r}.")
    for name, _, value in (pair.partition("=") for pair in pairs):
        call.path += f"{'&' if '?' in call.path else '?'}{name}={quote(value, safe='')}"
    call.method = call.method or ("GET" if call.body is None else "POST")
    return call


def _method(call: Call, value: str) -> None:
    call.method = value


def _header(call: Call, value: str) -> None:
    name, _, told = value.partition(": ")
    call.headers[name] = told


def _json(call: Call, value: str) -> None:
    call.body = value
    call.headers |= {"Content-Type": "application/json", "Accept": "application/json"}


def _body(call: Call, value: str) -> None:
    call.body = value


def _save(call: Call, value: str) -> None:
    call.saves = value


def _user(call: Call, value: str) -> None:
    call.user = value


_OPTIONS: dict[str, Callable[[Call, str], None]] = {
    "-X": _method,
    "-H": _header,
    "--json": _json,
    "--data-binary": _body,
    "-o": _save,
    "-u": _user,
}
# `-G` is how curl is told to put `--data-urlencode` into the address, as is always done here.
_IGNORED = ("-G", "-O", "-J")
