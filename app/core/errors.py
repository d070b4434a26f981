"""Problems: every error this service answers with, as RFC 9457 tells them."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from app.core import json_codec
from app.core.loose_types import Json
from app.core.public_path import public_path

PROBLEM_TYPE = "application/problem+json"


class FaultBody(BaseModel):
    """One thing that is wrong, and where."""

    pointer: str | None = Field(None, description="Where in the body: a JSON Pointer (RFC 6901).")
    parameter: str | None = Field(None, description="Which parameter of the query or path.")
    code: str = Field(description="A short name of the fault that programs can rely on.")
    detail: str = Field(description="What is wrong and what would be right.")
    row: int = Field(
        default_factory=int,
        description="Only of a file: the row as spreadsheets count, the header being 1.",
    )
    column: str = Field(
        default_factory=str, description="Only of a file: the header of the column, as it stands."
    )
    sheet: str = Field(default_factory=str, description="Only of a workbook: its worksheet.")


class ProblemBody(BaseModel):
    """An error, as RFC 9457 (Problem Details) describes it."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(description="Address of a page about this kind of problem.")
    title: str = Field(description="The kind of problem in a few words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What went wrong this time and what would be right.")
    instance: str = Field(description="The path that was asked for.")
    request_id: str = Field(description="Names this request in the logs.")
    errors: list[FaultBody] = Field(description="One entry a fault; empty when there is one cause.")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: `pointer` into the body or `parameter` of the address.

    In a file it has a `row`, as spreadsheets count (the header is 1), and a `column`: its header;
    in a workbook a `sheet`.
    """

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None
    row: int | None = None
    column: str | None = None
    sheet: str | None = None

    def to_dict(self) -> Json:
        """As a problem tells it, shape `FaultBody`: what is of files only where there is any."""
        place = {"pointer": self.pointer, "parameter": self.parameter}
        within = {"row": self.row, "column": self.column, "sheet": self.sheet}
        found = {name: value for name, value in within.items() if value is not None}
        return {**place, "code": self.code, "detail": _plain(self.detail), **found}


#: How Python shows what cannot be printed, an even number of backslashes before it.
_ESCAPED = re.compile(r"(?<!\\)((?:\\\\)*)\\x([0-9a-f]{2})")


def _plain(text: str) -> str:
    """The text with what cannot be printed in it as JSON writes it, not as Python does."""
    return _ESCAPED.sub(r"\1\\u00\2", text) if "\\x" in text else text


class Problem(Exception):
    """The base of all problems; a class is a kind of problem with its status."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    about: ClassVar[str] = "Something failed on our side. Nothing was stored."

    def __init__(
        self,
        detail: str,
        errors: Iterable[Fault] = (),
        headers: Mapping[str, str | tuple[str, ...]] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        #: By name; several values are a line each.
        self.headers = dict(headers or {})

    @classmethod
    def slug(cls) -> str:
        """The last part of this kind's address: `not-found`."""
        return cls.title.lower().replace(" ", "-")

    @classmethod
    def at(cls, pointer: str, code: str, detail: str) -> Self:
        """A problem of one fault in the body."""
        return cls(detail, [Fault(code, detail, pointer=pointer)])

    def alone(self) -> Self:
        """The problem, to be kept, without the calls that led to it: with each of thousands stays
        all that its calls knew, which the garbage collector looks through with everybody waiting.
        """
        self.__traceback__ = self.__context__ = self.__cause__ = None
        return self

    def header_lines(self) -> list[tuple[bytes, bytes]]:
        """Its headers as they are sent."""
        return [
            (name.lower().encode(), value.encode())
            for name, told in self.headers.items()
            for value in ((told,) if isinstance(told, str) else told)
        ]

    def body(self, instance: str, request_id: str) -> bytes:
        """The problem document, shape `ProblemBody`; `instance` is the path that was asked for."""
        return json_codec.dumps(
            {
                "type": public_path(f"/problems/{self.slug()}"),
                "title": self.title,
                "status": self.status,
                "detail": _plain(self.detail),
                "instance": public_path(instance),
                "request_id": request_id,
                "errors": [fault.to_dict() for fault in self.errors],
            }
        )


def refuse_repeated(pointer: str, items: Sequence[object]) -> None:
    """Invalid (422) for the first item of a list that stands in it before."""
    for at, item in enumerate(items):
        if item in items[:at]:
            text = "This stands in the list twice: leave it out here."
            raise Invalid.at(f"{pointer}/{at}", "repeated", text)


@contextmanager
def within(pointer: str) -> Iterator[None]:
    """Problems from inside tell their places as seen from outside, under the pointer."""
    try:
        yield
    except Problem as problem:
        if problem.errors and problem.detail.startswith(f"{problem.errors[0].pointer}: "):
            problem.detail = pointer + problem.detail
        problem.errors = tuple(
            replace(fault, pointer=pointer + (fault.pointer or "")) for fault in problem.errors
        ) or (Fault(problem.slug(), problem.detail, pointer=pointer),)
        raise


class InternalError(Problem):
    pass


class BadRequest(Problem):
    status, title = 400, "Bad request"
    about = "The address, a parameter or the syntax of the body is wrong. Nothing was stored."


class Moved(Problem):
    status, title = 308, "Moved"
    about = "The record was merged into another one, whose address Location tells."

    def __init__(self, detail: str, key: str, successor: str, paths: tuple[str, str]) -> None:
        super().__init__(detail)
        #: The key that was asked for, that of the other one, and what their addresses begin with.
        self.key, self.successor, self.paths = key, successor, paths

    def within(self, path: str) -> str:
        """The template of an address, as it is of the other record."""
        own, other = (f"/{each}/" for each in self.paths)
        return path.replace(own, other, 1)


class Unauthorized(Problem):
    status, title = 401, "Unauthorized"
    about = (
        "This needs a key or a token: Authorization: Bearer …, or HTTP Basic with the key as the"
        " password. What was sent is not known, has expired or was revoked, or nothing was sent."
    )


class Forbidden(Problem):
    status, title = 403, "Forbidden"
    about = "The key or token is good, but does not allow this; `detail` tells what it would take."


class NotFound(Problem):
    status, title = 404, "Not found"
    about = "There is no such page or record. A record in the trash is found with deleted=include."


class MethodNotAllowed(Problem):
    status, title = 405, "Method not allowed"
    about = "The address exists, but not for this method; the Allow header names those it has."


class Conflict(Problem):
    status, title = 409, "Conflict"
    about = (
        "The request is well formed, but the state of the records does not allow it: a ref or an"
        " identifier is taken, or a status cannot follow another. Nothing was stored."
    )


class NotAcceptable(Problem):
    status, title = 406, "Not acceptable"
    about = "The answer cannot be had in any of the forms that the Accept header names."


class RequestTimeout(Problem):
    status, title = 408, "Request timeout"
    about = "The request did not arrive within the time that the service waits for one."


class Gone(Problem):
    status, title = 410, "Gone"
    about = (
        "A position or cursor is of before the database was restored from a backup: read the"
        " records anew. `detail` tells where to begin."
    )


class PreconditionFailed(Problem):
    status, title = 412, "Precondition failed"
    about = "The record is not as the If-Match or If-None-Match header says. Nothing was stored."


class TooLarge(Problem):
    status, title = 413, "Content too large"
    about = "The body is larger than the service accepts."


class UnsupportedMediaType(Problem):
    status, title = 415, "Unsupported media type"
    about = (
        "The body must be JSON: Content-Type application/json (or application/merge-patch+json)."
        " An import takes a file of CSV, XLSX or NDJSON; `detail` tells what is taken."
    )


class Invalid(Problem):
    status, title = 422, "Invalid content"
    about = (
        "The body is JSON, but a field of it breaks a rule; `errors` tells each. Nothing stored."
    )


class RangeNotSatisfiable(Problem):
    status, title = 416, "Range not satisfiable"
    about = "The range that is asked for lies behind the end of the file: Content-Range says where."


class PreconditionRequired(Problem):
    status, title = 428, "Precondition required"
    about = "A change must say in If-Match which version of the record it is of. Nothing stored."


class TooManyRequests(Problem):
    status, title = 429, "Too many requests"
    about = "More requests than a caller may send in a time. Retry-After says when to go on."


class HeadersTooLarge(Problem):
    status, title = 431, "Request header fields too large"
    about = "The address or the headers of the request are longer than the service accepts."


class UnsupportedByEngine(Problem):
    status, title = 501, "Not implemented"
    about = (
        "The engine of the database that the service runs on lacks something that this takes;"
        " `detail` tells what. Nothing was stored. Ask in another way, or have another engine."
    )


class InsufficientStorage(Problem):
    status, title = 507, "Insufficient storage"
    about = "There is no room left to store anything. Nothing was stored; reading goes on."


class Unavailable(Problem):
    status, title = 503, "Service unavailable"
    about = "The database cannot be reached or is busy. Retry-After says when to try again."


PROBLEMS: tuple[type[Problem], ...] = (
    Moved,
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    NotAcceptable,
    RequestTimeout,
    Conflict,
    Gone,
    PreconditionFailed,
    TooLarge,
    UnsupportedMediaType,
    RangeNotSatisfiable,
    Invalid,
    PreconditionRequired,
    TooManyRequests,
    HeadersTooLarge,
    InternalError,
    UnsupportedByEngine,
    Unavailable,
    InsufficientStorage,
)


def not_allowed(method: str, methods: Iterable[str]) -> MethodNotAllowed:
    """The 405 that names the methods there are."""
    allowed = ", ".join(sorted(methods))
    return MethodNotAllowed(
        f"{method} is not possible here; possible: {allowed}.", headers={"Allow": allowed}
    )


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """` Did you mean 'x'?` with the nearest of the names, or nothing where none is near."""
    # What was given is no help to whoever was refused it.
    by_folded = {known.casefold(): str(known) for known in names if known != name}
    folded = name.casefold()
    for near in get_close_matches(folded, list(by_folded), n=3, cutoff=0.6):
        # `delimiter` has all letters of `limit` in their order, but nobody misspells it so.
        if _edits(folded, near) <= max(1, (max(len(folded), len(near)) + 1) // 3):
            return f" Did you mean {by_folded[near]!r}?"
    return ""


def _edits(one: str, other: str) -> int:
    """How many letters to put in, take out, replace, or swap with the next make one of the other
    (the optimal string alignment distance)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        before, last, row = row, before, [at]
        for to, wanted in enumerate(other, 1):
            cost = min(before[to] + 1, row[-1] + 1, before[to - 1] + (letter != wanted))
            if at > 1 and to > 1 and letter == other[to - 2] and one[at - 2] == wanted:
                cost = min(cost, last[to - 2] + 1)
            row.append(cost)
    return row[-1]


def possible(names: Collection[str]) -> str:
    """` Possible here: a, b.` with the names, where they are few enough to be read."""
    return f" Possible here: {', '.join(names)}." if 0 < len(names) <= _MANY_NAMES else ""


_MANY_NAMES = 16
