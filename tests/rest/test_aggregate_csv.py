"""A table of groups has all of them, or says how many there are."""

import httpx
import pytest

from app.rest import aggregate_routes

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
