"""Rates in a table of anybody's: `currency,date,rate` and perhaps `unit` and `quote`."""

from collections.abc import Iterator

from app.core.rate_files.published import (
    PublishedRate,
    RateFileError,
    currency_of,
    day_of,
    rate_of,
    unit_of,
)
from app.core.sheets.tabular import RawRow

NEEDED = ("currency", "date", "rate")
_KNOWN = (*NEEDED, "unit", "quote")
#: What the columns are called by others.
_CALLED = {
    name: column
    for column, names in {
        "currency": "валюта;код валюты;буквенный код;код;currency code;base;валюта коды",
        "date": "дата;дата курса;day;күні;күн",
        "rate": "курс;значение;официальный курс;exchange rate;value;бағам",
        "unit": "единиц;единица;номинал;количество;кол-во;nominal;quant;units;бірлік",
        "quote": "котируемая валюта;валюта котировки;in;quote currency;баға валютасы",
        "provider": "provider;кто установил;белгілеуші",
    }.items()
    for name in names.split(";")
}


def columns_of(header: RawRow) -> list[str]:
    """What the columns of a table are, those that are none of its own as they are written."""
    names = [" ".join(str(cell or "").split()).lower() for cell in header.cells]
    return [_CALLED.get(name, name) for name in names]


def is_plain(header: RawRow) -> bool:
    """Whether a table is one of rates; with a provider it is of records, a column a field."""
    names = {" ".join(str(cell or "").split()).lower() for cell in header.cells}
    called = set(columns_of(header))
    return set(NEEDED) <= names or (set(NEEDED) <= called and "provider" not in called)


def plain_csv(header: RawRow, rows: Iterator[RawRow], quote: str | None) -> Iterator[PublishedRate]:
    """`rate` is what `unit` (1) of `currency` cost in `quote`: a column, or else the same for the
    whole file."""
    names = columns_of(header)
    for name in names:
        if name not in _KNOWN or names.count(name) > 1:
            right = f"each of {', '.join(_KNOWN)} once"
            raise RateFileError(f"A column {name!r} has no meaning here: there is {right}.", 1)
    if quote is None and "quote" not in names:
        text = "It is not said what the rates are in: add a column quote, or say quote=KZT."
        raise RateFileError(text, header.number)
    for row in rows:
        cells = [str(cell or "") for cell in row.cells]
        if len(cells) > len(names):
            text = f"The row has {len(cells)} cells and the header {len(names)}."
            raise RateFileError(text, row.number)
        values = dict(zip(names, cells, strict=False))
        yield _rate(values, quote, row.number)


def _rate(values: dict[str, str], quote: str | None, row: int) -> PublishedRate:
    rate = rate_of(values.get("rate", ""), row, "rate")
    if not rate:
        raise RateFileError("A rate is above 0: leave out the day that has none.", row, "rate")
    priced_in = values.get("quote") or quote or ""
    return PublishedRate(
        currency_of(values.get("currency", ""), row, "currency"),
        currency_of(priced_in, row, "quote"),
        day_of(values.get("date", ""), row, "date"),
        rate,
        unit_of(values.get("unit") or "1", row, "unit"),
        row,
    )
