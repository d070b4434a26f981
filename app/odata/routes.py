"""Where OData is served: the service document, the metadata, and whatever an address leads to."""

import re
from functools import cache
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from app.core import json_codec
from app.core.errors import BadRequest
from app.core.http.conditional import is_known, not_modified
from app.core.http.dispatch import Endpoint, Handler, Route
from app.engine.resource import Resource
from app.odata.addresses import context_of, service_root
from app.odata.connection_files import CONNECTION_FILES
from app.odata.entities import answer_record, answer_records
from app.odata.errors import ROOT, VERSION, NotSupported
from app.odata.flat_sets import answer_flat
from app.odata.forms import answer, form_of
from app.odata.metadata import metadata_xml
from app.odata.model import FlatSet, Model
from app.odata.options import read_options
from app.rest.lists import RecordSet

_STEP = re.compile(r"(?P<name>[^()]*)(\((?P<key>.*)\))?")
_KEY = re.compile(r"\s*(?:id\s*=)?\s*(?:'(?P<quoted>(?:[^']|'')*)'|(?P<plain>[^',=()\s]+))\s*")
_VERSION = re.compile(r"[0-9]\.[0-9]{1,2}(;.*)?")
_UNSUPPORTED = ("$all", "$crossjoin", "$entity", "$batch")


async def _reading_options(answer_it: Handler, request: Request) -> Response:
    """Leave the parameters to the endpoint, which reads them as options; 400 for a client that
    takes no answer of this version."""
    request.scope["query_left"] = b""
    most = request.headers.get("odata-maxversion", "4.0").strip()
    if _VERSION.fullmatch(most) is None or most < "4":
        text = f"Answers are of version 4.0, and at most {most[:20]!r} is asked for."
        raise BadRequest(f"OData-MaxVersion: {text}")
    return await answer_it(request)


class ODataRoute(Route):
    """A route below `/odata`: it reads its own parameters, and looks at Accept by itself."""

    around = staticmethod(_reading_options)

    def __init__(self, path: str, endpoint: Endpoint) -> None:
        super().__init__(path, endpoint, several_forms=True)


def odata_routes(resources: tuple[Resource, ...]) -> tuple[Route, ...]:
    """GET /odata and GET /odata/…, which stand in no OpenAPI document: `$metadata` tells all."""
    model = cache(lambda: Model(resources))
    metadata = cache(lambda: metadata_xml(model()))

    async def get_root(request: Request) -> Response:
        return _answer_service(request, model())

    async def get_odata(request: Request, path: str) -> Response:
        if path == "":
            return _answer_service(request, model())
        if path == "$metadata":
            read_options(request, ("$format",))
            return _answer_metadata(request, metadata())
        if path in CONNECTION_FILES:
            return _answer_file(request, path)
        return await _answer_path(request, model(), path)

    below = ODataRoute(f"{ROOT}/{{path}}", get_odata)
    return ODataRoute(ROOT, get_root), below.take_slashes()


def _answer_service(request: Request, model: Model) -> Response:
    """The service document (JSON Format, 5)."""
    options = read_options(request, ("$format",))
    form = form_of(request, options.get("$format"))
    listed = [
        {"name": each.name, "kind": "EntitySet", "url": each.name, "title": each.title}
        for each in model.sets.values()
    ]
    context = {"@odata.context": context_of(request)} if form.has_context else {}
    return answer(json_codec.dumps({**context, "value": listed}), form.media_type)


def _answer_file(request: Request, name: str) -> Response:
    """A file that opens the service in a program."""
    read_options(request, ())
    make, media_type = CONNECTION_FILES[name]
    saved = {"Content-Disposition": f'attachment; filename="{name}"'}
    return answer(make(service_root(request)), media_type, saved)


def _answer_metadata(request: Request, document: bytes) -> Response:
    """The document, or 304 for who has it."""
    tag = f'"{sha256(document).hexdigest()[:16]}"'
    if is_known(request, tag):
        return not_modified(tag, dict([VERSION]))
    return answer(document, "application/xml;charset=utf-8", {"ETag": tag})


async def _answer_path(request: Request, model: Model, path: str) -> Response:
    first, *rest = path.rstrip("/").split("/")
    found = _STEP.fullmatch(first)
    if found is None:
        raise BadRequest(f"{first[:100]!r} is no step of an address: write agreements(key).")
    name = found["name"]
    if name in _UNSUPPORTED:
        raise NotSupported(f"{name} is not supported: ask each set by itself.")
    entities = model.find(name)
    if isinstance(entities, FlatSet):
        return await answer_flat(request, entities, found["key"], rest)
    if found["key"] is None:
        return await answer_records(request, model, RecordSet(entities.resource), rest)
    return await answer_record(request, model, entities.resource, key_in(found["key"]), rest)


def key_in(text: str) -> str:
    """The key between the parentheses, quoted or not, with its name or without."""
    found = _KEY.fullmatch(text)
    if found is None:
        raise BadRequest(f"({text[:100]}) is no key: write (0197c5a0-0000-7000-8000-000000000000).")
    return found["plain"] or found["quoted"].replace("''", "'")
