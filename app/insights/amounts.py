"""Sums of amounts in one currency, by class, as columns of a list of figures."""

from collections.abc import Callable, Mapping

from fastapi import Request
from sqlalchemy import CTE, ColumnElement, FromClause, Text, and_, bindparam, case, func, select
from sqlalchemy.orm import aliased

from app.core.databases.expressions import AnyTable, Expression
from app.core.databases.interface import table_of
from app.core.databases.types import Exact
from app.core.loose_types import Fields
from app.engine.aggregates.left_out import columns_for, left_out
from app.engine.aggregates.sql import Number, normalize_carry, split_sums
from app.engine.query.filter_reader import CodeUsed, ParsedFilter
from app.engine.schemas import Schema
from app.insights.figure_lists import FigureGroup, FigureShape, Parts
from app.insights.figures import AGREEMENTS
from app.insights.summary import Sum
from app.resources.agreement import Agreement
from app.resources.code import Currency
from app.resources.firmness import Firmness
from app.rest.handlers import check_codes

#: The columns, each with its class; what was replaced is in the sum of what took its place.
CLASSES: Mapping[str, Firmness] = {
    f"amount_{each.value}": each for each in Firmness if each is not Firmness.replaced
}
_SCALE = 4

#: Of what is counted from, the id that a row is of, and what ties it to an agreement.
Ties = Callable[[Parts, AnyTable], tuple[Expression, list[ColumnElement[bool]]]]


class AmountFigures(Schema):
    """The columns, as a row shows them."""

    amount_signed_binding: Sum | None
    """The sum of the amounts in `currency` of what is signed and binds. All amounts are null
    where no currency is given, and each where nothing is added."""
    amount_signed_not_binding: Sum | None
    """The same of what is signed and does not bind."""
    amount_accomplished: Sum | None
    """The same of acts that were done already."""
    amount_announced: Sum | None
    """The same of what is only announced or negotiated."""
    amount_fallen_through: Sum | None
    """The same of what was cancelled or has expired."""
    not_exact: int | None
    """How many of the agreements in these sums state a limit, a range or an approximation."""
    left_out: int | None
    """How many records with an amount in the currency are in no sum: parts of others, those whose
    place another took, and amounts of each year."""


def amounts(ties: Ties) -> FigureGroup:
    """The sums of the amounts in `:currency` of the agreements that are tied to a record, and how
    many of them are not exact or left out. An agreement is tied to a record once."""

    def count(parts: Parts, shape: FigureShape, dialect: str) -> FromClause:
        rows = _rows(parts, ties)
        keys = ("record_id", "currency", "firmness")
        left = left_out(AGREEMENTS, rows, keys, within=("record_id",))
        is_left = and_(left.c.id == rows.c.id, left.c.record_id == rows.c.record_id)
        is_added = left.c.id.is_(None)
        summed = {
            name: split_sums(
                _exact(case((is_added & (rows.c.firmness == each), rows.c.amount))), dialect
            )
            for name, each in CLASSES.items()
        }
        own = (
            select(
                rows.c.record_id,
                *(
                    part.label(f"{n}_{at}")
                    for n, sums in summed.items()
                    for at, part in enumerate(sums)
                ),
                func.coalesce(func.sum(case((is_added, rows.c.not_exact))), 0).label("not_exact"),
                func.count(left.c.id).label("left_out"),
            )
            .select_from(rows.outerjoin(left, is_left))
            .where(rows.c.currency == bindparam("currency", type_=Text))
            .group_by(rows.c.record_id)
            .subquery()
        )
        return _finished(own, {name: len(sums) for name, sums in summed.items()})

    names = (*CLASSES, "not_exact", "left_out")
    return FigureGroup(names, count, nullable=True, sums=tuple(CLASSES), option="currency")


def _rows(parts: Parts, ties: Ties) -> CTE:
    """The agreements with amounts, a row for each record that they are tied to."""
    table: AnyTable = aliased(Agreement)
    record_id, conditions = ties(parts, table)
    limits = AGREEMENTS.ranges["amount"]
    own = columns_for(AGREEMENTS, table)
    own["not_exact"] = case((limits.is_not_exact(table), table.stands_for), else_=0)
    columns = (value.label(name) for name, value in own.items())
    found = select(
        record_id.label("record_id"), *columns, table.currency, table.firmness, table.amount
    )
    found = found.where(table.amount.is_not(None), table.deleted_at.is_(None), *conditions)
    return found.cte("amounts").prefix_with("MATERIALIZED")


def _exact(value: Expression) -> Expression:
    value.type = Exact(18, _SCALE)
    return value


def _finished(rows: FromClause, sums: Mapping[str, int]) -> FromClause:
    """The sums as JSON, and beside each its parts, in whose order sums are."""
    columns: list[Expression] = [rows.c.record_id, rows.c.not_exact, rows.c.left_out]
    for name, count in sums.items():
        # A sum of nothing is null.
        raw = normalize_carry([rows.c[f"{name}_{at}"] for at in range(count)])
        columns.append(Number.sum(raw, _SCALE).json().label(name))
        columns += [part.label(f"{name}_{at}") for at, part in enumerate(raw)]
    return select(*columns).subquery()


async def given_currency(request: Request, currency: str | None) -> Fields:
    """The option of the sums, where a currency is given; BadRequest for one that there is none."""
    if currency is None:
        return {}
    used = CodeUsed("currency", table_of(Currency).c.code, currency)
    await check_codes(request, ParsedFilter(codes=[used]))
    return {"currency": currency}
