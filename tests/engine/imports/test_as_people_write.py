"""Cells and headers as people write them: labels, amounts and dates in their own words."""

from typing import Any

import httpx

from app.api import RESOURCES
from app.engine.labels import LANGUAGES, fields_by_label, is_labelled, label, label_key
from tests.engine.imports.calls import refused, send, table

Client = httpx.AsyncClient
LENIENT = {"prefer": "handling=lenient"}


async def _taken(client: Client, path: str, *rows: dict[str, Any], **more: str) -> list[Any]:
    """What a dry run takes the first cell of each row for; what is wrong with it where it is."""
    answer = await send(client, path, table(*rows), headers=LENIENT, dry_run="true", **more)
    assert answer.status_code == 207, answer.text
    told = answer.json()
    column = next(iter(rows[0]))
    wrong = {e["row"]: e["detail"] for e in told["errors"] if e["column"] == column}
    return [
        wrong.get(row["row"], next(c["value"] for c in row["cells"] if c["column"] == column))
        for row in told["taken"]
    ]


async def _compare(
    client: Client, path: str, name: str, cases: dict[str, Any], row: dict[str, Any], **more: str
) -> None:
    """Each text of the cases under a header becomes the value beside it, or is refused with it."""
    wrong = []
    texts = list(cases)
    for at in range(0, len(texts), 20):
        part = texts[at : at + 20]
        found = await _taken(client, path, *({name: text, **row} for text in part), **more)
        for text, value in zip(part, found, strict=True):
            right = cases[text]
            fits = right in value if isinstance(value, str) and " " in value else value == right
            if not fits:
                wrong.append((text, value, right))
    assert wrong == []


MISSION = {"title": "A", "kind": "trade_fair"}
DEAL = {"title": "A", "instrument": "other", "supplier": "x", "currency": ""}


async def test_codes_are_told_by_their_labels(client: Client) -> None:
    countries = {
        "Казахстан": "KZ",
        " казахстан ": "KZ",
        "ҚАЗАҚСТАН": "KZ",
        "kazakhstan": "KZ",
        "РФ": "RU",
        "kz": "KZ",
        "RUS": "RU",
        "Россия (RU)": "RU",
        "Казахстон": "Did you mean KZ (Kazakhstan)?",
    }
    await _compare(client, "missions", "Host country", countries, MISSION)
    sectors = {
        "Строительство; Пищевая промышленность": ["F", "C10"],
        "F;Химия": ["F", "C20"],
        "строительство, металлургия": ["F", "C24"],
        "Чудеса": "/codes/sectors",
    }
    await _compare(client, "missions", "Отрасль", sectors, MISSION)
    kinds = {
        "Торговая выставка-ярмарка": "trade_fair",
        "Сауда көрме-жәрмеңкесі": "trade_fair",
        "trade fair": "trade_fair",
        "Торговая выставка": "Did you mean trade_fair",
    }
    await _compare(client, "missions", "Вид миссии", kinds, {"title": "A"})
    truths = {"да": True, "Нет": False, "иә": True, "ЖОҚ": False, "yes": True, "0": False}
    said = {"predicate": "Планирует", "paraphrase": "A", "modality": "план"}
    await _compare(client, "statements", "is_quote", truths, said)


async def test_a_label_of_several_codes_is_told_by_the_country_or_refused(client: Client) -> None:
    row = {"kind": "Компания", "Наименование": "A"}
    forms = {"АО": "R71T (", "ТОО": "kz-llp", "ООО": "17R7", "ЖШС": "kz-llp"}
    await _compare(client, "organizations", "ОПФ", forms, row)
    for country, code in (("Казахстан", "kz-jsc"), ("Россия", "R71T")):
        await _compare(client, "organizations", "ОПФ", {"АО": code}, {**row, "Страна": country})


async def test_amounts_are_read_as_people_write_them(client: Client) -> None:
    amounts = {
        "5 млн USD": 5_000_000,
        "$5,000,000.00": 5_000_000,
        "1 234 567,89 тенге": 1234567.89,
        "5 mln USD": 5_000_000,
        "2,5 млрд тенге": 2_500_000_000,
        "US$ 5m": 5_000_000,
        "5млн.долл. США": 5_000_000,
        "€1.234.567,50": 1234567.5,
        "1'234'567.89 CHF": 1234567.89,
        "1 000 000 ₸": 1_000_000,
        "1,234 млн евро": 1_234_000,
        "1,234 million euros": 1_234_000_000,
        "500 тыс. руб.": 500_000,
        "1,5 млн лари": 1_500_000,
        "3 млн азербайджанских манатов": 3_000_000,
        "3 млн манатов": "could be AZN",
        "1,234 USD": "could be 1234 or 1.234",
        "5 ¥": "could be CNY",
        "5 млн чего-то": "what is 'чего-то'?",
        "$5 млн тенге": "two units",
        "5-7 USD": "is not a number",
    }
    await _compare(client, "agreements", "Сумма", amounts, DEAL)
    answer = await send(
        client, "agreements", table({"Сумма": "5 млн тенге", **DEAL}), headers=LENIENT
    )
    told = [e["detail"] for e in answer.json()["errors"]]
    assert not any("currency is missing" in each for each in told), told
    contradicting = table({"Сумма": "5 млн тенге", **DEAL, "currency": "доллар"})
    told = [
        (e["column"], e["detail"])
        for e in (await refused(client, "agreements", contradicting))["errors"]
    ]
    assert ("Сумма", "The cell says KZT, the column currency USD: let them say the same.") in told
    said = {"predicate": "plans", "paraphrase": "A", "modality": "plan"}
    await _compare(
        client, "statements", "Количество", {"200 тонн": 200, "6 тыс. тонн": 6000, "7 га": 7}, said
    )


async def test_dates_are_read_as_people_write_them(client: Client) -> None:
    dates = {
        "12 апреля 2026": "2026-04-12",
        "12 Apr 2026": "2026-04-12",
        "April 12, 2026": "2026-04-12",
        "12 сәуір 2026 ж.": "2026-04-12",
        "12.04.2026": "2026-04-12",
        "апрель 2026 г.": "2026-04",
        "2026 год": "2026",
        "I квартал 2026": "2026-33",
        "Q3 2026": "2026-35",
        "2026-04-12": "2026-04-12",
        "XXXX-04": "XXXX-04",
        "12/04/2026": "could be 2026-04-12 or 2026-12-04",
        "12–14 апреля 2026": "2026-04-12/2026-04-14",
        "с 12 по 14 апреля 2026 г.": "2026-04-12/2026-04-14",
        "30 апреля — 2 мая 2026 года": "2026-04-30/2026-05-02",
        "12.04.2026 - 14.04.2026": "2026-04-12/2026-04-14",
        "04.2026-05.2026": "2026-04/2026-05",
        "2025–2026": "2025/2026",
        "2026-04-11/2026-04-13": "2026-04-11/2026-04-13",
        "2026-21": "2026-21",
        "14 марта": "XXXX-03-14",
        "March 14": "XXXX-03-14",
        "14 наурыз": "XXXX-03-14",
        "с 28 марта по 2 апреля": "XXXX-03-28/XXXX-04-02",
        "14.03": "write XXXX-03-14",
        "31.02.2024": "there is no 31 February 2024",
        "30 февраля": "there is no 30 February",
        "marble 2026": "'marble 2026'",
    }
    await _compare(client, "missions", "Даты", dates, MISSION)


async def test_a_date_format_says_what_digits_mean(client: Client) -> None:
    american = {
        "04/12/2026": "2026-04-12",
        "4/12/2026": "2026-04-12",
        "2026-04-12": "2026-04-12",
        "12 апреля 2026": "2026-04-12",
        "13/12/2026": "is no day written as mm/dd/yyyy",
        "12.04.2026": "is no day written as mm/dd/yyyy",
    }
    await _compare(client, "missions", "Даты", american, MISSION, date_format="MM/DD/YYYY")
    short = {"12.04.26": "2026-04-12", "01.02.99": "1999-02-01"}
    await _compare(client, "missions", "Даты", short, MISSION, date_format="dd.mm.yy")
    for wrong in ("dd.mm", "dd.dd.yyyy", "%d.%m.%Y", ""):
        answer = await send(client, "missions", table(MISSION), date_format=wrong)
        assert answer.status_code == 400, wrong
        assert answer.json()["errors"][0]["parameter"] == "date_format"


def test_every_field_has_labels_that_are_its_own() -> None:
    """In each language; else an import could not tell which is meant."""
    wrong: list[object] = []
    for resource in RESOURCES:
        names = [*resource.read_fields, *resource.to_one]
        wrong += [(resource.path, name) for name in names if not is_labelled(resource, name)]
        wrong += [
            (resource.path, name, language)
            for name in names
            for language in LANGUAGES
            if fields_by_label(resource)[label_key(label(resource, (name,), language))] != name
        ]
    assert wrong == []
