"""Entity tags of records and lists, and what If-None-Match spares."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import httpx
import pytest

from tests.engine.conftest import change, make, read
from tests.examples import Body


async def tag(client: httpx.AsyncClient, address: str, method: str = "GET") -> str:
    """The ETag of an answer."""
    answer = await client.request(method, address)
    assert answer.status_code == 200, answer.text
    found: str = answer.headers["etag"]
    return found


async def status(client: httpx.AsyncClient, address: str, tags: str, method: str = "GET") -> int:
    """The status of a request for what is not known by these tags yet; a 304 is looked at."""
    answer = await client.request(method, address, headers={"if-none-match": tags})
    if answer.status_code == 304:
        whole = await client.get(address)
        assert answer.content == b""
        assert "content-length" not in answer.headers
        # RFC 9110, 15.4.5: what 200 would have said of caching.
        for name in ("etag", "vary", "cache-control"):
            assert answer.headers.get(name) == whole.headers.get(name), name
    return answer.status_code


def at(record: Body) -> str:
    return f"/wooden-toys/{record['id']}"


# Records


async def test_a_whole_record_has_a_strong_tag_of_its_version(toys: httpx.AsyncClient) -> None:
    record = await make(toys, name="cart")
    first = await tag(toys, at(record))
    assert first.startswith('"1-')
    assert await tag(toys, at(record)) == first
    await change(toys, record, name="wagon")
    assert (await tag(toys, at(record))).startswith('"2-')


async def test_the_tag_of_a_write_is_that_of_a_read(toys: httpx.AsyncClient) -> None:
    answer = await toys.post("/wooden-toys", json={"name": "cart", "ref": "tagged-cart"})
    address = at(answer.json())
    assert answer.headers["etag"] == await tag(toys, address)
    answer = await toys.patch(address, json={"name": "wagon"})
    assert answer.headers["etag"] == await tag(toys, address)
    answer = await toys.put(address, json={"name": "lorry"})
    assert answer.headers["etag"] == await tag(toys, address)
    await toys.delete(address)
    answer = await toys.post(f"{address}/restore")
    assert answer.headers["etag"] == await tag(toys, address)


async def test_a_record_that_is_known_is_not_sent_again(toys: httpx.AsyncClient) -> None:
    record = await make(toys, name="cart")
    known = await tag(toys, at(record))
    assert await status(toys, at(record), known) == 304
    assert await status(toys, at(record), known, "HEAD") == 304
    await change(toys, record, name="wagon")
    assert await status(toys, at(record), known) == 200


async def test_a_write_elsewhere_leaves_a_whole_record_known(toys: httpx.AsyncClient) -> None:
    record = await make(toys, name="cart")
    known = await tag(toys, at(record))
    await make(toys, name="another")
    assert await status(toys, at(record), known) == 304


@pytest.mark.parametrize("query", ["fields=name", "expand=box", "fields=name,box.name"])
async def test_a_view_of_a_record_has_a_weak_tag_that_any_write_changes(
    toys: httpx.AsyncClient, query: str
) -> None:
    box = await make(toys, name="box")
    address = f"{at(await make(toys, name='cart', box_id=box['id']))}?{query}"
    known = await tag(toys, address)
    assert known.startswith('W/"')
    assert await status(toys, address, known) == 304
    await change(toys, box, name="chest")
    assert await status(toys, address, known) == 200


async def test_head_tells_the_tag_of_get(toys: httpx.AsyncClient) -> None:
    record = await make(toys, name="cart")
    for address in (at(record), f"{at(record)}?fields=name", f"/wooden-toys?id={record['id']}"):
        assert await tag(toys, address, "HEAD") == await tag(toys, address)


async def test_a_ref_that_has_passed_to_another_record_is_not_known(
    toys: httpx.AsyncClient,
) -> None:
    first = await make(toys, name="first", ref="passing")
    for address in ("/wooden-toys/passing", "/wooden-toys/passing?fields=name"):
        known = await tag(toys, address)
        assert await status(toys, address, known) == 304
    known = await tag(toys, "/wooden-toys/passing")
    await change(toys, first, ref=None)
    await make(toys, name="second", ref="passing")
    assert (await tag(toys, "/wooden-toys/passing")).startswith('"1-')
    assert await status(toys, "/wooden-toys/passing", known) == 200


async def test_a_record_in_the_trash_is_gone_however_well_it_is_known(
    toys: httpx.AsyncClient,
) -> None:
    record = await make(toys, name="cart")
    known = await tag(toys, at(record))
    await toys.delete(at(record))
    assert await status(toys, at(record), known) == 404
    assert await status(toys, at(record), "*") == 404
    assert await status(toys, f"{at(record)}?deleted=include", known) == 200


async def test_a_citation_is_new_when_the_text_of_its_source_is_attached(
    client: httpx.AsyncClient,
) -> None:
    text = b"A new plant was opened."
    body = {"publisher": "A", "title": "B", "sha256": sha256(text).hexdigest()}
    source = (await client.post("/sources", json=body)).json()
    body = {"source_id": source["id"], "record_kind": "source", "record_id": source["id"]}
    answer = await client.post("/citations", json={**body, "start": 2, "end": 11})
    address = f"/citations/{answer.json()['id']}"
    known = await tag(client, address)
    assert await status(client, address, known) == 304
    plain = {"content-type": "text/plain"}
    await client.put(f"/sources/{source['id']}/text", content=text, headers=plain)
    assert (await read(client, address))["quote"] == "new plant"
    assert await status(client, address, known) == 200
    answer = await client.patch(
        address, json={"note": "Seen."}, headers={"if-match": await tag(client, address)}
    )
    assert answer.status_code == 200


# How tags are compared


@pytest.mark.parametrize(
    "told",
    [
        lambda known: known,
        lambda known: f"W/{known}",
        lambda known: "*",
        lambda known: " * ",
        lambda known: f'"x", {known}',
        lambda known: f'"x",W/"y" ,{known} , "z"',
        lambda known: f'"a,b",{known}',
        lambda known: f",{known},",
        lambda known: f' , ,"x",, {known} ,,',
        lambda known: f'{known[:-1]}-gzip"',
        lambda known: f'"x", W/{known[:-1]}-br"',
    ],
)
async def test_a_tag_is_found_in_a_list_and_compared_weakly(
    toys: httpx.AsyncClient, told: Callable[[str], str]
) -> None:
    record = await make(toys, name="cart")
    known = await tag(toys, at(record))
    assert await status(toys, at(record), told(known)) == 304
    listed = f"/wooden-toys?id={record['id']}"
    known = (await tag(toys, listed)).removeprefix("W/")
    assert await status(toys, listed, told(known)) == 304


@pytest.mark.parametrize("told", ['"x"', 'W/"x"', '"x", "y"', '""'])
async def test_another_tag_is_not_known(toys: httpx.AsyncClient, told: str) -> None:
    record = await make(toys, name="cart")
    assert await status(toys, at(record), told) == 200
    assert await status(toys, "/wooden-toys?limit=1", told) == 200


@pytest.mark.parametrize(
    "told", ["", " ", "x", "1-0a1b", '"x', 'x"', "'x'", 'w/"x"', '"x" "y"', '"x", *', "W/x"]
)
async def test_what_is_no_tag_is_refused(toys: httpx.AsyncClient, told: str) -> None:
    record = await make(toys, name="cart")
    for address in (at(record), "/wooden-toys?limit=1"):
        answer = await toys.get(address, headers={"if-none-match": told})
        assert answer.status_code == 400, (address, told)
        assert "If-None-Match" in answer.json()["detail"] or "if-none-match" in answer.text


# Lists


async def test_a_list_that_is_known_is_not_read_again(
    toys: httpx.AsyncClient, toy_statements: list[str]
) -> None:
    await make(toys, name="listed", note="tagged list")
    address = "/wooden-toys?note=tagged list&sort=name&count=exact&expand=box"
    known = await tag(toys, address)
    assert known.startswith('W/"')
    toy_statements.clear()
    answer = await toys.get(address, headers={"if-none-match": known})
    assert answer.status_code == 304
    (sql,) = toy_statements
    assert "change_counter" in sql
    assert "toy" not in sql


async def test_any_write_makes_a_list_new(toys: httpx.AsyncClient) -> None:
    record = await make(toys, name="listed", note="a new list")
    address = "/wooden-toys?note=a new list"
    writes: list[Callable[[], Any]] = [
        lambda: make(toys, name="another"),
        lambda: change(toys, record, name="changed"),
        lambda: toys.delete(at(record)),
        lambda: toys.post(f"{at(record)}/restore"),
        lambda: toys.put(at(record), json={"name": "replaced", "note": "a new list"}),
    ]
    for write in writes:
        known = await tag(toys, address)
        assert await status(toys, address, known) == 304
        await write()
        assert await status(toys, address, known) == 200
        assert await tag(toys, address) != known


async def test_a_write_that_changes_nothing_leaves_a_list_known(toys: httpx.AsyncClient) -> None:
    record = await make(toys, name="listed")
    known = await tag(toys, "/wooden-toys?limit=1")
    await change(toys, record, name="listed")
    assert (await toys.patch(at(record), json={"name": ""})).status_code == 422
    assert await status(toys, "/wooden-toys?limit=1", known) == 304


async def test_an_empty_list_is_known_until_something_is_written(toys: httpx.AsyncClient) -> None:
    address = "/wooden-toys?note=nothing yet"
    known = await tag(toys, address)
    assert await status(toys, address, known) == 304
    await make(toys, name="first", note="nothing yet")
    assert await status(toys, address, known) == 200


async def test_the_tag_of_an_empty_list_is_no_newer_than_the_list(
    toys: httpx.AsyncClient, toy_app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that is stored while the list is read must not be hidden by the tag."""
    address, database = "/wooden-toys?note=in between", toy_app.state.database
    original = database.read
    stored: list[str] = []

    async def slow(statement: Any, *arguments: Any, **options: Any) -> Any:
        rows = await original(statement, *arguments, **options)
        if "toy.note" in statement.sql and "ORDER BY" in statement.sql and not stored:
            stored.append("one")
            await make(toys, name="first", note="in between")
        return rows

    monkeypatch.setattr(database, "read", slow)
    first = await toys.get(address)
    monkeypatch.setattr(database, "read", original)
    assert stored
    again = await toys.get(address, headers={"if-none-match": first.headers["etag"]})
    shown = first if again.status_code == 304 else again
    assert [record["name"] for record in shown.json()["data"]] == ["first"]


async def test_a_wrong_list_is_refused_however_well_it_is_known(toys: httpx.AsyncClient) -> None:
    for query in ("nam=x", "price=much", "sort=nam", "cursor=x", "fields=nam"):
        assert await status(toys, f"/wooden-toys?{query}", "*") == 400


async def test_a_wrong_address_is_told_however_well_its_list_is_known(
    toys: httpx.AsyncClient,
) -> None:
    known = await tag(toys, "/wooden-toys?limit=1")
    for wrong in ("limit=0", "limit=1&colour=red", "filter=name", "cursor=x", "sort=nothing"):
        assert await status(toys, f"/wooden-toys?{wrong}", known) == 400, wrong
    nowhere = "/wooden-toys/0190b1de-0000-7000-8000-000000000000/wheels"
    assert await status(toys, nowhere, known) == 404


async def test_each_form_of_a_list_is_known_by_itself(toys: httpx.AsyncClient) -> None:
    address = "/wooden-toys?limit=2"
    known = await tag(toys, address)
    assert await status(toys, address, known) == 304
    for form in ("text/csv", "application/json;decimal=string"):
        headers = {"accept": form, "if-none-match": known}
        assert (await toys.get(address, headers=headers)).status_code == 200, form
