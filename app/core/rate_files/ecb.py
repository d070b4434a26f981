"""Files of the European Central Bank: units of a currency for one euro."""

from collections.abc import Iterator
from datetime import date

from app.core.rate_files.published import (
    PublishedRate,
    RateFileError,
    currency_of,
    day_of,
    rate_of,
)
from app.core.rate_files.xml_events import Event
from app.core.sheets.tabular import RawRow

EURO = "EUR"
_NONE = ("", "N/A", "NaN", "-")


def ecb_csv(header: RawRow, rows: Iterator[RawRow]) -> Iterator[PublishedRate]:
    """A row a day and a column a currency, the newest day first; `N/A` where there is no rate, and
    a comma at the end of each line."""
    cells = [str(cell or "") for cell in header.cells]
    codes = [currency_of(c, header.number, c) if c.strip() else "" for c in cells[1:]]
    if len(set(filter(None, codes))) < sum(map(bool, codes)):
        raise RateFileError("A currency heads two columns.", header.number)
    for row in rows:
        day = day_of(str(row.cells[0] or ""), row.number, cells[0])
        values = row.cells[1:]
        if any(cell is not None for cell in values[len(codes) :]):
            text = f"The row has more cells than the header, which has {len(cells)}."
            raise RateFileError(text, row.number)
        for code, cell in zip(codes, values, strict=False):
            text = str(cell or "").strip()
            if code and text not in _NONE and (rate := rate_of(text, row.number, code)):
                yield PublishedRate(EURO, code, day, rate, 1, row.number)


def ecb_data_csv(header: RawRow, rows: Iterator[RawRow]) -> Iterator[PublishedRate]:
    """A row a rate, as the bank's data portal has them: `CURRENCY`, `TIME_PERIOD`, `OBS_VALUE`."""
    names = [str(cell or "").strip().upper() for cell in header.cells]
    at = {name: names.index(name) for name in ("CURRENCY", "TIME_PERIOD", "OBS_VALUE")}
    per = names.index("CURRENCY_DENOM") if "CURRENCY_DENOM" in names else None
    for row in rows:
        cells = [str(cell or "").strip() for cell in row.cells] + [""] * len(names)
        text = cells[at["OBS_VALUE"]]
        if text in _NONE:
            continue
        base = EURO if per is None else currency_of(cells[per], row.number, names[per])
        code = currency_of(cells[at["CURRENCY"]], row.number, "CURRENCY")
        day = day_of(cells[at["TIME_PERIOD"]], row.number, "TIME_PERIOD")
        if rate := rate_of(text, row.number, "OBS_VALUE"):
            yield PublishedRate(base, code, day, rate, 1, row.number)


def ecb_xml(events: Iterator[Event]) -> Iterator[PublishedRate]:
    """`<Cube time="…">` for a day, and in it `<Cube currency="USD" rate="…"/>` for each rate."""
    day: date | None = None
    for event in events:
        if event.name != "Cube" or event.is_end:
            continue
        if (time := event.attributes.get("time")) is not None:
            day = day_of(time, event.row, "time")
        if (currency := event.attributes.get("currency")) is None:
            continue
        if day is None:
            text = "A rate stands before the day that it is of: <Cube time=…> comes first."
            raise RateFileError(text, event.row)
        text = event.attributes.get("rate", "")
        code = currency_of(currency, event.row, "currency")
        if text not in _NONE and (rate := rate_of(text, event.row, "rate")):
            yield PublishedRate(EURO, code, day, rate, 1, event.row)
