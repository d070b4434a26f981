"""Sets of what is no list of records: the log of changes, and sums by mission."""

from typing import Any

import httpx

Client = httpx.AsyncClient
DEALS = (("signed", "USD", 5), ("signed", "USD", 7), ("announced", "KZT", 10), (None, "RUB", 3))


async def rows(client: Client, address: str) -> list[dict[str, Any]]:
    answer = await client.get(f"/odata/{address}")
    assert answer.status_code == 200, (address, answer.text)
    found: list[dict[str, Any]] = answer.json()["value"]
    return found


async def a_mission(client: Client) -> str:
    """A mission with deals of several classes and currencies."""
    made = await client.post("/missions", json={"title": "Sums", "kind": "forum"})
    key = str(made.json()["id"])
    for status, currency, amount in DEALS:
        body: dict[str, Any] = {
            "title": "A deal",
            "instrument": "supply_contract",
            "mission_id": key,
        }
        body |= {
            "amount": amount,
            "currency": currency,
            "parties": [{"description": "x", "role": "buyer"}],
        }
        answer = await client.post(
            "/agreements", json=body | ({"status": status} if status else {})
        )
        assert answer.status_code == 201, answer.text
    return key


async def test_sums_of_missions_are_a_set_that_is_filtered_ordered_and_paged(
    client: Client,
) -> None:
    key = await a_mission(client)
    own = f"flat_mission_totals?$filter=mission_id eq {key}"
    found = await rows(client, f"{own}&$orderby=amount desc")
    told = [(row["currency"], row["firmness"], row["amount"]) for row in found]
    expected = [
        ("USD", "signed_binding", 12),
        ("KZT", "announced", 10),
        ("RUB", "signed_binding", 3),
    ]
    assert told == expected
    assert found[0]["firmness_label"] == "Signed, binding"
    wrong = []
    for condition, count in {
        "amount gt 3": 2,
        "amount eq 12": 1,
        "agreements eq 2": 1,
        "firmness eq 'announced' or currency in ('RUB','EUR')": 2,
        "not (firmness eq 'announced')": 2,
        "contains(mission_title,'ums') and per eq null": 3,
        "per ne null": 0,
    }.items():
        found = await rows(client, f"{own} and ({condition})&$select=amount")
        if len(found) != count or any(row.keys() != {"amount"} for row in found):
            wrong.append((condition, found))
    assert wrong == []
    assert (await client.get(f"/odata/{own.replace('?', '/$count?')}")).text.strip("\ufeff") == "3"
    first = (await rows(client, own))[0]
    answer = await client.get(f"/odata/flat_mission_totals('{first['id']}')")
    assert answer.json()["amount"] == first["amount"]
    assert (await client.get("/odata/flat_mission_totals('x')")).status_code == 404


async def test_names_that_are_worked_out_are_asked_for_as_texts(client: Client) -> None:
    key = await a_mission(client)
    whole = {"title": "Whole", "instrument": "announced_plan", "amount": 9, "currency": "USD"}
    parties = [
        {"description": "Ąžuolas", "role": "announcer"},
        {"description": "y", "role": "buyer"},
    ]
    made = await client.post(
        "/agreements", json={**whole, "mission_id": key, "parties": parties[:1]}
    )
    part = {**whole, "title": "Part", "mission_id": key, "parties": parties, "amount": 2}
    related = [{"agreement_id": made.json()["id"], "relation": "part_of"}]
    answer = await client.post("/agreements", json={**part, "related": related})
    assert answer.status_code == 201, answer.text
    own = f"flat_agreements?$select=title&$filter=mission_id eq {key}"
    wrong = []
    for condition, count in {
        "contains(parties,'žuol')": 2,
        "contains(tolower(parties),'ąžu')": 2,
        "parties eq 'Ąžuolas; y'": 1,
        "parties in ('Ąžuolas','x')": 5,
        "startswith(parties,'Ą') and length(parties) gt 8": 1,
        "left_out eq 'parts'": 1,
        "left_out ne 'parts'": 5,
        "left_out eq null": 5,
    }.items():
        found = await rows(client, f"{own} and {condition}")
        if len(found) != count:
            wrong.append((condition, count, found))
    assert wrong == []
    for order, first in (("parties desc,title", "Part"), ("left_out desc,title", "Part")):
        found = await rows(client, f"{own}&$orderby={order}&$top=2")
        assert found[0]["title"] == first, order
    told = await client.get("/odata/flat_agreements?$filter=parties gt 5")
    assert "A text is compared with a number here" in told.json()["error"]["message"]


async def test_sets_of_what_is_worked_out_are_walked_page_by_page(client: Client) -> None:
    await a_mission(client)
    for name, key, order in (
        ("flat_changes", "seq", ""),
        ("flat_mission_totals", "id", ""),
        ("flat_changes", "seq", "&$orderby=kind,seq desc"),
    ):
        address = f"{name}?$select={key}&$top=9{order}"
        whole = [row[key] for row in await rows(client, address)]
        seen, following = [], f"/odata/{address}"
        while following:
            answer = await client.get(following, headers={"Prefer": "odata.maxpagesize=2"})
            page = answer.json()
            seen += [row[key] for row in page["value"]]
            following = page.get("@odata.nextLink")
        assert seen == whole
        assert len(set(seen)) == len(seen) > 2


async def test_changes_are_a_set(client: Client) -> None:
    key = await a_mission(client)
    asked = f"flat_changes?$filter=record_id eq '{key}' and kind eq 'mission'"
    (made,) = await rows(client, asked)
    assert (made["action"], made["version"]) == ("create", 1)
    since = f"{asked} and at ge {made['at']} and seq ge {made['seq']}"
    assert await rows(client, since) == [made]
    assert await rows(client, f"{asked} and at lt {made['at']}") == []
    assert await rows(client, f"{asked} and date(at) eq 2001-01-01") == []
    one = await client.get(f"/odata/flat_changes({made['seq']})")
    assert one.json()["record_id"] == key


async def test_what_such_a_set_cannot_be_asked_is_told(client: Client) -> None:
    for asked, status, words in (
        ("flat_changes?$search=x", 400, "no texts"),
        ("flat_changes?$filter=sequence eq 1", 400, "There is no property"),
        ("flat_changes?$filter=record_id eq 'x'", 400, "ust be a UUID"),
        ("flat_changes?$filter=seq eq 'x'", 400, "compared"),
        ("flat_changes?$orderby=what", 400, "There is no property"),
        ("flat_mission_totals?$filter=firmness eq 'firm'", 400, "is not one of"),
        ("flat_mission_totals?$filter=firmness_label eq 'x'", 501, "firmness_label"),
        ("flat_changes?$filter=kind has 'x'", 400, "kind"),
    ):
        answer = await client.get(f"/odata/{asked}")
        assert (answer.status_code, words in answer.text) == (status, True), (asked, answer.text)
