"""The OpenAPI document: what the service is, its sections, and examples made of seeded facts."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from fastapi import FastAPI

from app.core import jsontext
from app.core.access.callers import Need
from app.core.answers import problems
from app.core.edtf import bounds
from app.core.errors import Forbidden, InsufficientStorage, Problem, TooManyRequests, Unauthorized
from app.core.openapi import add_headers, add_problems, operations, share, simplify, unwrap
from app.core.routing import Route
from app.core.types import uuid7_of
from app.crud.feed.described import told_webhooks
from app.crud.reads.parameters import filter_parameters, view_parameters
from app.crud.reads.read_routes import ReadRoute
from app.crud.resource import Resource
from app.crud.writes.write_routes import IF_NONE_MATCH
from app.resources.code import LegalFormCode, RegionCode, SectorCode
from app.seeds import code_rows, facts, seeded_id

Json = dict[str, Any]

TITLE = "Trade-mission deals"
VERSION = "0.1.0"
DESCRIPTION = """\
Trade missions, the people and companies that take part, the agreements that come out of them, and
what becomes of each: from the mission to the deal, to its outcome, to the passage in a source that
says so.

* A record is addressed by its `id` or by its `ref`: try `/missions/novosibirsk-april`.
* Lists take filters (`amount__gte=1000000`, `mission__host_country=RU`, or a whole expression in
  `filter`), words to search for in `q`, `sort`, and cursors to walk on; `fields` and `expand` say
  what is shown. What does not exist is refused, never ignored. The [query guide](guide) shows how.
* Dates are kept as stated, in [EDTF](https://www.loc.gov/standards/datetime/): `XXXX-04-11` has no
  year, and nothing is guessed. `…_earliest` and `…_latest` are what it can mean.
* Amounts are exact; one that is not stated is null, never 0, and currencies are never added.
* Deleting moves to the trash. Every change is kept: see `…/history`.
* `?pretty=true`, with any operation, breaks the answer into lines; a browser's window gets it so.
* Every error is a problem document (RFC 9457); `errors` says what, where, and what would be right.
"""

#: What the article gives no example of.
_INVENTED: dict[str, dict[str, Any]] = {
    "Outcome": {
        "ref": "nobel-katren-first-delivery",
        "agreement_id": "nobel-katren-supply",
        "date": "2016-09",
        "status": "in_force",
        "actual_amount": 1250000,
        "currency": "USD",
        "note": "An invented example: the article does not follow up on its agreements.",
    },
    "ExchangeRate": {
        "ref": "usd-rub-2016-04-12",
        "base": "USD",
        "quote": "RUB",
        "rate": 66.3466,
        "date": "2016-04-12",
        "provider": "An invented example",
    },
}
#: What the server adds to a record beyond its fields.
_EXTRA: dict[str, dict[str, Any]] = {
    "Source": {"has_text": False},
}

_STAMP = "2026-01-15T09:30:00.000000Z"


def describe(app: FastAPI, resources: tuple[Resource, ...], routes: Sequence[Route]) -> None:
    """Set what the document says beyond its routes; it is made when first asked for."""
    app.title, app.version, app.description = TITLE, VERSION, DESCRIPTION
    tags = [{"name": r.path, "description": r.about} for r in resources]
    tags.append({"name": "search", "description": "Words, found in records of every kind."})
    tags.append({"name": "changes", "description": "Every write there was, in order."})
    tags.append({"name": "webhooks", "description": "Who is told of changes; for admins."})
    tags.append({"name": "codes", "description": "Code lists with labels in three languages."})
    tags.append({"name": "api-keys", "description": "Who may read and write; for admins."})
    tags.append({"name": "operation", "description": "For those who run the service."})
    app.openapi_tags = tags
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = made()
            add_problems(document)
            simplify(document)
            _loosen(document, resources)
            _add_parameters(document, routes)
            for resource in resources:
                _add_examples(document, resource)
            _add_headers(document, routes)
            _add_security(document, routes)
            share(document)
            document["webhooks"] = told_webhooks(resources)
            unwrap(document)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _add_parameters(document: Json, routes: Sequence[Route]) -> None:
    """Tell what can be asked of each kind of record; the filters once, for all its lists."""
    told: Json = document["components"].setdefault("parameters", {})
    schemas: Json = document["components"]["schemas"]
    codes = _code_schemas(schemas)
    for route in routes:
        if not isinstance(route, ReadRoute):
            continue
        operation = _operation(document, route)
        # What shows no records, such as an aggregate, has a `sort` of its own.
        shows = any(parameter["name"] == "fields" for parameter in operation["parameters"])
        views = view_parameters(route.resource) if shows else {}
        for parameter in operation["parameters"]:
            if parameter["name"] in views:
                name, words = views[parameter["name"]]
                # A client that is generated names its constants by these.
                names = [re.sub("^-(.*)", r"\1_descending", word) for word in words]
                schemas[name] = {"title": name, "type": "string", "enum": words}
                if names != words:
                    schemas[name]["x-enum-varnames"] = names
                items = {"$ref": f"#/components/schemas/{name}"}
                parameter["schema"] = {"type": "array", "items": items, "minItems": 1}
                parameter |= {"style": "form", "explode": False}
        if route.filtered:
            for parameter in filter_parameters(route.resource, codes):
                name = _told_as(told, route.resource, parameter)
                operation["parameters"].append({"$ref": f"#/components/parameters/{name}"})


def _told_as(told: Json, resource: Resource, parameter: Json) -> str:
    """The name of the parameter among all: what several kinds of records have stands once."""
    names = (parameter["name"], f"{resource.name}.{parameter['name']}")
    return next(name for name in names if told.setdefault(name, parameter) == parameter)


def _code_schemas(schemas: Json) -> dict[str, Json]:
    """The schemas of codes, by the table of their list: all of them where they are few enough."""
    found = {
        table: {"type": "string", "pattern": get_args(kind)[1].pattern}
        for table, kind in _MANY_CODES.items()
    }
    for table, name in _FEW_CODES.items():
        words = [row["code"] for row in code_rows(name)]
        title = f"{table.title()}Code"
        schemas[title] = {"title": title, "type": "string", "enum": words}
        found[table] = {"$ref": f"#/components/schemas/{title}"}
    return found


_FEW_CODES = {"country": "countries", "currency": "currencies", "language": "languages"}
_MANY_CODES = {"region": RegionCode, "sector": SectorCode, "legal_form": LegalFormCode}


def _loosen(document: Json, resources: Sequence[Resource]) -> None:
    """Of a record that is read any field can be left out, as `fields` asks."""
    read = [resource.name for resource in resources]
    read += [part.name for resource in resources for part in resource.parts.values()]
    for name in dict.fromkeys(read):
        schema = document["components"]["schemas"][name]
        if schema.pop("required", None):
            schema["description"] += " A key is missing only where `fields` left it out."


def _operation(document: Json, route: Route) -> Json:
    method = next(iter(route.methods or ()))
    operation: Json = document["paths"][route.path][method.lower()]
    return operation


def _add_headers(document: Json, routes: Sequence[Route]) -> None:
    """Tell the headers of answers, and what conditional requests and preferences lead to."""
    document["components"]["headers"] = {
        name: {"description": text, "schema": {"type": "string"}} for name, text in _HEADERS.items()
    }
    for route in routes:
        operation = _operation(document, route)
        answers = operation["responses"]
        if isinstance(route, ReadRoute) and route.methods == {"GET"}:
            operation["parameters"].append(IF_NONE_MATCH)
            answers["304"] = {"description": "Not modified: the answer is the one that you have."}
            for status in ("200", "304"):
                add_headers(answers[status], "ETag", "Vary")
        sent = [parameter.get("name") for parameter in operation.get("parameters", ())]
        if "200" in answers and "cursor" in sent:
            add_headers(answers["200"], "Link")
        if "format" in sent:
            add_headers(answers["200"], "Content-Disposition")
        if "dry_run" in sent:
            _add_write_headers(answers, sent)
        for status, answer in answers.items():
            add_headers(answer, *_ALWAYS.get(status, ()), "X-Request-ID")


def _add_security(document: Json, routes: Sequence[Route]) -> None:
    """Tell of each operation whether it needs a key, how to send it, and how it is refused."""
    document["components"]["securitySchemes"] = _SECURITY
    for route in routes:
        if route.needs is Need.NOTHING:
            continue
        operation = _operation(document, route)
        ways: list[Json] = [{"bearer": []}, {"basic": []}]
        if route.path.endswith((".{format}", ".csv")):
            ways.append({"address": []})
        # Where reading is public, it needs nothing: the empty requirement says so.
        operation["security"] = [{}, *ways] if route.needs is Need.READING else ways
        refusals: list[type[Problem]] = [Unauthorized, Forbidden, TooManyRequests]
        if route.methods != {"GET"}:
            refusals.append(InsufficientStorage)
        for kind in refusals:
            answer: Json = problems(kind)[kind.status]
            operation["responses"][str(kind.status)] = answer
            add_headers(answer, *_ALWAYS.get(str(kind.status), ()), "X-Request-ID")


#: The page of the documentation scrolls to the last of them.
_SECURITY: dict[str, Json] = {
    "address": {
        "type": "apiKey",
        "in": "query",
        "name": "api_key",
        "description": "A key that can only read, in the address of a file, for spreadsheets.",
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "The key as the password, with any user name: for Excel and Power BI.",
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key (`tmd_…`), or a token of the issuer that is configured.",
    },
}


def _add_write_headers(answers: Json, sent: Sequence[str | None]) -> None:
    if "Prefer" in sent and "201" in answers:
        answers["201"]["description"] = "Created. With `Prefer: return=minimal` without content."
    if "Prefer" in sent and "200" in answers:
        answers["204"] = {"description": "Done; `Prefer: return=minimal` asked for no more."}
    for status in ("200", "201", "204", "207"):
        if status not in answers:
            continue
        add_headers(answers[status], "Dry-Run")
        if status == "201":
            add_headers(answers[status], "Location")
        if "Prefer" in sent:
            add_headers(answers[status], "Preference-Applied")
        if "Idempotency-Key" in sent:
            add_headers(answers[status], "Idempotency-Replayed")
        if "Idempotency-Key" not in sent or status == "201":
            add_headers(answers[status], "ETag")


_HEADERS = {
    "Accept": "What the body can be sent as.",
    "Accept-Encoding": "How the body can be encoded.",
    "Accept-Patch": "What the body can be sent as.",
    "Content-Disposition": "A name for the file.",
    "Dry-Run": "`true` when nothing was stored, as `dry_run` asked.",
    "ETag": "Names the state of what is shown: for `If-None-Match`, and of one record that is shown"
    " whole for `If-Match`.",
    "Idempotency-Replayed": "`true` when this is the answer to an earlier request with this key.",
    "Link": "The pages that follow and precede this one (RFC 8288).",
    "Location": "The address of the new record.",
    "Preference-Applied": "Which preference of `Prefer` was followed (RFC 7240).",
    "RateLimit": "How many requests are left, and in how many seconds all are back.",
    "RateLimit-Policy": "How many requests may be sent, and in how many seconds.",
    "Retry-After": "After how many seconds to try again.",
    "Vary": "Which headers of the request the answer depends on.",
    "WWW-Authenticate": "How to send a key.",
    "X-Request-ID": "Names this request in the logs.",
}
#: Headers of problems, whatever the operation.
_ALWAYS = {
    "401": ("WWW-Authenticate",),
    "429": ("RateLimit", "RateLimit-Policy", "Retry-After"),
    "409": ("Retry-After",),
    "412": ("ETag",),
    "415": ("Accept", "Accept-Encoding", "Accept-Patch"),
    "503": ("Retry-After",),
    "507": ("Retry-After",),
}


def _add_examples(document: dict[str, Any], resource: Resource) -> None:
    written, read = examples(resource)
    one = f"#/components/schemas/{resource.name}"
    page = {
        "limit": 50,
        "next_cursor": None,
        "prev_cursor": None,
        "total": None,
        "total_is_estimate": False,
    }
    by_schema = {one: read, f"{one}List": {"data": [read], "page": page}}
    key = {"name": "key", "example": read["ref"]}
    bodies = {
        f"{one}Create": written,
        f"{one}Tree": written,
        f"{one}Patch": _patch(written),
        f"{one}Operations": {"operations": [{"op": "create", "body": written}]},
    }
    for _, _, operation in operations(document):
        if operation["tags"] == [resource.path]:
            for parameter in operation.get("parameters", ()):
                parameter |= key if parameter.get("name") == "key" else {}
        for answer in operation["responses"].values():
            _set_example(answer, by_schema)
        _set_example(operation.get("requestBody", {}), bodies)


def _set_example(place: Mapping[str, Any], by_schema: Mapping[str, Any]) -> None:
    content = place.get("content", {}).get("application/json", {})
    reference = content.get("schema", {}).get("$ref")
    if reference in by_schema:
        content["example"] = by_schema[reference]


def _patch(written: Mapping[str, Any]) -> dict[str, Any]:
    return {"note": f"Checked again: {written.get('ref', 'this record')}."}


def examples(resource: Resource) -> tuple[dict[str, Any], dict[str, Any]]:
    """A body to create a record of the kind, and a record as it is read."""
    fact = next((f for f in facts() if _shows(resource, f.resource, f.fields)), None)
    fields = dict(fact.fields if fact is not None else _INVENTED[resource.name])
    if resource.name == "Outcome":
        fields["agreement_id"] = str(seeded_id("agreement", fields["agreement_id"]))
    model = resource.create.model_validate(jsontext.loads(jsontext.dumps(fields)))
    state = model.model_dump(mode="json")
    record_id = fact.id if fact is not None else uuid7_of(1_768_469_400_000, 1)
    known = {
        **dict.fromkeys(resource.shown),
        **state,
        "id": str(record_id),
        "version": 1,
        "created_at": _STAMP,
        "updated_at": _STAMP,
        **_EXTRA.get(resource.name, {}),
    }
    for name in resource.stated:
        span = bounds(state[name])
        known[f"{name}_earliest"] = span.earliest and span.earliest.isoformat()
        known[f"{name}_latest"] = span.latest and span.latest.isoformat()
    # Example bodies are to be tried as they stand, beside the seeded record: so under another ref.
    fields["ref"] = f"{fields['ref']}-copy"
    return fields, {name: known[name] for name in resource.shown}


def _shows(resource: Resource, of: Resource, fields: Mapping[str, Any]) -> bool:
    if of.table is not resource.table:
        return False
    return resource.name != "Company" or fields.get("kind") == "company"
