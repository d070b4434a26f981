"""Which field a header stands for."""

import httpx
import pytest

from tests.engine.imports.calls import by_ref, detail, done, faults, lines, send, table
from tests.examples import create

Client = httpx.AsyncClient
FAIR = {"title": "A", "kind": "trade_fair"}


@pytest.mark.parametrize(
    "header", ["Host country", "HOST-COUNTRY", " host_country ", "host  COUNTRY"]
)
async def test_capitals_blanks_and_hyphens_do_not_matter(
    client: Client, ref: str, header: str
) -> None:
    await done(client, "missions", table({"Ref": ref, **FAIR, header: "KZ"}))
    assert (await by_ref(client, "missions", ref))["host_country"] == "KZ"


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("mission_id", "id"),
        ("mission_id", "ref"),
        ("mission", "id"),
        ("mission", "ref"),
        ("mission", "title"),
        ("Mission ref", "ref"),
        ("mission.ref", "ref"),
        ("mission.title", "title"),
        ("mission.title", "ref"),
    ],
)
async def test_a_relation_is_told_by_id_ref_or_name(
    client: Client, ref: str, header: str, told: str
) -> None:
    mission = await create(client, "missions", {**FAIR, "ref": ref, "title": f"Миссия {ref}"})
    row = {"ref": ref, "title": "A", "kind": "meeting", header.replace("n r", "n.r"): mission[told]}
    await done(client, "events", table(row))
    assert (await by_ref(client, "events", ref))["mission_id"] == mission["id"]


async def test_what_an_export_says_beside_an_id_is_passed_over(client: Client, ref: str) -> None:
    mission = await create(client, "missions", {**FAIR, "ref": ref})
    row = {
        "ref": ref,
        "mission.title": "another",
        "mission.host_city": "elsewhere",
        "mission_id": mission["id"],
        "title": "A",
        "kind": "meeting",
        "dates": "2016",
        "dates_earliest": "1900-01-01",
        "created_at": "yesterday",
    }
    assert await done(client, "events", table(row)) == {"created": 1}
    assert (await by_ref(client, "events", ref))["dates_earliest"] == "2016-01-01"


async def test_lines_name_relations_too(client: Client, ref: str) -> None:
    mission = await create(client, "missions", {**FAIR, "ref": ref})
    for name, told in (("a", ref), ("b", {"ref": ref}), ("c", {"id": mission["id"], "x": 1})):
        row = {"ref": f"{ref}-{name}", "title": "A", "kind": "meeting", "mission": told}
        await done(client, "events", lines(row), "ndjson")
        assert (await by_ref(client, "events", f"{ref}-{name}"))["mission_id"] == mission["id"]


async def test_parties_are_named_by_refs_and_names(client: Client, ref: str) -> None:
    made = await create(client, "companies", {"name": f"Завод {ref}", "ref": ref})
    parties = [
        {"organization": ref, "role": "supplier"},
        {"organization_id": f"Завод {ref}", "role": "buyer"},
        {"organization": {"ref": ref}, "role": "signatory"},
    ]
    row = {"ref": ref, "title": "A", "instrument": "other", "parties": parties}
    await done(client, "agreements", table(row))
    told = (await by_ref(client, "agreements", ref))["parties"]
    assert {party["organization_id"] for party in told} == {made["id"]}


async def test_a_name_that_several_have_is_an_error(client: Client, ref: str) -> None:
    for _ in range(2):
        await create(client, "missions", {**FAIR, "title": f"Twice {ref}"})
    row = {"title": "A", "kind": "meeting", "Mission": f"Twice {ref}"}
    assert await faults(client, "events", table(row)) == [(2, "Mission", "ambiguous")]


async def test_a_name_that_nobody_has_is_an_error(client: Client) -> None:
    row = {"title": "A", "kind": "meeting", "mission": "nobody"}
    assert await faults(client, "events", table(row)) == [(2, "mission", "reference")]
    file = b'{"title": "A", "kind": "meeting", "mission": "\\ud800"}'
    assert await faults(client, "events", file, "ndjson") == [(1, "mission", "reference")]


async def test_an_unknown_header_is_an_error_that_names_the_nearest(client: Client) -> None:
    file = table({"full_nam": "A", "full_name": "B"})
    assert await faults(client, "people", file) == [(1, "full_nam", "unknown")]
    assert "'full_name'" in await detail(client, "people", file)
    assert await faults(client, "people", b"nonsense,full_name\n") == [(1, "nonsense", "unknown")]
    for name in ("mission.nothing", "merged_into.nothing", "delegates.position"):
        row = {"title": "A", "kind": "meeting", "mission": "x", name: "1"}
        assert (1, name, "unknown") in await faults(client, "events", table(row))


async def test_an_unknown_name_in_a_line_is_an_error_of_that_line(client: Client) -> None:
    file = lines({"full_name": "A"}, {"full_name": "A", "nam": 1})
    assert await faults(client, "people", file, "ndjson") == [(2, "nam", "unknown")]


async def test_a_missing_column_is_one_error(client: Client, ref: str) -> None:
    rows = [{"ref": f"{ref}-{n}", "note": "A"} for n in range(3)]
    assert await faults(client, "people", table(*rows)) == [(1, "full_name", "missing")]
    rows = [{"note": "A"}] * 3
    assert await faults(client, "people", table(*rows)) == [(1, "full_name", "missing")]
    assert await faults(client, "people", b"note\n") == [(1, "full_name", "missing")]


async def test_two_columns_of_one_field_are_an_error(client: Client) -> None:
    file = table({"full_name": "A", "Full name": "B"})
    assert await faults(client, "people", file) == [(1, "Full name", "twice")]


async def test_columns_says_what_headers_stand_for(client: Client, ref: str) -> None:
    file = table({"Код": ref, "ФИО, полностью": "Иван", "Лишнее": "x", "Note": "n"})
    told = 'Код=ref,"ФИО, полностью=full_name",Лишнее='
    assert await done(client, "people", file, columns=told) == {"created": 1}
    after = await by_ref(client, "people", ref)
    assert (after["full_name"], after["note"]) == ("Иван", "n")


@pytest.mark.parametrize("told", ["full_name", "A=nothing", "=note", "A=full_nam", "a\rb=note"])
async def test_columns_that_cannot_be_understood_are_refused(client: Client, told: str) -> None:
    answer = await send(client, "people", table({"full_name": "A"}), columns=told)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == "columns"


async def test_a_column_that_is_told_and_not_there_is_an_error(client: Client) -> None:
    file = table({"full_name": "A"})
    assert await faults(client, "people", file, columns="Nme=note") == [(1, "Nme", "columns")]
