"""Amounts of a dataset in one currency: columns beside those with what was stated."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

from fastapi import Request
from sqlalchemy import Dialect, select

from app.core.databases.expressions import AnyTable, Expression
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.loose_types import Value
from app.core.sheets.sheet import CellKind, Row
from app.datasets.columns import AnyDataset, DatasetColumn, by_name, columns
from app.datasets.declared import Dataset, MoneyColumns
from app.datasets.statement import rows_of
from app.engine.query.filter_reader import ParsedFilter, bad_parameter
from app.engine.query.render import as_csv_value
from app.engine.record import bound_names
from app.insights.converted_figures import DATED_BY, currency_used, refuse_unknown_providers
from app.insights.converted_money import (
    Conversions,
    Money,
    NotConverted,
    RateTable,
    rounded,
)
from app.insights.rates_of_days import find_rates
from app.rest.audience import reading_dialect
from app.rest.conversion import ConversionAsked, ConversionQuery, read_conversion
from app.rest.decimals import text_of
from app.rest.handlers import check_codes, database_of

CONVERTED: Final = "converted_amount"
_INTO: Final = "converted_currency"
#: So many decimals have all amounts; a sum of more would be no number in a spreadsheet.
_AMOUNT_DECIMALS: Final = 4
#: A rate has as many as its 15 digits leave.
_RATE_DECIMALS: Final = 10
_LARGE_RATE: Final = 10**5

Wanted = frozenset[tuple[str, date]]


@lru_cache(maxsize=16)
def converted_columns(dataset: AnyDataset) -> tuple[DatasetColumn, ...]:
    """The columns that a conversion adds to a dataset; none to one without amounts of money."""
    money = _money_of(dataset)
    return () if money is None else tuple(_columns(money, len(columns(dataset))))


def _money_of(dataset: AnyDataset) -> MoneyColumns | None:
    return dataset.money if isinstance(dataset, Dataset) else None


def _columns(money: MoneyColumns, first: int) -> Iterator[DatasetColumn]:
    converted = f"`{money.amount}` in the currency that is asked for, to 4 decimals."
    told = [(CONVERTED, CellKind.decimal, converted)]
    if money.most is not None:
        most = f"`{money.most}` in the currency that is asked for, to 4 decimals."
        told.append((f"{CONVERTED}_max", CellKind.decimal, most))
    told += [
        (_INTO, CellKind.text, "What is converted into; without where nothing is."),
        ("rate", CellKind.decimal, f"What one of `{money.currency}` is in it, to 15 digits."),
        ("rate_date", CellKind.date, "The day of the rate; without where none is needed."),
        ("rate_provider", CellKind.text, "Who published it."),
        (
            "not_converted",
            CellKind.text,
            "Why an amount is not converted: `undated`, `date_is_no_day`, `no_rates_of_currency`,"
            " `before_first_rate` or `rate_too_old`.",
        ),
    ]
    for at, (name, kind, about) in enumerate(told, first):
        unit = _INTO if kind is CellKind.decimal else None
        yield DatasetColumn(name, kind, about, True, unit, at)


@dataclass(slots=True)
class RowConverter:
    """Adds to the rows of a dataset their amounts in one currency; `find` reads the rates that
    currencies are converted with on days."""

    conversions: Conversions
    find: Callable[[Wanted], Awaitable[RateTable]]
    #: Where the values stand in a row: the amounts, the currency, the days that its date can mean.
    places: Sequence[int]
    _wanted: Wanted = frozenset()
    _table: RateTable = field(default_factory=lambda: RateTable((), (), 0))

    async def know(self, several: Iterable[Money]) -> None:
        """Read the rates of what is not known yet."""
        wanted = frozenset(self.conversions.wanted(several))
        if not wanted <= self._wanted:
            self._table, self._wanted = await self.find(wanted), wanted

    async def convert(self, rows: Sequence[Row]) -> list[Row]:
        """The rows with the values of `converted_columns` after their own."""
        several = [self._money(row) for row in rows]
        # A file knows them all already, but of what is written since it began.
        await self.know(money for money in several if money is not None)
        return [[*row, *self._cells(money)] for row, money in zip(rows, several, strict=True)]

    def _money(self, row: Row) -> Money | None:
        *amounts, currency, first, last = (row[at] for at in self.places)
        if currency is None or amounts[0] is None:
            return None
        named = dict(zip(("amount", "most"), amounts, strict=False))
        stated = {name: Decimal(value) for name, value in named.items() if value is not None}
        return Money(None, str(currency), _day(first), _day(last), stated, 1)

    def _cells(self, money: Money | None) -> Iterator[str | None]:
        names = ("amount", "most")[: len(self.places) - 3]
        if money is None:
            yield from (None,) * (len(names) + 5)
            return
        found = self.conversions.find(money, self._table)
        if isinstance(found, NotConverted):
            yield from (None,) * (len(names) + 4)
            yield found.reason.value
            return
        for name in names:
            stated = money.amounts.get(name)
            yield None if stated is None else _text(Fraction(stated) * found.factor)
        rate = found.rates[0] if found.rates else None
        yield self.conversions.target
        yield _text(
            found.factor, _RATE_DECIMALS if found.factor < _LARGE_RATE else _AMOUNT_DECIMALS
        )
        yield rate and rate.date.isoformat()
        yield rate and rate.provider
        yield None


def _day(value: Value) -> date | None:
    return None if value is None else date.fromisoformat(value)


def _text(value: Fraction, decimals: int = _AMOUNT_DECIMALS) -> str:
    return text_of(rounded(value, decimals))


def conversion_of(
    request: Request, dataset: AnyDataset, query: ConversionQuery
) -> ConversionAsked | None:
    """The conversion that is asked for; BadRequest of a dataset that has nothing to convert."""
    asked = read_conversion(request, query)
    if asked is not None and _money_of(dataset) is None:
        known = ", ".join(name for name, each in by_name().items() if converted_columns(each))
        text = f"{dataset.name} has no amounts with a day of their own: convert_to is of {known}."
        raise bad_parameter("convert_to", "nothing", text)
    return asked


async def row_converter(
    request: Request, dataset: AnyDataset, asked: ConversionAsked, *, is_file: bool
) -> RowConverter:
    """What converts the rows of a dataset; for a file, with the rates of all of them."""
    assert isinstance(dataset, Dataset)
    assert dataset.money is not None
    await check_codes(request, ParsedFilter(codes=[currency_used(asked.currency)]))
    await refuse_unknown_providers(request, asked)
    database, dialect = database_of(request), reading_dialect(request)

    async def find(wanted: Wanted) -> RateTable:
        return await find_rates(
            database, dialect, wanted, asked.currency, asked.providers, asked.max_age
        )

    names = [column.name for column in columns(dataset)]
    places = [names.index(name) for name in _read(dataset, dataset.money)]
    conversions = Conversions(asked.currency, asked.rate_date)
    made = RowConverter(conversions, find, places)
    if is_file:
        found = await database.read(_days_statement(dataset, dialect), {})
        await made.know(
            Money(None, str(currency), _day(first), _day(last), {}, 1)
            for currency, first, last in found
        )
    return made


def _read(dataset: Dataset, money: MoneyColumns) -> tuple[str, ...]:
    """The columns that are read: amounts, then the currency and the ends of the date."""
    amounts = (money.amount,) if money.most is None else (money.amount, money.most)
    return (*amounts, money.currency, *bound_names(DATED_BY[dataset.resource.record_type]))


@lru_cache(maxsize=32)
def _days_statement(dataset: Dataset, dialect: Dialect) -> CompiledQuery:
    """Which currencies there are of which days."""
    assert dataset.money is not None
    table: AnyTable = dataset.resource.table
    *_, currency, first, last = (getattr(table, name) for name in _read(dataset, dataset.money))
    amount = getattr(table, dataset.money.amount)
    read: list[Expression] = [as_csv_value(value) for value in (currency, first, last)]
    statement = rows_of(dataset, select(*read))
    statement = statement.where(amount.is_not(None), currency.is_not(None))
    return compile_query(statement.distinct(), dialect)
