"""The OpenAPI document: complete, true to what is served, and its examples work as they stand."""

import gzip
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import httpx
import pytest
from jsonschema_rs import Draft202012Validator

from app.api import RESOURCES, routes
from app.crud.resource import Resource
from app.main import create_app
from app.seeds import facts, invented
from app.settings import Settings

Json = dict[str, Any]

CHANGING = ("version", "created_at", "updated_at")
# What seeds/ has no fact of: their examples are invented.
INVENTED = {r.path for r in RESOURCES if all(f.resource.table is not r.table for f in facts())}
# Parameters of lists that are no filters.
COMMON = (
    *("q", "filter", "sort", "limit", "cursor", "offset", "count", "deleted", "fields", "expand"),
)

# What the transport adds to answers, and what protects every one of them alike.
UNTOLD = (
    *("content-length", "content-type", "cache-control", "content-security-policy"),
    *("referrer-policy", "x-content-type-options", "x-frame-options"),
)

each = pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.path)


@cache
def document() -> Json:
    made: Json = create_app(Settings(database_url="sqlite:///never-opened.db")).openapi()
    return made


def resolve(reference: str) -> Any:
    found: Any = document()
    assert reference.startswith("#/")
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


@cache
def operations() -> dict[str, Json]:
    """Each operation by its method and path, with its parameters and answers in place."""
    found: dict[str, Json] = {}
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            told = {status: placed(answer) for status, answer in operation["responses"].items()}
            parameters = [placed(parameter) for parameter in operation.get("parameters", ())]
            found[f"{method.upper()} {path}"] = operation | {
                "responses": told,
                "parameters": parameters,
            }
    return found


def placed(item: Json) -> Json:
    """What the item is or refers to."""
    found: Json = resolve(item["$ref"]) if "$ref" in item else item
    return found


def operation_ids() -> list[str]:
    return [operation["operationId"] for operation in operations().values()]


every = pytest.mark.parametrize("name", operations())


def parameters(name: str) -> list[Json]:
    """The parameters of an operation, with references followed."""
    told = operations()[name].get("parameters", [])
    return [resolve(p["$ref"]) if "$ref" in p else p for p in told]


def answers(operation: Json) -> Iterator[tuple[int, Json]]:
    for status, answer in operation["responses"].items():
        yield int(status), answer.get("content", {})


def body_example(method: str, path: str) -> Any:
    return operations()[f"{method} {path}"]["requestBody"]["content"]["application/json"]["example"]


def read_example(resource: Resource) -> Json:
    answer = operations()[f"GET /{resource.path}/{{key}}"]["responses"]["200"]
    example: Json = answer["content"]["application/json"]["example"]
    return example


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def faults(schema: Json, value: Any) -> list[str]:
    """What is wrong with a value by a schema of the document."""
    whole = {**schema, "components": document()["components"]}
    found = Draft202012Validator(whole, validate_formats=True).iter_errors(value)
    return [f"{error.instance_path}: {error.message}" for error in found]


def alternatives(schema: Json) -> list[Json]:
    """What a schema may be, but null, with references followed."""
    if "$ref" in schema:
        return alternatives(resolve(schema["$ref"]))
    if "anyOf" in schema:
        return [found for option in schema["anyOf"] for found in alternatives(option)]
    return [] if schema.get("type") == "null" else [schema]


def test_the_document_is_openapi_3_1() -> None:
    assert re.fullmatch(r"3\.1\.\d+", document()["openapi"])
    info = document()["info"]
    assert info["title"]
    assert info["version"]
    assert info["description"].strip()


async def test_the_served_document_is_this_one(client: httpx.AsyncClient) -> None:
    answer = await client.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == document()


@pytest.mark.parametrize("accepted", ["gzip", "br, GZIP;q=0.5", "gzip, deflate"])
async def test_the_document_is_compressed_for_who_takes_that(
    client: httpx.AsyncClient, accepted: str
) -> None:
    plain = await client.get("/openapi.json", headers={"Accept-Encoding": "identity"})
    async with client.stream(
        "GET", "/openapi.json", headers={"Accept-Encoding": accepted}
    ) as answer:
        content = b"".join([piece async for piece in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(content) == plain.content
    assert len(content) < 250_000


@pytest.mark.parametrize("accepted", ["identity", "br", "gzip;q=0", "gzip; q=0.00", "gzipped", ""])
async def test_the_document_is_plain_for_all_others(
    client: httpx.AsyncClient, accepted: str
) -> None:
    answer = await client.get("/openapi.json", headers={"Accept-Encoding": accepted})
    assert "content-encoding" not in answer.headers
    assert answer.json() == document()


@pytest.mark.parametrize("accepted", ["identity", "gzip"])
async def test_the_document_is_sent_once(client: httpx.AsyncClient, accepted: str) -> None:
    headers = {"Accept-Encoding": accepted}
    tag = (await client.get("/openapi.json", headers=headers)).headers["etag"]
    again = await client.get("/openapi.json", headers={**headers, "If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = await client.get("/openapi.json", headers={**headers, "If-None-Match": '"other"'})
    assert other.status_code == 200
    assert not tag.startswith("W/")


async def test_the_two_forms_of_the_document_have_tags_of_their_own(
    client: httpx.AsyncClient,
) -> None:
    tags = {
        (await client.get("/openapi.json", headers={"Accept-Encoding": form})).headers["etag"]
        for form in ("identity", "gzip")
    }
    assert len(tags) == 2


def test_tags_stand_in_the_order_of_the_resources() -> None:
    names = [tag["name"] for tag in document()["tags"]]
    others = ("search", "changes", "webhooks", "codes", "api-keys", "operation")
    assert names == [*(resource.path for resource in RESOURCES), *others]
    assert all(tag["description"].strip() for tag in document()["tags"])


def test_operations_stand_in_the_order_of_the_tags() -> None:
    used = dict.fromkeys(operation["tags"][0] for operation in operations().values())
    assert list(used) == [tag["name"] for tag in document()["tags"]]


def test_every_route_is_in_the_document() -> None:
    served = {f"{method} {route.path}" for route in routes() for method in route.methods or ()}
    assert served == set(operations())


def test_operation_ids_are_unique() -> None:
    assert [name for name, times in Counter(operation_ids()).items() if times > 1] == []


def test_all_references_lead_to_something() -> None:
    for reference in set(references(document())):
        assert resolve(reference)


def test_every_schema_is_valid_json_schema() -> None:
    for name, schema in document()["components"]["schemas"].items():
        assert schema.get("title") == name
        faults(schema, None)


def test_every_schema_is_used() -> None:
    used = {reference.rpartition("/")[2] for reference in references(document())}
    assert set(document()["components"]["schemas"]) - used == set()


def test_frameworks_own_error_is_nowhere() -> None:
    assert "ValidationError" not in str(document())


@every
def test_operation_says_what_it_does(name: str) -> None:
    operation = operations()[name]
    assert operation["summary"].strip()
    assert operation.get("description", "").strip()
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation["operationId"])


@every
def test_operation_has_one_declared_tag(name: str) -> None:
    (tag,) = operations()[name]["tags"]
    assert tag in [declared["name"] for declared in document()["tags"]]


@every
def test_parameters_are_described_and_named_once(name: str) -> None:
    told = parameters(name)
    assert [p["name"] for p in told if not p.get("description", "").strip()] == []
    assert len({(p["name"], p["in"]) for p in told}) == len(told)
    in_path = {p["name"] for p in told if p["in"] == "path"}
    assert in_path == set(re.findall(r"{(\w+)}", name))


@every
def test_parameters_have_types(name: str) -> None:
    for parameter in parameters(name):
        options = alternatives(parameter["schema"])
        assert options, parameter["name"]
        assert all("type" in option for option in options), parameter["name"]


@every
def test_parameters_are_never_null(name: str) -> None:
    """No text in an address means null, and many generators make a mess of it."""
    for parameter in operations()[name]["parameters"]:
        assert "anyOf" not in parameter["schema"], parameter["name"]
        assert "null" not in str(parameter["schema"].get("type")), parameter["name"]


@every
def test_success_has_a_named_schema(name: str) -> None:
    done = {status: content for status, content in answers(operations()[name]) if status < 300}
    assert done
    for status, content in done.items():
        assert bool(content) == (status != 204), status
        if "application/json" in content:
            assert list(content["application/json"]["schema"]) == ["$ref"]


@every
def test_reads_can_be_conditional(name: str) -> None:
    operation = operations()[name]
    sent = {p["name"] for p in operation["parameters"] if p["in"] == "header"}
    if "304" in operation["responses"]:
        assert "If-None-Match" in sent
        assert {"ETag", "Vary"} <= operation["responses"]["200"]["headers"].keys()
    one = re.fullmatch(r"(PATCH|PUT|DELETE) /[a-z-]+/{key}|POST .*/restore", name)
    assert ("If-Match" in sent) == bool(one)
    if one:
        assert {"412", "428"} <= operation["responses"].keys()


@every
def test_every_answer_names_its_request(name: str) -> None:
    for status, answer in operations()[name]["responses"].items():
        assert "X-Request-ID" in answer["headers"], status


@each
async def test_answers_have_no_header_that_is_not_told(
    resource: Resource, fresh: httpx.AsyncClient
) -> None:
    at, one = f"/{resource.path}", f"/{resource.path}/{{key}}"
    body = body_example("POST", at)
    key = body["ref"]
    minimal = {"Prefer": "return=minimal", "Idempotency-Key": "told"}
    calls: list[tuple[str, str, Json]] = [
        ("POST", at, {"json": body, "params": {"dry_run": "true"}}),
        ("POST", at, {"json": body, "headers": minimal}),
        ("POST", at, {"json": body, "headers": minimal}),
        ("POST", at, {"json": body}),
        ("POST", at, {"content": b"{}"}),
        ("GET", at, {"params": {"limit": 1}}),
        ("GET", at, {"headers": {"If-None-Match": "*"}}),
        ("GET", f"{at}.{{format}}", {}),
        ("GET", f"{at}/aggregate", {}),
        ("GET", one, {}),
        ("GET", f"{one}/history", {"params": {"limit": 1}}),
        ("PATCH", one, {"json": {"note": "told"}, "headers": minimal}),
        ("PATCH", one, {"json": {"note": "told"}, "headers": {"If-Match": '"other"'}}),
        ("PUT", one, {"json": body}),
        ("DELETE", one, {}),
        ("POST", f"{one}/restore", {}),
    ]
    for method, path, sent in calls:
        answer = await fresh.request(method, path.format(key=key, format="csv"), **sent)
        told = operations()[f"{method} {path}"]["responses"]
        assert str(answer.status_code) in told, (method, path, answer.text)
        names = {name.lower() for name in told[str(answer.status_code)]["headers"]}
        assert set(answer.headers) - names - set(UNTOLD) == set(), (
            method,
            path,
            answer.status_code,
        )


@each
def test_a_record_as_read_needs_no_field_and_one_that_is_sent_does(resource: Resource) -> None:
    """`fields` leaves out any of them; what is missing from a body is a mistake."""
    assert "required" not in resolve(f"#/components/schemas/{resource.name}")
    for part in resource.parts.values():
        assert "required" not in resolve(f"#/components/schemas/{part.name}")
    assert resolve(f"#/components/schemas/{resource.name}List")["required"] == ["data", "page"]
    needed = {n for n, info in resource.create.model_fields.items() if info.is_required()}
    assert set(resolve(f"#/components/schemas/{resource.name}Create").get("required", ())) == needed


def test_nothing_that_repeats_stands_in_full_twice() -> None:
    told = [
        str(item)
        for path in document()["paths"].values()
        for operation in path.values()
        for item in (*operation.get("parameters", ()), *operation["responses"].values())
        if "$ref" not in item
    ]
    assert [text for text, times in Counter(told).items() if times > 1] == []


@every
def test_errors_are_problem_documents(name: str) -> None:
    errors = [(status, content) for status, content in answers(operations()[name]) if status >= 400]
    assert {400, 500, 503} <= {status for status, _ in errors}
    for status, content in errors:
        assert list(content) == ["application/problem+json"], status
        schema = content["application/problem+json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Problem"}, status


@every
def test_records_and_lists_have_valid_examples(name: str) -> None:
    """What shows one kind of record, alone or in a list, shows an example of it."""
    names = [name for resource in RESOURCES for name in (resource.name, f"{resource.name}List")]
    shown = [f"#/components/schemas/{name}" for name in names]
    for status, content in answers(operations()[name]):
        media = content.get("application/json", {})
        if status < 300 and media.get("schema", {}).get("$ref") in shown:
            assert faults(media["schema"], media["example"]) == []


@every
def test_bodies_have_valid_examples(name: str) -> None:
    content = operations()[name].get("requestBody", {}).get("content", {})
    if "application/json" in content:
        media = content["application/json"]
        assert faults(media["schema"], media["example"]) == []


@each
def test_enum_filters_list_their_values(resource: Resource) -> None:
    """Where a record's field is one of a few words, so is the filter on it."""
    record = resolve(f"#/components/schemas/{resource.name}")["properties"]
    listed = {p["name"]: p["schema"] for p in operations()[f"GET /{resource.path}"]["parameters"]}
    assert {"id", "ref", "ref__in"} <= set(listed)
    for name, field in record.items():
        (whole, *others) = alternatives(field)
        if "enum" in whole and not others:
            assert alternatives(listed[name])[0]["enum"] == whole["enum"], name
            assert alternatives(listed[f"{name}__in"]["items"])[0]["enum"] == whole["enum"], name


def test_filters_of_codes_list_them_where_they_are_few() -> None:
    listed = {p["name"]: p["schema"] for p in operations()["GET /missions"]["parameters"]}
    assert {"RU", "KZ"} <= set(alternatives(listed["host_country"])[0]["enum"])
    assert {"USD", "KZT"} <= set(alternatives(listed["cost_currency__in"]["items"])[0]["enum"])
    assert re.fullmatch(listed["host_region"]["pattern"], "RU-NVS")


async def test_lists_of_names_can_be_sent_either_way(client: httpx.AsyncClient) -> None:
    """By commas, as the document says, or one by one, as most generated clients send them."""
    by_commas = "fields=id,title&sort=-amount,title&expand=mission"
    one_by_one = "fields=id&fields=title&sort=-amount&sort=title&expand=mission"
    answers = [await client.get(f"/agreements?{query}") for query in (by_commas, one_by_one)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["data"] == answers[1].json()["data"]
    assert set(answers[0].json()["data"][0]) == {"id", "title", "mission"}


@each
async def test_read_example_is_the_seeded_record(
    resource: Resource, client: httpx.AsyncClient
) -> None:
    if resource.path in INVENTED:
        pytest.skip("the article has no such fact: the example is invented")
    example = read_example(resource)
    for key in (example["id"], example["ref"]):
        answer = await client.get(f"/{resource.path}/{key}")
        assert answer.status_code == 200
        record = answer.json()
        assert list(record) == list(example)
        for name in CHANGING:
            record[name] = example[name]
        assert record == example


def test_a_kind_without_an_example_shows_one_that_its_schema_allows() -> None:
    wrong = []
    for resource in RESOURCES:
        made = invented(replace(resource, example={}))
        schema = {"$ref": f"#/components/schemas/{resource.name}Create"}
        wrong += [(resource.path, fault) for fault in faults(schema, made)]
    assert wrong == []


async def test_every_body_example_can_be_sent_as_it_stands(fresh: httpx.AsyncClient) -> None:
    for resource in RESOURCES:
        path = f"/{resource.path}"
        sent = body_example("POST", path)
        answer = await fresh.post(path, json=sent)
        assert answer.status_code == 201, answer.text
        assert faults({"$ref": f"#/components/schemas/{resource.name}"}, answer.json()) == []

        one = f"{path}/{sent['ref']}"
        for method in ("PATCH", "PUT"):
            answer = await fresh.request(method, one, json=body_example(method, f"{path}/{{key}}"))
            assert answer.status_code == 200, answer.text
            assert answer.json()["ref"] == sent["ref"]


@each
async def test_created_example_reads_as_the_read_example(
    resource: Resource, fresh: httpx.AsyncClient
) -> None:
    """The two examples show one record: what one sends, the other reads."""
    answer = await fresh.post(f"/{resource.path}", json=body_example("POST", f"/{resource.path}"))
    assert answer.status_code == 201, answer.text
    created, example = answer.json(), read_example(resource)
    for name in ("id", "ref", *CHANGING):
        created[name] = example[name]
    assert created == example


@each
async def test_put_example_fits_the_seeded_record(
    resource: Resource, fresh: httpx.AsyncClient
) -> None:
    """The docs' own key and body, tried first of all, work."""
    if resource.path in INVENTED:
        pytest.skip("the article has no such fact: the example is invented")
    one = f"/{resource.path}/{read_example(resource)['id']}"
    for method in ("PATCH", "PUT"):
        body = body_example(method, f"/{resource.path}/{{key}}")
        answer = await fresh.request(method, one, json=body)
        assert answer.status_code == 200, answer.text
