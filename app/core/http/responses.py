"""Answers: JSON that is finished already, and how the problems of an operation are documented."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from starlette.responses import Response

from app.core.errors import (
    PROBLEM_TYPE,
    HeadersTooLarge,
    InternalError,
    NotAcceptable,
    Problem,
    Unavailable,
)
from app.core.loose_types import Responses

T = TypeVar("T")

#: Beyond how many characters an answer is put together beside the loop.
THREAD_CHARACTERS = 256 * 1024
PROBLEM_SCHEMA = {"$ref": "#/components/schemas/Problem"}
_ANYWHERE = (HeadersTooLarge, InternalError, Unavailable)


class JsonResponse(Response):
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
            # In lines for browsers, decimals as texts for those who ask so, and more for writers.
            (b"vary", b"Accept, Accept-Encoding"),
        ]
        for name, value in (headers or {}).items():
            self.raw_headers.append((name.lower().encode(), value.encode("latin-1")))


async def put_together(pieces: Sequence[str], work: Callable[[], T]) -> T:
    """What the work makes of the pieces, beside the loop where they are long."""
    is_long = sum(map(len, pieces)) > THREAD_CHARACTERS
    return await asyncio.to_thread(work) if is_long else work()


def joined(pieces: Sequence[str]) -> bytes:
    """The pieces with commas between them; each is encoded by itself, so that no call is long."""
    return b",".join([piece.encode() for piece in pieces])


def problems(*kinds: type[Problem]) -> Responses:
    """OpenAPI responses for these problems, and for those that any operation can have."""
    all_kinds: tuple[type[Problem], ...] = (*kinds, NotAcceptable, *_ANYWHERE)
    return {
        kind.status: {
            "description": f"{kind.title}. {kind.about}",
            "content": {PROBLEM_TYPE: {"schema": PROBLEM_SCHEMA}},
        }
        for kind in all_kinds
    }
