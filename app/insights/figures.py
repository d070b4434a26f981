"""The definition of each figure: what agreements, outcomes and reported totals count for in sums.

It is declared here, for the kinds that are added up, and not where the kinds are: what binds, what
replaces another and what a claim is are questions across nouns. `use_figures` hands it to the
kinds; the engine's aggregates keep to it, the summaries of missions and whatever else adds.
"""

from operator import attrgetter

from sqlalchemy import ColumnElement, and_, case, exists, func, null, or_, select, text
from sqlalchemy.orm import aliased

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.core.databases.public_reads import including_withheld
from app.core.loose_types import Value
from app.engine.aggregates.left_out import columns_for
from app.engine.figure_rules import Claims, Cumulative, FigureRules, Holding, Range, SetApart
from app.engine.query.operators import line_key
from app.resources.agreement import Agreement, agreement
from app.resources.firmness import NEVER_SIGNED, SET_APART_SQL, Firmness
from app.resources.money import AmountPeriod, Bound
from app.resources.outcome import AmountScope, Outcome, outcome
from app.resources.related import AgreementRelationship, RelatedAgreement
from app.resources.replacing import stands
from app.resources.reported_total import Rank, ReportedTotal, reported_total

#: The classes of agreements that stand: what fell through or was replaced is in no total.
STANDING = tuple(c for c in Firmness if c not in (Firmness.fallen_through, Firmness.replaced))


def range_of(value: str, value_max: str, bound: str) -> Range:
    """A number that a source states as it is, as a limit, or as the two ends of a range. Of an
    approximation nothing is certain."""

    def end(row: AnyTable) -> Expression:
        return case(
            (getattr(row, value_max).is_not(None), getattr(row, value_max)),
            else_=getattr(row, value),
        )

    def at_least(row: AnyTable) -> Expression:
        return case(
            (getattr(row, bound).in_((Bound.approximately, Bound.at_most)), null()),
            else_=getattr(row, value),
        )

    def at_most(row: AnyTable) -> Expression:
        opened = (Bound.approximately, Bound.at_least, Bound.more_than)
        return case((getattr(row, bound).in_(opened), null()), else_=end(row))

    def is_not_exact(row: AnyTable) -> ColumnElement[bool]:
        is_range = getattr(row, value_max) > getattr(row, value)
        return or_(getattr(row, bound) != Bound.exact, is_range)

    return Range(at_least, at_most, is_not_exact)


def is_per_year(row: AnyTable) -> ColumnElement[bool]:
    """Whether an amount is that of each year, which is no part of a total."""
    holds: ColumnElement[bool] = row.amount_period == AmountPeriod.per_year
    return holds


def was_ever_signed(row: AnyTable) -> ColumnElement[bool]:
    """Whether an agreement was signed, whatever became of it: neither plans nor acts done are."""
    return and_(row.was_signed, row.bindingness.not_in(NEVER_SIGNED))


PER_YEAR = SetApart("per_year", is_per_year, unless="amount_period")


def amount_columns(row: AnyTable) -> dict[str, Expression]:
    """What sums of agreements are made of, by the names of the columns: what the rules look at, how
    far the amount can be from the true one, and of how many agreements it is not exact."""
    limits = AGREEMENTS.ranges["amount"]
    return columns_for(AGREEMENTS, row) | {
        "per": case((is_per_year(row), "year")),
        "at_least": limits.at_least(row),
        "at_most": limits.at_most(row),
        "not_exact": case((limits.is_not_exact(row), row.stands_for), else_=0),
    }


def _parts() -> Selection:
    found: Value = select(RelatedAgreement.owner_id, RelatedAgreement.agreement_id)
    parts: Selection = found.where(RelatedAgreement.relation == AgreementRelationship.part_of)
    return parts


def _replaced() -> Selection:
    """What only another agreement that stands replaces: one that is a plan yet replaces nothing."""
    by: AnyTable = aliased(Agreement)
    # Asked of each relation: few agreements replace another.
    is_there = exists().where(by.id == RelatedAgreement.owner_id, stands(by))
    found: Value = select(RelatedAgreement.agreement_id, RelatedAgreement.owner_id)
    replaced: Selection = found.where(
        RelatedAgreement.relation == AgreementRelationship.replaces, is_there
    )
    return replaced


def _parts_of_totals() -> Selection:
    found: Value = select(ReportedTotal.id, ReportedTotal.part_of_id)
    parts: Selection = found.where(ReportedTotal.part_of_id.is_not(None))
    return parts


def _rank(row: AnyTable) -> Expression:
    return case((row.rank == Rank.preferred, 0), (row.rank == Rank.normal, 1), else_=2)


def _marked() -> Selection:
    # In the words of its index, which nothing else finds: of what is withheld too, of which whoever
    # looks for these ids among what is shown finds nothing.
    every = including_withheld(Agreement)
    return select(every.c.id).where(text(SET_APART_SQL))


def _beside_amounts_to_date() -> Selection:
    to_date: AnyTable = aliased(Outcome)
    agreements = select(to_date.agreement_id).where(to_date.amount_scope == AmountScope.to_date)
    return select(Outcome.id).where(Outcome.agreement_id.in_(agreements))


AGREEMENTS = FigureRules(
    fields=("amount",),
    ranges={"amount": range_of("amount", "amount_max", "amount_bound")},
    weight="stands_for",
    marked=_marked,
    holdings=(Holding("replaced", _replaced, across_groups=True), Holding("parts", _parts)),
    set_apart=(PER_YEAR,),
)
REPORTED_TOTALS = FigureRules(
    fields=("value", "value_max", "of_value"),
    ranges={"value": range_of("value", "value_max", "bound")},
    holdings=(Holding("parts", _parts_of_totals),),
    set_apart=(PER_YEAR,),
    claims=Claims(
        about={
            **{name: attrgetter(name) for name in ("mission_id", "measure", "currency")},
            # Two papers write it in their own way.
            "scope": lambda row: line_key(row.scope),
            "per": lambda row: case((is_per_year(row), "year")),
            # A part of a total is no claim about the whole of it.
            "part_of_id": attrgetter("part_of_id"),
        },
        # A range from a number to itself says no more than the number.
        says=(
            attrgetter("value"),
            lambda row: func.coalesce(row.value_max, row.value),
            *(attrgetter("bound"), attrgetter("currency")),
        ),
        rank=_rank,
        never=2,
        unit="currency",
    ),
)
OUTCOMES = FigureRules(
    fields=("actual_amount",),
    marked=_beside_amounts_to_date,
    cumulative=Cumulative(
        "earlier_outcomes",
        about=attrgetter("agreement_id"),
        is_cumulative=lambda row: row.amount_scope == AmountScope.to_date,
        since=attrgetter("date_earliest"),
        until=attrgetter("date_latest"),
    ),
)


def use_figures() -> None:
    """Let the kinds be added up by these rules."""
    agreement.figures = AGREEMENTS
    outcome.figures = OUTCOMES
    reported_total.figures = REPORTED_TOTALS
