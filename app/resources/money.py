"""Money: an exact amount with its currency, and what a source says of its kind."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field
from sqlalchemy import CheckConstraint, Text, bindparam, select
from sqlalchemy.orm import Session

from app.core.databases.prepared import Prepared
from app.core.errors import Fault, Invalid
from app.core.loose_types import Values
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
    more_than = "more_than"
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


AmountYears = Annotated[int, Field(ge=1, le=200, strict=True)]


def period_rules() -> tuple[CheckConstraint, ...]:
    """The rules of `amount_period` and `amount_years`."""
    return (
        rule(
            "years_with_period",
            "amount_period IS NULL OR amount_period <> 'over_years' OR amount_years IS NOT NULL",
            "amount_years is missing: the amount_period over_years says for how many",
            "/amount_years",
        ),
        rule(
            "period_with_years",
            "amount_years IS NULL OR (amount_period IS NOT NULL"
            " AND amount_period IN ('over_years', 'per_year'))",
            "amount_period is missing, or not one with years: over_years or per_year",
            "/amount_period",
        ),
        rule("years_positive", "amount_years > 0", "amount_years is at least 1", "/amount_years"),
    )


def money_rules(
    amount: str, currency: str, time: tuple[str, ...] = ()
) -> tuple[CheckConstraint, ...]:
    """The rules of every amount: never without its currency, never below zero. Where `time` names
    for what time it is, amounts for different ones are not added."""
    return (
        rule(
            f"{amount}_with_currency",
            f"{amount} IS NULL OR {currency} IS NOT NULL",
            f"{currency} is missing: {amount} is in one",
            f"/{currency}",
            units={amount: (currency, *time)},
        ),
        rule(
            f"{currency}_with_{amount}",
            f"{currency} IS NULL OR {amount} IS NOT NULL",
            f"{amount} is missing: without one there is no {currency}",
            f"/{amount}",
        ),
        rule(f"{amount}_not_negative", f"{amount} >= 0", f"{amount} is at least 0", f"/{amount}"),
    )


_DECIMALS = Prepared(
    select(Currency.decimals).where(Currency.code == bindparam("currency", type_=Text))
)


def check_money(
    session: Session, currency: str | None, amounts: Mapping[str, Decimal | None]
) -> None:
    """Refuse (422) amounts, by their pointers, with more decimals than their currency has
    (ISO 4217)."""
    if currency is None or all(amount is None for amount in amounts.values()):
        return
    for (decimals,) in _DECIMALS.rows(session, {"currency": currency}):
        _check_decimals(currency, decimals, amounts)


def _check_decimals(
    currency: str, decimals: int | None, amounts: Mapping[str, Decimal | None]
) -> None:
    if decimals is None:
        return
    text = f"An amount in {currency} has at most {decimals} decimals."
    faults = [
        Fault("decimals", text, pointer=pointer)
        for pointer, amount in amounts.items()
        if amount is not None and amount != round(amount, decimals)
    ]
    if faults:
        raise Invalid(text, faults)


def is_range(value: Decimal | None, value_max: Decimal | None) -> bool:
    """Whether two numbers are the ends of a range."""
    return value is not None and value_max is not None and value_max > value


def check_bound(bound: Bound, pointer: str, otherwise: str) -> None:
    """Refuse (422) the bound of a range that says that it is none; `otherwise` is what can be said
    in its place."""
    if bound in (Bound.exact, Bound.more_than):
        text = f"A range, which has two ends, is not {bound}: {otherwise}."
        raise Invalid.at(pointer, "bound", text)


def differs(record: Record, before: Values | None, *names: str) -> bool:
    """Whether one of the fields, of texts or ids, is not what it was."""
    if before is None:
        return True
    now = ((name, getattr(record, name)) for name in names)
    return any(before[name] != (None if value is None else str(value)) for name, value in now)
