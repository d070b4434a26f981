"""Sums in one currency: by the rates of their days, exactly, and with what is left out."""

from collections.abc import AsyncIterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.core import json_codec
from tests.conftest import client_of, copy_of, serving

#: Invented rates: of the euro as the ECB has them, which ends with the rouble on 2022-03-01 and
#: knows no tenge, and in tenge for one, or a hundred, of a currency.
ECB = b"""Date,USD,RUB,GBP,
2022-06-03,1.0730,N/A,0.8,
2022-03-02,1.1106,N/A,0.83,
2022-03-01,1.1162,117.201,0.84,
2021-12-31,1.1326,85.3004,0.85,
"""
NBK = b"""currency,date,rate,unit
USD,2022-06-03,430,1
RUB,2022-06-03,700,100
USD,2022-03-01,495,1
EUR,2022-03-01,550,1
"""


@pytest.fixture(scope="module")
async def deals(
    template_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    """Agreements of one mission in several currencies, and the rates; nothing else is written."""
    folder: Path = tmp_path_factory.mktemp("deals")
    async with copy_of(template_url, folder) as url, serving(url) as app, client_of(app) as client:
        await _enter(client)
        yield client


async def _enter(client: httpx.AsyncClient) -> None:
    for content, query in ((ECB, ""), (NBK, "?provider=NBK")):
        headers = {"Content-Type": "text/csv"}
        address = f"/exchange-rates/import{query}"
        assert (await client.post(address, content=content, headers=headers)).status_code == 200
    mission = await client.post(
        "/missions", json={"title": "A visit", "kind": "outward_mission", "ref": "a-visit"}
    )
    firm = await client.post("/organizations", json={"kind": "company", "name": "A firm"})
    assert (mission.status_code, firm.status_code) == (201, 201)
    for n, (amount, currency, signed) in enumerate(DEALS):
        deal = {
            "title": f"Deal {n}",
            "mission_id": mission.json()["id"],
            "instrument": "supply_contract",
            "signed": signed,
            "parties": [{"organization_id": firm.json()["id"], "role": "signatory"}],
        }
        money = {} if amount is None else {"amount": amount, "currency": currency}
        answer = await client.post("/agreements", json=deal | money)
        assert answer.status_code == 201, answer.text


DEALS: list[tuple[Any, str | None, str | None]] = [
    (1000, "RUB", "2022-03-05"),  # of 2022-03-01, four days before
    (1000, "RUB", "2022-03-11"),  # the last day on which that rate is young enough
    (1000, "RUB", "2022-03-12"),  # one day too late
    (50, "USD", "2022-06-04"),
    (25, "EUR", "2022-06-03"),
    (700, "KZT", "2022-06-03"),
    (10, "GBP", "2022-06"),
    (20, "USD", None),
    (30, "EUR", "1998-12-31"),
    (None, None, "2022-06-03"),
]


async def converted(client: httpx.AsyncClient, **query: Any) -> dict[str, Any]:
    given = {"metrics": "count,sum(amount)", "mission__ref": "a-visit", "convert_to": "USD"}
    answer = await client.get("/agreements/aggregate", params=given | query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json_codec.loads(answer.content)
    return found


def cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


def left_out(group: dict[str, Any]) -> set[tuple[str, str, int]]:
    # What a summary counts in agreements, an aggregate counts in records.
    counted = "agreements" if "agreements" in group else "records"
    return {(n["currency"], n["reason"], n[counted]) for n in group["not_converted"]}


async def test_each_amount_is_converted_by_the_nearest_rate_on_or_before_its_day(
    deals: httpx.AsyncClient,
) -> None:
    found = await converted(deals, rate_provider="ECB")
    (group,) = found["data"]
    of_march = Decimal("1.1162") / Decimal("117.201")
    expected = cents(2000 * of_march + 50 + 20 + 25 * Decimal("1.0730"))
    assert (group["count"], group["sum_amount"]) == (10, expected)
    assert group["original"] == [
        {"currency": "EUR", "records": 1, "sum_amount": 25},
        {"currency": "RUB", "records": 2, "sum_amount": 2000},
        # What is in the currency already needs no rate, and so no day.
        {"currency": "USD", "records": 2, "sum_amount": 70},
    ]
    assert left_out(group) == {
        ("RUB", "rate_too_old", 1),
        ("KZT", "no_rates_of_currency", 1),
        ("GBP", "date_is_no_day", 1),
        ("EUR", "before_first_rate", 1),
    }
    # Who has what those lack who were asked.
    others = {n["reason"]: n["providers"] for n in group["not_converted"] if n["providers"]}
    assert others == {"no_rates_of_currency": ["NBK"]}
    told = found["conversion"]
    used = [(r["provider"], r["date"], r["quote"], r["rate"], r["unit"]) for r in told["rates"]]
    assert used == [
        ("ECB", "2022-03-01", "RUB", Decimal("117.201"), 1),
        ("ECB", "2022-03-01", "USD", Decimal("1.1162"), 1),
        ("ECB", "2022-06-03", "USD", Decimal("1.073"), 1),
    ]
    assert (told["rates_in_all"], told["providers"], told["max_rate_age"]) == (3, ["ECB"], 10)
    rate = await deals.get(f"/exchange-rates/{told['rates'][0]['id']}")
    assert rate.json()["rate"] == 117.201


async def test_what_the_first_provider_lacks_the_next_one_has(deals: httpx.AsyncClient) -> None:
    found = await converted(deals)
    (group,) = found["data"]
    assert ("KZT", "no_rates_of_currency", 1) not in left_out(group)
    assert {"currency": "KZT", "records": 1, "sum_amount": 700} in group["original"]
    assert found["conversion"]["providers"] == ["ECB", "NBK", "CBR"]
    used = {(r["provider"], r["base"], r["quote"], r["unit"]) for r in found["conversion"]["rates"]}
    assert ("NBK", "USD", "KZT", 1) in used
    # Rates of two providers, or of two days, are never put together: the tenge is quoted by one.
    assert ("RUB", "rate_too_old", 1) in left_out(group)


async def test_what_has_no_day_is_converted_by_the_rate_date_alone(
    deals: httpx.AsyncClient,
) -> None:
    found = await converted(deals, rate_provider="ECB", rate_date="2022-03-03")
    (group,) = found["data"]
    pounds = Decimal(10) / Decimal("0.83") * Decimal("1.1106")
    without = (await converted(deals, rate_provider="ECB"))["data"][0]
    assert abs(group["sum_amount"] - without["sum_amount"] - cents(pounds)) <= Decimal("0.01")
    assert group["by_rate_date"] == 1
    assert found["conversion"]["rate_date"] == "2022-03-03"


async def test_a_summary_tells_its_totals_in_one_currency_class_by_class(
    deals: httpx.AsyncClient,
) -> None:
    plain = (await deals.get("/missions/a-visit/summary")).json()
    assert "converted" not in plain
    query = "convert_to=USD&rate_provider=ECB"
    found = json_codec.loads((await deals.get(f"/missions/a-visit/summary?{query}")).content)
    converted_totals = found.pop("converted")
    assert found.keys() == plain.keys()
    (total,) = converted_totals["totals"]
    (group,) = (await converted(deals, rate_provider="ECB"))["data"]
    assert (total["amount"], total["agreements"]) == (group["sum_amount"], 5)
    assert total["at_least"] == total["at_most"] == total["amount"]
    assert (total["firmness"], left_out(total)) == ("signed_binding", left_out(group))
    assert (
        converted_totals["rates"]
        == (await converted(deals, rate_provider="ECB"))["conversion"]["rates"]
    )
    texts = await deals.get(
        f"/missions/a-visit/summary?{query}", headers={"Accept": "application/json;decimal=string"}
    )
    assert texts.json()["converted"]["totals"][0]["amount"] == str(total["amount"])
    wrong = await deals.get("/missions/a-visit/summary?convert_to=UDS")
    assert (wrong.status_code, wrong.json()["errors"][0]["parameter"]) == (400, "convert_to")


async def test_a_record_that_stands_for_several_is_as_many_agreements_and_one_record(
    client: httpx.AsyncClient,
) -> None:
    mission = {"title": "A dozen", "kind": "outward_mission", "ref": "a-dozen-at-once"}
    dozen = {"title": "A dozen plans", "instrument": "announced_plan", "stands_for": 12}
    money = {"amount": 5, "currency": "USD"}
    claim = {"measure": "agreements", "value": 12, "mission": {"ref": mission["ref"]}}
    for path, body in (
        ("missions", mission),
        ("agreements", {**dozen, **money, "mission": {"ref": mission["ref"]}}),
        ("reported-totals", claim),
    ):
        answer = await client.post(f"/{path}", json=body)
        assert answer.status_code == 201, answer.text
    found = (await client.get("/missions/a-dozen-at-once/summary?convert_to=USD")).json()
    ((original,),) = [total["original"] for total in found["converted"]["totals"]]
    assert (original["agreements"], "records" in original) == (12, False)
    asked = "metrics=sum(amount)&mission__ref=a-dozen-at-once&convert_to=USD"
    grouped = (await client.get(f"/agreements/aggregate?{asked}")).json()
    assert grouped["data"][0]["original"][0]["records"] == 1
    held = (await client.get("/missions/a-dozen-at-once/reconciliation")).json()
    (figure,) = held["figures"]
    counts = {each["reason"]: each["count"] for each in figure["claims"][0]["reasons"]}
    assert counts["stands_for"] == 12


async def test_groups_keep_their_keys_order_and_counts(deals: httpx.AsyncClient) -> None:
    by_year = await converted(deals, group_by="year(signed)", sort="-sum_amount")
    years = [(g["year_signed"], g["count"]) for g in by_year["data"]]
    assert years == [("2022", 8), ("undated", 1), ("1998", 1)]
    assert (by_year["groups"], by_year["groups_in_all"], by_year["records"]) == (3, 3, 10)
    first = await converted(deals, group_by="year(signed)", sort="-sum_amount", limit=1)
    assert (first["data"], first["groups_in_all"]) == (by_year["data"][:1], 3)
    by_currency = await converted(deals, group_by="currency")
    assert [g["currency"] for g in by_currency["data"]] == ["EUR", "GBP", "KZT", "RUB", "USD", None]
    assert by_currency["data"][1]["sum_amount"] is None
    whole = (await converted(deals))["data"][0]["sum_amount"]
    parts = [g["sum_amount"] for g in by_currency["data"] if g["sum_amount"] is not None]
    assert abs(sum(parts) - whole) <= Decimal("0.02")


async def test_groups_without_records_have_no_sum_in_any_currency(
    deals: httpx.AsyncClient,
) -> None:
    query = {"group_by": "year(signed)", "empty_groups": "true", "sort": "-count,-year_signed"}
    found = await converted(deals, **query)
    counts = {group["year_signed"]: group["count"] for group in found["data"]}
    filled = {"2022": 8, "1998": 1, "undated": 1}
    assert counts == filled | {str(year): 0 for year in range(1999, 2022)}
    assert found["groups_in_all"] == len(counts)
    nothing = {"original": [], "not_converted": [], "by_rate_date": 0}
    empty = {"year_signed": "2021", "count": 0, "sum_amount": None}
    assert found["data"][3] == empty | nothing
    named = await converted(deals, group_by="currency", currency__in="USD,JPY", empty_groups="true")
    assert [(group["currency"], group["count"]) for group in named["data"]] == [
        ("JPY", 0),
        ("USD", 2),
    ]
    address = "/agreements/aggregate?metrics=sum(amount)&convert_to=USD&empty_groups=true"
    answer = await deals.get(f"{address}&group_by=day(signed),bindingness&signed__gte=1970")
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "empty_groups")


async def test_the_age_of_a_rate_is_bounded_by_what_is_asked(deals: httpx.AsyncClient) -> None:
    for age, expected in (("0", 3), ("4", 2), ("11", 0)):
        group = (await converted(deals, rate_provider="ECB", max_rate_age=age))["data"][0]
        too_old = [n["records"] for n in group["not_converted"] if n["reason"] == "rate_too_old"]
        assert sum(too_old) >= expected, age


async def test_digits_can_be_asked_for_as_texts(deals: httpx.AsyncClient) -> None:
    query = "metrics=sum(amount)&mission__ref=a-visit&convert_to=USD&rate_provider=ECB"
    accept = {"Accept": "application/json;decimal=string"}
    found = (await deals.get(f"/agreements/aggregate?{query}", headers=accept)).json()
    assert isinstance(found["data"][0]["sum_amount"], str)
    assert found["data"][0]["original"][0]["sum_amount"] == "25"
    assert found["conversion"]["rates"][0]["rate"] == "117.201"


async def test_what_cannot_be_converted_is_refused_with_what_can(
    deals: httpx.AsyncClient,
) -> None:
    cases = [
        ("/agreements", {"metrics": "count"}, 422, "metrics", "metrics=sum(amount)"),
        ("/agreements", {"metrics": "avg(amount)"}, 422, "metrics", "of sums, and of counts"),
        ("/agreements", {"convert_to": "usd"}, 400, "convert_to", "Did you mean 'USD'?"),
        ("/agreements", {"convert_to": "UDS"}, 400, "convert_to", "'UDS' is not a currency code"),
        ("/agreements", {"having": "count gt 1"}, 400, "having", "leave having out"),
        ("/agreements", {"rate_provider": "ECB,,"}, 400, "rate_provider", "name missing"),
        ("/agreements", {"rate_provider": "NKB"}, 400, "rate_provider", "Did you mean 'NBK'?"),
        ("/agreements", {"rate_provider": "ECB,A bank"}, 400, "rate_provider", "of 'A bank'. Kno"),
        ("/agreements", {"max_rate_age": "367"}, 400, "max_rate_age", "366"),
        ("/agreements", {"rate_date": "2022"}, 400, "rate_date", "2016-04-12"),
        ("/reported-totals", {"metrics": "sum(value)"}, 422, "metrics", "measure"),
    ]
    wrong = []
    for path, query, status, parameter, detail in cases:
        given = {"metrics": "sum(amount)", "convert_to": "USD"} | query
        answer = await deals.get(f"{path}/aggregate", params=given)
        error = answer.json().get("errors", [{}])[0]
        if (answer.status_code, error.get("parameter")) != (status, parameter) or (
            detail not in error["detail"]
        ):
            wrong.append((query, answer.status_code, error))
    unknown = await deals.get("/missions/a-visit/summary?convert_to=USD&rate_provider=A bank")
    assert (unknown.status_code, unknown.json()["errors"][0]["code"]) == (400, "unknown")
    alone = await deals.get("/agreements/aggregate?rate_date=2022-03-01")
    assert (alone.status_code, alone.json()["errors"][0]["parameter"]) == (400, "rate_date")
    assert wrong == []


async def test_a_file_of_groups_says_why_its_sums_are_not_converted(
    deals: httpx.AsyncClient,
) -> None:
    for address, accept, parameter in (
        ("/agreements/aggregate?convert_to=USD", "text/csv", "convert_to"),
        ("/agreements/aggregate.csv?convert_to=USD", "*/*", "convert_to"),
        ("/outcomes/aggregate.csv?max_rate_age=3&convert_to=USD", "*/*", "convert_to"),
        ("/agreements/aggregate.csv?rate_date=2022-03-01", "*/*", "rate_date"),
    ):
        answer = await deals.get(address, headers={"Accept": accept})
        (fault,) = answer.json()["errors"]
        assert (answer.status_code, fault["parameter"]) == (400, parameter), address
        instead = f"ask {address.partition('?')[0].removesuffix('.csv')} for JSON"
        assert "no place for the rates" in fault["detail"], address
        assert instead in fault["detail"], address
    # Where nothing is converted, there is no such parameter in any form.
    answer = await deals.get("/people/aggregate.csv?convert_to=USD")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "unknown")


async def test_what_is_withheld_is_told_by_the_names_of_what_is_missing(
    deals: httpx.AsyncClient,
) -> None:
    for keys, names in (
        ("", {"amount"}),
        ("year(signed)", {"amount", "signed"}),
        ("currency,month(signed)", {"amount", "currency", "signed"}),
    ):
        found = await converted(deals, **({"group_by": keys} if keys else {}))
        assert [found["missing"].keys(), found["withheld_values"].keys()] == [names] * 2, keys


async def test_a_part_is_left_out_on_whatever_day_it_was_signed(deals: httpx.AsyncClient) -> None:
    firm = (await deals.get("/organizations?name=A firm")).json()["data"][0]["id"]
    ids: list[str] = []
    for signed, bound in (("2022-06-03", "exact"), ("2022-03-01", "at_least")):
        deal = {
            "title": "A frame",
            "instrument": "supply_contract",
            "signed": signed,
            "amount": 100,
            "amount_bound": bound,
            "currency": "EUR",
            "parties": [{"organization_id": firm, "role": "signatory"}],
            "related": [{"agreement_id": each, "relation": "part_of"} for each in ids],
        }
        answer = await deals.post("/agreements", json=deal)
        assert answer.status_code == 201, answer.text
        ids.append(answer.json()["id"])
    asked = {"mission__ref": "", "id__in": ",".join(ids), "rate_provider": "ECB"}
    metrics = "sum(amount),at_least(amount),at_most(amount)"
    query = {"metrics": metrics, "convert_to": "USD"} | {k: v for k, v in asked.items() if v}
    whole = json_codec.loads((await deals.get("/agreements/aggregate", params=query)).content)
    (group,) = whole["data"]
    sums = ("sum_amount", "at_least_amount", "at_most_amount")
    assert [group[name] for name in sums] == [Decimal("107.3")] * 3
    assert whole["left_out"]["parts"] == 1
    query["id__in"] = ids[1]
    (alone,) = json_codec.loads((await deals.get("/agreements/aggregate", params=query)).content)[
        "data"
    ]
    assert [alone[name] for name in sums] == [Decimal("111.62"), Decimal("111.62"), None]


async def test_a_part_in_another_currency_is_added_to_its_whole_by_neither_read(
    deals: httpx.AsyncClient,
) -> None:
    party = {"description": "A firm", "role": "signatory"}
    contract: dict[str, Any] = {
        "title": "A frame",
        "instrument": "supply_contract",
        "signed": "2022-03-01",
        "parties": [party],
    }
    part_of = [{"agreement": {"ref": "in-euros"}, "relation": "part_of"}]
    body = {
        "title": "A visit in two currencies",
        "kind": "outward_mission",
        "ref": "two-currencies",
        "agreements": [
            {**contract, "ref": "in-euros", "amount": 100, "currency": "EUR"},
            {**contract, "amount": 30, "currency": "USD", "related": part_of},
        ],
    }
    answer = await deals.post("/missions", json=body)
    assert answer.status_code == 201, answer.text
    asked = {"convert_to": "USD", "rate_provider": "ECB"}
    told = await converted(deals, mission__ref="two-currencies", rate_provider="ECB")
    shown = await deals.get("/missions/two-currencies/summary", params=asked)
    (total,) = json_codec.loads(shown.content)["converted"]["totals"]
    assert total["amount"] == told["data"][0]["sum_amount"] == Decimal("111.62")
    assert (total["agreements"], total["left_out"]) == (1, 1)


async def test_of_converted_sums_those_records_are_counted_that_are_in_them(
    deals: httpx.AsyncClient,
) -> None:
    """A part is in no sum, and so counted in none, of the same month as its whole or another."""
    contract: Any = {"title": "A frame", "instrument": "supply_contract"}
    contract["parties"] = [{"description": "A firm", "role": "signatory"}]
    agreements: list[Any] = []
    for currency in ("EUR", "CNY"):
        whole = {**contract, "ref": f"of-march-{currency.lower()}", "signed": "2022-03"}
        part_of = [{"agreement": {"ref": whole["ref"]}, "relation": "part_of"}]
        agreements.append({**whole, "amount": 100, "currency": currency})
        for signed in ("2022-03", "2022-04"):
            part = {"signed": signed, "amount": 30, "currency": currency, "related": part_of}
            agreements.append({**contract, **part})
    body = {"title": "V", "kind": "forum", "ref": "of-march", "agreements": agreements}
    answer = await deals.post("/missions", json=body)
    assert answer.status_code == 201, answer.text
    asked = {"mission__ref": "of-march", "rate_provider": "ECB", "rate_date": "2022-03-01"}
    (group,) = (await converted(deals, **asked))["data"]
    assert group["original"] == [{"currency": "EUR", "records": 1, "sum_amount": 100}]
    assert (group["count"], group["by_rate_date"]) == (6, 1)
    assert left_out(group) == {("CNY", "no_rates_of_currency", 1)}


async def test_a_part_of_what_cannot_be_converted_is_told_to_be_left_out(
    deals: httpx.AsyncClient,
) -> None:
    contract: dict[str, Any] = {
        "title": "A frame",
        "instrument": "supply_contract",
        "signed": "2022-03-01",
        "parties": [{"description": "A firm", "role": "signatory"}],
    }
    part_of = [{"agreement": {"ref": "in-yuan"}, "relation": "part_of"}]
    body = {
        "title": "A visit whose frame has no rate",
        "kind": "outward_mission",
        "ref": "no-rate",
        "agreements": [
            {**contract, "ref": "in-yuan", "amount": 100, "currency": "CNY"},
            {**contract, "amount": 10, "currency": "USD", "related": part_of},
        ],
    }
    answer = await deals.post("/missions", json=body)
    assert answer.status_code == 201, answer.text
    asked = {"convert_to": "USD", "rate_provider": "ECB"}
    shown = await deals.get("/missions/no-rate/summary", params=asked)
    (total,) = json_codec.loads(shown.content)["converted"]["totals"]
    assert (total["amount"], total["left_out"]) == (None, 1)
    assert [(each["currency"], each["amount"]) for each in total["not_converted"]] == [("CNY", 100)]


async def test_claims_about_one_figure_in_two_currencies_are_not_added(
    deals: httpx.AsyncClient,
) -> None:
    claim = {"measure": "amount", "as_of": "2022-03-01"}
    dollars = {**claim, "value": 1000, "currency": "USD"}
    euros = {**claim, "value": 500, "currency": "EUR"}
    said = {
        "claims-at-odds": [dollars, euros],
        "claim-preferred": [dollars | {"rank": "preferred"}, euros],
    }
    for ref, claims in said.items():
        body = {"title": ref, "kind": "forum", "ref": ref, "reported_totals": claims}
        answer = await deals.post("/missions", json=body)
        assert answer.status_code == 201, answer.text
    address = "/reported-totals/aggregate?metrics=sum(value)&group_by=measure&convert_to=USD"
    found: list[Any] = []
    for ref in said:
        told = json_codec.loads((await deals.get(f"{address}&mission__ref={ref}")).content)
        found.append((told["data"][0]["sum_value"], told["left_out"]["rival_claims"]))
    assert found == [(None, 2), (1000, 1)]


async def test_other_kinds_of_amounts_are_converted_by_their_own_dates(
    deals: httpx.AsyncClient,
) -> None:
    address = "/missions/aggregate?metrics=sum(cost_amount)&convert_to=EUR"
    assert (await deals.get(address)).status_code == 200
    address = "/reported-totals/aggregate?metrics=sum(value)&group_by=measure&convert_to=EUR"
    assert (await deals.get(address)).status_code == 200
