"""Amounts of datasets in one currency: row by row, and in sum what aggregates convert."""

import csv
import io
import random
import re
from collections import Counter
from collections.abc import AsyncIterator
from decimal import ROUND_HALF_UP, Decimal
from itertools import product
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pyarrow.parquet as parquet
import pytest
from fastapi import FastAPI

from app.core import json_codec
from app.datasets.conversion import converted_columns
from app.datasets.declared import DATASETS
from tests.conftest import client_of, copy_of, serving
from tests.insights.test_converted_figures import ECB, NBK

DASHBOARDS = Path(__file__).parent.parent.parent / "docs" / "dashboards.md"
CONVERTIBLE = [dataset.name for dataset in DATASETS if dataset.money]
CURRENCIES = ("USD", "EUR", "RUB", "KZT", "GBP")
DAYS = ("2022-03-01", "2022-03-05", "2022-06-03", "2021-12-31", "1998-12-31", "2022-06", None)
#: An aggregate rounds a sum once, to 2 decimals; rows are rounded each, to 4.
CENT, ROW = Decimal("0.005"), Decimal("0.00005")


@pytest.fixture(scope="module")
async def url(template_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A database of the module's own."""
    async with copy_of(template_url, tmp_path_factory.mktemp("converted")) as url:
        yield url


@pytest.fixture(scope="module")
async def app(url: str) -> AsyncIterator[FastAPI]:
    """Agreements of any amount, currency and day, what else has amounts, and rates."""
    async with serving(url) as app, client_of(app) as client:
        for content, query in ((ECB, ""), (NBK, "?provider=NBK")):
            await _post(client, f"/exchange-rates/import{query}", content, "text/csv")
        await _enter(client)
        yield app


@pytest.fixture(scope="module")
async def deals(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Whoever entered them."""
    async with client_of(app) as client:
        yield client


@pytest.fixture
async def anybody(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Whoever has no key."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def _post(client: httpx.AsyncClient, path: str, body: Any, kind: str = "") -> Any:
    sent = {"content": body, "headers": {"Content-Type": kind}} if kind else {"json": body}
    answer = await client.post(path, **sent)
    assert answer.is_success, answer.text
    return answer.json()


async def _enter(client: httpx.AsyncClient) -> None:
    chosen = random.Random(7)
    firm = (await _post(client, "/organizations", {"kind": "company", "name": "A firm"}))["id"]
    mission = {"title": "A visit", "kind": "trade_fair", "dates": "2022-06-03"}
    cost = {"cost_amount": "100.50", "cost_currency": "EUR"}
    mission_id = (await _post(client, "/missions", mission | cost))["id"]
    common = {"instrument": "supply_contract", "mission_id": mission_id}
    parties = [{"organization_id": firm, "role": "signatory"}]
    ids = []
    for currency, signed in product(CURRENCIES, DAYS):
        amount = chosen.randint(1, 10**9)
        deal = {"title": f"{currency} {signed}", "signed": signed, "parties": parties, **common}
        money = {"amount": f"{amount / 100:.2f}", "currency": currency}
        ids.append((await _post(client, "/agreements", deal | money))["id"])
    part = {"title": "Part", "related": [{"agreement_id": ids[0], "relation": "part_of"}]}
    between = {"amount": 1, "amount_max": 3, "currency": "USD", "signed": "2022-06-03"}
    await _post(client, "/agreements", {**common, "parties": parties, **part, **between})
    paid = {"date": "2022-06-03", "actual_amount": 430, "currency": "KZT"}
    await _post(client, "/outcomes", {"agreement_id": ids[0], **paid})
    claim: dict[str, Any] = {"mission_id": mission_id, "measure": "amount"}
    claim |= {"value": 10, "value_max": 20}
    await _post(client, "/reported-totals", {**claim, "currency": "GBP", "as_of": "2022-06-04"})


async def _rows(client: httpx.AsyncClient, name: str, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get(f"/datasets/{name}.ndjson", params=query)
    assert answer.status_code == 200, answer.text
    return [json_codec.loads(line) for line in answer.content.splitlines()]


async def test_a_row_tells_its_amount_in_the_currency_and_by_which_rate(
    deals: httpx.AsyncClient,
) -> None:
    asked = {"convert_to": "USD", "rate_provider": "ECB,NBK"}
    rows = {row["title"]: row for row in await _rows(deals, "agreements", **asked)}
    told = [column.name for column in converted_columns(DATASETS[0])]

    def of(title: str) -> list[Any]:
        return [rows[title][name] for name in told]

    euros = Decimal(rows["EUR 2022-06-03"]["amount"]) * Decimal("1.0730")
    by_ecb = ["USD", "1.073", "2022-06-03", "ECB", None]
    to_4 = euros.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    assert of("EUR 2022-06-03") == [f"{to_4.normalize():f}", None, *by_ecb]
    # What is in the currency already needs no rate, and so no day.
    own = rows["USD None"]["amount"]
    assert of("USD None") == [own, None, "USD", "1", None, None, None]
    assert of("Part")[:2] == ["1", "3"]
    reasons = {title: row["not_converted"] for title, row in rows.items() if row["not_converted"]}
    assert reasons["GBP 2022-06"] == "date_is_no_day"
    assert reasons["EUR None"] == "undated"
    assert reasons["EUR 1998-12-31"] == "before_first_rate"
    assert of("EUR None")[:-1] == [None] * 6
    # In tenge for a hundred roubles, and for a dollar, of one day.
    assert rows["RUB 2022-06-03"]["rate"] == "0.0162790698"
    assert rows["RUB 2022-06-03"]["rate_provider"] == "NBK"


async def test_the_sum_of_the_rows_is_what_an_aggregate_converts(deals: httpx.AsyncClient) -> None:
    wrong = list[Any]()
    for target, provider, day in product(CURRENCIES, ("ECB", "NBK,ECB"), (None, "2022-06-03")):
        asked = {"convert_to": target, "rate_provider": provider}
        asked |= {"rate_date": day} if day else {}
        rows = await _rows(deals, "agreements", **asked)
        counted = [row for row in rows if not row["left_out"]]
        added = [Decimal(row["converted_amount"]) for row in counted if row["converted_amount"]]
        metrics = {"metrics": "sum(amount)", **asked}
        answer = await deals.get("/agreements/aggregate", params=metrics)
        assert answer.status_code == 200, answer.text
        (group,) = json_codec.loads(answer.content)["data"]
        if abs(sum(added) - group["sum_amount"]) > CENT + ROW * len(added):
            wrong.append((asked, sum(added), group["sum_amount"]))
        apart = [row for row in counted if row["not_converted"]]
        reasons = Counter((row["currency"], row["not_converted"]) for row in apart)
        told = {(n["currency"], n["reason"]): n["records"] for n in group["not_converted"]}
        if reasons != told:
            wrong.append((asked, reasons, told))
    assert not wrong


@pytest.mark.parametrize("name", CONVERTIBLE)
async def test_every_format_has_the_columns_of_the_dictionary_where_they_are_asked_for(
    deals: httpx.AsyncClient, name: str
) -> None:
    answer = (await deals.get("/datasets")).json()["data"]
    entry = next(each for each in answer if each["name"] == name)
    plain = [column["name"] for column in entry["columns"]]
    whole = [*plain, *(column["name"] for column in entry["converted_columns"])]
    rows = await _rows(deals, name, convert_to="USD")
    assert any(row["converted_amount"] for row in rows)
    text = await deals.get(f"/datasets/{name}.csv?convert_to=USD")
    read = list(csv.DictReader(io.StringIO(text.content.decode())))
    content = (await deals.get(f"/datasets/{name}.parquet?convert_to=USD")).content
    table = parquet.read_table(io.BytesIO(content))
    page = (await deals.get(f"/datasets/{name}?convert_to=USD")).json()["data"]
    assert [list(each) for each in (rows[0], read[0], page[0])] == [whole] * 3
    assert table.column_names == whole
    assert page == rows
    told = [row["converted_amount"] for row in rows]
    assert [each["converted_amount"] or None for each in read] == told
    amounts = table.column("converted_amount").to_pylist()
    assert amounts == [None if each is None else Decimal(each) for each in told]
    sheet = await deals.get(f"/datasets/{name}.xlsx?convert_to=USD")
    assert sheet.status_code == 200
    without = await _rows(deals, name)
    assert list(without[0]) == plain
    assert [{key: row[key] for key in plain} for row in rows] == without


async def test_pages_go_on_in_the_currency_and_differ_from_those_of_another(
    deals: httpx.AsyncClient,
) -> None:
    walked, cursor, whole = list[Any](), None, await _rows(deals, "agreements", convert_to="EUR")
    while cursor is not None or not walked:
        query: dict[str, Any] = {"convert_to": "EUR", "limit": 17}
        query |= {"cursor": cursor} if cursor else {}
        page = (await deals.get("/datasets/agreements", params=query)).json()
        walked += page["data"]
        cursor = page["page"]["next_cursor"]
    assert walked == whole
    tags = {
        (await deals.get(f"/datasets/agreements{query}")).headers["ETag"]
        for query in ("", "?convert_to=EUR", "?convert_to=USD", "?convert_to=USD&max_rate_age=1")
    }
    assert len(tags) == 4


async def test_what_cannot_be_converted_is_refused(deals: httpx.AsyncClient) -> None:
    wrong = []
    for address, status, text in (
        ("/targets?convert_to=USD", 400, "agreements, missions, outcomes, claims"),
        ("/mission_totals.csv?convert_to=USD", 400, "agreements, missions"),
        ("/agreements?convert_to=usd", 400, "convert_to"),
        ("/agreements.csv?convert_to=QQQ", 400, "QQQ"),
        ("/agreements?rate_date=2022-06-03", 400, "convert_to"),
        ("/agreements?convert_to=USD&rate_provider=EZB", 400, "ECB"),
        ("/agreements?convert_to=USD&max_rate_age=400", 400, "max_rate_age"),
    ):
        answer = await deals.get(f"/datasets{address}")
        if answer.status_code != status or text not in answer.text:
            wrong.append((address, answer.status_code, answer.text))
    assert not wrong


async def test_what_is_withheld_is_converted_for_nobody_else(
    deals: httpx.AsyncClient, anybody: httpx.AsyncClient
) -> None:
    (row,) = (r for r in await _rows(deals, "agreements") if r["title"] == "GBP 2022-06-03")
    address = f"/agreements/{row['id']}"
    headers = {"Content-Type": "application/merge-patch+json"}
    seen = []
    for withheld in (["amount"], []):
        answer = await deals.patch(address, json={"withheld": withheld}, headers=headers)
        assert answer.status_code == 200, answer.text
        rows = {r["id"]: r for r in await _rows(anybody, "agreements", convert_to="USD")}
        found = rows[row["id"]]
        seen.append((found["converted_amount"] is None, found["rate"] is None))
    assert seen == [(True, True), (False, False)]


async def test_the_sql_of_the_docs_joins_the_rates_that_the_service_converts_with(
    deals: httpx.AsyncClient, url: str
) -> None:
    if url.startswith("sqlite"):
        pytest.skip("the file of the views has no rates")
    (sql,) = re.findall(r"```sql\n(.*?)```", DASHBOARDS.read_text(), re.DOTALL)
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        found = await connection.fetch(sql)
    finally:
        await connection.close()
    joined = {
        str(row["id"]): (row["rate_date"].isoformat(), round(row["converted_amount"], 2))
        for row in found
        if row["rate_date"] is not None
    }
    rows = await _rows(deals, "agreements", convert_to="KZT", rate_provider="NBK")
    converted = {
        row["id"]: (row["rate_date"], round(Decimal(row["converted_amount"]), 2))
        for row in rows
        if row["rate_date"] is not None
    }
    assert joined == converted
    assert len(joined) > 3
