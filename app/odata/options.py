"""The system query options of a request (OData 4.0 URL Conventions, 5)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request

from app.core.errors import BadRequest, Fault, did_you_mean
from app.core.http.requests import parameters
from app.odata.errors import NotSupported

#: What narrows a set, and what shows entities.
CHOOSING: Final = ("$filter", "$search")
SHOWING: Final = ("$select", "$expand", "$format")
PAGING: Final = ("$orderby", "$top", "$skip", "$skiptoken", "$count")
LISTING: Final = (*CHOOSING, *SHOWING, *PAGING)
_UNSUPPORTED = ("$apply", "$compute", "$deltatoken", "$index", "$id", "$schemaversion")
#: What others' clients add to every address.
_IGNORED = ("sap-",)
_MAX_NUMBER = 2**31 - 1
_MAX_SKIP = 1_000_000


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for, by the name of the option; `aliases` are the values of `@names`."""

    sent: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        return self.sent.get(name)

    @property
    def top(self) -> int | None:
        return self._number("$top", _MAX_NUMBER)

    @property
    def skip(self) -> int:
        return self._number("$skip", _MAX_SKIP) or 0

    @property
    def counts(self) -> bool:
        text = self.get("$count") or "false"
        if text not in ("true", "false"):
            raise bad_option("$count", f"Write true or false, not {text[:50]!r}.")
        return text == "true"

    def _number(self, name: str, most: int) -> int | None:
        text = self.get(name)
        if text is None:
            return None
        if not text.isdecimal() or not text.isascii() or len(text) > 10:
            raise bad_option(name, f"Write a whole number, 0 or more, not {text[:50]!r}.")
        if int(text) > most:
            raise bad_option(name, f"Write at most {most}; {text} is more.")
        return int(text)


def bad_option(name: str, detail: str, code: str = "value") -> BadRequest:
    """The 400 of one option."""
    return BadRequest(f"{name}: {detail}", [Fault(code, detail, parameter=name)])


def read_options(request: Request, allowed: tuple[str, ...]) -> Options:
    """The options of a request, each of them `allowed`; BadRequest for others, and 501 for what
    OData has and this service has not."""
    sent: dict[str, str] = {}
    aliases: dict[str, str] = {}
    for name, value in parameters(request.scope["query_string"]):
        if name.startswith(_IGNORED):
            continue
        into = aliases if name.startswith("@") else sent
        if into is sent:
            _check_name(name, allowed)
        if name in into:
            raise bad_option(name, "It is given more than once.", "repeated")
        into[name] = value
    return Options(sent, aliases)


def _check_name(name: str, allowed: tuple[str, ...]) -> None:
    if name in allowed:
        return
    if name.lower() in _UNSUPPORTED:
        text = f"{name} is not supported: ask for the entities with $filter and add up yourself"
        text += ", or see /agreements/aggregate." if name == "$apply" else "."
        raise NotSupported(text, [Fault("not_supported", text, parameter=name)])
    if name in LISTING:
        text = f"{name} has no meaning for this address; possible: {', '.join(allowed)}."
        raise BadRequest(text, [Fault("unknown", text, parameter=name)])
    near = did_you_mean(name if name.startswith("$") else f"${name}", allowed)
    text = f"There is no option {name[:100]!r}.{near or ' Possible: ' + ', '.join(allowed) + '.'}"
    raise BadRequest(text, [Fault("unknown", text, parameter=name)])


def split(option: str, text: str, separator: str) -> Iterator[str]:
    """The pieces between separators that stand outside of parentheses and of texts in quotes."""
    depth, quoted, piece = 0, False, ""
    for letter in text:
        quoted ^= letter == "'"
        depth += 0 if quoted else {"(": 1, ")": -1}.get(letter, 0)
        if letter == separator and not quoted and depth == 0:
            yield _piece(option, piece)
            piece = ""
        else:
            piece += letter
    if depth or quoted:
        what = "quote" if quoted else "parenthesis"
        raise bad_option(option, f"A {what} in {text[:100]!r} has no counterpart.", "syntax")
    yield _piece(option, piece)


def _piece(option: str, text: str) -> str:
    if not text.strip():
        raise bad_option(option, "Is empty, or a name is missing beside a comma.", "empty")
    return text.strip()
