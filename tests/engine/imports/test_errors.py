"""A file with errors is stored in no part, or without its bad rows when that is asked for."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.engine.imports.calls import (
    FORMATS,
    done,
    faults,
    file_of,
    is_there,
    lines,
    position,
    refused,
    send,
    table,
    workbook,
)

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
        (7, "host_country", "rule"),
        (8, "cost_amount", "decimals"),
    ]


MESS: list[dict[str, Any]] = [
    {"title": "A", "kind": "fair", "host_country": "XX", "dates": "x"},
    {"title": "A", "kind": "trade_fair", "cost_amount": "12"},
    {"title": "A", "kind": "trade_fair"},
    {"title": "", "kind": "fair", "cost_amount": "1.2.3", "dates": "2016-13", "parent": "nobody"},
    {"title": "A", "kind": "trade_fair", "host_country": "XX"},
    {"id": "x", "title": "A", "kind": "fair", "version": "y", "host_country": "XX"},
]
WRONG = [
    (0, {"kind", "host_country", "dates"}),
    (1, {"cost_currency"}),
    (3, {"title", "kind", "cost_amount", "dates", "parent"}),
    (4, {"host_country"}),
    (5, {"id", "kind", "version", "host_country"}),
]


@pytest.mark.parametrize("kind", FORMATS)
async def test_every_row_is_judged_as_far_as_it_can_be(
    client: Client, imports_app: FastAPI, ref: str, kind: str
) -> None:
    """A cell hides no other cell, a row no other row, and what cannot be read hides no rules."""
    await done(client, "missions", table({"ref": ref, "title": "A", "kind": "trade_fair"}))
    before = await position(imports_app)
    rows = [*MESS, {"ref": ref, "title": "", "kind": "fair", "host_country": "XX", "version": 9}]
    wrong = [*WRONG, (6, {"title", "kind", "host_country", "version"})]
    if kind == "ndjson":
        # Numbers are numbers there, and names of what is not said are not there at all.
        rows = [{name: value for name, value in row.items() if value != ""} for row in rows]
        wrong[-1] = (6, {"kind", "host_country", "version"})
    told = await faults(client, "missions", file_of(kind, rows), kind)
    found = {row: {column for each, column, _ in told if each == row} for row, _, _ in told}
    first = 1 if kind == "ndjson" else 2
    assert found == {first + at: columns for at, columns in wrong}
    assert [row for row, _, _ in told] == sorted(row or 0 for row, _, _ in told)
    assert await position(imports_app) == before


async def test_a_row_that_another_one_names_is_not_missed(client: Client, ref: str) -> None:
    """It stands below or fails itself, which is told then."""
    fair = {"title": "A", "kind": "trade_fair"}
    rows = [
        {"ref": f"{ref}-1", **fair, "kind": "fair", "parent": f"{ref}-3"},
        {"ref": f"{ref}-2", **fair, "parent": f"{ref}-1"},
        {"ref": f"{ref}-3", **fair, "parent": ""},
    ]
    told = (await refused(client, "missions", table(*rows)))["errors"]
    assert [(each["row"], each["column"]) for each in told] == [(2, "kind"), (3, "parent")]
    assert told[1]["detail"] == "Row 2 is called so, and fails."
    wrong_header = table(*({**row, "nonsense": ""} for row in rows))
    told = await faults(client, "missions", wrong_header)
    assert [place[:2] for place in told] == [(1, "nonsense"), (2, "kind")]


async def test_what_cannot_be_read_hides_nothing(client: Client, ref: str) -> None:
    """A file is given up only where nothing after the fault can be told apart."""
    good, bad = f'{{"ref": "{ref}", "full_name": "A"}}'.encode(), b'{"full_name": 1}'
    long = b'{"full_name": "' + b"x" * (1 << 20) + b'"}'
    lost = [b"[]", b"{", b"\xff", b"\xfe", long, b'{"note": 1, "note": 2}']
    sheet: list[list[Any]] = [
        ["ref", "full_name", "note"],
        [ref, "A", "B"],
        [None, None, "x" * 20_001],
    ]
    cases = {
        "lines": (
            b"\n".join([*lost, bad, good]),
            "ndjson",
            # That it has another encoding is told once.
            [(1, None), (2, None), (3, None), (5, None), (6, None), (7, "full_name")],
        ),
        "cells": (
            b"full_name,note,version\n\x00,\x00,x,over\n\xe8\xe2,\xe8\xe2,\n,\xe8,x\nA,,\n",
            "csv",
            [
                *((2, n) for n in ("A", "B", "D", "version")),
                (3, "A"),
                (4, "version"),
                (4, "full_name"),
            ],
        ),
        "a header": (
            b"full_name,nonsense,version\nA,1,x\n,2,\n",
            "csv",
            [(1, "nonsense"), (2, "version"), (3, "full_name")],
        ),
        "an end": (
            b'full_name,version\nA,x\nA,y\n"A"B\nA,z\n',
            "csv",
            [(2, "version"), (3, "version"), (4, None)],
        ),
        "a workbook": (
            workbook(sheet, errors=[(1, 2), (2, 1)]),
            "xlsx",
            [(2, "C"), (3, "B"), (3, "note")],
        ),
    }
    wrong = {}
    for name, (content, kind, expected) in cases.items():
        told = [(row, column) for row, column, _ in await faults(client, "people", content, kind)]
        if told != expected:
            wrong[name] = told
    assert wrong == {}
    assert not await is_there(client, "people", ref)


async def test_good_rows_around_what_cannot_be_read_are_stored_when_asked(
    client: Client, ref: str
) -> None:
    file = b"[]\n" + lines({"ref": ref, "full_name": "A"}) + b"{\n"
    told = (await send(client, "people", file, "ndjson", headers=LENIENT)).json()
    assert (told["created"], told["failed"]) == (1, 2)
    assert await is_there(client, "people", ref)


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
    rows = lines(
        {"ref": ref, "full_name": "A", "note": "x" * 20_001},
        {"ref": ref, "full_name": "B", "note": ""},
    )
    told = (await send(client, "people", rows, "ndjson", headers=LENIENT)).json()
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


async def test_an_error_about_a_column_that_is_not_there_says_how_to_give_it(
    client: httpx.AsyncClient,
) -> None:
    """Of all rows at once."""
    rows = [{"title": str(at), "instrument": "supply_contract", "amount": at} for at in range(1, 4)]
    told = await refused(client, "agreements", table(*rows))
    party = "The file has no column 'parties': add one, or columns called by their role, such as"
    currency = "The file has no column 'currency': add one, or write it beside the number"
    found = {(e["row"], e["column"]): e["detail"] for e in told["errors"]}
    wanted = {(row, name) for row in (2, 3, 4) for name in ("parties", "currency")}
    assert found.keys() == wanted
    wrong = [
        each for at, each in found.items() if {"parties": party}.get(at[1], currency) not in each
    ]
    assert wrong == []
    # In JSON lines there are no columns.
    told = await refused(client, "agreements", lines(*rows), "ndjson")
    assert not any("column" in error["detail"] for error in told["errors"])
