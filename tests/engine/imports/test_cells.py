"""What can stand in a cell, and what is said of other things."""

from typing import Any

import httpx
import pytest

from tests.engine.imports.calls import by_ref, done, faults, refused, table

Client = httpx.AsyncClient
DEAL = {
    "title": "A",
    "instrument": "other",
    "currency": "CLF",
    "parties": [{"description": "somebody", "role": "signatory"}],
}
SAID = {"predicate": "plans", "paraphrase": "A", "modality": "plan", "unit": "piece"}


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("1250.5", 1250.5),
        ("1250,5", 1250.5),
        ("1 250,5", 1250.5),
        ("1\u00a0250,50", 1250.5),
        ("12\u202f345\u202f678", 12345678),
        ("1 000,125", 1000.125),
        ("0,125", 0.125),
        ("1500,125", 1500.125),
        (" 7 ", 7),
        ("7.0000", 7),
        ("0.0001", 0.0001),
    ],
)
async def test_numbers_have_a_point_or_a_comma(
    client: Client, ref: str, cell: str, amount: float
) -> None:
    await done(client, "agreements", table({**DEAL, "ref": ref, "amount": cell}))
    assert float((await by_ref(client, "agreements", ref))["amount"]) == amount


@pytest.mark.parametrize("cell", ["1,500", "12,500", "1,00,000", "1e3", "10 00", "$5", "1.00,5"])
async def test_what_could_be_another_number_is_refused(client: Client, cell: str) -> None:
    file = table({**DEAL, "amount": cell})
    assert await faults(client, "agreements", file) == [(2, "amount", "cell")]


async def test_an_ambiguous_number_is_told_with_both_it_could_be(client: Client) -> None:
    told = (await refused(client, "agreements", table({**DEAL, "amount": "1,500"})))["detail"]
    assert "1500 or 1.500" in told


async def test_a_negative_number_is_read(client: Client, ref: str) -> None:
    await done(client, "statements", table({**SAID, "ref": ref, "quantity": "-1,5"}))
    assert float((await by_ref(client, "statements", ref))["quantity"]) == -1.5


@pytest.mark.parametrize(
    ("cell", "value"), [("true", True), ("TRUE", True), ("1", True), ("False", False), ("0", False)]
)
async def test_truth_values_are_true_false_1_or_0(
    client: Client, ref: str, cell: str, value: bool
) -> None:
    said = {k: v for k, v in SAID.items() if k != "unit"}
    await done(client, "statements", table({**said, "ref": ref, "is_quote": cell}))
    assert (await by_ref(client, "statements", ref))["is_quote"] is value


@pytest.mark.parametrize(
    ("cell", "codes"),
    [
        ("F;C10", ["F", "C10"]),
        (" F ; C10; ", ["F", "C10"]),
        ('["F","C10"]', ["F", "C10"]),
        ("F", ["F"]),
    ],
)
async def test_codes_have_semicolons_between_them_or_are_json(
    client: Client, ref: str, cell: str, codes: list[str]
) -> None:
    mission = {"ref": ref, "title": "A", "kind": "trade_fair", "sectors": cell}
    await done(client, "missions", table(mission))
    assert (await by_ref(client, "missions", ref))["sectors"] == codes


@pytest.mark.parametrize("cell", ["2016-04-12", "2016-04", "XXXX-04-11/XXXX-04-13", "2016~"])
async def test_stated_dates_are_edtf(client: Client, ref: str, cell: str) -> None:
    mission = {"ref": ref, "title": "A", "kind": "trade_fair", "dates": cell}
    await done(client, "missions", table(mission))
    assert (await by_ref(client, "missions", ref))["dates"] == cell


@pytest.mark.parametrize(
    ("path", "row", "column"),
    [
        ("agreements", {**DEAL, "amount_years": "1.5"}, "amount_years"),
        ("statements", {**SAID, "quantity": "1", "is_quote": "возможно"}, "is_quote"),
        ("people", {"full_name": "A", "other_names": "B"}, "other_names"),
        ("people", {"full_name": "A", "other_names": '{"a": 1}'}, "other_names"),
        ("agreements", {**DEAL, "parties": "[{"}, "parties"),
        ("missions", {"title": "A", "kind": "trade_fair", "dates": "12/04/2016"}, "dates"),
        ("missions", {"title": "A", "kind": "fair"}, "kind"),
        ("missions", {"title": "A", "kind": "trade_fair", "sectors": "F;Z9"}, "sectors"),
        ("missions", {"title": "A", "kind": "trade_fair", "host_country": "XX"}, "host_country"),
        ("missions", {"title": "", "kind": "trade_fair"}, "title"),
        ("people", {"id": "7", "full_name": "A"}, "id"),
        ("people", {"version": "one", "full_name": "A"}, "version"),
        ("people", {"ref": "Not A Ref", "full_name": "A"}, "ref"),
        ("people", {"full_name": "A" * 501}, "full_name"),
    ],
)
async def test_an_error_tells_its_row_and_column(
    client: Client, path: str, row: dict[str, Any], column: str
) -> None:
    ((number, told, _),) = await faults(client, path, table(row))
    assert (number, told) == (2, column)


async def test_an_error_within_a_cell_tells_its_place(client: Client) -> None:
    parties = [DEAL["parties"][0], {"description": "B", "role": "nobody"}]
    told = await refused(client, "agreements", table({**DEAL, "parties": parties}))
    (fault,) = [f for f in told["errors"] if f["column"] == "parties"]
    assert fault["detail"].startswith("1/role: ")


async def test_a_broken_rule_of_the_database_tells_its_row(client: Client, ref: str) -> None:
    rows = [{"ref": f"{ref}-{n}", **DEAL, "amount": 1 + n} for n in range(9)]
    rows[4] |= {"currency": None}
    told = await faults(client, "agreements", table(*rows))
    assert told == [(6, "currency", "rule")]


async def test_a_ref_that_is_taken_tells_its_row(client: Client, ref: str) -> None:
    rows = [{"id": None, "ref": ref, "full_name": "A"}]
    await done(client, "people", table(*rows))
    other = await client.post("/people", json={"full_name": "B"})
    taken = table({"id": other.json()["id"], "ref": ref, "full_name": "B"})
    assert await faults(client, "people", taken) == [(2, "ref", "unique")]
