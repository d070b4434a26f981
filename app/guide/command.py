"""The `curl` commands of the guide, read as requests."""

import shlex
from dataclasses import dataclass, field
from urllib.parse import quote

#: Where the commands send their requests; a reader puts the real address in its place.
ADDRESS = "http://127.0.0.1:8000"

_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
# What curl does with an answer is no part of the request.
_IGNORED = ("-s", "-i", "-O", "-J")


@dataclass(slots=True)
class Call:
    """A request: `path` is the rest of the address, with its query.

    A body that begins with `@` is the content of a file; `saves` is the file for the answer.
    """

    method: str = "GET"
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    saves: str | None = None

    @property
    def is_link(self) -> bool:
        """Whether a browser can send it from its address bar."""
        return self.method == "GET" and not self.headers and "$" not in self.path


def read_command(command: str) -> Call:
    """The request that a command sends; ValueError for an option that the guide does not use."""
    words = iter(shlex.split(command.replace("\\\n", " "))[1:])
    call, pairs, method, as_query = Call(), [], None, False
    for word in words:
        match word:
            case "-G":
                as_query = True
            case "-I":
                method = "HEAD"
            case "-X":
                method = next(words)
            case "-o":
                call.saves = next(words)
            case "-H":
                name, _, value = next(words).partition(": ")
                call.headers[name] = value
            case "--json":
                call.body, call.headers = next(words), {**_JSON, **call.headers}
            case "--data-binary":
                call.body = next(words)
            case "-d" | "--data-urlencode":
                pairs.append(_pair(next(words), encoded=word != "-d"))
            case _ if word.startswith(ADDRESS):
                call.path = word.removeprefix(ADDRESS)
            case _ if word not in _IGNORED:
                raise ValueError(f"The guide's commands have no {word!r}.")
    if as_query:
        call.path += ("&" if "?" in call.path else "?") + "&".join(pairs)
    call.method = method or ("GET" if call.body is None else "POST")
    return call


def _pair(text: str, *, encoded: bool) -> str:
    name, _, value = text.partition("=")
    return f"{name}={quote(value, safe='') if encoded else value}"
