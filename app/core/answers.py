"""Answers: JSON that is finished already, and how the problems of an operation are documented."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from app.core.errors import (
    PROBLEM_TYPE,
    HeadersTooLarge,
    InternalError,
    NotAcceptable,
    Problem,
    Unavailable,
)

PROBLEM_SCHEMA = {"$ref": "#/components/schemas/Problem"}


class Json(Response):
    """An answer whose body is JSON in UTF-8 already."""

    media_type = "application/json"

    def __init__(
        self, body: bytes, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        # Starlette's own constructor guesses encodings and types; here all of it is known.
        self.status_code = status
        self.body = body
        self.background = None
        self.raw_headers = [
            (b"content-length", b"%d" % len(body)),
            (b"content-type", b"application/json"),
        ]
        for name, value in (headers or {}).items():
            self.raw_headers.append((name.lower().encode(), value.encode("latin-1")))


def problems(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses for these problems, and for those that any operation can have."""
    all_kinds: tuple[type[Problem], ...] = (*kinds, HeadersTooLarge, InternalError, Unavailable)
    return {
        kind.status: {
            "description": f"{kind.title}. {kind.about}",
            "content": {PROBLEM_TYPE: {"schema": PROBLEM_SCHEMA}},
        }
        for kind in all_kinds
    }


def preferred(accept: str, offered: Sequence[str]) -> str:
    """Which of the media types an Accept header prefers (RFC 9110, 12.5.1), the first when it does
    not matter; NotAcceptable (406) when it takes none."""
    best = max(offered, key=lambda form: _weight(accept, form))
    if not _weight(accept, best):
        raise NotAcceptable(f"This can be had as {', '.join(offered)}; asked for: {accept[:200]}.")
    return best


def _weight(accept: str, form: str) -> float:
    """How much a media type is wanted, 0 to 1, by the closest range of the header."""
    weights: dict[str, float] = {}
    for item in accept.lower().split(","):
        media, *parameters = (part.strip() for part in item.split(";"))
        told = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            weights.setdefault(media, min(max(float(told), 0.0), 1.0))
        except ValueError:
            weights.setdefault(media, 0.0)
    ranges = (form, f"{form.partition('/')[0]}/*", "*/*")
    return next((weights[wanted] for wanted in ranges if wanted in weights), 0.0)
