"""`$orderby`: what has no value is least, wherever a page begins."""

from typing import Any

import httpx

from tests.examples import create

Client = httpx.AsyncClient
DEAL = {"instrument": "supply_contract", "status": "announced"}
#: The amounts and subjects of the agreements a to f.
DEALS: dict[str, tuple[str | None, str | None]] = {
    "a": ("2.5", "x"),
    "b": (None, "y"),
    "c": ("1", None),
    "d": (None, "x"),
    "e": ("3", "y"),
    "f": ("1", "x"),
}
#: Orders, and what they come to.
ORDERS = {
    "amount,title": "bdcfae",
    "amount desc,title": "eacfbd",
    "amount desc,title desc": "eafcdb",
    "subject,title": "cadfbe",
    "subject desc,amount,title": "bedfac",
    "subject,amount desc,title desc": "cafdeb",
    "subject desc,amount desc,title": "ebafdc",
    "event/title,subject desc,title": "beadfc",
    "signed,amount asc,title": "bdcfae",
}


async def _made(client: Client) -> Any:
    mission = await create(client, "missions", {"title": "In order", "kind": "trade_fair"})
    for title, (amount, subject) in DEALS.items():
        money = {"amount": amount, "currency": "USD"} if amount else {}
        body = {**DEAL, **money, "mission_id": mission["id"], "title": title, "subject": subject}
        await create(client, "agreements", body)
    return mission


async def _walked(client: Client, address: str, size: int) -> str:
    found, link = "", address
    while link:
        answer = await client.get(link, headers={"Prefer": f"odata.maxpagesize={size}"})
        assert answer.status_code == 200, (link, answer.text)
        found += "".join(each["title"] for each in answer.json()["value"])
        link = answer.json().get("@odata.nextLink", "")
    return found


async def test_what_has_no_value_is_least_and_pages_go_on_beyond_it(client: Client) -> None:
    mission = await _made(client)
    wrong: dict[tuple[object, ...], tuple[str, str]] = {}
    for order, expected in ORDERS.items():
        for name in ("agreements", "flat_agreements"):
            if name.startswith("flat") and ("/" in order or "subject" in order):
                continue
            own = f"/odata/{name}?$select=title&$filter=mission_id eq {mission['id']}"
            for size in (1, 2, 3, 10):
                found = await _walked(client, f"{own}&$orderby={order}", size)
                if found != expected:
                    wrong[name, order, size] = (found, expected)
        within = f"/odata/missions({mission['id']})?$select=id&$expand=agreements($select=title;"
        answer = (await client.get(f"{within}$orderby={order})")).json()
        found = "".join(each["title"] for each in answer["agreements"])
        if found != expected:
            wrong["expanded", order] = (found, expected)
    assert not wrong


async def test_an_order_is_a_path_and_a_direction(client: Client) -> None:
    told = {
        "-amount": "not '-amount'",
        "mission.title": "not 'mission.title'",
        "title asc desc": "not 'asc desc'",
        "title,,amount": "missing",
        "": "empty",
        "title,title": "more than once",
        "parties/role": "any number",
    }
    wrong = {}
    for order, said in told.items():
        answer = await client.get("/odata/agreements", params={"$orderby": order})
        error = answer.json().get("error", {})
        if answer.status_code != 400 or said not in error.get("message", ""):
            wrong[order] = answer.text[:300]
    assert not wrong
