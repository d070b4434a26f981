"""The headers of answers, as the OpenAPI document tells them."""

from collections.abc import Iterable

from app.core.http.dispatch import Route
from app.core.loose_types import Fields

Json = Fields

_HEADERS = {
    "Accept": "What the body can be sent as.",
    "Accept-Encoding": "How the body can be encoded.",
    "Accept-Patch": "What the body can be sent as.",
    "Affected-Parts": "How many records went with it, as part of it: `agreements=6, events=2`.",
    "Content-Disposition": "A name for the file.",
    "Content-Location": "The address that is answered here (RFC 9110, 8.7).",
    "Dry-Run": "`true` when nothing was stored, as `dry_run` asked.",
    "ETag": "Names the state of what is shown: for `If-None-Match`, and of one record that is shown"
    " whole for `If-Match`.",
    "Groups-In-All": "How many groups there are, where the file has fewer.",
    "Idempotency-Replayed": "`true` when this is the answer to an earlier request with this key.",
    "Left-Out": "How many records are not in the sums, by reason, as `left_out` of JSON tells:"
    " `parts=2, per_year=1`. Left out where none are.",
    "Link": "The pages that follow and precede this one (RFC 8288).",
    "Location": "The address of the new record, or of that which the record was merged into.",
    "Missing-Values": "How many records are without a value of these fields, as `missing` of JSON"
    " tells: `amount=5`. Left out where none are.",
    "Preference-Applied": "Which preference of `Prefer` was followed (RFC 7240).",
    "RateLimit": "How many requests are left, and in how many seconds all are back.",
    "RateLimit-Policy": "How many requests may be sent, and in how many seconds.",
    "Retry-After": "After how many seconds to try again.",
    "Vary": "Which headers of the request the answer depends on.",
    "WWW-Authenticate": "How to send a key.",
    "Withheld-Records": "How many records of each kind, whatever the filters, are withheld from who"
    " asks and in no figure: `agreements=3`. Left out where none are.",
    "Withheld-Values": "Of `Missing-Values`, how many are withheld: `amount=2`. Left out where none"
    " are.",
    "X-Request-ID": "Names this request in the logs.",
}
#: Headers of problems, whatever the operation.
_ALWAYS = {
    "308": ("Location",),
    "401": ("WWW-Authenticate",),
    "429": ("RateLimit", "RateLimit-Policy", "Retry-After"),
    "409": ("Retry-After",),
    "412": ("ETag",),
    "415": ("Accept", "Accept-Encoding", "Accept-Patch"),
    "503": ("Retry-After",),
    "507": ("Retry-After",),
}


def operation_of(document: Json, route: Route) -> Json:
    """What the document says of a route."""
    method = next(iter(route.methods or ()))
    operation: Json = document["paths"][route.path][method.lower()]
    return operation


def headers_of(status: str) -> tuple[str, ...]:
    """The headers of any answer with this status, whatever the operation."""
    return (*_ALWAYS.get(status, ()), "X-Request-ID")


def document_headers(document: Json, routes: Iterable[Route]) -> None:
    """Tell the headers of answers: those that their route names, and those of any answer."""
    document["components"]["headers"] = {
        name: {"description": text, "schema": {"type": "string"}} for name, text in _HEADERS.items()
    }
    for route in routes:
        for status, answer in operation_of(document, route)["responses"].items():
            add_headers(answer, *route.answer_headers.get(status, ()))
            if status.startswith("2") and "application/json" in answer.get("content", {}):
                add_headers(answer, "Vary")
            add_headers(answer, *headers_of(status))


def add_headers(answer: Json, *names: str) -> None:
    """Tell which of the document's headers an answer can have."""
    for name in names:
        answer.setdefault("headers", {})[name] = {"$ref": f"#/components/headers/{name}"}
