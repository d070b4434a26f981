"""The exchange rates that the amounts of some days can be converted with, as they are stored."""

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import date
from decimal import Decimal
from typing import Final

from sqlalchemy import ColumnElement, Dialect, func, or_, select

from app.core.databases.interface import Database, compile_query
from app.core.databases.types import Exact
from app.core.errors import did_you_mean
from app.core.loose_types import Value
from app.core.rate_files.providers import CBR, ECB, NBK
from app.engine.query.filter_reader import bad_parameter
from app.insights.converted_money import Rate, RateTable, Reason, Span, ranges
from app.resources.exchange_rate import ExchangeRate

_RATE_TYPE: Final = ExchangeRate.__table__.c.rate.type
_MAX_PROVIDERS: Final = 20


async def find_rates(
    database: Database,
    dialect: Dialect,
    wanted: Iterable[tuple[str, date]],
    target: str,
    providers: Sequence[str],
    max_age: int,
) -> RateTable:
    """What the currencies can be converted into `target` with, each on its day: rates of the day
    and of as many before it as are allowed, those that the dialect sees. Where there are none it is
    known why."""
    pairs = {(currency, day) for currency, day in wanted if currency != target}
    currencies = sorted({target, *(currency for currency, _ in pairs)})
    windows = ranges((day for _, day in pairs), max_age)
    if not windows or not providers:
        return RateTable((), providers, max_age)
    names = ("provider", "date", "base", "quote", "rate", "unit", "id")
    statement = select(*(getattr(ExchangeRate, name) for name in names)).where(
        *_of(currencies),
        ExchangeRate.provider.in_(providers),
        or_(*(ExchangeRate.date.between(*each) for each in windows)),
    )
    rows = await database.read(compile_query(statement, dialect), {})
    table = RateTable((_rate(row, database.dialect.name) for row in rows), providers, max_age)
    lacking = [pair for pair in pairs if table.find(pair[0], target, pair[1]) is None]
    if lacking:
        table.spans = await _spans(database, dialect, currencies, providers)
    reasons = (table.reason(currency, target, day) for currency, day in lacking)
    if Reason.no_rates_of_currency in reasons:
        table.others = await _others(database, dialect, currencies, providers)
    return table


async def check_providers(
    database: Database, dialect: Dialect, providers: Sequence[str], known: Iterable[str]
) -> None:
    """Refuse (400) a `rate_provider` that has no rates and is none of the known ones; the dialect
    says which rates are seen."""
    known = {ECB, NBK, CBR, *known}
    if known.issuperset(providers):
        return
    statement = select(ExchangeRate.provider).where(ExchangeRate.deleted_at.is_(None)).distinct()
    rows = await database.read(compile_query(statement, dialect), {})
    known |= {str(provider) for (provider,) in rows}
    for name in providers:
        if name not in known:
            listed = ", ".join(sorted(known)[:_MAX_PROVIDERS])
            text = f"There are no rates of {name!r}.{did_you_mean(name, known)} Known are {listed}."
            raise bad_parameter("rate_provider", "unknown", text)


def _of(currencies: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
    """Each rate that leads from one of the currencies to another has to do with one of them."""
    return (
        ExchangeRate.deleted_at.is_(None),
        or_(ExchangeRate.base.in_(currencies), ExchangeRate.quote.in_(currencies)),
    )


async def _spans(
    database: Database, dialect: Dialect, currencies: Sequence[str], providers: Sequence[str]
) -> dict[tuple[str, str], Span]:
    """From when to when each provider has rates of each currency: why there are none, where there
    are none."""
    days = (func.min(ExchangeRate.date), func.max(ExchangeRate.date))
    pair = (ExchangeRate.provider, ExchangeRate.base, ExchangeRate.quote)
    statement = select(*pair, *days).where(*_of(currencies), ExchangeRate.provider.in_(providers))
    statement = statement.group_by(*pair)
    spans: dict[tuple[str, str], Span] = {}
    for provider, base, quote, first, last in await database.read(
        compile_query(statement, dialect), {}
    ):
        for currency in (base, quote):
            span = Span(_day(first), _day(last))
            known = spans.get((provider, currency), span)
            widest = Span(min(span.first, known.first), max(span.last, known.last))
            spans[provider, currency] = widest
    return spans


async def _others(
    database: Database, dialect: Dialect, currencies: Sequence[str], providers: Sequence[str]
) -> Mapping[str, Set[str]]:
    """Which other providers have rates of each currency."""
    pair = (ExchangeRate.provider, ExchangeRate.base, ExchangeRate.quote)
    statement = select(*pair).where(*_of(currencies), ExchangeRate.provider.not_in(providers))
    others: dict[str, set[str]] = {}
    for provider, base, quote in await database.read(
        compile_query(statement.distinct(), dialect), {}
    ):
        for currency in (base, quote):
            others.setdefault(currency, set()).add(provider)
    return others


def _rate(row: Sequence[Value], dialect: str) -> Rate:
    """A rate of the driver's values: SQLite has a whole number of its smallest digit."""
    provider, day, base, quote, rate, unit, record_id = row
    if dialect == "sqlite":
        assert isinstance(_RATE_TYPE, Exact)
        rate = Decimal(rate).scaleb(-_RATE_TYPE.scale)
    return Rate(provider, _day(day), base, quote, rate, unit, str(record_id))


def _day(value: Value) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)
