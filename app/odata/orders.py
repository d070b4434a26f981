"""`$orderby`: the properties that entities are in the order of."""

import re
from collections.abc import Iterator
from typing import Final

from app.engine.query.orders import Sort
from app.engine.query.parameters import read_sort
from app.engine.resource import Resource
from app.odata.errors import NotSupported
from app.odata.options import bad_option, split

_PATH: Final = re.compile(r"\w+(/\w+)*", re.ASCII)


def read_order(resource: Resource, text: str | None) -> Sort:
    """The order that `amount desc,mission/title` asks for."""
    found = [("-" if descending else "") + path for path, descending in orders_of(text)]
    return read_sort(resource, ",".join(path.replace("/", ".") for path in found) or None)


def orders_of(text: str | None) -> Iterator[tuple[str, bool]]:
    """The paths of `$orderby`, each with "descending?"; 501 for what is no path."""
    for item in split("$orderby", text, ",") if text is not None else ():
        path, *order = item.split()
        if "(" in item or "$count" in item:
            raise NotSupported(f"{item[:100]} in $orderby is not supported: name a property.")
        if order not in ([], ["asc"], ["desc"]):
            detail = f"Write asc or desc after {path[:100]}, not {' '.join(order)[:50]!r}."
            raise bad_option("$orderby", detail, "syntax")
        if _PATH.fullmatch(path) is None:
            detail = f"Write a property, such as title or mission/title, not {path[:100]!r}."
            raise bad_option("$orderby", detail, "syntax")
        yield path, order == ["desc"]
