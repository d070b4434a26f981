"""How a saved question is answered: by the route that answers its address, in the form asked for,
as far as whoever asks may see."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from app.core.auth.principals import Permission, Principal
from app.core.errors import Invalid, NotFound, did_you_mean
from app.core.http.conditional import tags_in
from app.core.http.dispatch import Route, most_literal
from app.core.loose_types import Fields, Value
from app.core.public_path import public_path, public_root, without_root
from app.rest.exports import FORMATS

#: What addresses of reads can begin with, beside the kinds of records.
_OTHERS: Final = ("charts", "datasets", "insights")
_PICTURES: Final = ("svg", "png")
_KNOWN: Final = "if-none-match"
FORMS: Final = ("json", *FORMATS, *_PICTURES)


class Answerer:
    """Finds the forms of an address and answers it."""

    def __init__(self, routes: Sequence[Route], kinds: Sequence[str]) -> None:
        firsts = {*kinds, *_OTHERS}
        self._routes = [
            route
            for route in routes
            if route.methods == {"GET"}
            and route.needs is Permission.READ_OR_PUBLIC
            and route.path.split("/")[1].partition(".")[0] in firsts
        ]

    def forms(self, url: str) -> Mapping[str, str]:
        """The path that answers the address in each form that it has; Invalid (422) for an address
        that is answered in none."""
        sent, _, _ = url.partition("?")
        path = without_root(unquote(sent), public_root())
        base, dot, form = path.rpartition(".")
        if not dot or form not in FORMS:
            base = path
        forms = () if "\0" in path else FORMS
        found = {form: at for form in forms if (at := self._path(base, form))}
        if not found:
            text = (
                f"Nothing that can be saved is answered at {path[:100]}: name a list, a record, an"
                " aggregate, a summary, a dataset or a chart, such as"
                f" {public_path('/agreements?status=signed')}."
            )
            raise Invalid.at("/url", "address", text)
        return found

    def _path(self, base: str, form: str) -> str | None:
        plain = most_literal(self._routes, base)
        if form == "json" and plain is not None and not plain[0].path.endswith("/{file}"):
            return base
        named = most_literal(self._routes, f"{base}.{form}")
        if named is None:
            return None
        route, _ = named
        is_export = route.path.endswith(".{format}") and form in FORMATS
        is_table = route.path.endswith(f".{form}")
        is_chart = route.path == "/charts/{file}" and form in ("json", *_PICTURES)
        return f"{base}.{form}" if is_export or is_table or is_chart else None

    async def answer(self, request: Request, url: str, form: str) -> Response:
        """The answer to the address in a form; NotFound (404) where it has no such form."""
        forms = self.forms(url)
        if form not in forms:
            near = did_you_mean(form, forms)
            text = f"This is not answered as .{form[:20]}.{near} It is as {', '.join(forms)}."
            raise NotFound(text)
        path, query = forms[form], url.partition("?")[2]
        asked = quote(path) + (f"?{query}" if query else "")
        mark = sha256(asked.encode()).hexdigest()[:8]
        response = await self._ask(request, path, query, headers=_unmarked(request, mark))
        if "ETag" in response.headers:
            response.headers["ETag"] = response.headers["ETag"].replace('"', f'"{mark}-', 1)
        response.headers["Content-Location"] = public_path(asked)
        return response

    async def check(self, request: Request, url: str) -> None:
        """Ask the address once, for whoever saves it; raises the problem that is answered."""
        path, query = next(iter(self.forms(url).values())), url.partition("?")[2]
        await self._ask(request, path, query, method="GET", headers=[(b"accept", b"*/*")])

    async def _ask(self, request: Request, path: str, query: str, **other: Value) -> Response:
        found = most_literal(self._routes, path)
        assert found is not None
        route, names = found
        inner: Fields = {
            **request.scope,
            "path": path,
            "raw_path": quote(path).encode(),
            "path_params": names,
            "query_string": query.encode(),
            "principal": _opened(request.scope["caller"], path),
            **other,
        }
        return await route.get_route_handler()(Request(inner, request.receive))


def _unmarked(request: Request, mark: str) -> list[tuple[bytes, bytes]]:
    """The headers of a request, with those tags of answers to the same address that begin with its
    mark, and as that address gives them. Other addresses give the same tags for other answers."""
    tags = tags_in(request, _KNOWN) or []
    known = [tag.replace(f'"{mark}-', '"', 1) for tag in tags if f'"{mark}-' in tag or tag == "*"]
    others = [each for each in request.headers.raw if each[0] != _KNOWN.encode()]
    return [*others, (_KNOWN.encode(), ", ".join(known).encode())] if known else others


def _opened(caller: Principal, path: str) -> Principal:
    """Whoever was let in; a key for one address opens what is asked there, and still no trash."""
    return caller if caller.path is None else replace(caller, path=path)
