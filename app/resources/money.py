"""Money: an exact amount with its currency, and what a source says of its kind."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field
from sqlalchemy import CheckConstraint, Text, bindparam, select
from sqlalchemy.orm import Session

from app.core.databases.prepared import Prepared
from app.core.errors import Invalid
from app.engine.record import rule
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


_DECIMALS = Prepared(
    select(Currency.decimals).where(Currency.code == bindparam("currency", type_=Text))
)


def check_money(
    session: Session, amount: Decimal | None, currency: str | None, pointer: str
) -> None:
    """Refuse (422) an amount with more decimals than its currency has (ISO 4217)."""
    if amount is None or currency is None:
        return
    for (decimals,) in _DECIMALS.rows(session, {"currency": currency}):
        if decimals is not None and amount != round(amount, decimals):
            text = f"An amount in {currency} has at most {decimals} decimals."
            raise Invalid.at(pointer, "decimals", text)
