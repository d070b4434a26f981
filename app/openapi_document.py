"""The OpenAPI document: what the service is, its sections, and examples made of seeded facts."""

import re
from collections.abc import Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import get_args

import orjson
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from app.core import json_codec
from app.core.auth.principals import Permission
from app.core.databases.types import uuid7_of
from app.core.errors import (
    Forbidden,
    Gone,
    InsufficientStorage,
    Problem,
    TooManyRequests,
    Unauthorized,
)
from app.core.http.dispatch import Route
from app.core.http.documented_headers import (
    add_headers,
    document_headers,
    headers_of,
    operation_of,
)
from app.core.http.openapi import (
    add_problems,
    drop_defaults,
    join_nulls,
    join_problems,
    name_types,
    operations,
    share,
    simplify,
    unwrap,
)
from app.core.http.responses import problems
from app.core.loose_types import Fields, Json, Values
from app.engine.keys import names_of
from app.engine.query.parameters import MAX_SORT
from app.engine.record import bound_values
from app.engine.resource import Resource
from app.engine.schemas import REF_PATTERN, Edtf, Line, Prose, Ref
from app.openapi_examples import add_examples, add_other_examples
from app.resources.code import LegalFormCode, RegionCode, SectorCode
from app.rest.documented_filters import FILTER_SCHEMAS, filter_parameters, view_parameters
from app.rest.exports import FORMATS
from app.rest.operations import ReadRoute
from app.seeds import code_rows, facts, invented
from app.webhooks.openapi import webhook_messages

TITLE = "Trade-mission deals"
VERSION = "0.1.0"
DESCRIPTION = """\
Trade missions, the people and companies that take part, the agreements that come out of them, and
what becomes of each: from the mission to the deal, to its outcome, to the passage in a source that
says so.

* A record is addressed by its `id` or by its `ref`: try `/missions/novosibirsk-april`.
* Lists take filters (`amount__gte=1000000`, `mission__host_country=RU`, or a whole expression in
  `filter`), words to search for in `q`, `sort`, and cursors to walk on; `fields` and `expand` say
  what is shown. Here stand the filters that people use most: every field and every field of related
  records takes more, and what does not exist is refused, never ignored. The [query guide](guide)
  shows how.
* Dates are kept as stated, in [EDTF](https://www.loc.gov/standards/datetime/): `XXXX-04-11` has no
  year, and nothing is guessed. `…_earliest` and `…_latest` are what it can mean.
* Amounts are exact; one that is not stated is null, never 0, and currencies are never added.
  `Accept: application/json;decimal=string` has them as texts, for clients that count in floats; a
  misspelling of it is a 406, before anything is stored.
* Deleting moves to the trash. Every change is kept: see `…/history`.
* OData 4.0, for Excel and Power BI, is at `/odata/`: see the [guide](guide#odata).
* `?pretty=true`, with any operation, breaks the answer into lines; a browser's window gets it so.
* Every error is a problem document (RFC 9457); `errors` says what, where, and what would be right.
"""

_STAMP = "2026-01-15T09:30:00.000000Z"


def describe(app: FastAPI, resources: tuple[Resource, ...], routes: Sequence[Route]) -> None:
    """Set what the document says beyond its routes; it is made when first asked for."""
    app.title, app.version, app.description = TITLE, VERSION, DESCRIPTION

    def openapi() -> Json:
        if app.openapi_schema is None:
            public_reading = app.state.authorizer.public_reading
            app.openapi_schema = orjson.loads(_document(resources, tuple(routes), public_reading))
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


@lru_cache(maxsize=2)
def _document(
    resources: tuple[Resource, ...], routes: tuple[Route, ...], public_reading: bool
) -> bytes:
    """The document as JSON. It takes seconds to make, and as objects would take 8 MB more; all
    applications of a process that have these routes share it."""
    document: Json = get_openapi(
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION,
        routes=[route.documented() for route in routes],
        tags=_tags(resources),
    )
    add_problems(document)
    simplify(document)
    _add_parameters(document, routes)
    for resource in resources:
        add_examples(document, resource, *examples(resource))
    add_other_examples(document)
    document_headers(document, routes)
    _add_security(document, routes, public_reading=public_reading)
    _put_in_order(document)
    drop_defaults(document)
    join_problems(document, _OF_ANY)
    name_types(document, _NAMED_TYPES)
    join_nulls(document)
    document["webhooks"] = webhook_messages(resources)
    share(document)
    unwrap(document)
    return json_codec.dumps(document)


def _tags(resources: tuple[Resource, ...]) -> list[Json]:
    tags = [{"name": r.path, "description": r.about} for r in resources]
    tags.append({"name": "insights", "description": "What came of missions, across all records."})
    tags.append({"name": "questions", "description": "Addresses saved under a name."})
    tags.append({"name": "receipts", "description": "Answers that are kept, to be compared."})
    tags.append({"name": "search", "description": "Words, found in records of every kind."})
    tags.append({"name": "changes", "description": "Every write there was, in order."})
    tags.append({"name": "webhooks", "description": "Who is told of changes; for admins."})
    tags.append({"name": "codes", "description": "Code lists with labels in three languages."})
    tags.append({"name": "api-keys", "description": "Who may read and write; for admins."})
    tags.append({"name": "operation", "description": "For those who run the service."})
    return tags


def _add_parameters(document: Json, routes: Sequence[Route]) -> None:
    """Tell what can be asked of each kind of record; the filters at its list alone."""
    schemas: Json = document["components"]["schemas"]
    codes = _code_schemas(schemas)
    schemas["FileFormat"] = {"type": "string", "enum": [*FORMATS]}
    # Its ids are in small letters, and so are refs.
    schemas["RecordKey"] = {"type": "string", "pattern": REF_PATTERN}
    schemas |= FILTER_SCHEMAS
    for route in routes:
        operation = operation_of(document, route)
        for parameter in operation.get("parameters", ()):
            if (table := _CODES_ASKED_FOR.get(parameter["name"])) is not None:
                parameter["schema"] = codes[table]
        if not isinstance(route, ReadRoute):
            continue
        # What shows no records, such as an aggregate, has a `sort` of its own.
        shows = any(parameter["name"] == "fields" for parameter in operation["parameters"])
        views = view_parameters(route.resource) if shows else {}
        for parameter in operation["parameters"]:
            if parameter["name"] == "format" and parameter["in"] == "path":
                parameter["schema"] = {"$ref": "#/components/schemas/FileFormat"}
            if parameter["name"] in views:
                name, words = views[parameter["name"]]
                if schemas.get(name, {}).get("enum", words) != words:
                    raise ValueError(f"{name} is the name of another schema already")
                # A client that is generated names its constants by these.
                names = [re.sub("^-(.*)", r"\1_descending", word) for word in words]
                schemas[name] = {"type": "string", "enum": words}
                if names != words:
                    schemas[name]["x-enum-varnames"] = names
                items = {"$ref": f"#/components/schemas/{name}"}
                parameter["schema"] = {"type": "array", "items": items, "minItems": 1}
                if parameter["name"] == "sort":
                    parameter["schema"]["maxItems"] = MAX_SORT
                parameter["explode"] = False
        if route.filtered and route.path == f"/{route.resource.path}" and route.methods == {"GET"}:
            operation["parameters"] += filter_parameters(route.resource, codes)
        elif route.filtered:
            operation["description"] += f" The filters are those of `GET /{route.resource.path}`."
    _name_kinds(document)


def _name_kinds(document: Json) -> None:
    """Tell of what asks for kinds of records which there are."""
    kind = {"$ref": "#/components/schemas/RecordKind"}
    for path in ("/search", "/changes", "/changes/stream"):
        for parameter in document["paths"][path]["get"]["parameters"]:
            if parameter["name"] == "kind":
                parameter["schema"] = kind
            elif parameter["name"] == "kinds":
                parameter["schema"] = {"type": "array", "items": kind, "minItems": 1}
                parameter["explode"] = False


def _code_schemas(schemas: Json) -> dict[str, Json]:
    """The schemas of codes, by the table of their list: all of them where they are few enough."""
    found = {
        table: {"type": "string", "pattern": get_args(kind)[1].pattern}
        for table, kind in _MANY_CODES.items()
    }
    for table, name in _FEW_CODES.items():
        words = [row["code"] for row in code_rows(name)]
        named = f"{table.title()}Code"
        schemas[named] = {"type": "string", "enum": words}
        found[table] = {"$ref": f"#/components/schemas/{named}"}
    return found


#: Types of values that stand in nearly every schema.
_NAMED_TYPES: dict[str, Json] = {
    name: TypeAdapter(type_).json_schema()
    for name, type_ in {"Line": Line, "Prose": Prose, "Ref": Ref, "StatedDate": Edtf}.items()
}
#: The parameters, beside filters, that take a code, by the table of its list.
_CODES_ASKED_FOR = {"currency": "currency", "country": "country", "mission_country": "country"}
_FEW_CODES = {"country": "countries", "currency": "currencies", "language": "languages"}
_MANY_CODES = {"region": RegionCode, "sector": SectorCode, "legal_form": LegalFormCode}


#: The parameters that all lists have, in the order in which a reader looks for them; the filters
#: follow them.
_FIRST = (
    *("limit", "cursor", "offset", "count", "sort", "q", "filter", "fields", "expand", "deleted"),
    "timezone",
)


def _put_in_order(document: Json) -> None:
    """The parameters of each operation as they are looked for: of the address, then of every list,
    then filters, then headers. What brings a record back stands beside what deletes it."""
    places = {"path": 0, "query": 1, "header": 2}
    for _, _, operation in operations(document):
        listed: list[Json] = operation.get("parameters", [])
        ranks = {name: at for at, name in enumerate(_FIRST)}
        listed.sort(key=lambda p: (places[p.get("in", "query")], ranks.get(p.get("name", ""), 99)))
    paths = document["paths"]
    ordered: Json = {}
    for path, item in paths.items():
        ordered.setdefault(path, item)
        if (restore := f"{path}/restore") in paths:
            ordered[restore] = paths[restore]
    document["paths"] = ordered


def _add_security(document: Json, routes: Sequence[Route], *, public_reading: bool) -> None:
    """Tell of each operation whether it needs a key, how to send it, and how it is refused."""
    document["components"]["securitySchemes"] = _SECURITY
    for route in routes:
        if route.needs is Permission.PUBLIC:
            continue
        operation = operation_of(document, route)
        ways: list[Json] = [{"bearer": []}, {"basic": []}]
        # A key in an address may read, and no more.
        is_file = route.path.endswith((".{format}", ".csv", ".ics", ".atom"))
        if is_file and route.needs is not Permission.WRITE:
            ways.append({"address": []})
        # Clients that are generated ask for a key wherever one is told of, also beside `{}`.
        free = route.needs is Permission.READ_OR_PUBLIC and public_reading
        operation["security"] = [] if free else ways
        refusals: list[type[Problem]] = [Unauthorized, Forbidden, TooManyRequests]
        if route.methods != {"GET"}:
            refusals.append(InsufficientStorage)
        if any(parameter["name"] == "cursor" for parameter in operation.get("parameters", ())):
            refusals.append(Gone)
        for kind in refusals:
            answer: Json = problems(kind)[kind.status]
            operation["responses"][str(kind.status)] = answer
            add_headers(answer, *headers_of(str(kind.status)))


#: Statuses of problems that operations can have whatever they do; 410 where they take a cursor.
_OF_ANY = frozenset({"400", "401", "403", "406", "410", "429", "431", "500", "503", "507"})
_SECURITY: dict[str, Json] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key (`tmd_…`), or a token of the issuer that is configured.",
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "The key as the password, with any user name: for Excel and Power BI.",
    },
    "address": {
        "type": "apiKey",
        "in": "query",
        "name": "api_key",
        "description": "A key that can only read, in the address of a file, for spreadsheets.",
    },
}


def examples(resource: Resource) -> tuple[Fields, Fields]:
    """A body to create a record of the kind, and a record as it is read."""
    fact = next((f for f in facts() if _shows(resource, f.resource, f.fields)), None)
    fields = dict(fact.fields) if fact is not None else invented(resource)
    model = resource.create.model_validate(json_codec.loads(json_codec.dumps(fields)))
    state = model.model_dump(mode="json")
    record_id = fact.id if fact is not None else uuid7_of(1_768_469_400_000, 1)
    known = {
        # What the server tells is nothing yet, or not so.
        **{name: False if of is bool else None for name, (of, _) in resource.read_fields.items()},
        **state,
        **_shown_of_others(resource, state),
        **resource.example_answer,
        "id": str(record_id),
        "version": 1,
        "created_at": _STAMP,
        "updated_at": _STAMP,
    }
    for name in resource.edtf_dates:
        days = bound_values(name, state[name])
        known |= {bound: day and day.isoformat() for bound, day in days.items()}
    if fact is not None:
        # Example bodies are tried as they stand, beside the seeded record: so under another ref.
        fields["ref"] = f"{fields['ref']}-copy"
    return fields, {name: known[name] for name in resource.read_fields}


def _shown_of_others(resource: Resource, state: Values) -> Fields:
    """What a record shows of the one that it is about, where it is about one of any kind."""
    about = next((f for f in facts() if str(f.id) == state.get("record_id")), None)
    if about is None:
        return {}
    title = next((about.fields[name] for name in names_of(about.resource)), None)
    shown = {"record_ref": about.fields["ref"], "record_title": title}
    return {name: value for name, value in shown.items() if name in resource.read_fields}


def _shows(resource: Resource, of: Resource, fields: Values) -> bool:
    if of.table is not resource.table:
        return False
    return resource.row_filter is None or bool(resource.row_filter(SimpleNamespace(**fields)))
