"""Which record a row is of, and what becomes of it."""

from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI

from app.core.databases.types import uuid7
from tests.engine.imports.calls import (
    by_ref,
    done,
    export,
    faults,
    is_there,
    lines,
    position,
    refused,
    send,
    table,
)
from tests.examples import create
from tests.keys import ADMIN

Client = httpx.AsyncClient


async def test_rows_without_id_and_ref_are_new_records(client: Client) -> None:
    name = f"Айгерим {uuid4()}"
    assert await done(client, "people", table({"full_name": name}, {"full_name": name})) == {
        "created": 2
    }


async def test_a_row_with_a_free_ref_is_a_new_record(client: Client, ref: str) -> None:
    assert await done(client, "people", table({"ref": ref, "full_name": "A"})) == {"created": 1}
    assert (await by_ref(client, "people", ref))["full_name"] == "A"


async def test_a_new_record_gets_the_id_that_its_row_names(client: Client, ref: str) -> None:
    record_id = str(uuid7())
    await done(client, "people", table({"id": record_id, "ref": ref, "full_name": "A"}))
    assert (await by_ref(client, "people", ref))["id"] == record_id


async def test_a_row_changes_the_record_with_its_id(client: Client, ref: str) -> None:
    record = await create(client, "people", {"full_name": "A"})
    rows = table({"id": record["id"], "ref": ref, "full_name": "B"})
    assert await done(client, "people", rows) == {"updated": 1}
    assert (await by_ref(client, "people", ref))["version"] == 2


async def test_a_row_changes_the_record_with_its_ref(client: Client, ref: str) -> None:
    await create(client, "people", {"ref": ref, "full_name": "A"})
    rows = table({"id": uuid7(), "ref": ref, "full_name": "B"})
    assert await done(client, "people", rows) == {"updated": 1}


async def test_a_column_that_is_not_there_leaves_its_field(client: Client, ref: str) -> None:
    await create(client, "people", {"ref": ref, "full_name": "A", "note": "kept"})
    await done(client, "people", table({"ref": ref, "full_name": "B"}))
    assert (await by_ref(client, "people", ref))["note"] == "kept"


async def test_an_empty_cell_clears_its_field(client: Client, ref: str) -> None:
    person = {"ref": ref, "full_name": "A", "note": "gone", "other_names": ["B"]}
    await create(client, "people", person)
    assert await done(client, "people", table({"ref": ref, "note": "", "other_names": None})) == {
        "updated": 1
    }
    after = await by_ref(client, "people", ref)
    assert (after["note"], after["other_names"], after["full_name"]) == (None, [], "A")


async def test_an_empty_cell_of_a_field_that_has_a_default_gives_it_that(
    client: Client, ref: str
) -> None:
    mission = {"ref": ref, "title": "A", "kind": "trade_fair", "status": "planned"}
    await create(client, "missions", mission)
    await done(client, "missions", table({"ref": ref, "status": ""}))
    assert (await by_ref(client, "missions", ref))["status"] == "held"


async def test_what_every_record_has_cannot_be_cleared(client: Client, ref: str) -> None:
    await create(client, "people", {"ref": ref, "full_name": "A"})
    rows = table({"ref": ref, "full_name": " "})
    assert await faults(client, "people", rows) == [(2, "full_name", "missing")]


async def test_a_row_that_says_what_is_so_changes_nothing(
    client: Client, imports_app: FastAPI, ref: str
) -> None:
    await create(client, "people", {"ref": ref, "full_name": "A"})
    before = await position(imports_app)
    assert await done(client, "people", table({"ref": ref, "full_name": "A"})) == {"unchanged": 1}
    assert await position(imports_app) == before


async def test_a_row_of_an_earlier_version_is_stale(client: Client, ref: str) -> None:
    await create(client, "people", {"ref": ref, "full_name": "A"})
    await client.patch(f"/people/{ref}", json={"note": "by another"})
    rows = table({"ref": ref, "version": 1, "full_name": "A"})
    assert await faults(client, "people", rows) == [(2, "version", "stale")]
    rows = table({"ref": ref, "version": 2, "full_name": "B"})
    assert await done(client, "people", rows) == {"updated": 1}


async def test_a_row_of_a_record_in_the_trash_is_an_error(client: Client, ref: str) -> None:
    await create(client, "people", {"ref": ref, "full_name": "A"})
    await client.delete(f"/people/{ref}")
    rows = table({"ref": ref, "full_name": "B"})
    assert await faults(client, "people", rows) == [(2, None, "trash")]


async def test_the_trash_as_it_was_exported_changes_nothing(client: Client, ref: str) -> None:
    await create(client, "people", {"ref": ref, "full_name": "A"})
    await client.delete(f"/people/{ref}")
    for kind in ("csv", "xlsx", "ndjson"):
        file = await export(client, "people", kind, ref=ref, deleted="include")
        assert await done(client, "people", file, kind) == {"unchanged": 1}


async def test_an_import_neither_deletes_nor_restores(client: Client, ref: str) -> None:
    await create(client, "people", {"ref": ref, "full_name": "A"})
    rows = table({"ref": ref, "deleted_at": "2020-01-01T00:00:00.000000Z"})
    assert await faults(client, "people", rows) == [(2, "deleted_at", "trash")]
    await client.delete(f"/people/{ref}")
    rows = table({"ref": ref, "deleted_at": ""})
    assert await faults(client, "people", rows) == [(2, "deleted_at", "trash")]


async def test_a_row_of_a_record_of_another_kind_is_an_error(client: Client, ref: str) -> None:
    await create(client, "organizations", {"ref": ref, "kind": "ministry", "name": "A"})
    assert await faults(client, "companies", table({"ref": ref, "name": "A"})) == [
        (2, "ref", "kind")
    ]


async def test_rows_refer_to_rows_above_them(client: Client, ref: str) -> None:
    rows = table(
        {"ref": ref, "title": f"Whole {ref}", "kind": "trade_fair", "parent": ""},
        {"ref": f"{ref}-by-ref", "title": "Part", "kind": "trade_fair", "parent": ref},
        {"ref": f"{ref}-by-name", "title": "Part", "kind": "trade_fair", "parent": f"Whole {ref}"},
        {"ref": f"{ref}-deep", "title": "P", "kind": "trade_fair", "parent": f"{ref}-by-ref"},
    )
    assert await done(client, "missions", rows) == {"created": 4}
    whole = (await by_ref(client, "missions", ref))["id"]
    for name in ("by-ref", "by-name"):
        assert (await by_ref(client, "missions", f"{ref}-{name}"))["parent_id"] == whole


async def test_rows_refer_to_rows_below_them(client: Client, ref: str) -> None:
    above = uuid7()
    rows = table(
        {"ref": f"{ref}-deep", "title": "P", "kind": "trade_fair", "parent": f"{ref}-part"},
        {"ref": f"{ref}-part", "title": "P", "kind": "trade_fair", "parent": above},
        {"id": above, "ref": ref, "title": "P", "kind": "trade_fair"},
    )
    assert await done(client, "missions", rows) == {"created": 3}
    assert (await by_ref(client, "missions", f"{ref}-part"))["parent_id"] == str(above)


async def test_rows_that_refer_to_each_other_are_refused(client: Client, ref: str) -> None:
    rows = table(
        {"ref": f"{ref}-a", "title": "P", "kind": "trade_fair", "parent": f"{ref}-b"},
        {"ref": f"{ref}-b", "title": "P", "kind": "trade_fair", "parent": f"{ref}-a"},
    )
    assert await faults(client, "missions", rows) == [
        (2, "parent", "reference"),
        (3, "parent", "reference"),
    ]


async def test_a_line_can_change_the_record_of_a_line_above_it(client: Client, ref: str) -> None:
    """Programs write lines; a table in which a record stands twice is a slip."""
    rows = lines({"ref": ref, "full_name": "A"}, {"ref": ref, "full_name": "B"})
    assert await done(client, "people", rows, "ndjson") == {"created": 1, "updated": 1}
    assert (await by_ref(client, "people", ref))["full_name"] == "B"


async def test_a_ref_that_a_row_above_gave_away_is_free(client: Client, ref: str) -> None:
    record = await create(client, "people", {"ref": ref, "full_name": "A"})
    rows = table(
        {"id": record["id"], "ref": f"{ref}-other", "full_name": "A"},
        {"ref": ref, "full_name": "B"},
    )
    assert await done(client, "people", rows) == {"created": 1, "updated": 1}


async def test_an_import_is_one_block_of_the_log(
    client: Client, imports_app: FastAPI, ref: str
) -> None:
    await create(client, "people", {"ref": f"{ref}-0", "full_name": "A"})
    before = await position(imports_app)
    rows = table(*({"ref": f"{ref}-{n}", "full_name": "B"} for n in range(600)))
    assert await done(client, "people", rows) == {"created": 599, "updated": 1}
    found = (await client.get("/changes", params={"since": before, "limit": 1000})).json()["data"]
    assert [change["seq"] for change in found] == list(range(before + 1, before + 601))
    assert {change["actor"] for change in found} == {ADMIN}
    created = next(change for change in found if change["action"] == "create")
    assert created["changes"]["full_name"] == [None, "B"]


async def test_imported_records_are_found_by_their_words(client: Client, ref: str) -> None:
    word = f"слово{ref.removeprefix('imported-')}"
    await done(client, "people", table({"ref": ref, "full_name": f"Иван {word}"}))
    found = (await client.get("/people", params={"q": word})).json()["data"]
    assert [record["ref"] for record in found] == [ref]


async def test_imported_outcomes_move_their_agreements(client: Client, ref: str) -> None:
    agreement = {
        "title": ref,
        "instrument": "other",
        "parties": [{"description": "somebody", "role": "signatory"}],
    }
    await create(client, "agreements", {**agreement, "ref": ref})
    rows = table(
        {"ref": f"{ref}-1", "agreement": ref, "status": "in_force"},
        {"ref": f"{ref}-2", "agreement": ref, "status": "completed"},
    )
    assert await done(client, "outcomes", rows) == {"created": 2}
    assert (await by_ref(client, "agreements", ref))["status"] == "completed"
    outcomes = (await client.get(f"/agreements/{ref}/outcomes")).json()["data"]
    assert [outcome["ref"] for outcome in outcomes] == [f"{ref}-1", f"{ref}-2"]


async def test_a_dry_run_tells_the_same_and_stores_nothing(
    client: Client, imports_app: FastAPI, ref: str
) -> None:
    before = await position(imports_app)
    answer = await send(client, "people", table({"ref": ref, "full_name": "A"}), dry_run="true")
    assert (answer.status_code, answer.headers["dry-run"]) == (200, "true")
    assert answer.json()["created"] == 1
    assert not await is_there(client, "people", ref)
    assert await position(imports_app) == before


async def test_an_idempotency_key_stores_a_file_once(client: Client, ref: str) -> None:
    key = {"idempotency-key": str(uuid4())}
    file = table({"full_name": ref})
    first = await send(client, "people", file, headers=key)
    second = await send(client, "people", file, headers=key)
    assert (first.status_code, second.status_code) == (200, 200)
    assert (second.json(), second.headers["idempotency-replayed"]) == (first.json(), "true")
    other = await send(client, "people", table({"full_name": "B"}), headers=key)
    assert other.status_code == 422


async def test_lines_can_have_fields_of_their_own(client: Client, ref: str) -> None:
    rows = lines({"ref": ref, "full_name": "A"}, {"ref": ref, "note": "B"})
    assert await done(client, "people", rows, "ndjson") == {"created": 1, "updated": 1}


async def test_rows_name_others_of_their_file_in_lists_too(client: Client, ref: str) -> None:
    def deal(name: str, *related: str, **more: str) -> dict[str, Any]:
        others = [{"agreement": f"{ref}-{each}", "relation": "replaces"} for each in related]
        row = {"ref": f"{ref}-{name}", "title": "A", "instrument": "other"}
        return {**row, "status": "announced", "related": others, **more}

    rows = [deal("a", "c", "b"), deal("b"), deal("c", "b")]
    assert await done(client, "agreements", table(*rows)) == {"created": 3}
    ids = {name: (await by_ref(client, "agreements", f"{ref}-{name}"))["id"] for name in "abc"}
    for name, others in (("a", "cb"), ("c", "b")):
        related = (await by_ref(client, "agreements", f"{ref}-{name}"))["related"]
        assert [each["agreement_id"] for each in related] == [ids[each] for each in others]
    # By ids as well, which an export has.
    content = await export(client, "agreements", "csv", ref__startswith=ref)
    assert await done(client, "agreements", content) == {"unchanged": 3}
    wrong = table(deal("d", "e"), deal("e", status="sold"), deal("f", "nobody"))
    told = (await refused(client, "agreements", wrong))["errors"]
    assert [(fault["row"], fault["column"]) for fault in told] == [
        (2, "related"),
        (3, "status"),
        (4, "related"),
    ]
    assert told[0]["detail"] == "Row 3 is called so, and fails."
