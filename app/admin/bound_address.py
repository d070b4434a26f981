"""The one address that an API key can be bound to: it must be there, or the key opens nothing."""

from collections.abc import Iterable

from sqlalchemy.orm import Session
from starlette.routing import BaseRoute

from app.core.auth.principals import Permission
from app.core.errors import Invalid, NotFound, did_you_mean
from app.core.http.dispatch import Route, most_literal
from app.core.http.nearest_addresses import suggestion, tree_of
from app.engine.resource import Resource
from app.engine.writes import store
from app.rest.exports import FORMATS
from app.rest.operations import ReadRoute


def check_bound_address(session: Session, routes: Iterable[BaseRoute], path: str) -> None:
    """Refuse (422) an address that a key for reading cannot open: where nothing is, or a record
    that is not there or in the trash."""
    known = list(routes)
    found = _find(known, path)
    if found is None:
        detail = f"There is no address {path}. {suggestion(tree_of(known), path)}"
        raise Invalid.at("/path", "address", detail)
    route, names = found
    if route.needs is Permission.ADMIN:
        detail = f"{path} needs the scope admin, which no key for one address has."
        raise Invalid.at("/path", "address", detail)
    _check_names(route, names)
    of = _owners(known).get(path.split("/")[1])
    if "key" in names and of is not None:
        try:
            store.find_live(session, of, names["key"])
        except NotFound as problem:
            raise Invalid.at("/path", "address", problem.detail) from None


def _find(routes: Iterable[BaseRoute], path: str) -> tuple[Route, dict[str, str]] | None:
    """The operation that reads the address, and the texts of its parameters."""
    reads = (each for each in routes if isinstance(each, Route) and "GET" in (each.methods or ()))
    return most_literal(reads, path)


def _check_names(route: Route, names: dict[str, str]) -> None:
    """Refuse (422) a format or a list that is not there."""
    for name, possible in {"format": [*FORMATS], **route.known}.items():
        text = names.get(name)
        if text is not None and text not in possible:
            near = did_you_mean(text, possible) or f" Write one of {', '.join(possible)}."
            raise Invalid.at("/path", "address", f"There is no {name} {text!r}.{near}")


def _owners(routes: Iterable[BaseRoute]) -> dict[str, Resource]:
    """The kinds of records by the first step of the addresses of single ones."""
    return {
        route.resource.path: route.resource
        for route in routes
        if isinstance(route, ReadRoute) and route.path == f"/{route.resource.path}/{{key}}"
    }
