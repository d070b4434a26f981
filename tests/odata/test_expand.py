"""`$expand` with options: which of the related entities are shown, in which order, how many."""

from typing import Any

import httpx
import pytest

from app.core import json_codec
from app.rest import related
from tests.examples import create

Client = httpx.AsyncClient
DEAL = {"instrument": "supply_contract", "status": "announced"}
#: Options within `$expand=agreements(…)`, and the titles that they show.
SHOWN = {
    "$filter=amount gt 1": ["b", "c", "d"],
    "$filter=amount gt 1;$orderby=amount desc": ["d", "c", "b"],
    "$orderby=title desc;$top=2": ["e", "d"],
    "$top=2": ["a", "b"],
    "$skip=3": ["d", "e"],
    "$skip=1;$top=2": ["b", "c"],
    "$top=0": [],
    "$skip=0": ["a", "b", "c", "d", "e"],
    "$filter=parties/any(p: p/role eq 'buyer')": ["b"],
    "$filter=mission/title eq 'Expanded' and title in ('a','x,y;z)')": ["a"],
    "$filter=contains(title,'''') or title eq @wanted": ["c"],
    "$filter=length(title) eq 2": [],
}
#: What cannot be asked within, and what is told of it.
REFUSED = {
    "agreements($filter=titel eq 'a')": (400, "In agreements: $filter: Character 1"),
    "agreements($filter=)": (400, "In agreements: $filter: Is empty"),
    "agreements($orderby=titel)": (400, "In agreements: $orderby: There is no field 'titel'"),
    "agreements($top=x)": (400, "In agreements: $top: Write a whole number"),
    "agreements($top=1;$top=2)": (400, "$top is given more than once"),
    "agreements($expand=parties/organization($filter=name eq 'a'))": (
        400,
        "In agreements: $expand: In parties/organization: $filter: It is of many",
    ),
    "agreements,agreements($top=1)": (400, "agreements is given more than once"),
    "agreements($size=2)": (400, "There is no option '$size'"),
    "agreements($filter=amount div 2 gt 1)": (501, "div"),
    "agreements($search=a)": (501, "$search"),
    "agreements($levels=2)": (501, "$levels"),
    "agreements($filter=instrument eq 'suply')": (400, "suply"),
    "agreements($filter=currency eq 'XXQ')": (400, "XXQ"),
}


@pytest.fixture
async def made(client: Client) -> Any:
    """A mission with five agreements, the second of them with a buyer, and one without any."""
    mission = await create(client, "missions", {"title": "Expanded", "kind": "trade_fair"})
    buyer = await create(client, "organizations", {"name": "Expanding buyer", "kind": "company"})
    for number, title in enumerate("abcde"):
        body = {**DEAL, "mission_id": mission["id"], "title": title}
        if number < 4:
            body |= {"amount": f"{number}.5", "currency": "USD"}
        if number == 1:
            body["parties"] = [{"organization_id": buyer["id"], "role": "buyer"}]
        await create(client, "agreements", body)
    await create(client, "missions", {"title": "Expanded, alone", "kind": "trade_fair"})
    return mission


async def _value(client: Client, address: str, **query: str) -> Any:
    answer = await client.get(f"/odata/{address}", params=query)
    assert answer.status_code == 200, (address, query, answer.text)
    return answer.json()


async def test_related_entities_are_chosen_in_sets_and_in_single_ones(
    client: Client, made: Any
) -> None:
    wrong = {}
    for options, expected in SHOWN.items():
        # A shape of a single one is compiled once more.
        single = options.endswith("$top=2")
        query = {"$select": "title", "$expand": f"agreements($select=title;{options})"}
        query |= {"@wanted": "'c'"} if "@wanted" in options else {}
        both = {"$filter": "startswith(title,'Expanded')", "$orderby": "title"}
        found, alone = (await _value(client, "missions", **both, **query))["value"]
        one = await _value(client, f"missions({made['id']})", **query) if single else found
        titles = [[each["title"] for each in whole["agreements"]] for whole in (one, found, alone)]
        if titles != [expected, expected, []]:
            wrong[options] = titles
    assert not wrong


async def test_options_hold_at_each_level_and_filters_beside_them(
    client: Client, made: Any
) -> None:
    inner = "mission($select=title;$expand=agreements($select=title;$orderby=amount desc;$top=1))"
    found = await _value(
        client,
        "agreements",
        **{
            "$filter": f"mission_id eq {made['id']} and amount gt 1",
            "$orderby": "amount",
            "$top": "2",
            "$select": "title",
            "$expand": inner,
        },
    )
    expected = {"title": "Expanded", "agreements": [{"title": "d"}]}
    assert [each["title"] for each in found["value"]] == ["b", "c"]
    assert all(each["mission"] == expected for each in found["value"])


async def test_pages_go_on_with_what_is_chosen_within(client: Client, made: Any) -> None:
    asked = f"/odata/agreements?$filter=mission_id eq {made['id']}&$select=title"
    asked += "&$expand=mission($select=id;$expand=agreements($select=title;$filter=title eq 'c'))"
    found = []
    while asked:
        answer = await client.get(asked, headers={"Prefer": "odata.maxpagesize=2"})
        assert answer.status_code == 200, answer.text
        for each in answer.json()["value"]:
            assert each["mission"]["agreements"] == [{"title": "c"}]
            found.append(each["title"])
        asked = answer.json().get("@odata.nextLink")
    assert found == [*"abcde"]


async def test_the_number_of_related_entities_is_told_whatever_part_is_shown(
    client: Client, made: Any
) -> None:
    within = "agreements($select=title;$filter=amount gt 1;$top=1;$count=true)"
    query = {"$select": "title", "$expand": within}
    found = await _value(client, f"missions({made['id']})", **query)
    assert (found["agreements@odata.count"], found["agreements"]) == (3, [{"title": "b"}])
    texts = {"Accept": "application/json;IEEE754Compatible=true"}
    answer = await client.get(f"/odata/missions({made['id']})", params=query, headers=texts)
    assert json_codec.loads(answer.content)["agreements@odata.count"] == "3"


async def test_what_cannot_be_asked_within_is_told(client: Client) -> None:
    wrong = {}
    for expand, (status, said) in REFUSED.items():
        for name in ("missions", "missions('novosibirsk-april')"):
            answer = await client.get(f"/odata/{name}", params={"$expand": expand})
            message = answer.json().get("error", {}).get("message", "")
            if answer.status_code != status or said not in message:
                wrong[name, expand] = (answer.status_code, answer.text[:400])
    assert not wrong


async def test_what_is_left_out_counts_for_nothing(
    client: Client, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(related, "MAX_RELATED", 3)
    address, wrong = f"missions({made['id']})", {}
    for expand, status in {
        "agreements": 400,
        "agreements($top=4)": 400,
        "agreements($top=3)": 200,
        "agreements($filter=amount gt 1)": 200,
        "agreements($filter=amount ge 0.5)": 400,
        "agreements($top=1;$expand=mission($expand=agreements))": 400,
        "agreements($top=1;$expand=mission($expand=agreements($top=1)))": 200,
        "agreements($top=1;$expand=mission,parties/organization)": 200,
    }.items():
        answer = await client.get(f"/odata/{address}", params={"$expand": expand})
        if answer.status_code != status:
            wrong[expand] = answer.text[:300]
    assert not wrong
