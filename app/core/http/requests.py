"""What a request says: its parameters and its body, read into models."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from app.core import json_codec
from app.core.databases.types import now
from app.core.errors import (
    BadRequest,
    Fault,
    TooLarge,
    UnsupportedMediaType,
)
from app.core.http.app_state import state_of
from app.core.loose_types import JsonValue
from app.core.query_models import OpenQuery, Several
from app.core.relative_dates import edition
from app.core.validation import Model, invalid_query, validate

JSON_TYPES = ("application/json", "application/merge-patch+json")
MAX_PARAMETERS = 200
#: The most braces and brackets, and the most commas, that a body of JSON may have: each can take a
#: hundred times its byte in memory.
MAX_OBJECTS, MAX_VALUES = 250_000, 1_000_000
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


@cache
def _several(model: Model) -> frozenset[str]:
    fields = model.model_fields.items()
    return frozenset(name for name, info in fields if Several() in info.metadata)


def read_query(model: Model, sent: bytes, also: Sequence[str] = ()) -> BaseModel:
    """The query string as the model; BadRequest tells each wrong parameter. `also` are parameters
    that there are besides, and that have been read."""
    pairs = parameters(sent)
    others: list[tuple[str, str]] = []
    if issubclass(model, OpenQuery):
        others = [pair for pair in pairs if pair[0] not in model.model_fields]
        pairs = [pair for pair in pairs if pair[0] in model.model_fields]
    values = dict(pairs)
    if len(values) != len(pairs):
        pairs = _joined(pairs, _several(model))
        values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        text = f"{twice!r} is given more than once."
        raise BadRequest(text, [Fault("repeated", text, parameter=twice)])
    try:
        query = model.model_validate(values)
    except ValidationError as error:
        raise invalid_query(error, model, also) from None
    if isinstance(query, OpenQuery):
        query._others = others
    return query


def _joined(pairs: list[tuple[str, str]], several: frozenset[str]) -> list[tuple[str, str]]:
    """The pairs with the values of each of these names joined by commas."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        if name in several:
            values.setdefault(name, []).append(value)
    others = [pair for pair in pairs if pair[0] not in values]
    return others + [(name, ",".join(texts)) for name, texts in values.items()]


def parameters(sent: bytes) -> list[tuple[str, str]]:
    """Names and values of a query string; BadRequest for what is none."""
    try:
        text = sent.decode("ascii")
        pairs = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except UnicodeDecodeError:
        raise BadRequest("The query string is not percent-encoded UTF-8.") from None
    except ValueError:
        # The one other thing that `parse_qsl` refuses.
        raise BadRequest(f"There are more than {MAX_PARAMETERS} parameters.") from None
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            text = f"{name!r} holds a NUL character, which no record can hold."
            raise BadRequest(text, [Fault("nul", text, parameter=name)])
    return pairs


def unexpected(sent: bytes) -> BadRequest:
    """The 400 of parameters where none is possible."""
    faults = [
        Fault("unknown", f"This address takes no parameter {name!r}.", parameter=name)
        for name, _ in parameters(sent)
    ]
    return BadRequest("This address takes no parameters.", faults)


def check_type(request: Request, kinds: tuple[str, ...]) -> None:
    """Refuse (415) a body that is not of one of these types, or that is compressed."""
    kind = media_type(request)
    coding = request.headers.get("content-encoding", "identity").lower()
    media_types = ", ".join(reversed(kinds))
    allowed = {"Accept": media_types, "Accept-Patch": media_types, "Accept-Encoding": "identity"}
    if kind not in kinds:
        text = f"Send the body with Content-Type: {kinds[0]}; got {kind or 'none'}."
        raise UnsupportedMediaType(text, headers=allowed)
    check_charset(request, allowed)
    if coding != "identity":
        raise UnsupportedMediaType(f"Send the body as it is, not as {coding}.", headers=allowed)


def media_type(request: Request) -> str:
    """What the body is, without parameters; empty when nobody says so."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def check_charset(
    request: Request, allowed: Mapping[str, str], known: tuple[str, ...] = ("utf-8",)
) -> None:
    """Refuse (415) a body in another encoding, which would be misread."""
    charset = charset_of(request)
    if charset is not None and charset not in known:
        text = f"Send the body in {' or '.join(known)}, not in {charset[:50] or 'none'}."
        raise UnsupportedMediaType(text, headers=allowed)


def charset_of(request: Request) -> str | None:
    """What the body is said to be encoded in; None when nobody says so."""
    for parameter in request.headers.get("content-type", "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower().replace("utf8", "utf-8")
    return None


async def read_content(request: Request, large: bool = False) -> bytes:
    """The whole body; TooLarge (413) as soon as it is known to exceed the application's limit."""
    state = state_of(request)
    limit = state.max_import if large else state.max_body
    length = request.headers.get("content-length", "0")
    content = bytearray()
    if not length.isdecimal() or int(length) <= limit:
        async for chunk in request.stream():
            content += chunk
            if len(content) > limit:
                break
        else:
            return bytes(content)
    raise TooLarge(f"The body is larger than {limit} bytes.", headers={"Connection": "close"})


def read_json(content: bytes) -> JsonValue:
    """The body as JSON; 400 for what is not, 413 for what has more parts than memory has room."""
    objects, values = content.count(b"{") + content.count(b"["), content.count(b",")
    if objects > MAX_OBJECTS or values > MAX_VALUES:
        text = f"The body has more than {MAX_OBJECTS} objects or {MAX_VALUES} values: send it in"
        raise TooLarge(f"{text} several parts.")
    try:
        value = json_codec.loads(content)
    except json_codec.JsonLimit as error:
        raise BadRequest.at("", "json", f"The body is not taken: {error}.") from None
    except json_codec.JsonError as error:
        raise BadRequest.at("", "json", f"The body is not valid JSON: {error}.") from None
    if _SURROGATE.search(content):
        try:
            json.dumps(value, ensure_ascii=False, default=str).encode()
        except UnicodeEncodeError:
            text = "The body holds half a character: a surrogate (\\ud800…) without its pair."
            raise BadRequest(text) from None
    return value


def read_body(model: Model, content: bytes) -> BaseModel:
    """The JSON body as the model; 400 for what is not JSON, 422 for what breaks a rule."""
    return validate(model, read_json(content))


def idempotency_key(request: Request) -> str | None:
    """The Idempotency-Key of a request that writes; BadRequest for what is none."""
    keys = {key.strip(" ") for key in request.headers.getlist("idempotency-key")}
    if not keys:
        return None
    if len(keys) > 1:
        text = "The request has several Idempotency-Keys; a request has one."
        raise BadRequest(text, [Fault("idempotency_key", text, parameter="Idempotency-Key")])
    (key,) = keys
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        text = "An Idempotency-Key is 1 to 255 letters, digits and signs, best a new UUID."
        raise BadRequest(text, [Fault("idempotency_key", text, parameter="Idempotency-Key")])
    return key


def edition_asked(request: Request) -> str:
    """What a tag tells of when the request was asked."""
    return edition(parameters(request.scope["query_string"]), now())
