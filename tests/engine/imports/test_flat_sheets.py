"""Flat sheets: parties in columns of their roles, and records that are named and not there."""

from typing import Any

import httpx

from tests.engine.imports.calls import by_ref, done, lines, refused, send, table
from tests.examples import create

Client = httpx.AsyncClient
LENIENT = {"prefer": "handling=lenient"}
#: Deals as an analyst keeps them; the names are invented.
SHEET = """№;Поставщик;Покупатель;Вид;Дата подписания;Сумма;Валюта;Отрасль
1;ТОО «{0} Агро»;ООО «{0}»;Договор поставки;12.04.2019;1 250 000,50;долл. США;Пищевая промышленность
2;АО «{0} Фарм»;;Меморандум;апрель 2019 г.;;;
;;;;Итого;1 250 000,50;;
"""


async def _named(client: Client, name: str) -> list[Any]:
    answer = await client.get("/organizations", params={"name": name})
    return list(answer.json()["data"])


async def _deal(client: Client, title: str) -> Any:
    answer = await client.get(
        "/agreements", params={"title": title, "expand": "parties.organization"}
    )
    (found,) = answer.json()["data"]
    return found


async def test_a_flat_sheet_makes_agreements_with_their_parties(client: Client, ref: str) -> None:
    sheet = SHEET.format(ref).encode()
    told = await refused(client, "agreements", sheet)
    assert [(e["row"], e["column"]) for e in told["errors"]] == [
        (2, "Поставщик"),
        (2, "Покупатель"),
        (3, "Поставщик"),
    ]
    assert "create_missing=true" in told["errors"][0]["detail"]
    dry = await send(client, "agreements", sheet, create_missing="true", dry_run="true")
    assert await _named(client, f"{ref} Агро") == []
    answer = await send(client, "agreements", sheet, create_missing="true")
    told = answer.json()
    assert (told["created"], told["failed"]) == (2, 0)
    assert [(f["row"], f["column"], f["code"]) for f in told["left_out"]] == [
        (1, "№", "column"),
        (4, None, "total"),
    ]
    assert [f["row"] for f in told["related"]] == [2, 2, 3]
    assert {**dry.json(), "taken": []} == told
    deal = await _deal(client, f"Договор поставки: ТОО «{ref} Агро», ООО «{ref}»")
    assert (deal["signed"], deal["amount"], deal["currency"], deal["sectors"]) == (
        "2019-04-12",
        1250000.5,
        "USD",
        ["C10"],
    )
    parties = [(p["role"], p["organization"]["name"]) for p in deal["parties"]]
    assert parties == [("supplier", f"{ref} Агро"), ("buyer", ref)]
    supplier = deal["parties"][0]["organization"]
    assert (supplier["kind"], supplier["legal_form"]) == ("company", "kz-llp")
    assert supplier["other_names"] == [f"ТОО «{ref} Агро»"]
    second = await _deal(client, f"Меморандум: АО «{ref} Фарм»")
    assert (second["signed"], second["instrument"]) == ("2019-04", "memorandum_of_understanding")
    # What is there now is found by its names, and not created again.
    again = await send(client, "agreements", sheet, create_missing="true")
    assert (again.json()["created"], again.json()["related"]) == (2, [])


async def test_a_dry_run_tells_what_each_cell_was_taken_for(client: Client, ref: str) -> None:
    sheet = SHEET.format(ref).encode()
    answer = await send(client, "agreements", sheet, create_missing="true", dry_run="true")
    first = answer.json()["taken"][0]
    assert (first["row"], first["sheet"]) == (2, None)
    told: dict[str, tuple[Any, ...]] = {
        cell["column"]: (cell["cell"], cell["field"], cell["value"]) for cell in first["cells"]
    }
    ((party,), told["Поставщик"]) = told["Поставщик"][2], told["Поставщик"][:2]
    assert party["role"] == "supplier"
    told["Покупатель"] = told["Покупатель"][:2]
    assert told == {
        "№": ("1", None, None),
        "Поставщик": (f"ТОО «{ref} Агро»", "parties"),
        "Покупатель": (f"ООО «{ref}»", "parties"),
        "Вид": ("Договор поставки", "instrument", "supply_contract"),
        "Дата подписания": ("12.04.2019", "signed", "2019-04-12"),
        "Сумма": ("1 250 000,50", "amount", 1250000.5),
        "Валюта": ("долл. США", "currency", "USD"),
        "Отрасль": ("Пищевая промышленность", "sectors", ["C10"]),
        "Вид + Поставщик + Покупатель": (
            None,
            "title",
            f"Договор поставки: ТОО «{ref} Агро», ООО «{ref}»",
        ),
    }
    many = [{"full_name": f"A {n}"} for n in range(30)]
    rows = (await send(client, "people", table(*many), dry_run="true")).json()["taken"]
    assert [row["row"] for row in rows] == list(range(2, 22))


async def test_parties_are_named_by_ref_id_or_any_of_their_names(client: Client, ref: str) -> None:
    made = await create(
        client,
        "companies",
        {
            "ref": ref,
            "name": f"Нобель {ref}",
            "name_en": f"Nobel {ref}",
            "other_names": [f"N-{ref}"],
        },
    )
    names = [ref, made["id"], f"Нобель {ref}", f"Nobel {ref}", f"N-{ref}", f"АО «Нобель {ref}»"]
    rows = [
        {
            "ref": f"{ref}-{n}",
            "title": "A",
            "Instrument": "other",
            "Supplier": name,
            "Жеткізуші 2": "",
        }
        for n, name in enumerate(names)
    ]
    rows[0]["Жеткізуші 2"] = f"{ref}; Nobel {ref}"
    assert await done(client, "agreements", table(*rows)) == {"created": len(names)}
    for n in range(len(names)):
        parties = (await by_ref(client, "agreements", f"{ref}-{n}"))["parties"]
        assert {p["organization_id"] for p in parties} == {made["id"]}, names[n]
        assert len(parties) == (3 if n == 0 else 1)
    near = table({"title": "A", "instrument": "other", "buyer": f"Нобел {ref}"})
    (fault,) = (await refused(client, "agreements", near))["errors"]
    assert (fault["row"], fault["column"], fault["code"]) == (2, "buyer", "reference")
    assert f"Did you mean 'Нобель {ref}'?" in fault["detail"]


async def test_a_change_leaves_parties_of_other_roles_as_they_are(client: Client, ref: str) -> None:
    for n in "ab":
        await create(client, "companies", {"ref": f"{ref}-{n}", "name": f"{n} {ref}"})
    parties = [
        {"description": "somebody", "role": "signatory"},
        {"description": "another", "role": "buyer"},
    ]
    deal = {"ref": ref, "title": "A", "instrument": "other", "parties": parties}
    await create(client, "agreements", deal)
    row = {"ref": ref, "supplier": f"{ref}-a", "buyer": f"{ref}-b"}
    assert await done(client, "agreements", table(row)) == {"updated": 1}
    assert await done(client, "agreements", table(row)) == {"unchanged": 1}
    found = (await by_ref(client, "agreements", ref))["parties"]
    assert [p["role"] for p in found] == ["signatory", "supplier", "buyer"]
    assert await done(client, "agreements", table({**row, "buyer": ""})) == {"updated": 1}
    found = (await by_ref(client, "agreements", ref))["parties"]
    assert [p["role"] for p in found] == ["signatory", "supplier"]
    both = table({**row, "parties": "[]"})
    told = (await refused(client, "agreements", both))["errors"]
    assert [(e["code"], e["column"]) for e in told] == [("twice", "supplier")]


async def test_a_party_that_is_named_again_keeps_what_no_column_tells(
    client: Client, ref: str
) -> None:
    for n in "ab":
        await create(client, "companies", {"ref": f"{ref}-{n}", "name": f"{n} {ref}"})
    signed = {"role": "founder", "share_percent": 40, "signed_as": "Director"}
    parties = [{**signed, "organization": {"ref": f"{ref}-{n}"}} for n in "ab"]
    deal = {"ref": ref, "title": "A", "instrument": "other", "parties": parties}
    before = (await create(client, "agreements", deal))["parties"]
    row = {"ref": ref, "founder": f"{ref}-b; {ref}-a", "note": "Seen again."}
    assert await done(client, "agreements", table(row)) == {"updated": 1}
    assert (await by_ref(client, "agreements", ref))["parties"] == before[::-1]
    tried = await send(client, "agreements", table(row), dry_run="true")
    told = [cell["column"] for cell in tried.json()["taken"][0]["cells"]]
    assert told == ["ref", "founder", "note"]  # No name is made of the parties.
    row["founder"] = f"{ref}-b"
    assert await done(client, "agreements", table(row)) == {"updated": 1}
    assert (await by_ref(client, "agreements", ref))["parties"] == before[1:]


async def test_people_are_created_from_their_names(client: Client, ref: str) -> None:
    mission = await create(client, "missions", {"ref": ref, "title": "A", "kind": "trade_fair"})
    row = {
        "Миссия": ref,
        "Персона": f"Иван {ref}",
        "Организация": f"ТОО {ref}",
        "Сторона": "Делегация",
    }
    sheet = table({**row, "Роль": "Глава делегации"})
    assert (await send(client, "delegates", sheet)).status_code == 422
    told = (await send(client, "delegates", sheet, create_missing="true")).json()
    assert (told["created"], len(told["related"])) == (1, 2)
    answer = await client.get(f"/missions/{mission['id']}/delegates?expand=person,organization")
    (delegate,) = answer.json()["data"]
    assert delegate["person"]["full_name"] == f"Иван {ref}"
    assert delegate["organization"]["name"] == ref
    # Kinds that need more than a name are not created.
    event = table({"Миссия": f"no {ref}", "title": "A", "kind": "meeting"})
    assert (await send(client, "events", event, create_missing="true")).status_code == 422


async def test_nothing_is_created_for_rows_that_fail(client: Client, ref: str) -> None:
    rows = [
        {"supplier": f"Good {ref}", "title": "A", "instrument": "other"},
        {"supplier": f"Bad {ref}", "title": "A", "instrument": "nothing"},
    ]
    answer = await send(client, "agreements", table(*rows), headers=LENIENT, create_missing="true")
    assert (answer.json()["created"], answer.json()["failed"]) == (1, 1)
    assert len(await _named(client, f"Good {ref}")) == 1
    assert await _named(client, f"Bad {ref}") == []


async def test_columns_that_nobody_knows_are_passed_over_when_that_is_asked(client: Client) -> None:
    sheet = table({"full_name": "A", "Телефон": "1", "Рост": ""})
    told = (await refused(client, "people", sheet))["errors"]
    assert [(e["row"], e["column"], e["code"]) for e in told] == [
        (1, "Телефон", "unknown"),
        (1, "Рост", "unknown"),
    ]
    told = (await send(client, "people", sheet, skip_unknown="true")).json()
    assert told["created"] == 1
    assert [(f["row"], f["column"], f["code"]) for f in told["left_out"]] == [
        (1, "Телефон", "column"),
        (1, "Рост", "column"),
    ]
    rows = lines({"full_name": "A", "x": 1}, {"full_name": "B", "x": 2, "y": None})
    told = (await send(client, "people", rows, "ndjson", skip_unknown="true")).json()
    assert told["created"] == 2
    assert [(f["row"], f["column"]) for f in told["left_out"]] == [(None, "x"), (None, "y")]


async def test_registration_numbers_have_columns_of_their_own(client: Client, ref: str) -> None:
    row = {"ref": ref, "Наименование": f"Нобель {ref}", "Вид": "Компания", "БИН": "050140000656"}
    assert await done(client, "organizations", table({**row, "LEI": ""})) == {"created": 1}
    assert await done(client, "organizations", table(row)) == {"unchanged": 1}
    found = (await by_ref(client, "organizations", ref))["identifiers"]
    assert found == [{"scheme": "kz_bin", "value": "050140000656"}]
    wrong = table({**row, "БИН": "050140000657"})
    (fault,) = (await refused(client, "organizations", wrong))["errors"]
    assert (fault["row"], fault["column"]) == (2, "БИН")
    assert await done(client, "organizations", table({**row, "БИН": ""})) == {"updated": 1}
    assert (await by_ref(client, "organizations", ref))["identifiers"] == []


async def test_records_that_come_later_in_the_file_are_not_created_twice(
    client: Client, ref: str
) -> None:
    rows = [
        {"kind": "Компания", "name": f"A {ref}", "Головная организация": f"Below {ref}"},
        {"kind": "Компания", "name": f"B {ref}", "Головная организация": f"Nowhere {ref}"},
        {"kind": "Компания", "name": f"Below {ref}", "Головная организация": ""},
    ]
    answer = await send(client, "organizations", table(*rows), create_missing="true")
    told = answer.json()
    assert (answer.status_code, told["created"]) == (200, 3), told
    assert [f["row"] for f in told["related"]] == [3]
    for name in ("Below", "Nowhere"):
        assert len(await _named(client, f"{name} {ref}")) == 1
    rows = [{**row, "name": f"x{row['name']}"} for row in rows[::2]]
    rows[0]["Головная организация"] = rows[1]["name"]
    rows[1]["kind"] = "nothing"
    answer = await send(
        client, "organizations", table(*rows), headers=LENIENT, create_missing="true"
    )
    assert [(e["row"], e["column"]) for e in answer.json()["errors"]] == [
        (2, "Головная организация"),
        (3, "kind"),
    ]
    assert await _named(client, rows[1]["name"]) == []


async def test_quotes_dashes_and_blanks_do_not_tell_names_apart(client: Client, ref: str) -> None:
    """One organization in eleven rows, however its name is written; and one of another case."""
    told = f"{ref} Ак-Жол"
    spelt = (
        f'ТОО "{told}"',
        f"ТОО «{told}»",
        f"ТОО „{told}“",
        f"ТОО “{ref}  Ак-Жол”",
        f"ТОО '{told}'",
        f"ТОО ‘{told}’",
        f"  ТОО «{ref} Ак–Жол »",
        f"«{told}»",
        f"'{ref} Ак—Жол'",
        told,
        f"“ТОО «{told} »”",
        f"«{told.upper()}»",
    )
    quoted = ('"' + each.replace('"', '""') + '"' for each in spelt)
    rows = "".join(f"\nДоговор поставки;{each}" for each in quoted)
    sheet = f"Вид;Поставщик{rows}\n".encode()
    answer = await send(client, "agreements", sheet, create_missing="true")
    related = answer.json()["related"]
    assert [each["row"] for each in related] == [2, 13], related
    again = await send(client, "agreements", sheet)
    assert again.json()["related"] == []
    (one,) = await _named(client, told)
    asked = f"/agreements/aggregate?filter=parties/any(p: p/organization_id eq '{one['id']}')"
    (counted,) = (await client.get(asked)).json()["data"]
    assert counted["count"] == 22
