"""The examples of the OpenAPI document: tried one after another, as the page shows them, they work.

A record is created under a ref of its own; reads and changes are of a record that is there, which
is the seeded one, or the created one where the article has no such fact.
"""

from app.core.http.openapi import operations
from app.core.loose_types import Json, Values
from app.engine.resource import Resource

#: What is asked for where there is no record of one kind.
_PARAMETERS: dict[str, Json] = {
    "/codes/{list}": {"list": "countries"},
    "/codes/{list}/{code}": {"list": "countries", "code": "KZ"},
    "/api-keys/{name}": {"name": "Sheet of agreements"},
    "/calendar.ics": {"mission": "novosibirsk-april"},
    "/charts/{file}": {"file": "money.svg"},
    "/datasets/{name}": {"name": "agreements"},
    "/datasets/{name}.{format}": {"name": "agreements", "format": "csv"},
    "/questions/{name}": {"name": "signed-deals"},
    "/questions/{name}.{format}": {"name": "signed-deals", "format": "csv"},
    "/insights/organizations": {"min_missions": 1},
    "/insights/organizations.csv": {"min_missions": 1},
    "/search": {"q": "Новосибирск"},
    "/webhooks/{id}/redeliver": {"state": "dead"},
}
_PAGE = {
    "limit": 50,
    "next_cursor": None,
    "prev_cursor": None,
    "total": None,
    "total_is_estimate": False,
}


def add_examples(document: Json, resource: Resource, written: Json, read: Json) -> None:
    """Give the operations on a kind of record examples: `written` creates one, `read` is one that
    the answers show."""
    one = f"#/components/schemas/{resource.name}"
    schemas = document["components"]["schemas"]
    schemas[resource.name]["examples"] = [read]
    # That of a list is made of these two.
    schemas["Page"]["examples"] = [_PAGE]
    # What is created has another ref than what is there; what is there keeps its own.
    key = read["ref"]
    note = {"note": f"Checked again: {key}."}
    created = {"op": "upsert", "body": written}
    bodies: Json = {
        f"{one}Create": {**written, "ref": key},
        f"{one}Tree": written,
        f"{one}Patch": note,
        f"{one}Operations": {
            "operations": [created, {"op": "update", "key": key, "body": note}],
        },
    }
    if resource.is_mergeable:
        bodies["#/components/schemas/MergeFields"] = {"into": key}
    chosen = {"filter": f"ref eq '{key}'", "max_affected": 1}
    for path, method, operation in operations(document):
        _set(operation.get("requestBody", {}), _under_another(document, resource, written))
        if operation["tags"] != [resource.path]:
            continue
        # What was created turns out to be what is there.
        is_merged = path.endswith(("/merge", "/unmerge"))
        examples: Json = {"key": written["ref"] if is_merged else key, "format": "csv"}
        if any(p.get("name") == "max_affected" for p in operation.get("parameters", ())):
            examples |= chosen | ({"dry_run": True} if method == "delete" else {})
        for parameter in operation.get("parameters", ()):
            if parameter.get("name") in examples and parameter["in"] != "header":
                parameter["example"] = examples[parameter["name"]]
        body = operation.get("requestBody", {})
        _set(body, {f"{one}Create": written} if method == "post" and path.count("/") == 1 else {})
        _set(body, bodies)
        if path == f"/{resource.path}/import":
            body["content"]["text/csv"]["example"] = f"ref,note\n{key},{note['note']}\n"


#: What an example says of a record that need not be the one that it is created under.
_OF_ONE_RECORD = ("ref", "field", "event_id", "note", "subject")


def _under_another(document: Json, resource: Resource, written: Json) -> Json:
    """Examples of bodies that create a record under another one, by their schemas."""
    found = {}
    for name, schema in document["components"]["schemas"].items():
        if name.startswith(f"{resource.name}Under"):
            known = schema["properties"].keys() - set(_OF_ONE_RECORD)
            body = {n: v for n, v in written.items() if n in known and not n.endswith("_en")}
            found[f"#/components/schemas/{name}"] = body
    return found


def _set(place: Values, by_schema: Values) -> None:
    content = place.get("content", {}).get("application/json", {})
    reference = content.get("schema", {}).get("$ref")
    if reference in by_schema:
        content.setdefault("example", by_schema[reference])


def add_other_examples(document: Json) -> None:
    """Give parameters of operations on no kind of record examples."""
    for path, _, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            if (example := _PARAMETERS.get(path, {}).get(parameter.get("name"))) is not None:
                parameter["example"] = example
