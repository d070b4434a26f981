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
    regions = {"Алматы": "KZ-75", "вко": "KZ-63", "БҚО": "KZ-27", "Абайская область": "KZ-10"}
    at_home = {"kind": "Компания", "Наименование": "A", "Страна": "Казахстан"}
    await _compare(client, "organizations", "Регион", regions, at_home)
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
        "5-7 USD": 5,
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


#: Of each text the amount, its end, whether it is a limit, its time and years, and its currency.
STATED: dict[str, tuple[Any, ...]] = {
    "около 3 млн USD": (3_000_000, None, "approximately", None, None, "USD"),
    "≈3 млн USD": (3_000_000, None, "approximately", None, None, "USD"),
    "от 1 до 2 млн евро": (1_000_000, 2_000_000, None, None, None, "EUR"),
    "более 5 млн долл.": (5_000_000, None, "more_than", None, None, "USD"),
    "3 млн теңгеден астам": (3_000_000, None, "more_than", None, None, "KZT"),
    "до 7 млн USD": (7_000_000, None, "at_most", None, None, "USD"),
    "от 7 млн USD": (7_000_000, None, "at_least", None, None, "USD"),
    "5+ млн USD": (5_000_000, None, "at_least", None, None, "USD"),
    "not less than €2m": (2_000_000, None, "at_least", None, None, "EUR"),
    "$5–7 million": (5_000_000, 7_000_000, None, None, None, "USD"),
    "500 тыс. – 1 млн USD": (500_000, 1_000_000, None, None, None, "USD"),
    "about $5-7m": (5_000_000, 7_000_000, "approximately", None, None, "USD"),
    "3 млн USD в год": (3_000_000, None, None, "per_year", None, "USD"),
    "жылына 3 млн теңге": (3_000_000, None, None, "per_year", None, "KZT"),
    "$10 million a year for five years": (10_000_000, None, None, "per_year", 5, "USD"),
    "30 млн USD на 5 лет": (30_000_000, None, None, "over_years", 5, "USD"),
    "n/a": (None, None, None, None, None, None),
    "нет данных": (None, None, None, None, None, None),
    "—": (None, None, None, None, None, None),
}
_DETAILS = ("amount", "amount_max", "amount_bound", "amount_period", "amount_years", "currency")


async def test_what_is_said_of_an_amount_is_read_in_its_cell(client: Client) -> None:
    rows = table(*({"Сумма": text, **DEAL, "ref": f"d{at}"} for at, text in enumerate(STATED)))
    rows = rows.replace(b"currency,", b"").replace(b",x,,", b",x,")
    answer = await send(client, "agreements", rows, dry_run="true", create_missing="true")
    assert answer.status_code == 200, answer.text
    wrong = {}
    for text, told in zip(STATED, answer.json()["taken"], strict=False):
        found = {cell["field"]: cell["value"] for cell in told["cells"]}
        details = tuple(found.get(name) for name in _DETAILS)
        if details != STATED[text] or found.get("amount_text", text) != text:
            wrong[text] = found
    assert wrong == {}
    stored = await send(client, "agreements", rows, create_missing="true")
    assert stored.json()["created"] == len(STATED), stored.text
    first = (await client.get("/agreements/d0")).json()
    assert (first["amount_bound"], first["amount_text"]) == ("approximately", "около 3 млн USD")


async def test_what_an_amount_does_not_say_for_certain_is_told_with_the_columns_for_it(
    client: Client,
) -> None:
    columns = "amount_max, amount_bound, amount_period, amount_years, amount_text, currency"
    refused_texts = {
        "почти 3 млн руб": f"columns of its own: {columns}",
        "1 000 – 2 млн USD": "could begin with 1000 or 1000000000: write both numbers in full",
        "7 – 5 USD": "ends below where it begins",
        "более 5-7 млн USD": "what is '-7 млн USD'?",
        "1-2-3 USD": "what is '-2-3 USD'?",
        "200+150 тыс. USD": "what is '+150 тыс. USD'?",
        "10 на 3 года 300 USD": "what is 'на 3 года 300 USD'?",
        "5 300 в год 200 USD": "what is 'в год 200 USD'?",
        "=1+1": "'=1+1' is not a number: what is '='?",
        "-": None,
    }
    await _compare(client, "agreements", "Сумма", refused_texts, DEAL)


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
        "3–13.04.2026": "2026-04-03/2026-04-13",
        "03-13.04.2026": "2026-04-03/2026-04-13",
        "11.-13.04.2026 г.": "2026-04-11/2026-04-13",
        "11.04.–13.04.2026": "2026-04-11/2026-04-13",
        "2026-04-11 - 2026-04-13": "2026-04-11/2026-04-13",
        "12-04-2026–14-04-2026": "2026-04-12/2026-04-14",
        "3-13/04/2026": "could be 2026-04-03 or 2026-03-04",
        "04.2026-05.2026": "2026-04/2026-05",
        "04-05.2026": "2026-04/2026-05",
        "12.04.2026 0:00": "2026-04-12",
        "2026-04-12 00:00:00.000": "2026-04-12",
        "12.04.2026 10:30": "'12.04.2026 10:30'",
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
