"""Who deals with whom: pairs of organizations that are parties to the same agreement."""

from dataclasses import dataclass

from sqlalchemy import CTE, BigInteger, Dialect, FromClause, bindparam, case, cast, func, select
from sqlalchemy.orm import aliased

from app.core.databases.expressions import AnyTable, Expression
from app.core.databases.interface import CompiledQuery, compile_query
from app.core.databases.made_once import made_once
from app.engine.query.render import as_json, object_of
from app.insights.choice import Choice
from app.resources.agreement import Agreement, agreement
from app.resources.firmness import Firmness
from app.resources.organization import Organization
from app.resources.party import AgreementParty


@dataclass(frozen=True, slots=True)
class PartnersShape:
    """What makes two reads of partners the same statement, without values."""

    choice: Choice


@made_once(256)
def partners_statement(shape: PartnersShape, dialect: Dialect) -> CompiledQuery:
    """Reads `(json, pairs in all)` of the `:limit` pairs that most agreements are between: both
    organizations, and how many agreements of each class. A record counts for as many as it stands
    for; one of three organizations is between three pairs."""
    named = _named(_chosen(shape))
    one, other = named.alias("one"), named.alias("other")
    counts = {each.value: _sum(one, each) for each in Firmness}
    total = func.sum(one.c.stands_for)
    pairs = (
        select(
            one.c.organization_id.label("one_id"),
            other.c.organization_id.label("other_id"),
            func.count().over().label("in_all"),
            total.label("total"),
            *(value.label(name) for name, value in counts.items()),
        )
        .where(
            one.c.agreement_id == other.c.agreement_id,
            one.c.organization_id < other.c.organization_id,
        )
        .group_by(one.c.organization_id, other.c.organization_id)
        .order_by(total.desc(), one.c.organization_id, other.c.organization_id)
        .limit(bindparam("limit", type_=BigInteger))
        .cte("pairs")
    )
    first: AnyTable = aliased(Organization)
    second: AnyTable = aliased(Organization)
    shown = {
        "one": _shown(first),
        "other": _shown(second),
        **{name: cast(pairs.c[name], BigInteger) for name in counts},
    }
    statement = (
        select(object_of(shown), pairs.c.in_all)
        .where(first.id == pairs.c.one_id, second.id == pairs.c.other_id)
        .order_by(pairs.c.total.desc(), pairs.c.one_id, pairs.c.other_id)
    )
    return compile_query(statement, dialect)


@made_once(256)
def unpaired_statement(shape: PartnersShape, dialect: Dialect) -> CompiledQuery:
    """Reads `(agreements, agreements between no two organizations)`."""
    chosen = _chosen(shape)
    named = _named(chosen)
    several = (
        select(named.c.agreement_id)
        .group_by(named.c.agreement_id)
        .having(func.count() > 1)
        .subquery("several")
    )
    is_alone = several.c.agreement_id.is_(None)
    counted = (
        func.coalesce(func.sum(chosen.c.stands_for), 0),
        func.coalesce(func.sum(case((is_alone, chosen.c.stands_for), else_=0)), 0),
    )
    source = chosen.outerjoin(several, several.c.agreement_id == chosen.c.id)
    return compile_query(
        select(*(cast(each, BigInteger) for each in counted)).select_from(source), dialect
    )


def _chosen(shape: PartnersShape) -> CTE:
    columns = (Agreement.id, Agreement.firmness, Agreement.stands_for)
    return select(*columns).where(*shape.choice.conditions(agreement)).cte("chosen")


def _named(chosen: CTE) -> CTE:
    """The organizations that are parties to these agreements, each once for an agreement."""
    found = select(
        chosen.c.id.label("agreement_id"),
        chosen.c.firmness,
        chosen.c.stands_for,
        Organization.id.label("organization_id"),
    ).where(
        AgreementParty.agreement_id == chosen.c.id,
        Organization.id == AgreementParty.organization_id,
    )
    return found.distinct().cte("named").prefix_with("MATERIALIZED")


def _sum(named: FromClause, firmness: Firmness) -> Expression:
    counted = case((named.c.firmness == firmness, named.c.stands_for), else_=0)
    return func.sum(counted)


def _shown(organization: AnyTable) -> Expression:
    names = ("id", "name", "name_en", "country")
    return object_of({name: as_json(getattr(organization, name)) for name in names})
