"""Webhooks as they are written and read, and what is checked of them."""

import base64
import ipaddress
import secrets
from collections.abc import Callable, Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import AfterValidator, Field, StrictBool, StringConstraints

from app.core.errors import BadRequest, Fault, Invalid
from app.core.loose_types import Values
from app.core.validation import Example
from app.engine.history.change_log import Action
from app.engine.query.filter_reader import ParsedFilter
from app.engine.registry import KindName, unknown_kind
from app.engine.resource import Resource
from app.engine.schemas import Line, Page, Schema, Timestamp, distinct, patch_schema
from app.rest.changes import HistoryQuery
from app.webhooks.scheduling import read_filter
from app.webhooks.tables import ONLY_HTTPS, Rules, State

Permits = Callable[[str], bool]


class WebhookFields(Schema):
    """A new webhook."""

    name: Line
    """What it is for, in your own words."""
    url: Annotated[
        str,
        StringConstraints(max_length=2000, pattern=r"^https?://\S+$"),
        Example("https://example.org/hook"),
    ]
    """Where to send to: http:// or https://, without a name and password in it."""
    kinds: (
        Annotated[list[KindName], Field(min_length=1, max_length=50), AfterValidator(distinct)]
        | None
    ) = None
    """Only changes of these kinds of records: `agreement` or `agreements`; null for all."""
    actions: (
        Annotated[list[Action], Field(min_length=1, max_length=50), AfterValidator(distinct)] | None
    ) = None
    """Only changes of these sorts; null for all."""
    filter: Annotated[str, StringConstraints(min_length=1, max_length=2000)] | None = None
    """Only changes of records for which this holds, in the grammar of the lists' `filter`; with it
    `kinds` names exactly one. The record is judged as it is after the change, in the trash or
    not."""
    enabled: StrictBool = True
    """Whether changes are sent. What is changed while it is false is not sent later."""


WebhookPatch = patch_schema(
    "WebhookPatch", "Changes to a webhook: a JSON merge patch (RFC 7396).", WebhookFields
)


class Webhook(Schema):
    """A webhook as it is read."""

    id: UUID
    """UUID version 7."""
    name: str
    """What it is for."""
    url: str
    """Where changes are sent to."""
    kinds: list[str] | None
    """The kinds of records whose changes are sent; null for all."""
    actions: list[Action] | None
    """The sorts of changes that are sent; null for all."""
    filter: str | None
    """What must hold for the record."""
    enabled: bool
    """Whether changes are sent."""
    disabled_reason: str | None
    """Why the service itself has stopped sending; null when it has not."""
    failing_since: Timestamp | None
    """Since when no attempt has succeeded; null when the last one did."""
    rests_until: Timestamp | None
    """Until when the receiver asked by Retry-After to be left alone."""
    position: int
    """The `seq` of the change up to which it was decided what to send."""
    previous_secret_until: Timestamp | None
    """Until when messages are signed with the secret before this one, too."""
    created_at: Timestamp
    """When it was made, UTC."""
    created_by: str
    """Who made it."""
    updated_at: Timestamp
    """When it last changed, UTC."""


class WebhookWithSecret(Webhook):
    """A webhook with the secret that its messages are signed with, which is shown this once."""

    secret: str
    """`whsec_` and the secret in base64 (Standard Webhooks). Keep it where you keep passwords."""


class WebhookList(Schema):
    """A page of webhooks."""

    data: list[Webhook]
    """The webhooks, oldest first."""
    page: Page
    """Where this page lies within all of them."""


class WebhookDelivery(Schema):
    """One message: a change that a webhook is told of, or a test."""

    id: UUID
    """The same as the header `webhook-id` of every attempt, by which repetitions are known."""
    webhook_id: UUID
    """The webhook."""
    seq: int | None
    """The change; null for a test."""
    type: str
    """What happened, such as `agreement.updated`."""
    record_id: UUID | None
    """The record that was changed; null for a test."""
    state: State
    """`pending` until it is accepted, `delivered` then; `dead` when all attempts have failed."""
    attempts: int
    """How many attempts were made."""
    next_attempt_at: Timestamp | None
    """When the next attempt is made; null when there is none."""
    attempted_at: Timestamp | None
    """When the last attempt was made."""
    response_status: int | None
    """The HTTP status of the last answer; null when there was none."""
    response_text: str | None
    """The beginning of the last answer, at most 1,000 characters."""
    error: str | None
    """Why the last attempt failed; null when it did not."""
    duration_ms: int | None
    """How long the last attempt took, in milliseconds."""
    created_at: Timestamp
    """When it was decided to send it, UTC."""
    finished_at: Timestamp | None
    """When it was delivered, or given up; 30 days later it is deleted."""


class WebhookDeliveryList(Schema):
    """A page of deliveries."""

    data: list[WebhookDelivery]
    """The deliveries, newest change first."""
    page: Page
    """Where this page lies within all of them."""


class DeliveriesQuery(HistoryQuery):
    """Parameters of a webhook's deliveries."""

    state: State | None = None
    """Only deliveries that stand so: `dead` for those that were given up."""


class RedeliverQuery(Schema):
    """Which deliveries to send once more."""

    state: Literal["dead", "delivered"]
    """`dead` for those that were given up, `delivered` for those that were accepted."""


class Redelivered(Schema):
    """How many deliveries are sent once more."""

    count: int
    """How many there were."""


def new_secret() -> str:
    """A secret of 32 random bytes, as Standard Webhooks write it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def check_webhook(
    values: Values, kinds: Mapping[str, Resource], rules: Rules, permits: Permits
) -> ParsedFilter | None:
    """What the filter of a webhook asks for; Invalid (422) tells each field that is wrong."""
    faults = [Fault("url", text, pointer="/url") for text in _url_faults(values, rules, permits)]
    for at, kind in enumerate(values["kinds"] or ()):
        if kind not in kinds:
            faults.append(Fault("unknown", unknown_kind(kind, kinds), pointer=f"/kinds/{at}"))
    if values["filter"] is not None and len(values["kinds"] or ()) != 1:
        text = "A filter is of one kind of record: name it, and no other, in kinds."
        faults.append(Fault("filter", text, pointer="/filter"))
    if faults:
        raise Invalid(f"{faults[0].pointer}: {faults[0].detail}", faults)
    if values["filter"] is None:
        return None
    try:
        return read_filter(kinds[values["kinds"][0]], values["filter"])
    except BadRequest as problem:
        raise at_filter(problem) from None


def at_filter(problem: BadRequest) -> Invalid:
    """The fault of a filter expression as one of a field."""
    detail = problem.detail.removeprefix("filter: ")
    code = problem.errors[0].code if problem.errors else "filter"
    return Invalid(f"/filter: {detail}", [Fault(code, detail, pointer="/filter")])


def _url_faults(values: Values, rules: Rules, permits: Permits) -> list[str]:
    try:
        parts = urlsplit(values["url"])
        host, port = parts.hostname, parts.port
    except ValueError:
        return ["This is no address: write https://host/path, with a port from 1 to 65535 if any."]
    if not host or port == 0:
        return ["There is no host in the address: write https://host/path."]
    if parts.username is not None or parts.password is not None:
        return ["An address must not hold a name and password: they would be shown and logged."]
    if parts.fragment:
        return ["Leave out what follows the #: it is never sent."]
    if rules.only_https and parts.scheme != "https":
        return [ONLY_HTTPS]
    if not _may_be_public(host, permits):
        return [f"{host} is not a public address; whoever runs the service can allow such ones."]
    return []


def _may_be_public(host: str, permits: Permits) -> bool:
    """False for what can be told to be private without looking the name up."""
    if host == "localhost" or host.endswith(".localhost"):
        return permits("127.0.0.1")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return True
    return permits(host)
