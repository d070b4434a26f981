"""Every kind of record is listed alike: filtered, sorted, in pages."""

from itertools import product

from app.api import RESOURCES
from app.core import json_codec
from app.engine.paths import fields_of
from app.engine.resource import Resource
from tests.contract.api import (
    Api,
    as_parameter,
    at,
    each,
    fault,
    filterable,
    listed,
    of_each,
    problem,
)
from tests.examples import Body


def page_of(
    limit: int,
    next_cursor: str | None = None,
    prev_cursor: str | None = None,
    total: int | None = None,
) -> Body:
    return {
        "limit": limit,
        "next_cursor": next_cursor,
        "prev_cursor": prev_cursor,
        "total": total,
        "total_is_estimate": False,
    }


@each
async def test_a_list_holds_what_was_created(api: Api, resource: Resource) -> None:
    records = await api.several(resource)
    answer = await api.get(f"/{resource.path}", note=records[0]["note"])
    assert answer == {"data": records, "page": page_of(50)}


@of_each(filterable)
async def test_a_list_is_filtered_by_each_field(api: Api, resource: Resource, name: str) -> None:
    record = await api.full(resource)
    unlike = (await api.other(resource))[name]
    address, narrow = f"/{resource.path}", {"id": record["id"]}
    # What names the moment of the whole answer is no filter.
    asked = f"{name}__eq" if name == "as_of" else name
    if record[name] is not None:
        value = as_parameter(record[name])
        assert await listed(api, address, **narrow | {asked: value}) == [record]
    if unlike not in (None, record[name]):
        value = as_parameter(unlike)
        assert record not in await listed(api, address, **narrow | {asked: value})


ODD = (
    "1" * 30,
    "-1",
    "1e400",
    "NaN",
    "Infinity",
    "",
    " ",
    "x" * 3000,
    "\ud7ff",
    "%00",
    "٣",
    "null",
)
ODD_TIMES = ("2016-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0")


def of_each_type() -> list[tuple[Resource, str]]:
    """A field of each type that a filter reads values of, so that none is like another."""
    found: dict[tuple[object, ...], tuple[Resource, str]] = {}
    for resource in RESOURCES:
        for name, field in fields_of(resource).items():
            if name in filterable(resource):
                kind = (field.field_type, repr(field.type), field.nullable, field.choices)
                codes = None if field.codes is None else field.codes.table.name
                found.setdefault((*kind, codes), (resource, name))
    return list(found.values())


async def test_an_odd_value_of_a_filter_is_no_failure(api: Api) -> None:
    wrong: list[tuple[str, str, str, str]] = []
    for (resource, name), value in product(of_each_type(), ODD + ODD_TIMES):
        answer = await api.client.get(f"/{resource.path}", params={name: value, "limit": 1})
        if answer.status_code not in (200, 400):
            wrong.append((resource.path, name, value, answer.text))
    assert wrong == []


@of_each(filterable)
async def test_a_list_is_sorted_by_each_field(api: Api, resource: Resource, name: str) -> None:
    records = await api.several(resource)
    # A date as stated is sorted by the earliest day that it can mean.
    key = f"{name}_earliest" if name in resource.edtf_dates else name
    by_value = sorted((r for r in records if r[key] is not None), key=lambda r: (r[key], r["id"]))
    without = [record for record in records if record[key] is None]
    address, narrow = f"/{resource.path}", {"note": records[0]["note"]}
    assert await listed(api, address, **narrow, sort=name) == by_value + without
    turned = by_value[::-1] + without[::-1]
    assert await listed(api, address, **narrow, sort=f"-{name}") == turned


@each
async def test_a_list_is_sorted_by_several_fields(api: Api, resource: Resource) -> None:
    records = await api.several(resource)
    found = await listed(api, f"/{resource.path}", note=records[0]["note"], sort="note,-id")
    assert found == records[::-1]


@each
async def test_pages_follow_each_other_by_their_links(api: Api, resource: Resource) -> None:
    records = await api.several(resource)
    first = {"note": records[0]["note"], "limit": 2, "count": "exact", "sort": "id"}
    answer = await api.client.get(f"/{resource.path}", params=first)
    found = []
    for led in ({"next"}, {"next", "prev"}, {"prev"}):
        page = answer.json()["page"]
        assert page == page_of(2, page["next_cursor"], page["prev_cursor"], total=6)
        assert {*answer.links} == led
        assert {name for name in ("next", "prev") if page[f"{name}_cursor"]} == led
        found += json_codec.loads(answer.content)["data"]
        if "next" in led:
            answer = await api.client.get(answer.links["next"]["url"])
    assert found == records
    before = await api.client.get(answer.links["prev"]["url"])
    assert json_codec.loads(before.content)["data"] == records[2:4]


@each
async def test_a_page_has_at_most_1000_records(api: Api, resource: Resource) -> None:
    assert (await api.get(f"/{resource.path}", limit=1001))["page"]["limit"] == 1000
    assert (await api.get(f"/{resource.path}", limit=2**53, offset=10_000))["data"] == []


REFUSED = [
    ("limit=0", "limit"),
    ("limit=-1", "limit"),
    ("limit=x", "limit"),
    (f"limit={10**30}", "limit"),
    ("offset=-1", "offset"),
    (f"offset={10**30}", "offset"),
    ("count=many", "count"),
    ("deleted=maybe", "deleted"),
    ("sort=note,,id", "sort"),
    ("sort=nowhere", "sort"),
    ("sort=--note", "sort"),
    ("expand=nowhere", "expand"),
    ("expand=a.b.c.d", "expand"),
    ("nowhere=1", "nowhere"),
    ("note=", "note"),
    ("note__in=", "note__in"),
    ("note__nowhere=1", "note__nowhere"),
    ("version__isnull=true", "version__isnull"),
    ("note__isnull=yes", "note__isnull"),
    ("version=1.5", "version"),
    ("fields=nowhere", "fields"),
    ("fields=", "fields"),
    ("expand=", "expand"),
    ("filter=", "filter"),
    ("filter=nowhere eq 1", "filter"),
    ("q=", "q"),
    ("cursor=nowhere", "cursor"),
    ("note=1&note=2", "note"),
    ("note__contains=1&note__contains=2", "note__contains"),
    ("note=%00", "note"),
]


@each
async def test_a_list_refuses_a_wrong_parameter(api: Api, resource: Resource) -> None:
    for query, parameter in REFUSED:
        answer = await api.client.get(f"/{resource.path}?{query}")
        assert fault(answer)["parameter"] == parameter, query


@each
async def test_a_parameter_that_is_not_there_is_told_the_nearest(
    api: Api, resource: Resource
) -> None:
    assert "'note'" in fault(await api.client.get(f"/{resource.path}?nota=1"))["detail"]
    assert "'note'" in fault(await api.client.get(f"/{resource.path}?sort=-nota"))["detail"]
    record = at(resource, await api.full(resource))
    assert "'expand'" in fault(await api.client.get(f"{record}?expnd=x"))["detail"]
    assert fault(await api.client.delete(f"{record}?nota=1"))["parameter"] == "nota"


@each
async def test_a_query_that_is_not_utf8_is_refused(api: Api, resource: Resource) -> None:
    for query in ("note=%FF", "note=%ED%A0%80", "%FF=1"):
        problem(await api.client.get(f"/{resource.path}?{query}"), 400)
