"""An attached text is replaced by an admin, and citations move along; all texts are invented."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.resources.moved_citations import new_place
from app.resources.passage import SearchedText, Span

Body = dict[str, Any]
PLAIN = {"Content-Type": "text/plain"}
OLD = "The plant opened. Eight firms came. The plant is new. It cost 5 million."
NEW = "Updated. The plant  opened. It cost 6 million. Eight firms came. Later the plant is new."


@pytest.fixture
async def source(client: httpx.AsyncClient) -> Body:
    """A source with its text, and passages of it."""
    ref = f"paper-{uuid4().hex}"
    await client.post("/sources", json={"publisher": "A", "title": "B", "ref": ref})
    await client.put(f"/sources/{ref}/text", content=OLD, headers=PLAIN)
    for quote in ("The plant opened.", "Eight firms", "5 million"):
        body = {"source": {"ref": ref}, "quote": quote, "record": {"kind": "source", "ref": ref}}
        body["ref"] = f"{ref}-{quote.split()[0].lower()}"
        assert (await client.post("/citations", json=body)).status_code == 201
    source: Body = (await client.get(f"/sources/{ref}")).json()
    return source


async def replaced(client: httpx.AsyncClient, source: Body, text: str, **query: str) -> Body:
    answer = await client.put(
        f"/sources/{source['ref']}/text",
        content=text.encode(),
        headers=PLAIN,
        params={"replace": "true", **query},
    )
    assert answer.status_code == 200, answer.text
    told: Body = answer.json()
    return told


async def quotes(client: httpx.AsyncClient, source: Body) -> list[str]:
    listed = await client.get(f"/sources/{source['ref']}/passages", params={"sort": "id"})
    return [each["quote"] for each in listed.json()["data"]]


async def test_citations_move_to_where_their_words_stand_and_the_others_are_told(
    client: httpx.AsyncClient, source: Body
) -> None:
    other = await client.put(f"/sources/{source['ref']}/text", content=NEW, headers=PLAIN)
    assert (other.status_code, "?replace=true" in other.json()["detail"]) == (422, True)
    tried = await replaced(client, source, NEW, dry_run="true")
    assert await quotes(client, source) == ["The plant opened.", "Eight firms", "5 million"]
    told = await replaced(client, source, NEW)
    assert [told[name] for name in ("moved", "unchanged", "lost")] == [2, 0, 1]
    assert tried["citations"] == told["citations"]
    assert told["source"]["char_count"] == len(NEW)
    ref = f"{source['ref']}-5"
    (lost,) = told["citations"]
    assert (lost["record_id"], lost["quote"]) == (source["id"], "5 million")
    assert await quotes(client, source) == ["The plant  opened.", "Eight firms"]
    gone = (await client.get(f"/citations/{ref}", params={"deleted": "include"})).json()
    assert gone["note"] == "Its words in the text that was replaced: 5 million"
    assert (gone["quote"], gone["sentence"]) == (None, None)
    back = await client.post(f"/citations/{ref}/restore")
    assert (back.status_code, "not in the text" in back.json()["detail"]) == (422, True)
    assert (await client.get(f"/sources/{source['ref']}/text")).text == NEW
    again = await replaced(client, source, NEW)
    assert [again[name] for name in ("moved", "unchanged", "lost")] == [0, 2, 0]
    first = (await client.get(f"/citations/{source['ref']}-eight")).json()
    assert (first["sentence"], first["version"]) == (4, 2)


async def test_a_text_that_is_none_is_not_put_in_the_place_of_one(
    client: httpx.AsyncClient, source: Body
) -> None:
    path = f"/sources/{source['ref']}/text?replace=true"
    for content in (b"\xff", b"a\0b"):
        answer = await client.put(path, content=content, headers=PLAIN)
        assert answer.status_code == 422
    assert (await client.get(f"/sources/{source['ref']}/text")).text == OLD


def test_of_several_places_it_is_the_one_that_reads_the_same_around_it() -> None:
    old = "Oil rose. Gas fell. Oil fell. Oil rose again."
    for new, passage, start in (
        ("Gas fell. Oil rose. Oil fell. Oil rose again.", (0, 3), 10),
        ("x " + old, (20, 23), 22),
        ("Oil. Oil. Oil.", (20, 23), 5),
        ("Oil. Oil.", (20, 23), None),
        ("Coal.", (20, 23), None),
        ("", (0, 3), None),
    ):
        found = new_place(SearchedText(old), SearchedText(new), Span(*passage))
        assert (found and found.start) == start, new
