"""Aggregates of the application's records: money by currency, and every field of every kind."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.api import RESOURCES
from app.core import json_codec
from app.engine.aggregates.units import units_of
from app.engine.paths import FieldType, fields_of, relations_of
from app.engine.query.operators import operators_of
from app.engine.resource import Resource
from app.insights.converted_figures import DATED_BY
from app.resources.instrument import Bindingness

each = pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.path)

MISSION = "mission__ref=novosibirsk-april"
NUMBERS = (FieldType.integer, FieldType.decimal)


async def ask(client: httpx.AsyncClient, address: str) -> Any:
    answer = await client.get(address)
    assert answer.status_code == 200, answer.text
    return json_codec.loads(answer.content)


async def test_the_deals_of_the_article_by_year_and_currency(client: httpx.AsyncClient) -> None:
    keys = "group_by=mission.host_country,year(signed),currency"
    answer = await ask(
        client, f"/agreements/aggregate?{MISSION}&{keys}&metrics=count,sum(amount)&sort=-sum_amount"
    )
    first = {"mission_host_country": "RU", "year_signed": "undated", "currency": "USD"}
    assert answer["data"][0] == {**first, "count": 1, "sum_amount": 5000000}
    assert answer["data"][1]["sum_amount"] is None
    assert answer["missing"]["amount"] == answer["records"] - 1
    # The article states days, and no year.
    assert answer["missing"]["signed"] == answer["records"]


async def test_every_value_of_an_enumeration_and_every_code_asked_for_can_have_a_group(
    client: httpx.AsyncClient,
) -> None:
    address = f"/agreements/aggregate?{MISSION}&empty_groups=true&metrics=count,sum(amount)"
    address += "&group_by=currency,bindingness"
    answer = await ask(client, f"{address}&currency__in=USD,JPY")
    values = sorted(Bindingness)
    expected = [(code, value) for code in ("JPY", "USD") for value in values]
    assert [(g["currency"], g["bindingness"]) for g in answer["data"]] == expected
    counts = [(g["count"], g["sum_amount"]) for g in answer["data"]]
    assert sorted(counts, key=str) == [(0, None)] * (len(expected) - 1) + [(1, 5000000)]
    unknown = await client.get(f"{address}&currency__in=USD,XYZ")
    assert (unknown.status_code, unknown.json()["errors"][0]["code"]) == (400, "code")
    # A code that is asked for lies in the group of one of the level; wider ones lie in none.
    levels = "group_by=sector(sectors,division)&sectors__has=C1050,A,J"
    answer = await ask(client, f"/agreements/aggregate?empty_groups=true&{levels}")
    assert [g["sectors_division"] for g in answer["data"] if g["count"] == 0] == ["C10"]
    # Of what there is any number of, what is asked for has its group.
    parties = "group_by=parties.organization.country&parties__organization__country__in=JP,KZ"
    answer = await ask(client, f"/agreements/aggregate?empty_groups=true&{MISSION}&{parties}")
    found = {g["parties_organization_country"]: g["count"] for g in answer["data"]}
    assert found["JP"] == 0
    assert found["KZ"] == answer["records"]


# Currencies and units


@pytest.mark.parametrize("metric", ["sum(amount)", "avg(amount)", "min(amount)", "max(amount)"])
async def test_currencies_are_never_put_together(client: httpx.AsyncClient, metric: str) -> None:
    address = f"/agreements/aggregate?metrics=count,{metric}"
    answer = await client.get(address)
    (fault,) = answer.json()["errors"]
    assert (answer.status_code, fault["parameter"], fault["code"]) == (422, "metrics", "units")
    assert "currency to group_by" in fault["detail"]
    assert metric in fault["detail"]
    for right in ("group_by=currency", "group_by=status,currency"):
        assert (await client.get(f"{address}&{right}")).status_code == 200


@pytest.mark.parametrize(
    ("filters", "is_one"),
    [
        ("currency=USD", True),
        ("currency__in=USD", True),
        ("currency__in=USD,USD,USD", True),
        ("currency__in=USD,EUR", False),
        ("currency__ne=USD", False),
        ("currency__isnull=false", False),
        ("currency__isnull=true", True),
        ("currency__startswith=US", False),
        ("filter=currency eq 'USD' and amount gt 5", True),
        ("filter=amount gt 5 and (status eq 'signed' and currency eq 'USD')", True),
        ("filter=currency in ('USD')", True),
        ("filter=currency in ('USD','EUR')", False),
        ("filter=currency eq 'USD' or amount gt 5", False),
        ("filter=not (currency eq 'USD')", False),
        ("filter=not (not (currency eq 'USD'))", False),
        ("mission__cost_currency=USD", False),
    ],
)
async def test_a_filter_that_leaves_one_currency_is_enough(
    client: httpx.AsyncClient, filters: str, is_one: bool
) -> None:
    answer = await client.get(f"/agreements/aggregate?metrics=sum(amount)&{filters}")
    assert answer.status_code == (200 if is_one else 422)


async def test_the_currency_of_a_related_record_is_its_own(client: httpx.AsyncClient) -> None:
    address = "/agreements/aggregate?metrics=max(mission.cost_amount)"
    for wrong in ("", "&currency=USD", "&group_by=currency"):
        answer = await client.get(address + wrong)
        assert answer.status_code == 422
        assert "mission__cost_currency=" in answer.json()["detail"]
    for right in ("&group_by=mission.cost_currency", "&mission__cost_currency=USD"):
        assert (await client.get(address + right)).status_code == 200


@pytest.mark.parametrize(
    ("path", "field", "units"),
    [
        ("agreements", "amount", ("currency",)),
        ("outcomes", "actual_amount", ("currency",)),
        ("missions", "cost_amount", ("cost_currency",)),
        ("statements", "quantity", ("unit", "per")),
        ("statements", "amount", ("currency", "per")),
        ("reported-totals", "value", ("measure", "currency")),
        ("exchange-rates", "rate", ("base", "quote", "unit")),
    ],
)
async def test_values_are_added_within_their_unit(
    client: httpx.AsyncClient, path: str, field: str, units: tuple[str, ...]
) -> None:
    resource = next(r for r in RESOURCES if r.path == path)
    assert units_of(resource, field) == units
    address = f"/{path}/aggregate?metrics=sum({field}),avg({field})"
    answer = await client.get(address)
    assert answer.status_code == 422
    assert ",".join(units) in answer.json()["detail"]
    assert (await client.get(f"{address}&group_by={','.join(units)}")).status_code == 200


@each
def test_every_decimal_has_its_units_declared(resource: Resource) -> None:
    decimals = [
        n for n, leaf in fields_of(resource).items() if leaf.field_type is FieldType.decimal
    ]
    assert all(units_of(resource, name) for name in decimals)


# Every field of every kind


def metrics_of(resource: Resource) -> list[str]:
    found = []
    for name, leaf in fields_of(resource).items():
        found.append(f"count({name})")
        if leaf.field_type is not FieldType.list:
            found.append(f"count_distinct({name})")
        if "gt" in operators_of(leaf):
            found += [f"min({name})", f"max({name})"]
        if leaf.field_type in NUMBERS:
            found += [f"sum({name})", f"avg({name})"]
    return found


@each
async def test_every_metric_of_every_field_is_answered(
    client: httpx.AsyncClient, resource: Resource
) -> None:
    metrics = metrics_of(resource)
    for at in range(0, len(metrics), 10):
        chosen = metrics[at : at + 10]
        units = {
            unit
            for name in fields_of(resource)
            if any(f"({name})" in metric for metric in chosen)
            for unit in units_of(resource, name)
        }
        keys = f"&group_by={','.join(sorted(units))}" if units else ""
        address = f"/{resource.path}/aggregate?metrics={','.join(chosen)}&deleted=include{keys}"
        answer = await ask(client, address)
        assert bool(answer["data"]) is bool(answer["records"] or not keys)


@each
async def test_every_field_and_relation_can_be_grouped_by(
    client: httpx.AsyncClient, resource: Resource
) -> None:
    keys = []
    for name, leaf in fields_of(resource).items():
        keys.append(name)
        if leaf.field_type in (FieldType.date, FieldType.instant, FieldType.stated):
            keys += [f"{part}({name})" for part in ("year", "quarter", "month", "week", "day")]
    for name, step in relations_of(resource).items():
        keys += [f"{name}.{field}" for field in list(fields_of(step.target))[:3]]
    for key in keys:
        answer = await ask(client, f"/{resource.path}/aggregate?group_by={key}&sort=-count")
        assert answer["groups"] == len(answer["data"])
        counts = [group["count"] for group in answer["data"]]
        assert sum(counts) >= answer["records"]
        assert counts == sorted(counts, reverse=True)


async def test_codes_in_having_are_looked_up(client: httpx.AsyncClient) -> None:
    address = "/agreements/aggregate?group_by=currency&having=currency eq "
    assert (await ask(client, f"{address}'USD'"))["groups"] == 1
    answer = await client.get(f"{address}'USX'")
    (fault,) = answer.json()["errors"]
    assert (answer.status_code, fault["parameter"], fault["code"]) == (400, "having", "code")


# The document


def parameters_of(document: Any, path: str) -> dict[str, Any]:
    """The parameters of GET by name."""
    told = document["paths"][path]["get"]["parameters"]
    return {found["name"]: found for found in (resolved(document, item) for item in told)}


def resolved(document: Any, item: Any) -> Any:
    """What stands in the document, or where its reference leads."""
    for step in item.get("$ref", "#").split("/")[1:]:
        document = document[step]
    return document if "$ref" in item else item


@each
async def test_the_document_tells_the_filters_and_the_answer(
    client: httpx.AsyncClient, resource: Resource
) -> None:
    document = (await client.get("/openapi.json")).json()
    operation = document["paths"][f"/{resource.path}/aggregate"]["get"]
    told = parameters_of(document, f"/{resource.path}/aggregate")
    assert {"group_by", "metrics", "having", "sort", "limit", "q", "filter"} <= set(told)
    assert "deleted" in told
    assert f"The filters are those of `GET /{resource.path}`" in operation["description"]
    assert not {"fields", "expand", "cursor", "offset"} & set(told)
    assert all(parameter["description"] for parameter in told.values())
    assert "-sum_amount" in told["sort"]["description"]
    assert "-created_at" not in str(told["sort"]["schema"])
    answers = operation["responses"]
    content = resolved(document, answers["200"])["content"]
    schema = content["application/json"]["schema"]
    name = "ConvertedAggregate" if resource.record_type in DATED_BY else "Aggregate"
    assert schema == {"$ref": f"#/components/schemas/{name}"}
    # As CSV it has an address of its own, so that clients that are generated know what they get.
    assert list(content) == ["application/json"]
    assert {"default", "422"} <= set(answers)
    groups = document["components"]["schemas"]["Aggregate"]["properties"]["data"]["items"]
    assert groups == {"type": "object", "additionalProperties": True}


async def test_the_sort_of_lists_is_told_apart(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    told = parameters_of(document, "/agreements")["sort"]
    assert "breaks ties" in told["description"]


async def test_a_position_is_the_tag(client: httpx.AsyncClient, shared_app: FastAPI) -> None:
    tag = (await client.get("/agreements/aggregate")).headers["etag"]
    assert tag.startswith('W/"')
    headers = {"If-None-Match": tag}
    assert (await client.get("/missions/aggregate", headers=headers)).status_code == 304
