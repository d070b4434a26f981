"""Files of exchange rates: all that one brings is stored as one change."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import islice
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from app.core.databases.interface import table_of
from app.core.databases.prepared import Prepared, connection_of
from app.core.databases.types import Instant, instant_text, uuid7
from app.core.errors import Fault, Invalid
from app.core.loose_types import Json
from app.core.rate_files.published import PublishedRate, RateFileError
from app.core.rate_files.rate_file import RateFile, RateFormat
from app.engine.history.change_log import Action, note_change
from app.engine.search.index import index_many, move_many_to_trash
from app.engine.writes.constraint_errors import translate_integrity_errors
from app.engine.writes.store import transaction_time
from app.resources.code import Currency
from app.resources.exchange_rate import ExchangeRate, exchange_rate

#: How many rates are in memory at a time.
_BATCH: Final = 2_000
_COLUMNS: Final = (
    *("id", "base", "quote", "rate", "unit", "date", "provider", "import_id"),
    *("confidential", "withheld", "version", "created_at", "updated_at"),
)
_INSERT = Prepared(insert(ExchangeRate), _COLUMNS)
_TRASH = Prepared(
    update(table_of(ExchangeRate))
    .where(ExchangeRate.id == bindparam("record_id"))
    .values(
        version=ExchangeRate.version + 1,
        updated_at=bindparam("moment", type_=Instant),
        deleted_at=bindparam("moment", type_=Instant),
    )
)
#: What an import is told by, and its entry in the log.
OnProgress = Callable[[int], None]


class _Key(NamedTuple):
    base: str
    quote: str
    day: date


class _Stored(NamedTuple):
    id: UUID
    rate: Decimal
    unit: int
    import_id: UUID | None


@dataclass(slots=True)
class RatesReport:
    """What a file of rates has come to: how many were added, corrected (there was another rate of
    the day, which is in the trash now) or there already; `left_out` counts those of currencies that
    are in no code list."""

    format: RateFormat
    provider: str
    import_id: UUID | None = None
    rates: int = 0
    first_date: date | None = None
    last_date: date | None = None
    added: int = 0
    corrected: int = 0
    unchanged: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def see(self, day: date) -> None:
        """Count a rate of this day."""
        self.rates += 1
        if self.first_date is None or day < self.first_date:
            self.first_date = day
        if self.last_date is None or day > self.last_date:
            self.last_date = day

    def to_dict(self) -> Json:
        """The report as the change tells it."""
        names = ("provider", "rates", "first_date", "last_date", "added", "corrected", "unchanged")
        values = {name: getattr(self, name) for name in names}
        days = {name: values[name] and values[name].isoformat() for name in names[2:4]}
        return {"format": self.format.value, **values, **days}


def fault_of(error: RateFileError) -> Fault:
    """What is wrong with a file of rates, as an error of an import."""
    return Fault("rates", error.detail, row=error.row, column=error.column)


def count_rates(file: RateFile) -> int:
    """How many rates a file has; Invalid (422) for one that cannot be read to its end, or has none:
    before anything is written, and before others have to wait for it."""
    with refused():
        count = sum(1 for rate in file.rates() if _checked(rate))
        if count == 0:
            raise RateFileError("The file has no rates.")
    return count


def store_rates(
    session: Session, file: RateFile, on_progress: OnProgress = lambda rates: None
) -> RatesReport:
    """Store the rates of a file. What is there already stays, so that a file can be imported again;
    all that differs is one change, and nothing is logged where nothing does.

    Invalid (422) for a file with two rates of a currency on a day.
    """
    run = _Run(session, file)
    rates = file.rates()
    with refused(), translate_integrity_errors():
        while batch := list(islice(rates, _BATCH)):
            run.store(batch)
            on_progress(len(batch))
    run.log()
    return run.report


@contextmanager
def refused() -> Iterator[None]:
    """Within, what is wrong with a file is told as a problem (Invalid)."""
    try:
        yield
    except RateFileError as error:
        where = "" if error.row is None else f"Line {error.row}: "
        raise Invalid(f"{where}{error.detail}", [fault_of(error)]) from None


def _checked(rate: PublishedRate) -> PublishedRate:
    if rate.base == rate.quote:
        text = f"A rate of {rate.base} in itself: it is between two currencies."
        raise RateFileError(text, rate.row)
    return rate


class _Run:
    """The import of one file."""

    def __init__(self, session: Session, file: RateFile) -> None:
        self.session, self.file = session, file
        self.id, self.moment = uuid7(), transaction_time(session)
        self.report = RatesReport(file.format, file.provider)
        self.currencies = frozenset(session.scalars(select(Currency.code)))

    def store(self, batch: list[PublishedRate]) -> None:
        """Store what of these rates is not there."""
        wanted = self._wanted(batch)
        stored = self._stored(wanted)
        corrected: list[UUID] = []
        new: list[Json] = []
        for key, rate in wanted.items():
            old = stored.get(key)
            if old is not None and (old.rate, old.unit) == (rate.rate, rate.unit):
                # One of this file itself is the same rate a second time.
                self.report.unchanged += old.import_id != self.id
                continue
            if old is not None and old.import_id == self.id:
                raise _twice(rate, old.rate)
            if old is not None:
                corrected.append(old.id)
            new.append(self._row(rate))
        self.report.added += len(new) - len(corrected)
        self.report.corrected += len(corrected)
        self._write(corrected, new)

    def _wanted(self, batch: list[PublishedRate]) -> dict[_Key, PublishedRate]:
        """The rates by what they are of; RateFileError for two of the same."""
        wanted: dict[_Key, PublishedRate] = {}
        for rate in batch:
            unknown = {rate.base, rate.quote} - self.currencies
            if unknown:
                self._leave_out(rate, min(unknown))
                continue
            _checked(rate)
            other = wanted.setdefault(_Key(rate.base, rate.quote, rate.day), rate)
            if (other.rate, other.unit) != (rate.rate, rate.unit):
                raise _twice(rate, other.rate)
            self.report.see(rate.day)
        return wanted

    def _leave_out(self, rate: PublishedRate, currency: str) -> None:
        if self.file.format is RateFormat.plain_csv:
            text = f"{currency} is no currency of GET /codes/currencies."
            raise RateFileError(text, rate.row, "currency")
        self.report.left_out[currency] += 1

    def _stored(self, wanted: dict[_Key, PublishedRate]) -> dict[_Key, _Stored]:
        """The provider's rates that are there of the same currencies and days."""
        bases, quotes, days = map(set, zip(*wanted, strict=True)) if wanted else ((), (), ())
        columns = [getattr(ExchangeRate, name) for name in ("base", "quote", "date")]
        columns += [getattr(ExchangeRate, name) for name in _Stored._fields]
        found = self.session.execute(
            select(*columns).where(
                ExchangeRate.provider == self.file.provider,
                ExchangeRate.deleted_at.is_(None),
                ExchangeRate.date.in_(days),
                ExchangeRate.base.in_(bases),
                ExchangeRate.quote.in_(quotes),
            )
        )
        return {_Key(*row[:3]): _Stored(*row[3:]) for row in found}

    def _row(self, rate: PublishedRate) -> Json:
        return {
            "id": uuid7(),
            "base": rate.base,
            "quote": rate.quote,
            "rate": rate.rate,
            "unit": rate.unit,
            "date": rate.day,
            "provider": self.file.provider,
            "import_id": self.id,
            "confidential": False,
            "withheld": [],
            "version": 1,
            "created_at": self.moment,
            "updated_at": self.moment,
        }

    def _write(self, corrected: list[UUID], new: list[Json]) -> None:
        connection = connection_of(self.session)
        if corrected:
            gone = ({"record_id": each, "moment": self.moment} for each in corrected)
            _TRASH.run_many(connection, gone)
            move_many_to_trash(connection, exchange_rate, corrected)
        if new:
            _INSERT.run_many(connection, new)
            index_many(connection, exchange_rate, new)

    def log(self) -> None:
        """Note the import as one change, if there is any."""
        report = self.report
        if not report.added and not report.corrected:
            return
        report.import_id = self.id
        stamps = {"id": str(self.id), "version": 1, "updated_at": instant_text(self.moment)}
        after = {**stamps, **report.to_dict()}
        kind = exchange_rate.record_type
        note_change(self.session, Action.IMPORT, kind, None, after, hidden=None, was_hidden=None)


def _twice(rate: PublishedRate, other: Decimal) -> RateFileError:
    text = f"The file has two rates of {rate.base} in {rate.quote} on {rate.day}"
    return RateFileError(f"{text}: {other} and {rate.rate}. Leave one of them out.", rate.row)


def left_out_of(report: RatesReport) -> Iterator[Fault]:
    """What was passed over, as an import tells it."""
    for currency, count in sorted(report.left_out.items()):
        text = f"{count} rates of {currency}, which is no currency of GET /codes/currencies."
        yield Fault("unknown_currency", text, column=currency)
