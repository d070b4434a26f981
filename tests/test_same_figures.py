"""A figure is the same wherever it is told: summaries, aggregates, lists, files, OData, charts and
pages, now and in receipts."""

import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import httpx
from fastapi import FastAPI
from hypothesis import example, given

from app.core import json_codec
from tests.drawing import drawing
from tests.insights.deals import Deal, Deals, Leg
from tests.insights.drawn_deals import entered, sets
from tests.insights.test_figures import by_keys, read
from tests.pages.reader import PageReader

Figures = dict[str, Any]
#: Sums by currency and class.
Sums = dict[tuple[str, str], Any]
SVG = "{http://www.w3.org/2000/svg}"
ASKED = "group_by=currency,firmness&metrics=count,sum(amount),at_least(amount),at_most(amount)"
CURRENCIES = ("USD", "EUR")


@dataclass
class Mission:
    """A mission as whoever has no key is told of it: its summary, alone and with its parts."""

    id: str
    ref: str
    alone: Figures
    whole: Figures

    @property
    def found_by(self) -> str:
        return f"mission_id={self.id}"


def sums_of(summary: Figures, per: str | None = None, name: str = "amount") -> Sums:
    """The sums of what comes once, or of what comes each year."""
    return {
        (total["currency"], total["firmness"]): total[name]
        for total in summary["totals"]
        if total["per"] == per and total["amount"] is not None
    }


def standing(sums: Sums) -> Sums:
    """Without what others replace: the one that does can be of each year, and is added in a summary
    alone."""
    return {key: value for key, value in sums.items() if key[1] != "replaced"}


def of_groups(answer: Figures, name: str = "sum") -> Sums:
    return {
        (row["currency"], row["firmness"]): row[f"{name}_amount"]
        for row in answer["data"]
        if row["sum_amount"] is not None
    }


async def lines(client: httpx.AsyncClient, address: str) -> list[Figures]:
    answer = await client.get(address)
    assert answer.status_code == 200, answer.text
    return [json_codec.loads(line) for line in answer.content.splitlines()]


async def check_aggregate(client: httpx.AsyncClient, mission: Mission) -> None:
    added = await read(client, f"/agreements/aggregate?{mission.found_by}&{ASKED}")
    for name, of in (("sum", "amount"), ("at_least", "at_least"), ("at_most", "at_most")):
        assert standing(of_groups(added, name)) == standing(sums_of(mission.alone, name=of))
    shown = mission.alone["agreements"] - mission.alone["withheld"]
    assert sum(row["count"] for row in added["data"]) == shown
    svg = (await client.get(f"/charts/money.svg?{mission.found_by}")).content
    told = (each.attrib for each in ElementTree.fromstring(svg).iter(f"{SVG}g"))
    drawn = [(t["data-mark"], Decimal(t["data-value"])) for t in told if "data-value" in t]
    assert sorted(drawn) == sorted((key[1], value) for key, value in of_groups(added).items())
    spec = await read(client, f"/charts/money.json?{mission.found_by}")
    rows = by_keys(spec["data"]["values"], "currency", "class_key")
    assert {key: row["value"] for key, row in rows.items()} == of_groups(added)


async def check_rows(client: httpx.AsyncClient, mission: Mission, since: str) -> None:
    """The rows of lists and files, from which others count and add for themselves."""
    names = ("ref", "currency", "amount", "firmness", "stands_for")
    fields = ",".join(names)
    listed = (await read(client, f"/agreements?{mission.found_by}&fields={fields}&limit=99"))[
        "data"
    ]
    counts: Counter[str] = Counter()
    for row in listed:
        counts[row["firmness"]] += row["stands_for"]
    assert counts == +Counter(mission.alone["by_firmness"])
    of_mission = f"$filter=mission/ref eq '{mission.ref}'&$select={fields}"
    entities = (await read(client, f"/odata/agreements?{of_mission}"))["value"]
    dataset = await lines(client, f"/datasets/agreements.ndjson?updated_since={since}")
    of_dataset = [
        {name: row[name] for name in names} | {"amount": row["amount"] and Decimal(row["amount"])}
        for row in dataset
        if row["mission_id"] == mission.id
    ]
    for rows in (entities, of_dataset):
        assert by_keys(rows, "ref") == by_keys([dict(row) for row in listed], "ref")


async def check_lists_of_missions(client: httpx.AsyncClient, mission: Mission) -> None:
    for currency in CURRENCIES:
        for parts, summary in (("exclude", mission.alone), ("include", mission.whole)):
            address = f"/insights/missions?ref={mission.ref}&currency={currency}&parts={parts}"
            (row,) = (await read(client, address))["data"]
            assert row["agreements"] == summary["agreements"] - summary["withheld"]
            amounts = {
                (currency, name.removeprefix("amount_")): value
                for name, value in row.items()
                if name.startswith("amount_") and value is not None
            }
            of_one = {k: v for k, v in sums_of(summary).items() if k[0] == currency}
            assert amounts == standing(of_one)


async def check_totals(client: httpx.AsyncClient, missions: list[Mission]) -> None:
    rows = await lines(client, "/datasets/mission_totals.ndjson")
    names = ("currency", "firmness", "per", "agreements", "not_exact", "left_out")
    for mission in missions:
        told = by_keys([row for row in rows if row["mission_id"] == mission.id], *names)
        totals = by_keys([dict(total) for total in mission.whole["totals"]], *names)
        numbers = ("amount", "at_least", "at_most")
        assert {
            key: {n: row[n] and Decimal(row[n]) for n in numbers} for key, row in told.items()
        } == totals


async def check_counts(anybody: httpx.AsyncClient, missions: list[Mission]) -> None:
    """What came of a mission and its parts is counted alike in the dataset and in the list."""
    rows = {row["id"]: row for row in await lines(anybody, "/datasets/missions.ndjson")}
    refs = ",".join(mission.ref for mission in missions)
    listed = (await read(anybody, f"/insights/missions?ref__in={refs}&limit=99"))["data"]
    names = ("delegates", "companies", "agreements", "outcomes")
    assert {row["ref"]: [row[name] for name in names] for row in listed} == {
        mission.ref: [rows[mission.id][f"{name}_count"] for name in names] for mission in missions
    }


async def check_totals_of_all(anybody: httpx.AsyncClient) -> None:
    """What is of no mission is added too, and once what is part of something of another mission."""
    rows = await lines(anybody, "/datasets/totals.ndjson")
    keys = ("currency", "firmness", "per")
    names = ("amount", "at_least", "at_most", "not_exact")
    told = {
        key: tuple(row[name] if row[name] is None else Decimal(row[name]) for name in names)
        for key, row in by_keys(rows, *keys).items()
    }
    asked = f"/agreements/aggregate?{ASKED},not_exact(amount)&limit=1000"
    added = {}
    for per, address in ((None, asked), ("year", f"{asked}&amount_period=per_year")):
        for row in (await read(anybody, address))["data"]:
            found = tuple(row[f"{name}_amount"] for name in ("sum", *names[1:]))
            if row["sum_amount"] is not None:
                added[row["currency"], row["firmness"], per] = found
    added = {key: row for key, row in added.items() if key[1] != "replaced"}
    assert {key: row for key, row in told.items() if key[1] != "replaced"} == added


async def shown_on(pages: PageReader, address: str) -> tuple[Sums, Sums, Sums]:
    """The sums that a page shows, those of each year, and the limits of the former."""
    page = await pages.open(address)
    once: Sums = {}
    yearly: Sums = {}
    limits: Sums = {}
    for currency in page.root.find(cls="currency"):
        code = currency.find(tag="abbr")[0].text.strip()
        for each in currency.find(cls="value"):
            link = each.find(tag="a")[0]
            key = (code, link.attributes["data-live-key"].split("-")[2])
            (number,) = re.findall(r"[\d,]+(?:\.\d+)?", link.text)
            found = yearly if "year" in link.text else once
            found[key] = Decimal(number.replace(",", ""))
            if found is once:
                limits[key] = " ".join(limit.text.strip() for limit in each.find(cls="limits"))
    return once, yearly, limits


async def check_pages(pages: PageReader, mission: Mission) -> None:
    once, yearly, limits = await shown_on(pages, f"/pages/missions/{mission.ref}")
    assert standing(once) == standing(sums_of(mission.whole))
    assert standing(yearly) == standing(sums_of(mission.whole, per="year"))
    first, yearly, of_first = await shown_on(pages, f"/?mission={mission.ref}")
    # Of a journey both are with all its legs.
    assert standing(first) == standing(sums_of(mission.whole))
    assert standing(yearly) == standing(sums_of(mission.whole, per="year"))
    at_least, at_most = (sums_of(mission.whole, name=name) for name in ("at_least", "at_most"))
    for found in (limits, of_first):
        # A sum that is exact has none, and one without either limit is not exact alone.
        for key, text in ((key, text) for key, text in standing(found).items() if text):
            is_about = at_least[key] is None and at_most[key] is None
            assert (text == "not exact") == is_about
            assert ("at least" in text) == (at_least[key] is not None)
            assert ("no upper limit" in text) == (at_most[key] is None and not is_about)


async def check_then(
    client: httpx.AsyncClient, anybody: httpx.AsyncClient, mission: Mission
) -> None:
    """The present is what is so now, and what a receipt of it says, which is what all may see."""
    for address in (
        f"/missions/{mission.ref}/summary",
        f"/agreements/aggregate?{mission.found_by}&{ASKED}",
    ):
        joint = "&" if "?" in address else "?"
        now = await read(anybody, address)
        assert await read(anybody, f"{address}{joint}as_of=now") == now
        made = await client.post("/receipts", json={"url": address})
        receipt = await read(client, f"/receipts/{made.json()['id']}")
        assert (receipt["then"], receipt["differs"], receipt["differences"]) == (now, False, [])


_ONE = Deal("set-0", "set-0", amount=Decimal(10), currency="USD", period="one_off")
#: A part and its whole are of two missions; others are of none.
_ACROSS = Deals(
    "set",
    (Leg("set-0", None), Leg("set-1", None)),
    (
        _ONE,
        Deal("set-1", "set-1", amount=Decimal(4), currency="USD", related=(("set-0", "part_of"),)),
        Deal("set-2", None, amount=Decimal(60), currency="USD"),
        Deal("set-3", None, amount=Decimal(3), currency="USD", related=(("set-2", "part_of"),)),
    ),
)
#: A part that is of another time than its whole, a sum of times of which one is uncertain, one that
#: is without limits, and one of a leg.
_OF_TIMES = Deals(
    "set",
    (Leg("set-0", None), Leg("set-1", "set-0")),
    (
        _ONE,
        Deal("set-1", "set-0", amount=Decimal(4), currency="USD", related=(("set-0", "part_of"),)),
        Deal("set-2", "set-0", amount=Decimal(3), currency="USD", bound="approximately"),
        Deal("set-3", "set-0", amount=Decimal(5), currency="EUR", bound="approximately"),
        Deal("set-4", "set-1", amount=Decimal(7), currency="USD"),
    ),
)


@drawing(2)
@example(_OF_TIMES)
@example(_ACROSS)
@given(drawn=sets())
async def test_figures_are_those_of_the_summary_wherever_they_are_told(
    client: httpx.AsyncClient, shared_app: FastAPI, drawn: Deals
) -> None:
    every = await entered(client, drawn)
    transport = httpx.ASGITransport(shared_app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as anybody:
        missions: list[Mission] = []
        for leg in every.for_public().legs:
            if leg.is_gone:
                continue
            address = f"/missions/{leg.ref}/summary?parts="
            alone, whole = [await read(anybody, address + each) for each in ("exclude", "include")]
            missions.append(Mission(alone["id"], leg.ref, alone, whole))
        since = (await read(anybody, f"/missions/{every.legs[0].ref}"))["created_at"]
        for mission in missions:
            await check_aggregate(anybody, mission)
            await check_rows(anybody, mission, since)
            await check_lists_of_missions(anybody, mission)
            await check_pages(PageReader(shared_app), mission)
        await check_totals(anybody, missions)
        await check_totals_of_all(anybody)
        await check_counts(anybody, missions)
        await check_then(client, anybody, missions[0])
