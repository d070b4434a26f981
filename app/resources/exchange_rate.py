"""Exchange rates: what conversion on request is done with."""

import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field
from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.databases.types import Exact
from app.core.rate_files.providers import known_provider
from app.core.rate_files.published import (
    MAX_UNIT,
    RATE_DECIMALS,
    RATE_DIGITS,
    published_day,
)
from app.engine.record import Record, code, rule
from app.engine.resource import OfDay, Resource
from app.engine.schemas import Day, Digits, Noted, RecordFields, Schema, SharedLine
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
            units={"rate": ("base", "quote", "unit")},
        ),
        rule("unit_positive", "unit >= 1", "unit is at least 1", "/unit"),
        Index(
            "uq_exchange_rate_quoted",
            # The days come first: money is converted by all rates of some days.
            "date",
            "provider",
            "base",
            "quote",
            unique=True,
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
            info={"says": "this rate of the provider on this day is on record", "pointer": "/date"},
        ),
        Index("ix_exchange_rate_pair", "base", "quote", "date"),
    )

    base: Mapped[str] = code("currency.code")
    quote: Mapped[str] = code("currency.code")
    rate: Mapped[Decimal] = mapped_column(Exact(RATE_DIGITS, RATE_DECIMALS))
    unit: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    date: Mapped[datetime.date]
    provider: Mapped[str]
    import_id: Mapped[UUID | None]


#: A bank whose files are known is called by its abbreviation.
Provider = Annotated[SharedLine, AfterValidator(known_provider)]


class ExchangeRateFields(RecordFields, Noted):
    """A rate of exchange on a day."""

    base: CurrencyCode
    """The currency that is priced."""
    quote: CurrencyCode
    """The currency it is priced in."""
    rate: Annotated[Decimal, Digits(RATE_DIGITS, RATE_DECIMALS)]
    """How many units of `quote` so many of `base` as `unit` says cost, as it is published; up to
    eight decimals."""
    unit: Annotated[int, Field(ge=1, le=MAX_UNIT, strict=True)] = 1
    """For how many units of `base` the rate is: 1, 10, 100 or 1000."""
    date: Annotated[Day, AfterValidator(published_day)]
    """The day it held: from 1900 to the end of next year."""
    provider: Provider
    """Who published it: a central bank (ECB, NBK, CBR), an exchange."""


class Imported(Schema):
    """Where a rate has come from."""

    import_id: UUID | None = None
    """The file that it came in: `record_id` of the one change by which all its rates came; null of
    a rate that was entered by itself."""


exchange_rate = Resource(
    name="ExchangeRate",
    path="exchange-rates",
    table=ExchangeRate,
    fields=ExchangeRateFields,
    read_only=Imported,
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
