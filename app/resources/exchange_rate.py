"""Exchange rates: what conversion on request is done with."""

import datetime
from decimal import Decimal
from typing import Annotated

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.databases.types import Exact
from app.engine.record import Record, code, rule
from app.engine.resource import OfDay, Resource
from app.engine.schemas import Day, Digits, Line, Noted, RecordFields
from app.resources.code import CurrencyCode


class ExchangeRate(Record):
    __tablename__ = "exchange_rate"
    __table_args__ = (
        rule("rate_positive", "rate > 0", "rate is above 0", "/rate"),
        rule(
            "two_currencies",
            "base <> quote",
            "base and quote are two currencies",
            "/quote",
            units={"rate": ("base", "quote")},
        ),
        Index(
            "uq_exchange_rate_quoted",
            "base",
            "quote",
            "date",
            "provider",
            unique=True,
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
            info={"says": "this rate of the provider on this day is on record", "pointer": "/date"},
        ),
    )

    base: Mapped[str] = code("currency.code")
    quote: Mapped[str] = code("currency.code")
    rate: Mapped[Decimal] = mapped_column(Exact(18, 8))
    date: Mapped[datetime.date]
    provider: Mapped[str]


class ExchangeRateFields(RecordFields, Noted):
    """A rate of exchange on a day."""

    base: CurrencyCode
    """The currency of which one unit is priced."""
    quote: CurrencyCode
    """The currency it is priced in."""
    rate: Annotated[Decimal, Digits(18, 8)]
    """How many units of `quote` one unit of `base` cost; up to eight decimals."""
    date: Day
    """The day it held."""
    provider: Line
    """Who published it: a central bank, an exchange."""


exchange_rate = Resource(
    name="ExchangeRate",
    path="exchange-rates",
    table=ExchangeRate,
    fields=ExchangeRateFields,
    about="A published rate between two currencies on a day, for conversion on request.",
    of_day=OfDay(("date",), lambda session, record: record.date),
    example={
        "ref": "usd-rub-2016-04-12",
        "base": "USD",
        "quote": "RUB",
        "rate": 66.3466,
        "date": "2016-04-12",
        "provider": "An invented example",
    },
)
