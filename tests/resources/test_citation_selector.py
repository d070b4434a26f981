"""Citations without ids and positions: the record by its ref, the passage by its words."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

Body = dict[str, Any]

# Invented: "the plant" stands three times, «Алма» with quotation marks and a hard space.
TEXT = (
    "A mission of eight firms came to the plant. They signed with «Алма»\u00a0on Monday.\n"
    "Later the plant was shown. In June the plant will open."
)
PLAIN = {"Content-Type": "text/plain"}


async def add_source(client: httpx.AsyncClient, text: str | None = TEXT) -> Body:
    """A source with its text, if it has one."""
    ref = f"report-{uuid4().hex}"
    body = {"publisher": "A paper", "title": "A report", "ref": ref}
    source = (await client.post("/sources", json=body)).json()
    if text is not None:
        path = f"/sources/{ref}/text"
        source = (await client.put(path, content=text.encode(), headers=PLAIN)).json()
    return source  # type: ignore[no-any-return]


def citing(cited_source: Body, **fields: Any) -> Body:
    """A citation of the source about the source itself."""
    cited = {"kind": "source", "ref": cited_source["ref"]}
    return {"source": {"ref": cited_source["ref"]}, "record": cited, **fields}


def faults(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {fault["pointer"]: fault["detail"] for fault in answer.json()["errors"]}


@pytest.fixture
async def source(client: httpx.AsyncClient) -> Body:
    return await add_source(client)


async def test_a_citation_names_its_record_by_ref_and_its_passage_by_words(
    client: httpx.AsyncClient, source: Body
) -> None:
    quote = 'They signed with "Алма" on Monday.'
    answer = await client.post("/citations", json=citing(source, quote=quote))
    assert answer.status_code == 201, answer.text
    stored = answer.json()
    assert (stored["record_kind"], stored["record_id"]) == ("source", source["id"])
    assert (stored["source_id"], stored["sentence"]) == (source["id"], 2)
    assert stored["quote"] == "They signed with «Алма»\u00a0on Monday."
    assert (stored["start"], stored["end"]) == (44, 78)


async def test_what_names_no_passage_or_no_record_is_told_with_what_would_be_right(
    client: httpx.AsyncClient, source: Body
) -> None:
    bare = await add_source(client, None)
    wrong = []
    for fields, pointer, words in (
        ({"quote": "\u200b"}, "/quote", ("can be seen",)),
        ({"quote": " \n"}, "/quote", ("can be seen",)),
        ({"quote": "the plant"}, "/quote", ("3 times", "at 33 (", "85 (", "[the plant]")),
        ({"quote": "the plant", "prefix": "x"}, "/prefix", ("not with this prefix", "at 33")),
        ({"quote": "the plant", "suffix": "x"}, "/suffix", ("not with this suffix",)),
        ({"quote": "the plant", "start": 34}, "/quote", ("does not stand at this place", "33")),
        ({"quote": "the plant was sold"}, "/quote", ("beginning stands at 85", "'shown. In June")),
        ({"quote": "Озеро"}, "/quote", ("neither does its beginning",)),
        ({"quote": ""}, "/quote", ("empty",)),
        ({"quote": "\0"}, "/quote", ("NUL",)),
        ({"quote": 5}, "/quote", ("text",)),
        ({"quote": "Later", "start": 0, "end": 5}, "/quote", ("'A mis'", "at 79")),
        ({"prefix": "Later ", "start": 0, "end": 5}, "/prefix", ("give the quote",)),
        ({"quote": "Later", "record": {"kind": "source"}}, "/record/ref", ("Give the ref",)),
        ({"quote": "Later", "record": {"kind": "sorce", "ref": "x"}}, "/record/kind", ("source",)),
        (
            {"quote": "Later", "record": {"kind": "mission", "ref": "nobody-there"}},
            "/record/ref",
            ("no mission",),
        ),
        ({"quote": "Later", "record_kind": "mission"}, "/record", ("not both",)),
        ({"quote": "Later", "source": bare["ref"]}, "/source", ("object",)),
        ({"quote": "Later", "source": {"ref": bare["ref"]}}, "/quote", ("attach it with PUT",)),
        ({"quote": "Later", "source": None}, "/source_id", ("required",)),
        ({"quote": "Later", "field": "/nothing"}, "/field", ("nothing at",)),
        ({}, "/start", ("required",)),
    ):
        answer = await client.post("/citations", json=citing(source, **fields))
        told = faults(answer).get(pointer, "") if answer.status_code == 422 else answer.text
        wrong += [(fields, answer.json()) for word in words if word not in told]
    assert wrong == []


async def test_all_faults_of_a_citation_are_told_at_once(
    client: httpx.AsyncClient, source: Body
) -> None:
    fields = {"quote": "Озеро", "assertion": "sure", "record": {"kind": "mission", "ref": "no-one"}}
    told = faults(await client.post("/citations", json=citing(source, **fields)))
    assert set(told) == {"/quote", "/record/ref", "/assertion"}


async def test_one_of_several_places_is_named_by_what_stands_around_it(
    client: httpx.AsyncClient, source: Body
) -> None:
    for fields, start in (
        ({"prefix": "came to "}, 33),
        ({"suffix": " was shown"}, 85),
        ({"prefix": "June ", "suffix": " will"}, 114),
        ({"start": 85}, 85),
        ({"end": 123}, 114),
        ({"start": 33, "end": 42}, 33),
    ):
        answer = await client.post("/citations", json=citing(source, quote="the plant", **fields))
        assert answer.json().get("start") == start, (fields, answer.text)


async def test_a_quote_is_taken_wherever_a_citation_is_written(
    client: httpx.AsyncClient, source: Body
) -> None:
    ref = f"passage-{uuid4().hex}"
    path, first = f"/citations/{ref}", citing(source, quote="eight firms", ref=ref)
    created = await client.put(path, json=first, headers={"If-None-Match": "*"})
    assert (created.status_code, created.json()["start"]) == (201, 13)
    changed = await client.patch(path, json={"quote": "in june", "suffix": " the"})
    assert "/quote" in faults(changed)
    changed = await client.patch(path, json={"quote": "In June", "suffix": " the"})
    assert (changed.json()["start"], changed.json()["version"]) == (106, 2)
    replaced = await client.put(path, json=citing(source, quote="Later", ref=ref))
    assert (replaced.json()["start"], replaced.json()["version"]) == (79, 3)
    body = citing(source, quote="Monday", ref=ref)
    bulk = {"operations": [{"op": "upsert", "body": body}, {"op": "create", "body": first}]}
    bulk["operations"][1]["body"] = {**first, "ref": f"{ref}-too"}
    answer = await client.post("/citations/bulk", json=bulk)
    assert answer.status_code == 200, answer.text
    assert (await client.get(path)).json()["quote"] == "Monday"
    many = f"/citations?ref={ref}&max_affected=1"
    answer = await client.patch(
        many, json={"source": {"ref": source["ref"]}, "quote": "A mission", "prefix": None}
    )
    assert answer.status_code == 200, answer.text
    assert (await client.get(path)).json()["start"] == 0
    # Of many it must be said where it stands; and none can be without words.
    assert "/source_id" in faults(await client.patch(many, json={"quote": "Later"}))
    assert "/quote" in faults(await client.patch(path, json={"quote": None}))


async def test_a_citation_as_it_was_read_changes_nothing_even_where_its_words_stand_often(
    client: httpx.AsyncClient, source: Body
) -> None:
    body = citing(source, quote="the plant", prefix="Later ")
    read = (await client.post("/citations", json=body)).json()
    path = f"/citations/{read['id']}"
    for answer in (
        await client.put(path, json=read),
        await client.patch(path, json=read),
        await client.patch(path, json={"quote": "the plant"}),
        await client.patch(path, json={"record": {"kind": "sources", "ref": source["ref"]}}),
    ):
        assert answer.json() == read


async def test_citations_are_created_with_the_records_that_they_back(
    client: httpx.AsyncClient, source: Body
) -> None:
    by_ref, ref = {"ref": source["ref"]}, f"mission-{uuid4().hex}"
    deal = {
        "title": "Deal",
        "instrument": "supply_contract",
        "parties": [{"role": "buyer", "description": "A buyer"}],
        "ref": f"{ref}-deal",
        "citations": [
            {"source": by_ref, "quote": "They signed", "field": "/instrument"},
            {"source": by_ref, "quote": "with «Алма»", "record_kind": "agreements"},
        ],
    }
    body = {
        "title": "Mission",
        "kind": "outward_mission",
        "ref": ref,
        "citations": [{"source": by_ref, "quote": "A mission"}],
        "agreements": [deal],
        "reported_totals": [
            {
                "measure": "companies",
                "value": 8,
                "citations": [{"source": by_ref, "quote": "eight", "field": "/value"}],
            }
        ],
    }
    answer = await client.post("/missions", json=body)
    assert answer.status_code == 201, answer.text
    expand = {"expand": "citations,agreements.citations,reported_totals.citations"}
    mission = (await client.get(f"/missions/{ref}", params=expand)).json()
    assert [each["quote"] for each in mission["citations"]] == ["A mission"]
    (read,) = mission["agreements"]
    assert [each["quote"] for each in read["citations"]] == ["They signed", "with «Алма»"]
    assert {each["record_id"] for each in read["citations"]} == {read["id"]}
    (total,) = mission["reported_totals"]
    assert [each["field"] for each in total["citations"]] == ["/value"]
    # The same again is known again, and what is new is added.
    again = {"citations": [*deal["citations"], {"source": by_ref, "quote": "on Monday"}]}
    assert (await client.patch(f"/agreements/{ref}-deal", json=again)).status_code == 200
    listed = (await client.get(f"/agreements/{ref}-deal/citations")).json()["data"]
    assert [each["quote"] for each in listed] == ["They signed", "with «Алма»", "on Monday"]


async def test_a_nested_citation_that_is_wrong_is_told_with_its_place_and_nothing_is_stored(
    client: httpx.AsyncClient, source: Body
) -> None:
    ref = f"mission-{uuid4().hex}"
    good = {"source": {"ref": source["ref"]}, "quote": "A mission"}
    deal = {"title": "Deal", "instrument": "announced_plan"}
    for wrong, place in (
        ({"quote": "Озеро"}, "quote"),
        ({"field": "/nothing"}, "field"),
        ({"source": {"ref": "nobody-there"}}, "source/ref"),
        ({"record": {"kind": "mission", "ref": ref}}, "record"),
        ({"record_id": source["id"]}, "record_id"),
        ({"citations": []}, "citations"),
        ({"nota": 1}, "nota"),
    ):
        deals = [deal, {**deal, "citations": [good, good | wrong]}]
        body = {"title": "M", "kind": "trade_fair", "ref": ref, "agreements": deals}
        answer = await client.post("/missions", json=body)
        assert f"/agreements/1/citations/1/{place}" in faults(answer), answer.text
    assert (await client.get(f"/missions/{ref}")).status_code == 404


async def test_citations_are_found_by_the_ref_of_what_they_back(
    client: httpx.AsyncClient, source: Body
) -> None:
    stored = (await client.post("/citations", json=citing(source, quote="Monday"))).json()
    assert (stored["record_ref"], stored["record_title"]) == (source["ref"], "A report")
    ref = source["ref"]
    for query in (
        {"record_id": ref, "record_kind": "source"},
        {"record_id__in": f"{ref},nobody-there"},
        {"record_ref": ref},
        {"filter": f"record_id eq '{ref}'"},
        {"filter": f"record_ref eq '{ref}' and record_title eq 'A report'"},
        {"record_id": source["id"], "sort": "-record_title"},
    ):
        found = await client.get("/citations", params=query)
        assert found.status_code == 200, found.text
        assert [each["id"] for each in found.json()["data"]] == [stored["id"]], query
