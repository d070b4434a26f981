"""The addresses that answers hold: absolute, as whoever asks sees the service."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from starlette.requests import Request

from app.core import json_codec
from app.core.public_path import public_path
from app.odata.errors import ROOT


def service_root(request: Request) -> str:
    """The address of the service document, with its slash."""
    return f"{request.url.scheme}://{request.url.netloc}{public_path(ROOT)}/"


def context_of(request: Request, fragment: str = "") -> str:
    """The context URL: what part of the model an answer is of."""
    return f"{service_root(request)}$metadata{'#' if fragment else ''}{fragment}"


def next_link(request: Request, changed: Mapping[str, str]) -> str:
    """The address of the next page: the options stay, but `$skip`, which was done."""
    sent: str = request.scope["query_string"].decode("ascii")
    gone = {"$skip", *changed}
    kept = [pair for pair in sent.split("&") if pair and _name(pair) not in gone]
    more = [urlencode({name: value}, safe="$", quote_via=quote) for name, value in changed.items()]
    path = quote(request.scope["path"], safe="/$()',=")
    root = service_root(request).removesuffix(f"{ROOT}/")
    return f"{root}{path}?{'&'.join([*kept, *more])}"


def _name(pair: str) -> str:
    return pair.partition("=")[0].replace("%24", "$")


def as_json_text(address: str) -> str:
    """The address as it stands in JSON: the name of a host can hold anything."""
    return json_codec.dumps(address).decode()
