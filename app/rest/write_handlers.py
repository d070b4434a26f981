"""From a request that writes to its answer, as its headers want it."""

from collections.abc import Callable
from dataclasses import replace

from pydantic import Field
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from app.core.errors import BadRequest, Fault
from app.core.http.requests import idempotency_key
from app.engine.resource import Resource
from app.engine.schemas import Flag, Schema
from app.rest.decimals import wants_texts, with_texts
from app.rest.idempotency import write_once
from app.rest.transactions import WriteResult, write


class WriteQuery(Schema):
    """Parameters of every write."""

    dry_run: Flag = Field(False)
    """`true` checks everything and answers just so, but stores nothing."""


async def answer_write(
    request: Request,
    work: Callable[[Session], WriteResult],
    query: WriteQuery,
    resource: Resource | None = None,
) -> Response:
    """Run the work and answer with what it made, as the request's headers want it; `resource` is
    the kind of the record that it answers with."""
    key = idempotency_key(request)
    if query.dry_run:
        if key is not None:
            text = (
                "A dry run stores nothing, and so it takes no Idempotency-Key: leave the key out,"
                " and send it with the request that stores."
            )
            raise BadRequest(text, [Fault("idempotency_key", text, parameter="Idempotency-Key")])
        answer = await write(request, work, dry_run=True)
        answer = replace(answer, headers={**answer.headers, "Dry-Run": "true"})
    elif key is None:
        answer = await write(request, work)
    else:
        answer = await write_once(request, key, work)
    answer = _preferred(request, answer)
    if resource is not None and answer.body and wants_texts(request):
        answer = replace(answer, body=with_texts(resource, answer.body))
    return answer.response()


def prefers(request: Request, preference: str) -> bool:
    """Whether a Prefer header (RFC 7240) asks for this, such as `return=minimal`."""
    name, _, value = preference.partition("=")
    for word in ",".join(request.headers.getlist("prefer")).lower().split(","):
        sent, _, wanted = word.partition(";")[0].partition("=")
        # Of one that is given twice the first counts.
        if sent.strip() == name:
            return wanted.strip().strip('"') == value
    return False


def _preferred(request: Request, answer: WriteResult) -> WriteResult:
    applied = "Preference-Applied" in answer.headers
    if applied or answer.status not in (200, 201) or not prefers(request, "return=minimal"):
        return answer
    headers = {**answer.headers, "Preference-Applied": "return=minimal"}
    return WriteResult("", 201 if answer.status == 201 else 204, headers)
