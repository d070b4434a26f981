"""Columns worked out of what stands around a record: who the parties are, what is added up."""

from sqlalchemy import case, func, select, union
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from app.core.databases.expressions import AnyTable, Expression
from app.engine.aggregates.left_out import columns_for, left_out
from app.engine.query.aliases import TableAlias
from app.insights.figures import AGREEMENTS, is_per_year
from app.resources.agreement import Agreement
from app.resources.organization import Organization
from app.resources.party import AgreementParty
from app.resources.related import RelatedAgreement

#: What is added up together: amounts of one currency, one class and one nature.
_TOGETHER = ("currency", "firmness", "per")


class joined_names(FunctionElement[str]):  # noqa: N801 (reads as an SQL function)
    """An aggregate: texts as one, in the order of their rows."""

    inherit_cache = True


@compiles(joined_names)
def _joined_names(element: joined_names, compiler: SQLCompiler, **kw: object) -> str:
    function = {"sqlite": "group_concat", "postgresql": "string_agg"}[compiler.dialect.name]
    return f"{function}({compiler.process(element.clauses, **kw)}, '; ')"


def party_names(agreement: AnyTable) -> Expression:
    """What the parties of an agreement are called; who has no name, as described."""
    party: AnyTable = TableAlias(AgreementParty)
    organization: AnyTable = TableAlias(Organization)
    named = select(func.coalesce(organization.name, party.description).label("name"))
    named = named.select_from(
        party.source.outerjoin(organization.source, organization.id == party.organization_id)
    )
    named = named.where(party.agreement_id == agreement.id).order_by(party.position)
    rows = named.correlate_except(party.source, organization.source).subquery()
    return select(joined_names(rows.c.name)).select_from(rows).scalar_subquery()


def reason_left_out(agreement: AnyTable) -> Expression:
    """Why the amount of an agreement is not added to all of its currency and class: they hold it
    already. Null where it is added."""
    own: AnyTable = TableAlias(Agreement)
    columns = columns_for(AGREEMENTS, own) | {
        "currency": own.currency,
        "firmness": own.firmness,
        "per": case((is_per_year(own), "year")),
    }
    # No others hold one or are held.
    tied = union(select(RelatedAgreement.owner_id), select(RelatedAgreement.agreement_id))
    rows = select(*(value.label(name) for name, value in columns.items()))
    rows = rows.where(own.deleted_at.is_(None), own.id.in_(tied))
    counted = rows.cte("tied").prefix_with("MATERIALIZED")
    lifted = frozenset(each.name for each in AGREEMENTS.set_apart)
    left = left_out(AGREEMENTS, counted, _TOGETHER, lifted, name="held")
    # Sets of ids, in which each agreement is looked up: PostgreSQL has no index on the others.
    told = (
        (agreement.id.in_(select(left.c.id).where(left.c.reason == place)), name)
        for place, name in enumerate(AGREEMENTS.reasons)
        if name not in lifted
    )
    return case(*told)
