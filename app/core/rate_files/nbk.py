"""Files of the National Bank of Kazakhstan: tenge for one, ten, a hundred or more of a currency."""

from collections.abc import Iterator
from datetime import date

from app.core.rate_files.published import (
    PublishedRate,
    RateFileError,
    currency_of,
    day_of,
    rate_of,
    unit_of,
)
from app.core.rate_files.xml_events import Event

TENGE = "KZT"


def nbk_daily(events: Iterator[Event]) -> Iterator[PublishedRate]:
    """The rates of one day: `<rates>` with a `<date>` and `<item>`s."""
    return _items(events, "date")


def nbk_all(events: Iterator[Event]) -> Iterator[PublishedRate]:
    """The newest rates as a feed: `<rss>` with `<item>`s, each with its `<pubDate>`."""
    return _items(events, None)


def _items(events: Iterator[Event], dated_by: str | None) -> Iterator[PublishedRate]:
    day: date | None = None
    item: dict[str, str] | None = None
    for event in events:
        if event.name == "item":
            if event.is_end and item is not None:
                rate = _rate(item, day, event.row)
                if rate is not None:
                    yield rate
            item = None if event.is_end else {}
        elif event.is_end and item is not None:
            item[event.name] = event.text
        elif event.is_end and event.name == dated_by:
            day = day_of(event.text, event.row, event.name)


def _rate(item: dict[str, str], day: date | None, row: int) -> PublishedRate | None:
    for name in ("title", "description"):
        if not item.get(name):
            raise RateFileError(f"An <item> has no <{name}>.", row, name)
    if "pubDate" in item:
        day = day_of(item["pubDate"], row, "pubDate")
    if day is None:
        text = "It is not said of which day the rate is: <date> before the items, or <pubDate>."
        raise RateFileError(text, row)
    code = currency_of(item["title"], row, "title")
    rate = rate_of(item["description"], row, "description")
    unit = unit_of(item.get("quant") or "1", row, "quant")
    # The bank writes 0 of a currency that it has no rate of.
    return PublishedRate(code, TENGE, day, rate, unit, row) if rate else None
