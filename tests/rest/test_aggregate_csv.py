"""A table of groups has all of them, or says how many there are."""

from decimal import Decimal

import httpx
import pytest

from app.rest import aggregate_routes
from tests.insights.deals import Deal, Deals
from tests.insights.drawn_deals import entered

ADDRESS = "/agreements/aggregate.csv?group_by=ref&metrics=count"


async def test_a_table_without_a_limit_has_more_groups_than_a_page(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await client.get(ADDRESS)
    groups = (await client.get(ADDRESS.replace(".csv", ""))).json()["groups_in_all"]
    assert "groups-in-all" not in whole.headers
    assert len(whole.text.splitlines()) == 1 + groups
    monkeypatch.setattr(aggregate_routes, "MAX_LIMIT", 3)
    last = f"FILE CUT SHORT: 3 of {groups} groups; narrow them by filters or `having`"
    found = {}
    for more in ("", "&limit=5000", "&limit=2", "&limit=3", "&delimiter=;"):
        answer = await client.get(ADDRESS + more)
        lines = answer.text.splitlines()
        found[more] = answer.headers.get("groups-in-all"), len(lines), lines[-1] == last
        head = await client.head(ADDRESS + more)
        assert head.headers["groups-in-all"] == str(groups)
    cut, wanted = (str(groups), 5, True), str(groups)
    assert found == {
        "": cut,
        "&limit=5000": cut,
        "&limit=2": (wanted, 3, False),
        "&limit=3": (wanted, 4, False),
        "&delimiter=;": cut,
    }


async def test_a_table_of_groups_has_the_signs_that_are_asked_for(
    client: httpx.AsyncClient,
) -> None:
    address = "/agreements/aggregate.csv?group_by=currency&metrics=count,avg(amount)"
    answer = await client.get(f"{address}&decimal=,&bom=true")
    assert answer.content.startswith(b"\xef\xbb\xbfcurrency;count;avg_amount\r\n")
    assert b"\r\nUSD;" in answer.content
    assert (await client.get(f"{address}&decimal=x")).status_code == 400
    assert (await client.get(f"{address.replace('.csv', '')}&decimal=,")).status_code == 400


async def test_a_table_tells_in_headers_what_json_tells_beside_the_groups(
    client: httpx.AsyncClient,
) -> None:
    whole = Deal("of-0", amount=Decimal(10), currency="USD")
    part = Deal("of-1", amount=Decimal(4), currency="USD", related=(("of-0", "part_of"),))
    yearly = Deal("of-2", amount=Decimal(3), currency="USD", period="per_year")
    every = await entered(client, Deals("of", (), (whole, part, yearly, Deal("of-3"))))
    start = f"/agreements/aggregate?ref__startswith={every.name}-&group_by=currency"
    headers = {"missing": "missing-values", "left_out": "left-out"}
    wrong = []
    for asked, is_told in (("&metrics=sum(amount)", True), ("&metrics=count&currency=USD", False)):
        meant = (await client.get(start + asked)).json()
        for address, kind in ((start, "text/csv"), (start.replace("?", ".csv?"), "*/*")):
            answer = await client.get(address + asked, headers={"Accept": kind})
            for name, header in headers.items():
                counts = {each: count for each, count in meant[name].items() if count}
                told = ", ".join(f"{each}={count}" for each, count in counts.items())
                if answer.headers.get(header, "") != told or bool(told) != is_told:
                    wrong.append((address + asked, header, told, answer.headers))
    assert wrong == []
