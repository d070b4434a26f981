"""A file with errors is stored in no part, or without its bad rows when that is asked for."""

from typing import Any

import httpx
from fastapi import FastAPI

from tests.imports.calls import done, faults, is_there, position, refused, send, table

Client = httpx.AsyncClient
LENIENT = {"prefer": "handling=lenient"}


async def test_nothing_is_stored_unless_all_is_good(
    client: Client, imports_app: FastAPI, ref: str
) -> None:
    before = await position(imports_app)
    rows = [{"ref": f"{ref}-{n}", "full_name": "A"} for n in range(600)]
    rows[400]["full_name"] = ""
    assert await faults(client, "people", table(*rows)) == [(402, "full_name", "missing")]
    assert await position(imports_app) == before
    assert not await is_there(client, "people", f"{ref}-0")


async def test_every_error_is_told(client: Client, ref: str) -> None:
    rows = [{"ref": f"{ref}-{n}", "title": "A", "kind": "trade_fair"} for n in range(8)]
    rows[1] |= {"kind": "fair", "host_country": "xx"}
    rows[3] |= {"host_country": "XX"}
    rows[5] |= {"host_region": "RU-NVS"}
    rows[6] |= {"cost_amount": "1.5", "cost_currency": "JPY"}
    assert await faults(client, "missions", table(*rows)) == [
        (3, "kind", "choice"),
        (3, "host_country", "form"),
        (5, "host_country", "code"),
        (7, "host_region", "rule"),
        (8, "cost_amount", "decimals"),
    ]


async def test_good_rows_are_stored_when_that_is_asked_for(client: Client, ref: str) -> None:
    rows = [{"ref": f"{ref}-{n}", "full_name": "A" if n % 3 else ""} for n in range(9)]
    answer = await send(client, "people", table(*rows), headers=LENIENT)
    assert answer.status_code == 207
    told = answer.json()
    assert (told["created"], told["failed"]) == (6, 3)
    assert [(e["row"], e["column"], e["code"]) for e in told["errors"]] == [
        (row, "full_name", "missing") for row in (2, 5, 8)
    ]
    assert not await is_there(client, "people", f"{ref}-0")
    assert await is_there(client, "people", f"{ref}-1")


async def test_a_bad_row_takes_none_of_its_neighbours_with_it(
    client: Client, imports_app: FastAPI, ref: str
) -> None:
    """What the database refuses is found among rows that are stored together."""
    before = await position(imports_app)
    deal = {"title": "A", "instrument": "other", "parties": [{"description": "B", "role": "buyer"}]}
    rows: list[dict[str, Any]] = [{"ref": f"{ref}-{n}", **deal, "amount": ""} for n in range(40)]
    for n in (0, 17, 18, 39):
        rows[n]["amount"] = 5  # without a currency
    answer = await send(client, "agreements", table(*rows), headers=LENIENT)
    told = answer.json()
    assert (told["created"], told["failed"]) == (36, 4)
    assert [error["row"] for error in told["errors"]] == [2, 19, 20, 41]
    assert await position(imports_app) == before + 36


async def test_an_update_that_fails_is_undone_alone(client: Client, ref: str) -> None:
    await done(client, "people", table({"ref": ref, "full_name": "A"}))
    rows = table(
        {"ref": ref, "full_name": "A", "note": "x" * 20_001},
        {"ref": ref, "full_name": "B", "note": ""},
    )
    told = (await send(client, "people", rows, headers=LENIENT)).json()
    assert (told["updated"], told["failed"]) == (1, 1)


async def test_a_row_that_refers_to_a_bad_one_fails_too(client: Client, ref: str) -> None:
    rows = table(
        {"ref": ref, "title": "", "kind": "trade_fair", "parent": ""},
        {"ref": f"{ref}-part", "title": "B", "kind": "trade_fair", "parent": ref},
    )
    told = (await send(client, "missions", rows, headers=LENIENT)).json()
    assert (told["created"], told["failed"]) == (0, 2)


async def test_a_thousand_errors_are_told_and_all_are_counted(client: Client) -> None:
    file = b"full_name,note\n" + b",x\n" * 1200
    told = await refused(client, "people", file)
    assert len(told["errors"]) == 1000
    assert told["detail"].startswith("1200 of 1200 rows fail with 1200 errors, of which 1000")
    lenient = (await send(client, "people", file, headers=LENIENT)).json()
    assert (lenient["failed"], len(lenient["errors"])) == (1200, 1000)


async def test_a_wrong_header_is_refused_of_a_lenient_import_too(client: Client) -> None:
    answer = await send(client, "people", b"full_name,x\nA,1\n", headers=LENIENT)
    assert answer.status_code == 422


async def test_a_dry_run_tells_the_errors(client: Client) -> None:
    file = table({"full_name": "", "note": "A"})
    assert await faults(client, "people", file, dry_run="true") == [(2, "full_name", "missing")]


async def test_an_outcome_that_cannot_be_leaves_its_agreement(client: Client, ref: str) -> None:
    deal = {"title": "A", "instrument": "other", "parties": [{"description": "B", "role": "buyer"}]}
    await done(client, "agreements", table({"ref": ref, **deal}))
    rows = table(
        {"ref": f"{ref}-1", "agreement": ref, "status": "announced"},
        {"ref": f"{ref}-2", "agreement": ref, "status": "in_force"},
    )
    told = (await send(client, "outcomes", rows, headers=LENIENT)).json()
    assert (told["created"], told["failed"]) == (1, 1)
    agreement = (await client.get(f"/agreements/{ref}")).json()
    assert (agreement["status"], agreement["version"]) == ("in_force", 2)
