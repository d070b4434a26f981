"""The OpenAPI document: what the service is, its sections, and examples made of seeded facts."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI

from app.core import jsontext
from app.core.edtf import bounds
from app.core.errors import FaultBody, ProblemBody
from app.core.routing import Route
from app.core.types import uuid7_of
from app.crud.parameters import filter_parameters, view_parameters
from app.crud.read_routes import ReadRoute
from app.crud.resource import Resource

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
    tags.append({"name": "codes", "description": "Code lists with labels in three languages."})
    app.openapi_tags = tags
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = made()
            _finish(document)
            _add_parameters(document, routes)
            for resource in resources:
                _add_examples(document, resource)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _finish(document: dict[str, Any]) -> None:
    """Add the problem schemas, and drop FastAPI's own error, which no operation answers with."""
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    template = "#/components/schemas/{model}"
    problem = ProblemBody.model_json_schema(ref_template=template)
    problem.pop("$defs")
    problem["properties"]["errors"]["items"] = {"$ref": template.format(model="Fault")}
    schemas["Problem"] = problem
    schemas["Fault"] = {**FaultBody.model_json_schema(), "title": "Fault"}
    for operation in _operations(document):
        answers = operation["responses"]
        content = answers.get("422", {}).get("content", {}).get("application/json", {})
        if "HTTPValidationError" in str(content):
            del answers["422"]


def _add_parameters(document: dict[str, Any], routes: Sequence[Route]) -> None:
    """Tell what can be asked of each kind of record; the filters once, for all its lists."""
    told: dict[str, Any] = document["components"].setdefault("parameters", {})
    for route in routes:
        if not isinstance(route, ReadRoute):
            continue
        method = next(iter(route.methods or ()))
        operation = document["paths"][route.path][method.lower()]
        views = view_parameters(route.resource)
        filters = filter_parameters(route.resource) if route.filtered else {}
        told |= filters
        for parameter in operation["parameters"]:
            if parameter["name"] in views:
                name = f"{route.resource.name}.{parameter['name']}"
                told[name] = {**parameter, **views[parameter["name"]]}
                filters[name] = told[name]
        own = [p for p in operation["parameters"] if p["name"] not in views]
        refs = [{"$ref": f"#/components/parameters/{name}"} for name in filters]
        operation["parameters"] = own + refs


def _operations(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]


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
    bodies = {f"{one}Create": written, f"{one}Patch": _patch(written)}
    for operation in _operations(document):
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
    from app.seeds import facts, seeded_id

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
