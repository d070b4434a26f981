"""Through OData the public sees what it sees elsewhere, whatever it asks."""

import httpx

from tests.examples import create

Client = httpx.AsyncClient


async def test_what_is_withheld_is_neither_shown_nor_found(client: Client) -> None:
    mission = await create(client, "missions", {"title": "Secret ties", "kind": "trade_fair"})
    body = {"mission_id": mission["id"], "instrument": "supply_contract", "status": "announced"}
    open_ = {**body, "title": "Open", "amount": "77.5", "currency": "USD", "withheld": ["amount"]}
    shown = await create(client, "agreements", open_)
    closed = await create(client, "agreements", {**body, "title": "Closed", "confidential": True})
    key = client.headers["Authorization"]
    wrong = {}

    async def check(path: str, public: object, whole: object) -> None:
        for expected, headers in ((public, {"Authorization": ""}), (whole, {"Authorization": key})):
            sent = {name: value for name, value in headers.items() if value}
            request = client.build_request("GET", f"/odata{path}", headers=sent)
            if not sent:
                del request.headers["Authorization"]
            answer = await client.send(request)
            found: object = answer.status_code
            if answer.status_code == 200:
                told = answer.json() if "json" in answer.headers["content-type"] else answer.text
                found = told.get("value", told) if isinstance(told, dict) else told
            if found != expected:
                wrong[path, bool(sent)] = (found, expected)

    own = f"$filter=mission_id eq {mission['id']}"
    for name in ("agreements", "flat_agreements"):
        both = [{"title": "Closed", "amount": None}, {"title": "Open", "amount": 77.5}]
        alone = [{"title": "Open", "amount": None}]
        await check(f"/{name}?{own}&$select=title,amount&$orderby=title", alone, both)
        await check(f"/{name}/$count?{own}", "1", "2")
        for asked in ("amount gt 1", "amount add 1 gt 2", "amount mul 2 eq 155", "amount ne null"):
            await check(f"/{name}/$count?{own} and {asked}", "0", "1")
        await check(f"/{name}/$count?{own} and contains(title,'los')", "0", "1")
    await check(f"/agreements({closed['id']})/title/$value", 404, "Closed")
    await check(f"/agreements({shown['id']})/amount/$value", 204, "77.5")
    expanded = f"/missions({mission['id']})?$select=id&$expand=agreements($select=title)"
    titles = [{"title": "Open"}], [{"title": "Open"}, {"title": "Closed"}]
    for expected, sent in ((titles[0], {}), (titles[1], {"Authorization": key})):
        request = client.build_request("GET", f"/odata{expanded}", headers=sent)
        if not sent:
            del request.headers["Authorization"]
        found = (await client.send(request)).json()["agreements"]
        if found != expected:
            wrong[expanded, bool(sent)] = (found, expected)
    await check(f"/missions({mission['id']})/agreements/$count", "1", "2")
    assert not wrong
