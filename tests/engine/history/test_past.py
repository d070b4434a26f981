"""What a record was, and the walk through its history."""

from datetime import datetime, timedelta, timezone

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import client_of
from tests.engine.conftest import change, fault, make, read
from tests.examples import Body


@pytest.fixture(scope="session")
async def shelf(toy_app: FastAPI) -> dict[str, Body]:
    """A cart."""
    async with client_of(toy_app) as toys:
        return {"cart": await make(toys, name="cart")}


async def changes_of(toys: httpx.AsyncClient, record: Body) -> list[Body]:
    """The changes of a record, oldest first."""
    found: list[Body] = (await read(toys, f"/wooden-toys/{record['id']}/history"))["data"]
    return found[::-1]


async def test_a_record_is_shown_as_it_was_after_each_change(toys: httpx.AsyncClient) -> None:
    first = await make(toys, name="cart", price=1, wheels=[{"size": 1}], ref="as-it-was")
    address = f"/wooden-toys/{first['id']}"
    states = [first, await change(toys, first, name="wagon", price=None, made="2016-04")]
    states.append(await change(toys, first, wheels=[{"size": 2}, {"size": 1}], colours=["red"]))
    answer = await toys.put(address, json={"name": "lorry", "ref": "as-it-is"})
    states.append(answer.json())
    changes = await changes_of(toys, first)
    assert len(changes) == 4
    for entry, state in zip(changes, states, strict=True):
        for key in (first["id"], "as-it-is"):
            then = await read(toys, f"/wooden-toys/{key}", as_of=entry["at"])
            assert then == {**state, "updated_at": entry["at"]}
    assert list(then) == list(first)
    late = await read(toys, address, as_of="now")
    assert late == {**states[-1], "updated_at": changes[-1]["at"]}


async def test_a_record_was_not_there_before_it_was_made(toys: httpx.AsyncClient) -> None:
    address = f"/wooden-toys/{(await make(toys, name='cart'))['id']}"
    for moment in ("2016-04-12T00:00:00Z", "0001-01-01T00:00:00", "2016-04-12T05:00:00+05:00"):
        answer = await toys.get(address, params={"as_of": moment})
        assert answer.status_code == 404
        assert "entered after" in answer.json()["detail"]
        answer = await toys.get(address, params={"as_of": moment, "deleted": "include"})
        assert answer.status_code == 404


async def test_a_record_is_as_stamped_at_the_times_that_it_tells(toys: httpx.AsyncClient) -> None:
    first = await make(toys, name="cart")
    second = await change(toys, first, name="wagon")
    address = f"/wooden-toys/{first['id']}"
    for state in (first, second):
        then = await read(toys, address, as_of=state["updated_at"])
        assert (then["version"], then["name"]) == (state["version"], state["name"])


async def test_of_a_time_in_the_trash_it_is_told_that_it_was_there(
    toys: httpx.AsyncClient,
) -> None:
    record = await make(toys, name="cart")
    address = f"/wooden-toys/{record['id']}"
    await toys.delete(address)
    kept = await read(toys, address, deleted="include")
    await toys.post(f"{address}/restore")
    made, deleted, restored = [entry["at"] for entry in await changes_of(toys, record)]
    answer = await toys.get(address, params={"as_of": deleted})
    assert answer.status_code == 404
    assert "trash" in answer.json()["detail"]
    assert "deleted=include" in answer.json()["detail"]
    then = await read(toys, address, as_of=deleted, deleted="include")
    assert then == {**kept, "updated_at": deleted}
    for moment in (made, restored):
        assert (await read(toys, address, as_of=moment))["deleted_at"] is None
    await toys.delete(address)
    assert (await read(toys, address, as_of=restored))["name"] == "cart"


@pytest.mark.parametrize("query", ["fields=name", "expand=box"])
async def test_the_past_is_shown_whole_and_alone(
    toys: httpx.AsyncClient, shelf: dict[str, Body], query: str
) -> None:
    address = f"/wooden-toys/{shelf['cart']['id']}?as_of=2026-01-01T00:00:00Z&{query}"
    assert fault(await toys.get(address))["parameter"] == "as_of"


@pytest.mark.parametrize("moment", ["", "lately", "0", "1460419200", "2016-13-01T00:00:00Z"])
async def test_what_is_no_time_has_no_past(
    toys: httpx.AsyncClient, shelf: dict[str, Body], moment: str
) -> None:
    address = f"/wooden-toys/{shelf['cart']['id']}"
    assert fault(await toys.get(address, params={"as_of": moment}))["parameter"] == "as_of"


async def test_a_time_zone_needs_no_encoding(
    toys: httpx.AsyncClient, shelf: dict[str, Body]
) -> None:
    address = f"/wooden-toys/{shelf['cart']['id']}"
    moment = datetime.now(timezone(timedelta(hours=5))).isoformat()
    assert await read(toys, f"{address}?as_of={moment.replace('+', '%2B')}")
    assert await read(toys, f"{address}?as_of={moment}")


async def test_what_is_to_come_is_not_known(
    toys: httpx.AsyncClient, shelf: dict[str, Body]
) -> None:
    for address in ("/wooden-toys", f"/wooden-toys/{shelf['cart']['id']}"):
        for moment in ("2999-01-01", "%2B1d", "9999-12-31T23:59:59Z"):
            told = fault(await toys.get(f"{address}?as_of={moment}"))
            assert told["parameter"] == "as_of"
            assert "in the future: it is 20" in told["detail"], told
        # The clock of whoever asks may be a little ahead.
        assert (await toys.get(f"{address}?as_of=now%2B1min")).status_code == 200


async def test_a_history_is_walked_by_its_cursors_on_and_back(toys: httpx.AsyncClient) -> None:
    record = await make(toys, name="0")
    for n in range(1, 7):
        await change(toys, record, name=f"{n}")
    address, query = f"/wooden-toys/{record['id']}/history", {"limit": 3}
    answers = [await toys.get(address, params=query)]
    while "next" in answers[-1].links:
        answers.append(await toys.get(answers[-1].links["next"]["url"]))
    versions = [[entry["version"] for entry in answer.json()["data"]] for answer in answers]
    assert versions == [[7, 6, 5], [4, 3, 2], [1]]
    for answer, before in zip(answers[1:], answers, strict=False):
        back = await toys.get(answer.links["prev"]["url"])
        assert back.json()["data"] == before.json()["data"]
    assert "prev" not in answers[0].links
    assert [answer.json()["page"]["next_cursor"] is None for answer in answers] == [False] * 2 + [
        True
    ]


async def test_a_change_while_a_history_is_walked_moves_nothing(toys: httpx.AsyncClient) -> None:
    record = await make(toys, name="0")
    for n in range(1, 4):
        await change(toys, record, name=f"{n}")
    first = await toys.get(f"/wooden-toys/{record['id']}/history?limit=2")
    await change(toys, record, name="late")
    second = await toys.get(first.links["next"]["url"])
    assert [entry["version"] for entry in second.json()["data"]] == [2, 1]


async def test_a_cursor_is_of_one_record_s_history(toys: httpx.AsyncClient) -> None:
    first, second = await make(toys, name="a"), await make(toys, name="b")
    await change(toys, first, name="c")
    page = (await read(toys, f"/wooden-toys/{first['id']}/history", limit=1))["page"]
    answer = await toys.get(
        f"/wooden-toys/{second['id']}/history", params={"cursor": page["next_cursor"]}
    )
    assert fault(answer)["parameter"] == "cursor"
