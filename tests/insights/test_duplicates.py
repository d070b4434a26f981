"""Records that may be of the same, two and two, for whoever may write."""

from itertools import permutations
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.text.alike_names import Name, likeness, words_keys
from app.core.text.name_index import NameIndex
from app.insights import duplicates
from tests.insights.test_figures import read
from tests.missions.ways import send_good
from tests.pages.reader import HTML, Page

Body = dict[str, Any]
#: A name of a kind, what it may be a duplicate of, and what it is none of.
CASES = (
    (
        "organizations",
        "name",
        "Ertis Tekstil",
        ("ТОО «Ертіс Текстиль»", "Текстиль Ертiс", "Ертіс Текстиль Экспорт", "АО «Текстиль»"),
        ("Текстиль Экспорт", "Ертіс Экспорт"),
    ),
    (
        "people",
        "full_name",
        "Айдар Бектасов",
        ("Bektasov Aidar", "А. Бектасов"),
        ("Бектасова Айгерим", "А."),
    ),
)
WORDS = (
    "Жетісу",
    "Zhetisu",
    "кабель",
    "Кабелі",
    "ТОО",
    "Б.",
    "Болат",
    "Ж",
    "12",
    "«Сервис»",
    "Ертіс",
    "Ertis",
)


@pytest.fixture
def ref() -> str:
    """A ref that no other test has, whose words are no others' either."""
    return f"twice{uuid4().hex[:12]}"


async def entered(client: httpx.AsyncClient, path: str, bodies: list[Body]) -> None:
    more = {"kind": "company"} if path == "organizations" else {}
    operations = [{"op": "create", "body": more | body} for body in bodies]
    await send_good(client, f"/{path}/bulk", json={"operations": operations})


async def pairs(client: httpx.AsyncClient, path: str, ref: str, more: str = "") -> list[Body]:
    address = f"/insights/duplicates/{path}?ref__startswith={ref}-{more}"
    found: list[Body] = (await read(client, address))["data"]
    return found


def names(pair: Body) -> tuple[str, str]:
    return pair["one"]["name"], pair["other"]["name"]


async def test_they_are_those_that_the_page_of_a_record_shows(
    client: httpx.AsyncClient, ref: str
) -> None:
    for path, field, name, alike, others in CASES:
        bodies = [
            {"ref": f"{ref}-{n}", field: each} for n, each in enumerate((name, *alike, *others))
        ]
        await entered(client, path, bodies)
        told = [names(each) for each in await pairs(client, path, ref)]
        assert len(told) == len({*told})
        assert {each for pair in told for each in pair if name in pair} == {name, *alike}
        page = Page(await client.get(f"/pages/{path}/{ref}-0", headers=HTML))
        (shown,) = page.root.find(tag="section", id="duplicates")
        assert {bdi.text for li in shown.find(tag="li") for bdi in li.find(tag="bdi")} == {*alike}


async def test_the_reasons_are_told_and_what_differs_comes_last(
    client: httpx.AsyncClient, ref: str
) -> None:
    bodies: list[Body] = [
        {"name": f"Steel of {ref} Tobol", "country": "KZ", "confidential": True},
        {"name": f"ТОО «{ref} Tobol»", "country": "KZ"},
        {"name": "Another", "other_names": [f"tobol {ref}"], "country": "RU"},
        {"name": f"Tobol {ref}, JSC"},
        {"name": f"Tobol {ref}"},
    ]
    await entered(
        client, "organizations", [{"ref": f"{ref}-{n}", **body} for n, body in enumerate(bodies)]
    )
    await send_good(client, "/organizations/bulk", json=gone(f"{ref}-4"))
    found = await pairs(client, "organizations", ref)
    refs = [(each["one"]["ref"][-1], each["other"]["ref"][-1]) for each in found]
    reasons = [(each["likeness"], each["differs"]) for each in found]
    assert dict(zip(refs, reasons, strict=True)) == {
        ("1", "3"): ("same_words", []),
        ("2", "3"): ("same_words", []),
        ("1", "2"): ("same_words", ["country"]),
        ("0", "1"): ("words_within", []),
        ("0", "3"): ("words_within", []),
        ("0", "2"): ("words_within", ["country"]),
    }
    assert reasons == sorted(reasons)
    assert names(found[2]) == (f"ТОО «{ref} Tobol»", f"tobol {ref}")
    in_kazakhstan = await pairs(client, "organizations", ref, "&country=KZ")
    assert [each["one"]["ref"] for each in in_kazakhstan] == [f"{ref}-0"]


def gone(key: str) -> Body:
    return {"operations": [{"op": "delete", "key": key}]}


async def test_pages_lead_on_and_back(client: httpx.AsyncClient, ref: str) -> None:
    bodies = [{"ref": f"{ref}-{n}", "full_name": f"Асан {ref}"} for n in range(4)]
    await entered(client, "people", bodies)
    every = await pairs(client, "people", ref)
    assert len(every) == 6
    address = f"/insights/duplicates/people?ref__startswith={ref}-&limit=4"
    first = await read(client, address)
    cursors = first["page"]
    second = await read(client, f"{address}&cursor={cursors['next_cursor']}")
    assert first["data"] + second["data"] == every
    assert second["page"]["next_cursor"] is None
    back = await read(client, f"{address}&cursor={second['page']['prev_cursor']}")
    assert back["data"] == first["data"]


async def test_whoever_may_only_read_is_refused(client: httpx.AsyncClient) -> None:
    made = await send_good(client, "/api-keys", json={"name": uuid4().hex, "scope": "read"})
    refused = {
        sent: [
            (
                await client.get(f"/insights/duplicates/{path}", headers={"Authorization": sent})
            ).status_code
            for path in ("organizations", "people")
        ]
        for sent in (f"Bearer {made['key']}", "")
    }
    assert list(refused.values()) == [[403, 403], [401, 401]]


async def test_what_is_too_much_is_refused_with_what_narrows_it(
    client: httpx.AsyncClient, ref: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = [{"ref": f"{ref}-{n}", "full_name": f"Асан {ref}"} for n in range(4)]
    await entered(client, "people", bodies)
    for name in ("MAX_RECORDS", "MAX_COMPARED", "MAX_PAIRS"):
        with monkeypatch.context() as fewer:
            fewer.setattr(duplicates, name, 2)
            answer = await client.get(f"/insights/duplicates/people?ref__startswith={ref}-")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "too_many")
        assert "narrow the records" in answer.json()["detail"]


@settings(max_examples=60)
@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4), max_size=8))
def test_names_that_are_alike_are_found_without_comparing_all(drawn: list[list[str]]) -> None:
    said = [" ".join(words) for words in drawn]
    several = [Name.read(name) for name in said]
    alike = {
        (a, b): found
        for a, b in permutations(range(len(several)), 2)
        if (found := likeness(several[a], several[b]))
    }
    told = {(a, b): found for a, b, found in NameIndex(several).compared() if found}
    assert told | {(b, a): found for (a, b), found in told.items()} == alike
    for (a, b), found in alike.items():
        if found == "same_words" and not several[a].initials | several[b].initials:
            assert words_keys(said[a]) & words_keys(said[b])
