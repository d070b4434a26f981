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
    titles: dict[str, tuple[list[str], list[str]]] = {
        "": (["Open"], ["Open", "Closed"]),
        "$filter=amount gt 1": ([], ["Open"]),
        "$filter=amount eq null;$top=5": (["Open"], ["Closed"]),
        "$orderby=amount desc;$top=1;$count=true": (["Open"], ["Open"]),
    }
    for options, expecting in titles.items():
        address = expanded.replace("=title)", f"=title;{options})" if options else "=title)")
        for expected, sent in zip(expecting, ({}, {"Authorization": key}), strict=True):
            request = client.build_request("GET", f"/odata{address}", headers=sent)
            if not sent:
                del request.headers["Authorization"]
            told = (await client.send(request)).json()
            found = [each["title"] for each in told["agreements"]]
            counted = told.get("agreements@odata.count", len(found))
            if found != expected or counted != len(expected) + ("count" in options and bool(sent)):
                wrong[address, bool(sent)] = (told, expected)
    await check(f"/missions({mission['id']})/agreements/$count", "1", "2")
    assert not wrong
