"""Answers of one entity, of its properties, and of what it leads to."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from app.core import json_codec
from app.core.errors import BadRequest, NotFound, did_you_mean
from app.core.http.conditional import is_known, not_modified
from app.engine.query.filter_reader import ParsedFilter
from app.engine.query.parameters import View
from app.engine.resource import Resource, SubCollection
from app.odata.addresses import as_json_text, context_of
from app.odata.errors import VERSION, NotSupported
from app.odata.forms import answer, form_of
from app.odata.model import Model, navigations_of, parts_of, properties_of
from app.odata.options import SHOWING, read_options
from app.odata.sets import answer_count, answer_set
from app.odata.shown import read_shown, select_list, selectable, view_of
from app.rest.decimals import ask_for_texts, tag_for
from app.rest.handlers import check_codes, find_row
from app.rest.lists import RecordSet
from app.rest.related import ID_ALONE, check_related, needs_count

_RAW: Final = "$value"
_COUNT: Final = "$count"
#: What may follow in an address that this service has not.
_UNSUPPORTED = ("$ref", "$links", "$filter", "$each", "$query")


async def answer_records(
    request: Request, model: Model, records: RecordSet, rest: list[str]
) -> Response:
    """What an address leads to that has come to a set of records, `rest` being what follows."""
    if not rest:
        return await answer_set(request, model, records)
    if rest == [_COUNT]:
        return await answer_count(request, records)
    raise _nowhere(rest[0], [_COUNT])


async def answer_record(
    request: Request, model: Model, resource: Resource, key: str, rest: list[str]
) -> Response:
    """What an address leads to that has come to one record."""
    if not rest:
        return await _answer_entity(request, model, resource, key)
    name, *rest = rest
    if name in properties_of(resource) or name in parts_of(resource):
        return await _answer_property(request, model, resource, key, name, rest)
    step, bracket, _ = name.partition("(")
    relation = navigations_of(resource).get(step)
    if relation is None:
        raise _nowhere(name, selectable(resource))
    if bracket:
        raise NotSupported(f"A key after {step} is not supported: ask its own set for it.")
    if isinstance(relation.via, SubCollection):
        found = await find_row(request, resource, key, ID_ALONE)
        records = RecordSet(relation.via.child, relation.via, found.id)
        return await answer_records(request, model, records, rest)
    assert isinstance(relation.target, Resource)
    found = await find_row(request, resource, key, View(fields=((f"{step}_id",),)))
    target = json_codec.loads_stored(_value_in(found.body))
    if target is None:
        return _nothing()
    return await answer_record(request, model, relation.target, target, rest)


def _nowhere(name: str, known: list[str]) -> Exception:
    """What there is to say of a step that leads nowhere."""
    if name.partition("(")[0] in _UNSUPPORTED:
        return NotSupported(f"{name} in an address is not supported.")
    near = did_you_mean(name, known) or f" Possible: {', '.join(known)}."
    return NotFound(f"There is no {name[:100]!r} here.{near}")


def _nothing() -> Response:
    response = answer(b"", "application/json", status=204)
    del response.headers["content-type"]
    return response


async def _answer_entity(request: Request, model: Model, resource: Resource, key: str) -> Response:
    options = read_options(request, SHOWING)
    form = form_of(request, options.get("$format"))
    ask_for_texts(request, form.texts)
    parsed = ParsedFilter()
    shown = read_shown(resource, options, parsed)
    await check_codes(request, parsed)
    view = view_of(resource, shown)
    if needs_count(resource, view, 1):
        alone = await find_row(request, resource, key, ID_ALONE)
        await check_related(request, resource, view, [str(alone.id)], parsed.values)
    found = await find_row(request, resource, key, view, values=parsed.values)
    tag = f'W/"{found.version}-{str(found.id)[-12:]}-{found.position}-{form.tag}"'
    tag = tag_for(request, tag)
    if is_known(request, tag):
        return not_modified(tag, dict([VERSION]))
    context = context_of(request, f"{model.record_sets[resource].name}{select_list(shown)}/$entity")
    body = found.body
    if form.has_context:
        body = f'{{"@odata.context":{as_json_text(context)},{body.lstrip()[1:]}'
    return answer(body.encode(), form.media_type, {"ETag": tag})


async def _answer_property(
    request: Request, model: Model, resource: Resource, key: str, name: str, rest: list[str]
) -> Response:
    options = read_options(request, ("$format",))
    is_list = name in parts_of(resource) or properties_of(resource)[name].type.is_collection
    if rest == [_RAW] and is_list:
        raise BadRequest(f"{name} is a collection: it has no {_RAW}.")
    follows = _COUNT if is_list else _RAW
    if rest not in ([], [follows]):
        raise _nowhere(rest[0], [follows])
    form = form_of(request, None if rest else options.get("$format")) if not rest else None
    ask_for_texts(request, form is not None and form.texts)
    found = await find_row(request, resource, key, View(fields=((name,),)))
    value = _value_in(found.body)
    if value == "null":
        return _nothing()
    if rest == [_COUNT]:
        return _plain(str(len(json_codec.loads(value))))
    if form is None:
        return _plain(_raw(value))
    context = context_of(request, f"{model.record_sets[resource].name}({found.id})/{name}")
    head = f'"@odata.context":{as_json_text(context)},' if form.has_context else ""
    return answer(f'{{{head}"value":{value}}}'.encode(), form.media_type)


def _plain(text: str) -> Response:
    return answer(text.encode(), "text/plain;charset=utf-8")


def _value_in(body: str) -> str:
    """The JSON of the only value of an object."""
    return body.partition(":")[2].rpartition("}")[0].strip()


def _raw(value: str) -> str:
    """A value without JSON: a text without its quotes, anything else as it is."""
    return str(json_codec.loads(value)) if value.startswith('"') else value
