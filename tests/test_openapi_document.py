"""The OpenAPI document: complete, true to what is served, and its examples work as they stand."""

import gzip
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import httpx
import pytest
from jsonschema_rs import Draft202012Validator

from app.api import RESOURCES, routes
from app.core.errors import BadRequest
from app.engine.paths import fields_of
from app.engine.query.filter_reader import read_filters
from app.engine.query.operators import operators_of
from app.engine.resource import Resource
from app.main import create_app
from app.rest.operations import ReadRoute
from app.seeds import facts, invented
from app.settings import Settings

Json = dict[str, Any]

CHANGING = ("version", "created_at", "updated_at")
# What seeds/ has no fact of: their examples are invented.
INVENTED = {r.path for r in RESOURCES if all(f.resource.table is not r.table for f in facts())}
# Parameters of lists that are no filters, in their order.
COMMON = (
    *("limit", "cursor", "offset", "count", "sort", "q", "filter", "fields", "expand", "deleted"),
    "timezone",
)

# What the transport adds to answers, and what protects every one of them alike.
UNTOLD = (
    *("content-length", "content-type", "cache-control", "content-security-policy"),
    *("content-encoding", "referrer-policy", "x-content-type-options", "x-frame-options"),
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
    """Each operation by its method and path, with its parameters and answers in place; those of
    `default` under each status that it lists."""
    found: dict[str, Json] = {}
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            told = {status: placed(answer) for status, answer in operation["responses"].items()}
            told |= {str(status): told["default"] for status in told["default"]["x-statuses"]}
            del told["default"]
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


def wrong(check: Callable[[str], Iterable[object]]) -> str:
    """What a check of each operation finds, a line each; empty when all is well."""
    found = [f"{name}: {fault}" for name in operations() for fault in check(name)]
    return "\n".join(found)


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
    (example,) = resolve(f"#/components/schemas/{resource.name}")["examples"]
    found: Json = example
    return found


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
    assert answer.headers["vary"] == plain.headers["vary"] == "Accept, Accept-Encoding"
    assert gzip.decompress(content) == plain.content
    assert len(content) < 7_000 * len(RESOURCES)
    assert len(plain.content) < 74_000 * len(RESOURCES)


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
    others = (
        *("insights", "questions", "receipts", "search", "changes"),
        *("webhooks", "codes", "api-keys", "operation"),
    )
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


def patterns(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            yield node["pattern"]
        for value in node.values():
            yield from patterns(value)
    elif isinstance(node, list):
        for value in node:
            yield from patterns(value)


def test_patterns_escape_only_what_may_be_escaped() -> None:
    """Anything else is no regular expression of ECMA-262 where it is read as Unicode."""
    found = [
        (pattern, escaped)
        for pattern in set(patterns(document()))
        for escaped in re.findall(r"\\(.)", pattern)
        if escaped not in r"^$\.*+?()[]{}|/-dDsSwWbBnrtvfuxpP"
    ]
    assert found == []


async def test_a_flag_of_a_body_is_true_or_false(client: httpx.AsyncClient) -> None:
    webhook, statement = body_example("POST", "/webhooks"), body_example("POST", "/statements")
    for value in (0, 1, "yes", "true"):
        for path, body in (
            ("/webhooks", webhook | {"enabled": value}),
            ("/statements", statement | {"is_quote": value}),
        ):
            answer = await client.post(path, json=body)
            assert answer.status_code == 422, (path, value, answer.text)


def test_all_references_lead_to_something() -> None:
    for reference in set(references(document())):
        assert resolve(reference)


def test_every_schema_is_valid_json_schema() -> None:
    for schema in document()["components"]["schemas"].values():
        assert "title" not in schema
        faults(schema, None)


def test_every_schema_is_used() -> None:
    used = {reference.rpartition("/")[2] for reference in references(document())}
    assert set(document()["components"]["schemas"]) - used == set()


def test_frameworks_own_error_is_nowhere() -> None:
    assert "ValidationError" not in str(document())


def test_every_operation_says_what_it_does() -> None:
    def check(name: str) -> Iterator[object]:
        operation = operations()[name]
        yield from (
            f"no {part}"
            for part in ("summary", "description")
            if not operation.get(part, "").strip()
        )
        if not re.fullmatch(r"[a-z]+(_[a-z]+)*", operation["operationId"]):
            yield operation["operationId"]

    assert not wrong(check)


def test_every_operation_has_one_declared_tag() -> None:
    declared = [tag["name"] for tag in document()["tags"]]

    def check(name: str) -> Iterator[object]:
        tags = operations()[name]["tags"]
        if len(tags) != 1 or tags[0] not in declared:
            yield tags

    assert not wrong(check)


def test_parameters_are_described_and_named_once() -> None:
    def check(name: str) -> Iterator[object]:
        told = parameters(name)
        yield from (p["name"] for p in told if not p.get("description", "").strip())
        names = Counter((p["name"], p["in"]) for p in told)
        yield from (twice for twice, times in names.items() if times > 1)
        in_path = {p["name"] for p in told if p["in"] == "path"}
        yield from in_path ^ set(re.findall(r"{(\w+)}", name))

    assert not wrong(check)


def test_parameters_have_types() -> None:
    def check(name: str) -> Iterator[object]:
        for parameter in parameters(name):
            options = alternatives(parameter["schema"])
            if not options or not all("type" in option for option in options):
                yield parameter["name"]

    assert not wrong(check)


def test_parameters_are_never_null() -> None:
    """No text in an address means null, and many generators make a mess of it."""

    def check(name: str) -> Iterator[object]:
        for parameter in parameters(name):
            schema = parameter["schema"]
            if "anyOf" in schema or "null" in str(schema.get("type")):
                yield parameter["name"]

    assert not wrong(check)


def test_parameters_stand_in_the_order_in_which_they_are_looked_for() -> None:
    """Those of the address, then of every list, then filters, then headers."""

    def check(name: str) -> Iterator[object]:
        places = [p["in"] for p in parameters(name)]
        if places != sorted(places, key=("path", "query", "header").index):
            yield places
        asked = [p["name"] for p in parameters(name) if p["in"] == "query"]
        common = [name for name in COMMON if name in asked]
        if asked[: len(common)] != common:
            yield asked

    assert not wrong(check)


def test_no_operation_has_more_parameters_than_can_be_looked_through() -> None:
    counts = {name: len(parameters(name)) for name in operations()}
    assert {name: count for name, count in counts.items() if count > 70} == {}
    assert sum(count <= 25 for count in counts.values()) > 0.9 * len(counts)


def test_filters_stand_at_the_list_and_elsewhere_are_said_to_be_those() -> None:
    for route in routes():
        if not isinstance(route, ReadRoute) or not route.filtered:
            continue
        method = "".join(route.methods or ())
        listed = f"GET /{route.resource.path}"
        if f"{method} {route.path}" == listed:
            assert "guide#filters" in operations()[listed]["description"]
        else:
            description = operations()[f"{method} {route.path}"]["description"]
            assert description.endswith(f"The filters are those of `{listed}`."), route.path


def test_success_has_a_named_schema() -> None:
    def check(name: str) -> Iterator[object]:
        done = {status: content for status, content in answers(operations()[name]) if status < 300}
        if not done:
            yield "no success"
        for status, content in done.items():
            if bool(content) != (status != 204):
                yield status
            if "application/json" in content and list(content["application/json"]["schema"]) != [
                "$ref"
            ]:
                yield content

    assert not wrong(check)


def test_what_answers_with_json_answers_with_nothing_else() -> None:
    """Of several media types a typed client makes a union; files have addresses of their own."""

    def check(name: str) -> Iterator[object]:
        for status, content in answers(operations()[name]):
            if "application/json" in content and len(content) > 1:
                yield status, list(content)

    assert not wrong(check)


def test_reads_can_be_conditional() -> None:
    def check(name: str) -> Iterator[object]:
        operation = operations()[name]
        sent = {p["name"] for p in operation["parameters"] if p["in"] == "header"}
        if "304" in operation["responses"]:
            if "If-None-Match" not in sent:
                yield sent
            if not {"ETag", "Vary"} <= operation["responses"]["200"]["headers"].keys():
                yield operation["responses"]["200"]
        one = re.fullmatch(r"(PATCH|PUT|DELETE) /[a-z-]+/{key}|POST .*/(restore|(un)?merge)", name)
        if ("If-Match" in sent) != (bool(one) or name == "PUT /questions/{name}"):
            yield "If-Match"
        if one and not {"412", "428"} <= operation["responses"].keys():
            yield list(operation["responses"])

    assert not wrong(check)


def test_every_answer_names_its_request() -> None:
    def check(name: str) -> Iterator[object]:
        for status, answer in operations()[name]["responses"].items():
            if "X-Request-ID" not in answer["headers"]:
                yield status

    assert not wrong(check)


async def test_answers_have_no_header_that_is_not_told(fresh: httpx.AsyncClient) -> None:
    found = []
    for resource in RESOURCES:
        key = body_example("POST", f"/{resource.path}")["ref"]
        for method, path, sent in calls(resource):
            answer = await fresh.request(method, path.format(key=key, format="csv"), **sent)
            told = operations()[f"{method} {path}"]["responses"]
            if str(answer.status_code) not in told:
                found.append((method, path, answer.text))
                continue
            names = {name.lower() for name in told[str(answer.status_code)]["headers"]}
            if untold := set(answer.headers) - names - set(UNTOLD):
                found.append((method, path, f"{answer.status_code}: {untold}"))
    assert found == []


def calls(resource: Resource) -> list[tuple[str, str, Json]]:
    """Requests that lead to most answers there are, to be made one after another."""
    at, one = f"/{resource.path}", f"/{resource.path}/{{key}}"
    body = body_example("POST", at)
    key = body["ref"]
    minimal = {"Prefer": "return=minimal", "Idempotency-Key": f"told-{key}"}
    return [
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


def test_a_record_as_read_has_every_key_and_a_body_needs_those_that_it_must() -> None:
    """Relations are there only where `expand` names them."""
    faults = []
    for resource in RESOURCES:
        wanted = {
            resource.name: set(resource.read_fields),
            f"{resource.name}List": {"data", "page"},
        }
        wanted |= {p.name: set(p.fields.model_fields) for p in resource.embedded.values()}
        needed = {n for n, info in resource.create.model_fields.items() if info.is_required()}
        if resource.stand_ins is not None:
            # What something else can stand for need not be given.
            needed -= {name for names in resource.stand_ins.replaces.values() for name in names}
        wanted[f"{resource.name}Create"] = needed
        for name, keys in wanted.items():
            told = set(resolve(f"#/components/schemas/{name}").get("required", ()))
            faults += [(name, told ^ keys)] if told != keys else []
    assert faults == []


def test_no_body_has_a_default() -> None:
    """Generators take a field that has one for one that is always there."""
    seen: set[str] = set()
    waiting = [o["requestBody"] for o in operations().values() if "requestBody" in o]
    while waiting:
        for reference in set(references(waiting.pop())) - seen:
            seen.add(reference)
            waiting.append(resolve(reference))
    found = [
        (reference, name)
        for reference in seen
        for name, field in resolve(reference).get("properties", {}).items()
        if "default" in field
    ]
    assert len(seen) > len(RESOURCES)
    assert found == []


def test_nothing_that_repeats_stands_in_full_twice() -> None:
    told = [
        str(item)
        for path in document()["paths"].values()
        for operation in path.values()
        for item in (*operation.get("parameters", ()), *operation["responses"].values())
        if "$ref" not in item
    ]
    assert [text for text, times in Counter(told).items() if times > 1] == []


def test_problems_of_any_operation_are_told_by_one_answer_that_names_each() -> None:
    found = [one for item in document()["paths"].values() for one in item.values()]
    for operation in found:
        told = operation["responses"]
        statuses = placed(told["default"])["x-statuses"]
        assert not {str(status) for status in statuses} & set(told), operation["operationId"]
        lines = re.findall(r"^\* (\d+): ", placed(told["default"])["description"], re.MULTILINE)
        assert [int(line) for line in lines] == statuses
    assert sum("x-statuses" in one for one in document()["components"]["responses"].values()) <= 4


def test_whoever_goes_on_from_a_cursor_or_asks_for_the_past_is_told_that_it_can_be_gone() -> None:
    faults = []
    for name, operation in operations().items():
        names = {each["name"] for each in operation.get("parameters", ())}
        if ("410" in operation["responses"]) != bool(names & {"as_of", "cursor"}):
            faults.append(name)
    assert faults == []


def test_errors_are_problem_documents() -> None:
    def check(name: str) -> Iterator[object]:
        errors = [
            (status, content) for status, content in answers(operations()[name]) if status >= 400
        ]
        yield from {400, 431, 500, 503} - {status for status, _ in errors}
        for status, content in errors:
            schema = content.get("application/problem+json", {}).get("schema")
            if len(content) != 1 or schema != {"$ref": "#/components/schemas/Problem"}:
                yield status, content

    assert not wrong(check)


def test_records_and_lists_have_valid_examples() -> None:
    """What shows one kind of record, alone or in a list, shows an example of it: that of a list is
    made of the record's and the page's."""
    names = [resource.name for resource in RESOURCES] + ["Page"]
    for resource in RESOURCES:
        (data, page) = resolve(f"#/components/schemas/{resource.name}List")["properties"].values()
        assert data["items"] == {"$ref": f"#/components/schemas/{resource.name}"}
        assert page == {"$ref": "#/components/schemas/Page"}
    found = [
        f"{name}: {fault}"
        for name in names
        for schema in [resolve(f"#/components/schemas/{name}")]
        for example in schema["examples"]
        for fault in faults(schema, example)
    ]
    assert found == []


def test_bodies_have_valid_examples() -> None:
    def check(name: str) -> Iterator[object]:
        content = operations()[name].get("requestBody", {}).get("content", {})
        if "application/json" in content:
            media = content["application/json"]
            yield from faults(media["schema"], media["example"])

    assert not wrong(check)


@each
def test_enum_filters_list_their_values(resource: Resource) -> None:
    """Where a record's field is one of a few words, so is the filter on it."""
    record = resolve(f"#/components/schemas/{resource.name}")["properties"]
    listed = {p["name"]: p["schema"] for p in operations()[f"GET /{resource.path}"]["parameters"]}
    assert {"ref", "ref__in"} <= set(listed)
    for name, field in record.items():
        (whole, *others) = alternatives(field)
        if "enum" in whole and not others:
            assert alternatives(listed[name])[0]["enum"] == whole["enum"], name
            # Of what few records have, one value is asked for.
            if f"{name}__in" in listed or "anyOf" not in field:
                items = listed[f"{name}__in"]["items"]
                assert alternatives(items)[0]["enum"] == whole["enum"], name


@each
def test_every_filter_that_is_told_is_one_and_so_are_those_that_are_not(
    resource: Resource,
) -> None:
    asked = parameters(f"GET /{resource.path}")
    others = (*COMMON, "as_of")
    told = {p["name"] for p in asked if p["in"] == "query" and p["name"] not in others}
    names = {
        name if operator == "eq" else f"{name}__{operator}"
        for name, leaf in fields_of(resource).items()
        for operator in operators_of(leaf)
    }
    assert told & names
    assert names - told
    found = {name: refusal(resource, name) for name in told | names}
    # It is the value that is wrong, where anything is.
    assert {name: code for name, code in found.items() if code not in (None, "value")} == {}


def refusal(resource: Resource, name: str) -> str | None:
    """The code of what is wrong with a filter of a value that few fields can have."""
    try:
        read_filters(resource, [(name, "a value that few fields can have")])
    except BadRequest as problem:
        return problem.errors[0].code
    return None


async def test_a_misspelt_filter_is_told_the_nearest_though_that_is_not_told(
    client: httpx.AsyncClient,
) -> None:
    """The document leaves `version__gt` out, and of `id` everything."""
    for misspelt, right in (("version__gtt", "'gt'"), ("idd", "'id'"), ("titel", "'title'")):
        answer = await client.get("/agreements", params={misspelt: "1"})
        assert answer.status_code == 400
        assert f"Did you mean {right}" in answer.text, answer.text


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
    """To the record that the page names: the one that is there, or that was just created."""
    for resource in RESOURCES:
        path = f"/{resource.path}"
        answer = await fresh.post(path, json=body_example("POST", path))
        assert answer.status_code == 201, answer.text
        assert faults({"$ref": f"#/components/schemas/{resource.name}"}, answer.json()) == []

        key = read_example(resource)["ref"]
        for method in ("PATCH", "PUT"):
            sent = body_example(method, f"{path}/{{key}}")
            answer = await fresh.request(method, f"{path}/{key}", json=sent)
            assert answer.status_code == 200, answer.text
            assert answer.json()["ref"] == key


async def test_created_examples_read_as_the_read_examples(fresh: httpx.AsyncClient) -> None:
    """The two examples show one record: what one sends, the other reads."""
    for resource in RESOURCES:
        path = f"/{resource.path}"
        answer = await fresh.post(path, json=body_example("POST", path))
        assert answer.status_code == 201, answer.text
        created, example = answer.json(), read_example(resource)
        for name in ("id", "ref", *CHANGING):
            created[name] = example[name]
        assert created == example


async def test_patch_and_put_examples_fit_the_seeded_records(fresh: httpx.AsyncClient) -> None:
    """The docs' own key and body, tried first of all, work."""
    for resource in RESOURCES:
        if resource.path in INVENTED:
            continue
        one = f"/{resource.path}/{read_example(resource)['id']}"
        for method in ("PATCH", "PUT"):
            body = body_example(method, f"/{resource.path}/{{key}}")
            answer = await fresh.request(method, one, json=body)
            assert answer.status_code == 200, answer.text


def test_a_key_is_sent_as_bearer_first_and_reading_asks_for_none_where_it_is_public() -> None:
    """Generated clients ask for a key wherever one is told of, even as one way among others."""
    private = create_app(Settings(database_url="sqlite:///never-opened.db", public_reading=False))
    assert next(iter(document()["components"]["securitySchemes"])) == "bearer"
    assert document()["paths"]["/missions"]["get"]["security"] == []
    for told in (document()["paths"], private.openapi()["paths"]):
        assert next(iter(told["/missions"]["post"]["security"])) == {"bearer": []}
    reading = private.openapi()["paths"]["/missions"]["get"]["security"]
    assert reading == [{"bearer": []}, {"basic": []}]


def test_limits_are_told_in_the_words_of_json_schema() -> None:
    text = json.dumps(document())
    for name in ("ge", "gt", "le", "lt", "max_length", "min_length", "multiple_of"):
        assert f'"{name}":' not in text, name
