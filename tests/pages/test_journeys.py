"""A journey with its legs on pages: once in every count, with all that came of it."""

import re
from typing import Any

import httpx
import pytest

from app.pages.missions import MISSIONS_A_PAGE
from tests.pages.reader import Page, PageReader
from tests.pages.test_record_pages import section

#: The amounts of what binds: a range with a part of it, limits, an exact one, one of each year.
AMOUNTS: tuple[dict[str, Any], ...] = (
    {"amount": 5_000_000, "currency": "USD"},
    {"amount": 80_000_000, "amount_max": 100_000_000, "currency": "USD", "ref": "whole"},
    {"amount": 30_000_000, "currency": "USD", "part": True},
    {"amount": 5_000_000, "amount_bound": "at_most", "currency": "EUR"},
    {"amount": 120_000_000, "amount_bound": "more_than", "currency": "RUB"},
    {"amount": 300_000_000, "amount_period": "per_year", "currency": "RUB"},
    {"amount": 4_200_000_000, "currency": "KZT"},
    {},
)
MONEY = {
    "en": "What binds comes to USD 85–105 million, at least RUB 120 million, RUB 300 million a"
    " year, at most EUR 5 million, KZT 4.2 billion, stated by seven of eight. One of eight states"
    " no amount.",
    "ru": "По обязывающим – 85–105 миллионов USD, не менее 120 миллионов RUB, 300 миллионов RUB в"
    " год, не более 5 миллионов EUR, 4,2 миллиарда KZT: сумма указана в 7 из 8. Без суммы – 1 из"
    " 8.",
    "kk": "Міндеттейтіндері – 85–105 миллион USD, кемінде 120 миллион RUB, жылына 300 миллион RUB,"
    " ең көбі 5 миллион EUR, 4,2 миллиард KZT: сома 8 келісімнің 7-сінде көрсетілген. 8 келісімнің"
    " 1-інде сома көрсетілмеген.",
}


async def _made(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> str:
    answer = await client.post(path, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.fixture
async def journey(client: httpx.AsyncClient) -> dict[str, str]:
    """The ids of a journey, its two legs, a company that is in them by its deals alone, and the
    range."""
    kind = {"kind": "official_visit", "sending_country": "KZ"}
    ids = {"journey": await _made(client, "/missions", {**kind, "title": "Whole journey"})}
    for leg in ("First leg", "Second leg"):
        of_leg = {**kind, "title": leg, "parent_id": ids["journey"], "host_country": "UZ"}
        ids[leg] = await _made(client, "/missions", of_leg)
    ids["party"] = await _made(client, "/organizations", {"name": "Glass", "kind": "company"})
    for at, amount in enumerate(AMOUNTS):
        body: dict[str, Any] = {
            "title": f"Deal {at}",
            "instrument": "supply_contract",
            "status": "signed",
            "signed": "2023-09-12",
            "mission_id": ids[("First leg", "Second leg")[at % 2]],
            "parties": [{"role": "supplier", "organization_id": ids["party"]}],
            **amount,
        }
        body.pop("ref", None)
        if body.pop("part", False):
            body["related"] = [{"agreement_id": ids["whole"], "relation": "part_of"}]
        made = await _made(client, "/agreements", body)
        ids[str(amount.get("ref", at))] = made
    return ids


async def test_the_first_page_and_the_mission_s_say_the_same_of_it_with_its_limits(
    reader: PageReader, journey: dict[str, str]
) -> None:
    key, faults = journey["journey"], list[Any]()
    for language, money in MONEY.items():
        first = (await reader.open(f"/?mission={key}&lang={language}")).heading
        page = await reader.open(f"/pages/missions/{key}?lang={language}")
        own = page.root.find(cls="sentence")[0].text.replace("\xa0", " ").strip()
        first = first.replace("\xa0", " ")
        if not first.endswith(money) or not own.endswith(money):
            faults.append((language, first, own))
    assert not faults
    page = await reader.open(f"/?mission={key}&firmness=signed_binding")
    assert page.heading.startswith("One mission, eight deals: eight signed and binding.")
    assert len(page.rows()) == len(AMOUNTS)
    assert "an amount is stated by 3 of 8 deals" in page.text, "the part states one, too"
    other = (await reader.json("/missions/novosibirsk-april"))["id"]
    two = await reader.open(f"/?mission={key}&mission={other}")
    assert two.heading.startswith("Two missions, 14 deals"), "what one reports is not of both"
    leg = await reader.open(f"/?mission={journey['First leg']}")
    assert leg.heading.startswith("One mission, four deals")


async def test_a_journey_whose_legs_have_legs_is_one_mission(
    client: httpx.AsyncClient, reader: PageReader, journey: dict[str, str]
) -> None:
    below = {"kind": "official_visit", "parent_id": journey["First leg"], "host_country": "TJ"}
    for title in ("Leg of a leg", "Leg of that"):
        below["parent_id"] = await _made(client, "/missions", {**below, "title": title})
        deal = {"title": title, "instrument": "announced_plan", "mission_id": below["parent_id"]}
        await _made(client, "/agreements", deal)
    page = await reader.open(f"/?mission={journey['journey']}")
    assert page.heading.startswith("One mission, 10 deals")
    listed = await reader.open(f"/pages/missions?id__in={journey['journey']}")
    (row,) = listed.root.find(data_live_row=journey["journey"])
    assert "→ Uzbekistan, Tajikistan" in row.text


async def test_the_number_of_missions_leads_to_a_list_of_just_these(
    reader: PageReader, journey: dict[str, str]
) -> None:
    other = (await reader.json("/missions/novosibirsk-april"))["id"]
    found: dict[str, tuple[int, set[str]]] = {}
    for query in ("", f"?mission={journey['First leg']}", f"?mission={other}&firmness=announced"):
        page = await reader.open(f"/{query}")
        link = page.root.find(cls="fig", title="Missions on record that are meant here")[0]
        listed = await reader.open(link.attributes["href"])
        rows = {each.attributes["data-live-row"] for each in listed.root.find(tag="tr")[1:]}
        assert "part of a mission" not in listed.text
        assert listed.heading == f"Missions {len(rows)}" or len(rows) == MISSIONS_A_PAGE
        found[query] = len(rows), rows
        if len(rows) == 1:
            assert link.text == "One"
    assert found[f"?mission={journey['First leg']}"] == (1, {journey["journey"]})
    assert found[f"?mission={other}&firmness=announced"] == (1, {other})


def _parts_in(page: Page) -> int:
    """How many parts a list of missions says there are."""
    (number,) = re.findall(r"And ([\d,]+) parts of missions", page.text)
    return int(number.replace(",", ""))


async def test_a_part_names_its_whole_and_a_whole_its_parts(
    client: httpx.AsyncClient, reader: PageReader, journey: dict[str, str]
) -> None:
    whole = await reader.open(f"/pages/missions/{journey['journey']}")
    assert "First leg Second leg" in " ".join(section(whole, "Facts").split())
    leg = await reader.open(f"/pages/missions/{journey['First leg']}")
    assert "part of Whole journey" in leg.root.find(cls="lead")[0].text
    before = await reader.open("/pages/missions")
    third = {"kind": "forum", "title": "Third leg", "parent_id": journey["journey"]}
    await _made(client, "/missions", third)
    listed = await reader.open("/pages/missions")
    assert listed.heading == before.heading, "a part is no mission more"
    assert _parts_in(listed) == _parts_in(before) + 1
    # Others may fill the first page of all.
    ids = f"{journey['First leg']},{journey['journey']}"
    listed = await reader.open(f"/pages/missions?id__in={ids}")
    (row,) = listed.root.find(data_live_row=journey["First leg"])
    assert "part of Whole journey" in row.text
    (row,) = listed.root.find(data_live_row=journey["journey"])
    assert "Kazakhstan → Uzbekistan" in row.text, "where its legs were"


async def test_who_is_in_a_mission_by_a_deal_is_told_to_have_been_in_it(
    reader: PageReader, journey: dict[str, str]
) -> None:
    page = await reader.open(f"/pages/organizations/{journey['party']}")
    there = section(page, "Where it has been")
    assert "First leg" in there
    assert "party to a deal" in there


async def test_what_is_claimed_tells_what_is_on_record_at_least_and_why_it_differs(
    client: httpx.AsyncClient, reader: PageReader, journey: dict[str, str]
) -> None:
    total = {"mission_id": journey["journey"], "measure": "amount", "currency": "USD"}
    await _made(client, "/reported-totals", {**total, "value": 90_000_000})
    told = section(
        await reader.open(f"/pages/missions/{journey['journey']}"), "Claims beside records"
    )
    for words in (
        "at least 85 million, no upper limit",
        "may agree with what is on record",
        "Parts of others are not added (1)",
    ):
        assert words in told, told


async def test_what_is_not_converted_says_why(reader: PageReader, journey: dict[str, str]) -> None:
    page = await reader.open(f"/?mission={journey['journey']}&convert_to=CHF")
    assert "EUR 5,000,000 (no rates)" in page.text.replace("\xa0", " ")
    assert "do not convert" in page.text


async def test_a_course_shows_what_is_stated_and_a_change_its_values(
    client: httpx.AsyncClient, reader: PageReader, journey: dict[str, str]
) -> None:
    deal = f"/agreements/{journey['whole']}"
    changed = await client.patch(deal, json={"status": "in_force", "amount_max": 95_000_000})
    assert changed.status_code == 200, changed.text
    page = await reader.open(f"/pages{deal}")
    steps = [each.text.split()[0] for each in page.root.find(cls="course")[0].find(tag="li")]
    assert steps == ["Signed", "In", "Completed"], "nobody said that it was announced"
    told = section(page, "History")
    assert "status: Signed → In force" in told
    assert "100,000,000 → 95,000,000" in told
