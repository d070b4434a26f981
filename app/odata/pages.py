"""How many entities a page has: `Prefer: odata.maxpagesize` (OData 4.0 Protocol, 8.2.8.5)."""

from starlette.requests import Request

from app.engine.query.parameters import MAX_LIMIT

_NAMES = ("odata.maxpagesize", "maxpagesize")


def page_size(request: Request) -> int:
    """The most entities of a page: what the client prefers, and no more than there may be."""
    asked = _asked(request)
    return MAX_LIMIT if asked is None else min(asked, MAX_LIMIT)


def preference_applied(request: Request) -> dict[str, str]:
    """The header that says so, where something was preferred."""
    if _asked(request) is None:
        return {}
    return {"Preference-Applied": f"odata.maxpagesize={page_size(request)}"}


def _asked(request: Request) -> int | None:
    """What is no size is passed over, as preferences are that nobody knows (RFC 7240, 2)."""
    for line in request.headers.getlist("prefer"):
        for preference in line.split(","):
            name, _, value = preference.partition(";")[0].strip().partition("=")
            value = value.strip().strip('"')
            if name.strip().lower() in _NAMES and value.isascii() and value.isdecimal():
                return int(value[:10]) or None
    return None
