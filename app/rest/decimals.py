"""Decimals as texts, for clients whose JSON numbers are floats and lose digits.

`Accept: application/json;decimal=string` asks for them: every amount, rate and share then stands in
quotes, with the same digits. Bodies may have them so whatever is asked for.
"""

from collections.abc import Iterable
from copy import copy
from functools import cache

from sqlalchemy import Dialect
from starlette.requests import Request

from app.core import json_codec
from app.core.http.accept import asks_for_texts
from app.core.loose_types import Json, Values
from app.engine.paths import FieldType, fields_of
from app.engine.resource import Embedded, Resource
from app.rest.audience import audience_tag, reading_dialect, without_audience

_SCOPE_KEY = "decimals_as_texts"
#: What ends the entity tag of an answer in this form.
_SUFFIX = '-text"'


def wants_texts(request: Request) -> bool:
    """Whether Accept asks for decimals as texts."""
    # Asked several times of every read, of which next to none wants them.
    known: bool | None = request.scope.get(_SCOPE_KEY)
    if known is None:
        asked = [value for name, value in request.scope["headers"] if name == b"accept"]
        known = request.scope[_SCOPE_KEY] = any(
            b";" in value and asks_for_texts(value.decode("latin-1")) for value in asked
        )
    return known


def ask_for_texts(request: Request, wanted: bool) -> None:
    """Let the request have decimals as texts, or as numbers, whatever its Accept says."""
    request.scope[_SCOPE_KEY] = wanted


def dialect_of(request: Request) -> Dialect:
    """The dialect that answers to the request are compiled for."""
    dialect = reading_dialect(request)
    return _with_texts(dialect) if wants_texts(request) else dialect


@cache
def _with_texts(dialect: Dialect) -> Dialect:
    # The forms of values in JSON look at it: so statements of both forms are kept apart.
    variant = copy(dialect)
    variant.decimals_as_texts = True  # type: ignore[attr-defined]
    return variant


def tag_for(request: Request, tag: str) -> str:
    """The entity tag of the answer in the form that the request asks for: no two forms share one
    (RFC 9110, 8.8.3)."""
    tag = audience_tag(request, tag)
    return tag[:-1] + _SUFFIX if wants_texts(request) else tag


def without_form(tag: str) -> str:
    """The tag of the record, in whatever form it was read."""
    tag = tag.removesuffix(_SUFFIX) + '"' if tag.endswith(_SUFFIX) else tag
    return without_audience(tag)


def with_texts(resource: Resource, body: str) -> str:
    """The JSON of a record that is shown alone with its decimals as texts."""
    return json_codec.dumps(_written(resource, json_codec.loads(body))).decode()


def _written(at: Resource | Embedded, record: Json) -> Json:
    names = (name for name, field in fields_of(at).items() if field.field_type is FieldType.decimal)
    shown = {**record, **texts_of(record, names)}
    for name, part in at.embedded.items() if isinstance(at, Resource) else ():
        shown[name] = [_written(part, row) for row in record[name]]
    return shown


def texts_of(values: Values, names: Iterable[str]) -> dict[str, str | None]:
    """Those of the values that are named, as texts."""
    return {n: None if values[n] is None else text_of(values[n]) for n in names if n in values}


def text_of(value: object) -> str:
    """A number with all its digits, and no trailing zeros."""
    # What was read from the database in this form is one already.
    return value if isinstance(value, str) else json_codec.dumps(value).decode()
