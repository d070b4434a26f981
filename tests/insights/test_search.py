"""Searching all kinds of records at once, and lists by the same words."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.api import RESOURCES
from tests.examples import Examples, create


async def search(client: httpx.AsyncClient, q: str, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get("/search", params={"q": q, "limit": 100, **query})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


async def test_a_hit_tells_what_matched_and_where(client: httpx.AsyncClient) -> None:
    hits = await search(client, "Novosibirsk", kinds="mission")
    (hit,) = [hit for hit in hits if hit["ref"] == "novosibirsk-april"]
    assert hit["url"] == f"/missions/{hit['id']}"
    assert hit["name"] == "Деловая миссия Казахстана в Новосибирскую область"
    (title,) = [match for match in hit["matches"] if match["field"] == "/title"]
    (start, end) = title["spans"][0]
    assert title["text"][start:end] == "Новосибирскую"


async def test_hits_by_name_come_before_hits_by_text(client: httpx.AsyncClient) -> None:
    hits = await search(client, "новосибирск")
    assert [hit["in_name"] for hit in hits] == sorted(
        (hit["in_name"] for hit in hits), reverse=True
    )
    assert hits[0]["in_name"]


@pytest.mark.parametrize(
    ("q", "ref"),
    [
        ("казахстан", "novosibirsk-april"),
        ("Kazakhstan", "novosibirsk-april"),
        ("нобель афф", "nobel-aff"),
        ("nobel aff", "nobel-aff"),
        ("каспиискии", None),
        ("ТОО «Казэнергокабель»", "kazenergokabel"),
        ("Кαзэнергοкабель", "kazenergokabel"),
        ("казэнерго", "kazenergokabel"),
    ],
)
async def test_words_are_found_whatever_their_script_ending_and_letters(
    client: httpx.AsyncClient, q: str, ref: str | None
) -> None:
    refs = {hit["ref"] for hit in await search(client, q, kinds="mission,organization")}
    assert (ref in refs) if ref else not refs


async def test_a_word_inside_another_is_not_found(client: httpx.AsyncClient) -> None:
    assert await search(client, "каспий") == []


async def test_words_in_quotes_follow_each_other(client: httpx.AsyncClient) -> None:
    assert await search(client, '"деловая миссия"', kinds="mission")
    assert await search(client, '"миссия деловая"', kinds="mission") == []


async def test_every_kind_has_its_search(fresh: httpx.AsyncClient) -> None:
    examples = await Examples.on(fresh)
    for n, resource in enumerate(RESOURCES):
        body = examples.minimal(resource.path, note=f"Зыкверхъ {n}x")
        record = await create(fresh, resource.path, body)
        answer = await fresh.get(f"/{resource.path}", params={"q": f"зыкверх {n}x"})
        assert [found["id"] for found in answer.json()["data"]] == [record["id"]]
        hits = await search(fresh, f"зыкверх {n}x")
        assert [(hit["kind"], hit["id"]) for hit in hits] == [(resource.record_type, record["id"])]


async def test_what_is_in_the_trash_is_not_found(fresh: httpx.AsyncClient) -> None:
    assert await search(fresh, "Катрен", kinds="organization")
    await fresh.delete("/organizations/katren")
    assert await search(fresh, "Катрен", kinds="organization") == []
    await fresh.post("/organizations/katren/restore")
    assert await search(fresh, "Катрен", kinds="organization")


async def test_a_changed_text_is_found_by_its_new_words_alone(fresh: httpx.AsyncClient) -> None:
    found = (await fresh.get("/organizations/katren")).json()
    renamed: dict[str, Any] = {
        "name": "Переименованная",
        "name_en": None,
        "other_names": [],
        "ref": None,
    }
    await fresh.patch(f"/organizations/{found['id']}", json=renamed)
    hits = await search(fresh, "переименованная", kinds="organization")
    assert [hit["id"] for hit in hits] == [found["id"]]
    assert await search(fresh, "Катрен", kinds="organization") == []


async def test_pages_of_hits_follow_each_other(client: httpx.AsyncClient) -> None:
    every = [hit["id"] for hit in await search(client, "novosibirsk")]
    assert len(every) > 5
    found: list[str] = []
    query: dict[str, Any] = {"q": "novosibirsk", "limit": 3}
    while True:
        answer = (await client.get("/search", params=query)).json()
        found += [hit["id"] for hit in answer["data"]]
        if answer["page"]["next_cursor"] is None:
            break
        query["cursor"] = answer["page"]["next_cursor"]
    assert found[: len(every)] == every


async def test_an_unknown_kind_is_refused_by_name(client: httpx.AsyncClient) -> None:
    answer = await client.get("/search", params={"q": "x", "kinds": "agrement"})
    assert answer.status_code == 400
    assert "Did you mean 'agreement'?" in answer.json()["detail"]


async def test_ten_thousand_letters_are_refused_and_no_failure(client: httpx.AsyncClient) -> None:
    for address in ("/search", "/people"):
        answer = await client.get(address, params={"q": "слово " * 1700})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["parameter"] == "q"


ODD = (
    '"',
    "AND",
    "a OR NOT",
    "a*",
    "-",
    "NEAR(a b)",
    "col:x",
    "\\",
    "'; --",
    "«",
    "(((",
    "🦄",
    "&|!",
)


@pytest.mark.parametrize("q", ODD)
async def test_signs_of_query_languages_are_only_signs(client: httpx.AsyncClient, q: str) -> None:
    for address in ("/search", "/agreements"):
        assert (await client.get(address, params={"q": q})).status_code == 200


LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(q=st.text(LETTERS, min_size=1, max_size=80))
async def test_any_text_can_be_searched_for(client: httpx.AsyncClient, q: str) -> None:
    assert (await client.get("/search", params={"q": q})).status_code == 200


async def test_an_attached_text_is_searched_and_its_passage_shown(
    client: httpx.AsyncClient,
) -> None:
    """Every text here is invented; the passage stands far behind the beginning."""
    ref = f"paper-{uuid4().hex}"
    long = "Many words about nothing. " * 900
    text = f"{long}Кварцевый завод открыт в Узынагаше. {long}"
    await client.post("/sources", json={"publisher": "A", "title": "B", "ref": ref})
    path, plain = f"/sources/{ref}/text", {"Content-Type": "text/plain"}
    assert (await client.put(path, content=text, headers=plain)).status_code == 200
    for q in ("узынагаш", '"кварцевый завод"', "Uzynagash nothing"):
        (hit,) = await search(client, q, kinds="source")
        assert (hit["ref"], hit["in_name"]) == (ref, False)
        (match,) = [each for each in hit["matches"] if each["field"] == "/text"]
        assert len(match["text"]) < 400
        found = {match["text"][start:end][:5].lower() for start, end in match["spans"]}
        assert found
        assert found <= {"узына", "кварц", "nothi"}
        listed = (await client.get("/sources", params={"q": q, "count": "exact"})).json()
        assert [each["ref"] for each in listed["data"]] == [ref]
    # What stands in it no more is found no more; the record's own words still are.
    answer = await client.put(f"{path}?replace=true", content="Новый текст.", headers=plain)
    assert answer.status_code == 200
    assert await search(client, "узынагаш", kinds="source") == []
    await client.patch(f"/sources/{ref}", json={"title": "Заголовок про кварц"})
    for q in ("заголовок", "новый текст кварц"):
        assert [hit["ref"] for hit in await search(client, q, kinds="source")] == [ref]


async def test_pages_of_hits_lead_on_and_back(client: httpx.AsyncClient) -> None:
    query: dict[str, Any] = {"q": "казахстан", "limit": 3}
    pages = [(await client.get("/search", params=query)).json()]
    while cursor := pages[-1]["page"]["next_cursor"]:
        pages.append((await client.get("/search", params={**query, "cursor": cursor})).json())
    assert len(pages) > 2
    page = pages.pop()
    while cursor := page["page"]["prev_cursor"]:
        page = (await client.get("/search", params={**query, "cursor": cursor})).json()
        assert page["data"] == pages.pop()["data"]
    assert pages == []
