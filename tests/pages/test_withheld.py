"""What is withheld is told as that, and never as what nobody states; each count has one meaning."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from app.charts.png import in_one_font
from app.pages.words import Words
from tests.examples import create
from tests.pages.reader import PageReader
from tests.pages.test_record_pages import section

Body = dict[str, Any]


@pytest.fixture
async def mission(client: httpx.AsyncClient) -> Body:
    """A mission whose dates are withheld, with what is withheld in every other way."""
    there = {"kind": "trade_fair", "sending_country": "KZ", "host_country": "RU"}
    made = await create(
        client,
        "missions",
        {**there, "title": "A visit", "dates": "2024", "withheld": ["dates", "sending_country"]},
    )
    known, hidden = [
        await create(client, "organizations", {"name": name, "kind": "company", **more})
        for name, more in (("Known", {}), ("Hidden", {"confidential": True}))
    ]
    of_known = {"role": "supplier", "organization_id": known["id"]}
    of_hidden = {"role": "buyer", "organization_id": hidden["id"]}
    paid = {"amount": 5, "currency": "USD"}
    several: dict[str, Body] = {
        "parties": {"parties": [of_known], "withheld": ["parties", "signed"], "signed": "2024-05"},
        "one party": {"parties": [of_known, of_hidden], **paid},
        "seven": {"parties": [of_known], "stands_for": 7},
        # The currency is withheld with the amount, and the amount with the currency.
        "three": {"parties": [of_known], "stands_for": 3, **paid, "withheld": ["currency"]},
        "whole": {"parties": [of_known], "confidential": True},
        "open": {"parties": [of_known], "parties_complete": False},
    }
    for name, fields in several.items():
        body = {"title": name, "instrument": "supply_contract", "status": "signed", **fields}
        deal = await create(client, "agreements", {**body, "mission_id": made["id"]})
        made[name] = deal["id"]
    claim = {"mission_id": made["id"], "measure": "companies", "value": 12}
    await create(client, "reported-totals", {**claim, "claimed_by_id": hidden["id"]})
    outcome = {"agreement_id": made["parties"], "status": "in_force", "date": "2024-07"}
    await create(client, "outcomes", {**outcome, "withheld": ["date"]})
    return made | {"known": known["id"]}


async def test_what_is_withheld_is_not_told_as_not_stated(
    reader: PageReader, mission: Body
) -> None:
    page = await reader.open(f"/pages/agreements/{mission['parties']}")
    assert "date not stated" not in page.text
    assert "In force withheld" in page.root.find(cls="course")[0].text
    assert section(page, "Parties").split() == ["Parties", "withheld"]
    assert "Not shown to the public: date" in section(page, "What became of it")
    one = section(await reader.open(f"/pages/agreements/{mission['one party']}"), "Parties")
    assert "Some parties are withheld" in one
    assert "does not name" not in one
    left = section(await reader.open(f"/pages/agreements/{mission['open']}"), "Parties")
    assert "The source does not name all parties" in left
    amount = section(await reader.open(f"/pages/agreements/{mission['three']}"), "Amount")
    assert "withheld" in amount
    assert "No source" not in amount


async def test_a_mission_tells_what_of_it_and_of_its_deals_and_claims_is_withheld(
    reader: PageReader, mission: Body
) -> None:
    page = await reader.open(f"/pages/missions/{mission['id']}")
    assert "Dates: withheld" in page.root.find(cls="lead")[0].text
    rows = {row["Deal"].split(" ×")[0]: row for row in page.rows()}
    assert (rows["parties"]["Parties"], rows["parties"]["Signed"]) == ("withheld", "withheld")
    assert rows["three"]["Amount"] == "withheld"
    assert rows["seven"]["Amount"] == "not stated"
    claims = section(page, "Claims beside records")
    assert "12 withheld" in claims
    listed = await reader.open(f"/pages/missions?id__in={mission['id']}")
    (row,) = listed.root.find(data_live_row=mission["id"])
    # As many deals as there are on the mission's page, and in the classes beside them.
    assert "withheld withheld → Russia 13 13 1 " in row.text
    party = await reader.open(f"/pages/organizations/{mission['known']}")
    assert "A visit withheld" in section(party, "Where it has been")


async def test_of_a_party_it_is_not_told_how_many_deals_of_all_are_withheld(
    reader: PageReader, mission: Body
) -> None:
    party = await reader.open(f"/pages/organizations/{mission['known']}")
    money = section(party, "Money, by currency")
    assert "are withheld" in money
    assert "in none of these figures" not in money


async def test_deals_without_an_amount_are_counted_alike_on_pages_in_summaries_and_in_charts(
    reader: PageReader, mission: Body
) -> None:
    key = mission["id"]
    summary = await reader.json(f"/missions/{key}/summary")
    assert (summary["without_amount"], summary["withheld_amounts"]) == (9, 3)
    for path in (f"/pages/missions/{key}", f"/?mission={key}"):
        page = await reader.open(path)
        assert "Nine of 13 state no amount" in page.text, path
        assert "9 of 13 deals state no amount" in page.text
        assert "The amounts of 3 deals are withheld" in page.text
        assert "A row that is marked × 7 stands for seven deals" in page.text
    drawn = (await reader.get(f"/charts/money.svg?mission_id={key}")).text
    assert "Without an amount: 9." in drawn
    assert "The amount is withheld: 3." in drawn
    signed = (await reader.get(f"/charts/signings.svg?mission_id={key}")).text
    assert "Withheld, and drawn with what is not stated: 1." in signed


async def test_a_place_of_which_the_city_alone_is_known_and_withheld_is_not_said_to_be_unstated(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    bodies: tuple[tuple[str, str, Body], ...] = (
        ("missions", "sending_city", {"title": "Sent", "kind": "trade_fair"}),
        ("organizations", "city", {"name": "Placed", "kind": "company"}),
        ("agreements", "place_city", {"title": "Placed", "instrument": "announced_plan"}),
    )
    for path, name, body in bodies:
        made = await create(client, path, {**body, name: "Semey", "withheld": [name]})
        facts = section(await reader.open(f"/pages/{path}/{made['id']}"), "Facts")
        label = "Sent from" if path == "missions" else "Place"
        assert f"{label} withheld" in facts, path


async def test_amounts_that_are_withheld_are_not_said_to_be_stated_by_nobody(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    visit = await create(client, "missions", {"title": "Hidden sums", "kind": "trade_fair"})
    body: Body = {"title": "Hidden", "instrument": "announced_plan", "mission_id": visit["id"]}
    body |= {"amount": 5, "currency": "USD", "withheld": ["amount"]}
    await create(client, "agreements", body)
    key = visit["id"]
    for path in (f"/pages/missions/{key}", f"/?mission={key}"):
        money = section(await reader.open(path), "Money, by currency")
        assert "The amount of 1 deal is withheld." in money, path
        assert "No source" not in money, path
    drawn = (await reader.get(f"/charts/money.svg?mission_id={key}")).text
    assert "The amount is withheld: 1." in drawn
    assert "There are no amounts here.</desc>" in drawn


async def test_a_deal_that_stands_for_several_states_its_amount_for_all_of_them(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    visit = await create(client, "missions", {"title": "Five at once", "kind": "trade_fair"})
    body: Body = {"instrument": "supply_contract", "status": "signed", "mission_id": visit["id"]}
    body |= {"parties": [{"role": "buyer", "description": "x"}], "currency": "USD"}
    several = {"title": "Five", "amount": 8, "stands_for": 5}
    each_year = {"title": "Four", "amount": 6, "stands_for": 4, "amount_period": "per_year"}
    for more in (several, each_year, {"title": "One", "currency": None}):
        await create(client, "agreements", {**body, **more})
    key = visit["id"]
    assert (await reader.json(f"/missions/{key}/summary"))["without_amount"] == 1
    for path in (f"/pages/missions/{key}", f"/?mission={key}"):
        page = await reader.open(path)
        assert "stated by nine of 10. One of 10 states no amount." in page.text, path
        assert "an amount is stated by 9 of 10 deals" in page.text, path
        assert "1 of 10 deals states no amount" in page.text, path
        titles = {each.attributes.get("title") for each in page.root.find(cls="fig")}
        assert {f"The sum of {n} deals that state an amount" for n in (5, 4)} <= titles, path
    drawn = (await reader.get(f"/charts/money.svg?mission_id={key}")).text
    assert "stated by 9 of 10" in drawn
    assert "Without an amount: 1." in drawn


async def test_a_receipt_shows_what_is_paid_once_beside_what_is_paid_each_year(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    visit = await create(client, "missions", {"title": "Two sums", "kind": "trade_fair"})
    body: Body = {"instrument": "supply_contract", "status": "signed", "currency": "USD"}
    body |= {"mission_id": visit["id"], "parties": [{"role": "buyer", "description": "x"}]}
    await create(client, "agreements", {**body, "title": "Once", "amount": 1235})
    yearly = {"title": "Yearly", "amount": 77, "amount_period": "per_year"}
    await create(client, "agreements", {**body, **yearly})
    made = await create(client, "receipts", {"url": f"/missions/{visit['id']}/summary"})
    page = await reader.open(f"/pages/receipts/{made['id']}")
    told = section(page, "The figures then and now")
    assert "Signed, binding, USD USD 1,235 USD 1,235" in told
    assert "Signed, binding, USD a year USD 77 a year USD 77 a year" in told


async def test_feeds_tell_an_amount_that_is_withheld_as_that(
    reader: PageReader, mission: Body
) -> None:
    feed = (await reader.get("/changes.atom")).text
    entry = feed.partition("three")[2].partition("</entry>")[0]
    assert "Amount: withheld" in entry


async def test_a_picture_with_letters_of_kazakh_is_in_one_font_that_has_them(
    client: httpx.AsyncClient, shared_app: FastAPI
) -> None:
    names = ("Қазақ өнімі", "Әлем")
    both = [await create(client, "organizations", {"name": n, "kind": "company"}) for n in names]
    roles = zip(("supplier", "buyer"), both, strict=True)
    parties = [{"role": role, "organization_id": each["id"]} for role, each in roles]
    deal = {"title": "A", "instrument": "supply_contract", "parties": parties}
    made = await create(client, "agreements", deal)
    drawn = (await client.get(f"/charts/partners.svg?id={made['id']}&lang=en")).text
    assert names[0] in drawn
    assert "Arial" not in in_one_font(drawn)
    assert "DejaVu Sans" in in_one_font(drawn)
    plain = (await client.get("/charts/firmness.svg?lang=en")).text
    assert "Arial" in in_one_font(plain)


async def test_the_number_of_missions_leads_to_as_many(reader: PageReader, mission: Body) -> None:
    for path in ("/", f"/?mission={mission['id']}", "/?firmness=announced"):
        page = await reader.open(path)
        links = page.root.find(cls="fig", title="Missions on record that are meant here")
        listed = await reader.open(links[0].attributes["href"])
        told = listed.heading.removeprefix("Missions").strip()
        numerals = Words("en").say("numerals").split()
        words = dict(zip(numerals, "123456789", strict=True))
        said = links[0].text.strip().lower()
        assert words.get(said, said) == told, path
