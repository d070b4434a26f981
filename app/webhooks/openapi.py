"""Webhooks' messages as the OpenAPI document tells them (3.1, `webhooks`)."""

from collections.abc import Iterable

from app.core.loose_types import Json
from app.engine.registry import by_record_type
from app.engine.resource import Resource
from app.webhooks.tables import PAST

_HEADERS = {
    "webhook-id": "Names the message, the same in every attempt: so you know those you have had.",
    "webhook-timestamp": "When this attempt was made, in seconds since 1970.",
    "webhook-signature": "`v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64; several with"
    " a space between them while a secret is being replaced.",
}
_ABOUT = """\
Judge the signature (Standard Webhooks) before you believe the message, and answer with 2xx within
15 seconds; whatever else is tried again, but 410 ends it. More is said where a webhook is made.
"""


def webhook_messages(resources: Iterable[Resource]) -> Json:
    """The message of a change, for each kind of record."""
    return {
        kind: {"post": _operation(kind, of.name)} for kind, of in by_record_type(resources).items()
    }


def _operation(kind: str, model: str) -> Json:
    types = [f"{kind}.{word}" for word in PAST.values()]
    return {
        "operationId": f"{kind}_changed",
        "summary": f"A change of one {kind.replace('_', ' ')}",
        "description": _ABOUT,
        "tags": ["webhooks"],
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": True,
                "description": about,
                "schema": {"type": "string"},
            }
            for name, about in _HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _message(types, model)}},
        },
        "responses": {"2XX": {"description": "It was taken."}},
    }


def _message(types: list[str], model: str) -> Json:
    record = {"$ref": f"#/components/schemas/{model}"}
    properties: Json = {
        "type": {"type": "string", "enum": types, "description": "What happened."},
        "timestamp": {
            "type": "string",
            "format": "date-time",
            "description": "When it happened, UTC.",
        },
        "data": {
            "type": "object",
            "properties": {
                "change": {"$ref": "#/components/schemas/ChangeEntry"},
                "record": {
                    "anyOf": [record, {"type": "null"}],
                    "description": "The record as it is when the message is sent; null when it was"
                    " purged.",
                },
            },
            "required": ["change", "record"],
        },
    }
    return {"type": "object", "properties": properties, "required": list(properties)}
