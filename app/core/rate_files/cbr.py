"""Files of the Bank of Russia: roubles for one, ten, a hundred or more of a currency."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from app.core.rate_files.published import (
    PublishedRate,
    RateFileError,
    currency_of,
    day_of,
    rate_of,
    unit_of,
)
from app.core.rate_files.xml_events import Event

#: A thousand roubles became one on this day, and the code another one.
_NEW_ROUBLE: Final = date(1998, 1, 1)

#: The bank's own numbers of currencies, which a file of one currency has in place of its code.
CURRENCY_NUMBERS: Final = {
    "R01010": "AUD",
    "R01020A": "AZN",
    "R01030": "DZD",
    "R01035": "GBP",
    "R01060": "AMD",
    "R01080": "BHD",
    "R01090B": "BYN",
    "R01105": "BOB",
    "R01115": "BRL",
    "R01135": "HUF",
    "R01150": "VND",
    "R01200": "HKD",
    "R01210": "GEL",
    "R01215": "DKK",
    "R01230": "AED",
    "R01235": "USD",
    "R01239": "EUR",
    "R01240": "EGP",
    "R01270": "INR",
    "R01280": "IDR",
    "R01300": "IRR",
    "R01335": "KZT",
    "R01350": "CAD",
    "R01355": "QAR",
    "R01370": "KGS",
    "R01375": "CNY",
    "R01395": "CUP",
    "R01500": "MDL",
    "R01503": "MNT",
    "R01520": "NGN",
    "R01530": "NZD",
    "R01535": "NOK",
    "R01540": "OMR",
    "R01565": "PLN",
    "R01580": "SAR",
    "R01585F": "RON",
    "R01589": "XDR",
    "R01625": "SGD",
    "R01670": "TJS",
    "R01675": "THB",
    "R01685": "BDT",
    "R01700J": "TRY",
    "R01710A": "TMT",
    "R01717": "UZS",
    "R01720": "UAH",
    "R01760": "CZK",
    "R01770": "SEK",
    "R01775": "CHF",
    "R01800": "ETB",
    "R01805F": "RSD",
    "R01810": "ZAR",
    "R01815": "KRW",
    "R01820": "JPY",
    "R02005": "MMK",
}


def cbr_daily(events: Iterator[Event]) -> Iterator[PublishedRate]:
    """The rates of one day: `<ValCurs Date="…">` with a `<Valute>` for each currency."""
    day: date | None = None
    fields: dict[str, str] = {}
    for event in events:
        if event.name == "ValCurs" and not event.is_end:
            day = day_of(event.attributes.get("Date", ""), event.row, "Date")
        elif event.name == "Valute" and not event.is_end:
            fields = {}
        elif event.name == "Valute" and day is not None:
            code = currency_of(_field(fields, "CharCode", event.row), event.row, "CharCode")
            rate = _rate(code, day, fields, event.row)
            if rate is not None:
                yield rate
        elif event.is_end:
            fields[event.name] = event.text


def cbr_dynamic(events: Iterator[Event], currency: str | None) -> Iterator[PublishedRate]:
    """The rates of one currency: `<ValCurs ID="R01235">` with a `<Record Date="…">` for each day;
    `currency` is its code where the number does not say it."""
    code, day, fields = "", date.min, dict[str, str]()
    for event in events:
        if event.name == "ValCurs" and not event.is_end:
            code = currency or _numbered(event.attributes.get("ID", ""), event.row)
        elif event.name == "Record" and not event.is_end:
            fields, day = {}, day_of(event.attributes.get("Date", ""), event.row, "Date")
        elif event.name == "Record":
            rate = _rate(code, day, fields, event.row)
            if rate is not None:
                yield rate
        elif event.is_end:
            fields[event.name] = event.text


def _numbered(number: str, row: int) -> str:
    found = CURRENCY_NUMBERS.get(number.strip())
    if found is None:
        text = f"{number[:20]!r} is the bank's number of a currency that is not known here"
        raise RateFileError(f"{text}: say currency=, its code of ISO 4217.", row, "ID")
    return found


def _rate(code: str, day: date, fields: dict[str, str], row: int) -> PublishedRate | None:
    rate = rate_of(_field(fields, "Value", row), row, "Value")
    unit = unit_of(_field(fields, "Nominal", row), row, "Nominal")
    quote = "RUB" if day >= _NEW_ROUBLE else "RUR"
    return PublishedRate(code, quote, day, rate, unit, row) if rate else None


def _field(fields: dict[str, str], name: str, row: int) -> str:
    if not fields.get(name):
        raise RateFileError(f"A rate has no <{name}>.", row, name)
    return fields[name]
