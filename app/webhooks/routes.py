"""The HTTP operations of webhooks and their deliveries."""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Body, Path, Query, Request
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.responses import Response

from app.core.auth.principals import Permission
from app.core.errors import (
    BadRequest,
    Conflict,
    Invalid,
    NotFound,
    TooLarge,
    UnsupportedMediaType,
)
from app.core.http.dispatch import Route
from app.core.http.operation import Answer, Operation, with_example
from app.core.http.responses import JsonResponse
from app.core.loose_types import Value
from app.engine.query.cursor import cursor_scope
from app.engine.query.filter_reader import ParsedFilter
from app.engine.registry import by_record_type
from app.engine.resource import Resource
from app.rest.changes import HistoryQuery
from app.rest.handlers import check_codes, database_of
from app.rest.pages import answer_page, current_page
from app.rest.table_lists import read_page
from app.rest.transactions import actor_of
from app.webhooks import writes
from app.webhooks.app_state import deliveries_of
from app.webhooks.reads import DELIVERIES, WEBHOOKS, read_row
from app.webhooks.schemas import (
    DeliveriesQuery,
    Redelivered,
    RedeliverQuery,
    Webhook,
    WebhookDelivery,
    WebhookDeliveryList,
    WebhookFields,
    WebhookList,
    WebhookPatch,
    WebhookWithSecret,
    at_filter,
    check_webhook,
)
from app.webhooks.tables import Delivery
from app.webhooks.tables import Webhook as Table

T = TypeVar("T")

WebhookId = Annotated[UUID, Path(description="The webhook's id.")]
DeliveryId = Annotated[UUID, Path(description="The delivery's id.")]
_WRONG_BODY = (BadRequest, TooLarge, UnsupportedMediaType, Invalid)
_NOT_FOUND = (BadRequest, NotFound)
EXAMPLE = {
    "name": "Signed agreements, for the ministry's register",
    "url": "https://register.invalid/hooks/agreements",
    "kinds": ["agreement"],
    "actions": ["create", "update"],
    "filter": "status eq 'signed'",
}
_ABOUT = """\
Messages are signed as Standard Webhooks says, with a secret that is shown in this answer alone.
Each holds a change, as in GET /changes, and the record as it is when it is sent. A webhook is told
of the changes that follow its making, each at least once: take the header `webhook-id` to know
those that you have had. Answer with 2xx within 15 seconds; whatever else is tried again, eleven
times within three days.
"""


_NOT_REPEATED = (
    "the secrets of webhooks are not kept to be shown again. If an answer was lost, look at GET"
    " /webhooks for what was stored."
)
#: Nor is the answer that shows one kept on the way, or compressed.
_SHOWN_ONCE = {"Cache-Control": "no-store"}


def webhook_routes(resources: Iterable[Resource]) -> list[Route]:
    """All operations of webhooks."""
    kinds = by_record_type(resources)
    return [*_webhooks(kinds), *_one_webhook(kinds), *_deliveries()]


def _webhooks(kinds: Mapping[str, Resource]) -> list[Route]:
    async def list_webhooks(request: Request, query: Annotated[HistoryQuery, Query()]) -> Response:
        """Oldest first."""
        at = await current_page(request, query.limit, query.cursor, cursor_scope("webhooks"))
        return answer_page(at, await read_page(at, WEBHOOKS, {}))

    async def create_webhook(request: Request, body: Annotated[WebhookFields, Body()]) -> Response:
        values = body.model_dump()
        await _check_codes(request, _checking(request, kinds)(values))
        actor, rules = actor_of(request), deliveries_of(request).rules
        made, secret = await _write(request, lambda s: writes.create(s, values, actor, rules))
        body_ = await read_row(request, Table, made)
        headers = {"Location": f"/webhooks/{made}"}
        return JsonResponse(_with_secret(body_, secret), 201, {**headers, **_SHOWN_ONCE})

    return [
        _operation(
            name="list_webhooks",
            summary="List the webhooks",
            answers=(Answer(model=WebhookList, headers=("Link",)),),
        ).route(list_webhooks),
        _operation(
            method="POST",
            name="create_webhook",
            summary="Create one webhook",
            description=_ABOUT,
            body=with_example(EXAMPLE),
            answers=(Answer(status=201, model=WebhookWithSecret),),
            refusals=(*_WRONG_BODY, Conflict),
        ).route(create_webhook),
    ]


def _one_webhook(kinds: Mapping[str, Resource]) -> list[Route]:
    async def get_webhook(request: Request, id: WebhookId) -> Response:
        """Its secret is not shown."""
        return JsonResponse(await read_row(request, Table, _id(id)))

    async def update_webhook(
        request: Request,
        id: WebhookId,
        body: Annotated[WebhookPatch, Body()],  # type: ignore[valid-type]
    ) -> Response:
        """A JSON merge patch (RFC 7396). To enable a webhook again begins with the changes from
        then on, and takes up the deliveries that were pending."""
        sent: BaseModel = body
        changes = {name: getattr(sent, name) for name in sent.model_fields_set}
        key, check = _id(id), _checking(request, kinds)
        stored = await database_of(request).write(lambda s: writes.state(s, key))
        await _check_codes(request, check({**stored, **changes}))
        # Once more, as it may have changed meanwhile.
        await _write(request, lambda s: writes.update(s, key, changes, check))
        return JsonResponse(await read_row(request, Table, key))

    async def delete_webhook(request: Request, id: WebhookId) -> Response:
        """With its deliveries, for good."""
        await _write(request, lambda s: writes.delete(s, _id(id)))
        return Response(status_code=204)

    async def rotate_webhook_secret(request: Request, id: WebhookId) -> Response:
        """The answer alone shows the new secret. For 24 hours messages are signed with the old one
        too, so that receivers can change over without missing any."""
        key, rules = _id(id), deliveries_of(request).rules
        secret = await _write(request, lambda s: writes.rotate(s, key, rules))
        body_ = _with_secret(await read_row(request, Table, key), secret)
        return JsonResponse(body_, headers=_SHOWN_ONCE)

    async def test_webhook(request: Request, id: WebhookId) -> Response:
        """A message of the type `webhook.test` is sent, once; the delivery tells what came of
        it."""
        made = await _write(request, lambda s: writes.test(s, _id(id)))
        return JsonResponse(await read_row(request, Delivery, made), 202)

    return [
        _operation(
            path="/{id}",
            name="get_webhook",
            summary="Get one webhook",
            answers=(Answer(model=Webhook),),
            refusals=_NOT_FOUND,
        ).route(get_webhook),
        _operation(
            method="PATCH",
            path="/{id}",
            name="update_webhook",
            summary="Change one webhook",
            body=with_example({"enabled": False}),
            answers=(Answer(model=Webhook),),
            refusals=(*_WRONG_BODY, NotFound),
        ).route(update_webhook),
        _operation(
            method="DELETE",
            path="/{id}",
            name="delete_webhook",
            summary="Delete one webhook",
            answers=(Answer(status=204),),
            refusals=_NOT_FOUND,
        ).route(delete_webhook),
        _operation(
            method="POST",
            path="/{id}/secret",
            name="rotate_webhook_secret",
            summary="Give one webhook a new secret",
            answers=(Answer(model=WebhookWithSecret),),
            refusals=_NOT_FOUND,
        ).route(rotate_webhook_secret),
        _operation(
            method="POST",
            path="/{id}/test",
            name="test_webhook",
            summary="Send a test to one webhook",
            answers=(Answer(status=202, model=WebhookDelivery),),
            refusals=(*_NOT_FOUND, Conflict),
        ).route(test_webhook),
    ]


def _deliveries() -> list[Route]:
    async def list_webhook_deliveries(
        request: Request, id: WebhookId, query: Annotated[DeliveriesQuery, Query()]
    ) -> Response:
        """What was sent, what is to be sent, and what was given up; newest change first."""
        key = _id(id)
        await read_row(request, Table, key)
        at = await current_page(
            request, query.limit, query.cursor, cursor_scope("deliveries", key, query.state)
        )
        values = {"webhook_id": key, "state": query.state}
        values = {name: value for name, value in values.items() if value is not None}
        return answer_page(at, await read_page(at, DELIVERIES, values))

    async def redeliver_webhook(
        request: Request, id: WebhookId, query: Annotated[RedeliverQuery, Query()]
    ) -> Response:
        """All deliveries that stand so are sent once more, under their ids, with as many attempts
        as new ones."""
        count = await _write(request, lambda s: writes.redeliver_all(s, _id(id), query.state))
        return JsonResponse(Redelivered(count=count).model_dump_json().encode(), 202)

    async def redeliver_webhook_delivery(
        request: Request, id: WebhookId, delivery: DeliveryId
    ) -> Response:
        """It is sent once more, under its id, with as many attempts as a new one."""
        key = _id(delivery, "delivery")
        await _write(request, lambda s: writes.redeliver(s, _id(id), key))
        return JsonResponse(await read_row(request, Delivery, key), 202)

    return [
        _operation(
            path="/{id}/deliveries",
            name="list_webhook_deliveries",
            summary="List the deliveries of one webhook",
            answers=(Answer(model=WebhookDeliveryList, headers=("Link",)),),
            refusals=_NOT_FOUND,
        ).route(list_webhook_deliveries),
        _operation(
            method="POST",
            path="/{id}/redeliver",
            name="redeliver_webhook",
            summary="Send deliveries of one webhook once more",
            answers=(Answer(status=202, model=Redelivered),),
            refusals=_NOT_FOUND,
        ).route(redeliver_webhook),
        _operation(
            method="POST",
            path="/{id}/deliveries/{delivery}/redeliver",
            name="redeliver_webhook_delivery",
            summary="Send one delivery once more",
            answers=(Answer(status=202, model=WebhookDelivery),),
            refusals=_NOT_FOUND,
        ).route(redeliver_webhook_delivery),
    ]


def _operation(path: str = "", **said: Value) -> Operation:
    if said.get("method", "GET") != "GET":
        said.setdefault("not_repeated", _NOT_REPEATED)
    return Operation(path=f"/webhooks{path}", tag="webhooks", needs=Permission.ADMIN, **said)


async def _write(request: Request, work: Callable[[Session], T]) -> T:
    """What the work returns, once it is stored; whoever delivers is told of it."""
    result = await database_of(request).write(work)
    deliveries_of(request).wake()
    return result


def _checking(request: Request, kinds: Mapping[str, Resource]) -> writes.Check:
    # Imported where it is used: it brings the client with it.
    from app.core.ssrf import anywhere, is_public

    rules = deliveries_of(request).rules
    permits = anywhere if rules.private else is_public
    return lambda values: check_webhook(values, kinds, rules, permits)


async def _check_codes(request: Request, parsed: ParsedFilter | None) -> None:
    if parsed is not None:
        try:
            await check_codes(request, parsed)
        except BadRequest as problem:
            raise at_filter(problem) from None


def _id(text: object, kind: str = "webhook") -> UUID:
    try:
        return UUID(str(text))
    except ValueError:
        detail = f"There is no {kind} {str(text)[:100]!r}: it is named by its id, a UUID."
        raise NotFound(detail) from None


def _with_secret(body: bytes, secret: str) -> bytes:
    return body[:-1] + b',"secret":"%b"}' % secret.encode()
