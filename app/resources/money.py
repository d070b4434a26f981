"""Money: an exact amount with its currency, and what a source says of its kind."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field
from sqlalchemy import CheckConstraint, Text, bindparam, select
from sqlalchemy.orm import Session

from app.core.databases.prepared import Prepared
from app.core.errors import Invalid
from app.core.loose_types import Value, Values
from app.engine.record import Record, rule
from app.engine.schemas import Digits
from app.resources.code import Currency

Amount = Annotated[
    Decimal,
    Digits(18, 4),
    Field(description="At least 0, with no more decimals than its currency has."),
]


class Bound(StrEnum):
    """How a stated number limits the true one."""

    exact = "exact"
    at_least = "at_least"
    at_most = "at_most"
    approximately = "approximately"


class AmountKind(StrEnum):
    """What an amount is of."""

    contract_value = "contract_value"
    expected_sales = "expected_sales"
    investment = "investment"
    loan = "loan"
    part_of_total = "part_of_total"


class AmountPeriod(StrEnum):
    """What time an amount is for."""

    one_off = "one_off"
    per_year = "per_year"
    over_years = "over_years"


def money_rules(amount: str, currency: str) -> tuple[CheckConstraint, CheckConstraint]:
    """The rules of every amount: never without its currency, never below zero."""
    return (
        rule(
            f"{amount}_with_currency",
            f"({amount} IS NULL) = ({currency} IS NULL)",
            f"{amount} and {currency} come together: give both or neither",
            f"/{amount}",
            units={amount: (currency,)},
        ),
        rule(f"{amount}_not_negative", f"{amount} >= 0", f"{amount} is at least 0", f"/{amount}"),
    )


_CURRENCY = Prepared(
    select(Currency.decimals, Currency.held_until, Currency.successor).where(
        Currency.code == bindparam("currency", type_=Text)
    )
)


def undated() -> date | None:
    """The day of what has no date."""
    return None


def check_money(
    session: Session,
    amount: Decimal | None,
    currency: str | None,
    pointer: str,
    *,
    named: str = "currency",
    day: Callable[[], date | None] = undated,
    is_new: bool = True,
) -> None:
    """Refuse (422) an amount with more decimals than its currency has (ISO 4217), and a currency,
    in the field `named`, that had been withdrawn on the `day`.

    Neither the currency nor the day are new where `is_new` is false: what is stored stays.
    """
    if amount is None or currency is None:
        return
    for decimals, held_until, successor in _CURRENCY.rows(session, {"currency": currency}):
        if decimals is not None and amount != round(amount, decimals):
            text = f"An amount in {currency} has at most {decimals} decimals."
            raise Invalid.at(pointer, "decimals", text)
        if held_until is not None and is_new:
            at = f"{pointer.rpartition('/')[0]}/{named}"
            _check_held(session, currency, _as_day(held_until), successor, day(), at)


def check_currency(session: Session, currency: str, pointer: str, day: date) -> None:
    """Refuse (422) a currency that had been withdrawn on the day."""
    for _, held_until, successor in _CURRENCY.rows(session, {"currency": currency}):
        if held_until is not None:
            _check_held(session, currency, _as_day(held_until), successor, day, pointer)


def _check_held(
    session: Session,
    currency: str,
    held_until: date,
    successor: str | None,
    day: date | None,
    pointer: str,
) -> None:
    if day is not None and day <= held_until:
        return
    found = f"this is of {day}" if day else "nothing here says that this is so old"
    text = f"{currency} was withdrawn after {held_until}, and {found}."
    if (instead := _in_use(session, successor, day)) is not None:
        text += f" Its successor is {instead}."
    raise Invalid.at(pointer, "withdrawn", text)


def _in_use(session: Session, currency: str | None, day: date | None) -> str | None:
    """The first in a line of successors that had not been withdrawn on the day, or has not yet."""
    for _, held_until, successor in _CURRENCY.rows(session, {"currency": currency}):
        if held_until is not None and (day is None or day > _as_day(held_until)):
            return _in_use(session, successor, day)
    return currency


def _as_day(value: Value) -> date:
    """A day as the driver gives it: a text on SQLite."""
    return date.fromisoformat(str(value))


def differs(record: Record, before: Values | None, *names: str) -> bool:
    """Whether one of the fields, of texts or ids, is not what it was."""
    if before is None:
        return True
    now = ((name, getattr(record, name)) for name in names)
    return any(before[name] != (None if value is None else str(value)) for name, value in now)
