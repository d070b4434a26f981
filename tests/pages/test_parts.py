"""Deals that are parts of others: said where they are counted and where they are shown."""

from typing import Any

import httpx

from tests.pages.reader import PageReader
from tests.pages.test_record_pages import section

WITHIN = {
    "en": "1 deal is a part of another that is counted here: its amount stands in the whole, and is"
    " not added once more.",
    "ru": "1 сделка – часть другой, учтённой здесь: её сумма входит в целое и второй раз не"
    " прибавляется.",
    "kk": "1 келісім – мұнда есептелген басқа келісімнің бөлігі: сомасы бүтіннің ішінде тұр, екінші"
    " рет қосылмайды.",
}
IN_CURRENCY = {
    "en": "2 deals are parts of others that are in another currency",
    "ru": "2 сделки – части других, суммы которых в иной валюте",
    "kk": "2 келісім – сомасы басқа валютадағы келісімнің бөлігі",
}
IN_CLASS = {
    "en": "1 deal is a part of another of another class",
    "ru": "1 сделка – часть другой, иного класса",
    "kk": "1 келісім – басқа санаттағы келісімнің бөлігі",
}


async def _deals(client: httpx.AsyncClient) -> tuple[str, dict[str, str]]:
    """The mission of a whole and its parts, and the ids by title."""
    party = (
        await client.post("/organizations", json={"name": "Whole and parts", "kind": "company"})
    ).json()["id"]
    mission = (await client.post("/missions", json={"title": "Parts", "kind": "trade_fair"})).json()
    common = {
        "mission_id": mission["id"],
        "status": "signed",
        "signed": "2024-05",
        "parties": [{"role": "supplier", "organization_id": party}],
    }
    bodies: list[dict[str, Any]] = [
        {"title": "Whole", "instrument": "investment_agreement", "amount": 100, "currency": "USD"},
        {"title": "Same", "instrument": "supply_contract", "amount": 40, "currency": "USD"},
        {"title": "Euro", "instrument": "supply_contract", "amount": 9, "currency": "EUR"},
        {"title": "Tenge", "instrument": "supply_contract", "amount": 8, "currency": "KZT"},
        {
            "title": "Loose",
            "instrument": "memorandum_of_understanding",
            "amount": 7,
            "currency": "USD",
        },
        {"title": "No sum", "instrument": "supply_contract"},
    ]
    ids = {"mission": mission["id"], "party": party}
    for body in bodies:
        whole = ids.get("Whole")
        related = [{"agreement_id": whole, "relation": "part_of"}] if whole else []
        made = await client.post("/agreements", json={**common, **body, "related": related})
        assert made.status_code == 201, made.text
        ids[body["title"]] = made.json()["id"]
    return mission["id"], ids


async def test_a_part_is_told_where_it_is_counted_and_where_it_is_shown(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    mission, ids = await _deals(client)
    faults: list[Any] = []
    paths = (
        f"/?mission={mission}",
        f"/pages/missions/{mission}?",
        f"/pages/organizations/{ids['party']}?",
    )
    for path in paths:
        for language in ("en", "ru", "kk"):
            page = await reader.open(f"{path}&lang={language}")
            told = [each[language] for each in (WITHIN, IN_CURRENCY, IN_CLASS)]
            faults += [(path, words) for words in told if words not in page.text]
        page = await reader.open(path)
        wholes = {row["Deal"]: "part of Whole" in row["Deal"] for row in page.rows()}
        if len(wholes) != 6 or sum(wholes.values()) != 5:
            faults.append((path, wholes))
    assert not faults
    # Only the parts, in words.
    for more in ("amount__isnull=true", "related__relation=replaces", f"id__in={ids['Whole']}"):
        await reader.open(f"/?mission={mission}&{more}")
    filtered = await reader.open(f"/?mission={mission}&related__relation=part_of")
    assert "Relation to another deal: Part of" in filtered.text
    assert len(filtered.rows()) == 5
    assert "once more" not in filtered.text, "the whole is not among them"


async def test_where_money_is_converted_a_part_stands_in_its_whole_whatever_its_currency(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    mission, _ = await _deals(client)
    page = await reader.open(f"/?mission={mission}&convert_to=CHF&rate_date=1998-12-31")
    assert "not converted: USD 100" in page.text.replace("\xa0", " ")
    assert "not converted: EUR" not in page.text.replace("\xa0", " ")
    # The euros are the currency itself, and in the whole of dollars.
    await reader.open(f"/?mission={mission}&convert_to=EUR&rate_date=1998-12-31")


async def test_a_part_says_of_what_and_a_whole_tells_its_parts(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    _, ids = await _deals(client)
    table = {
        "Same": "It is a part of Whole: its amount stands in that of the whole",
        "Euro": "It is a part of Whole, which is stated in USD: part and whole each stand",
        "No sum": "It is a part of Whole.",
    }
    for title, told in table.items():
        page = await reader.open(f"/pages/agreements/{ids[title]}")
        assert told in section(page, "Amount"), title
    whole = section(await reader.open(f"/pages/agreements/{ids['Whole']}"), "Its parts 5")
    assert whole.count("in another currency") == 2
    assert "Euro" in whole
    assert "Its parts" not in (await reader.open(f"/pages/agreements/{ids['Same']}")).text


async def test_a_part_whose_whole_nobody_may_see_does_not_tell_of_it(
    client: httpx.AsyncClient, reader: PageReader
) -> None:
    mission, ids = await _deals(client)
    whole = (await client.get(f"/agreements/{ids['Whole']}")).json()
    hidden = await client.patch(
        f"/agreements/{whole['id']}", json={"confidential": True, "title": "Quiet whole"}
    )
    assert hidden.status_code == 200, hidden.text
    for path in (f"/?mission={mission}", f"/pages/agreements/{ids['Same']}"):
        page = await reader.open(path)
        assert "Quiet whole" not in page.text, path
        assert "stand" not in "".join(each.text for each in page.root.find(cls="unknown")), path
