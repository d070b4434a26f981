"""How many agreements there are of each sort, as columns of a list of figures."""

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, func

from app.core.databases.expressions import AnyTable, Expression
from app.engine.query.withheld import is_withheld
from app.engine.schemas import Schema
from app.insights.figures import was_ever_signed
from app.resources.firmness import Firmness
from app.resources.status import AgreementStatus

#: The columns, in their order.
OUTCOME_COLUMNS = (
    *("agreements", "signed", *(each.value for each in Firmness)),
    *("in_force", "completed", "without_amount", "withheld_amounts"),
)


class OutcomeFigures(Schema):
    """The columns, as a row shows them."""

    agreements: int
    """How many agreements and announced outcomes there are: of a mission all, of an organization
    those of these missions that it is a party to. A record counts for as many as it stands for."""
    signed: int
    """How many of these were ever signed, whatever became of them."""
    signed_binding: int
    """How many are signed and bind."""
    signed_not_binding: int
    """How many are signed and do not bind, or are not known to."""
    accomplished: int
    """How many acts were done already."""
    announced: int
    """How many are only announced or negotiated."""
    replaced: int
    """How many another agreement took the place of."""
    fallen_through: int
    """How many were cancelled or have expired."""
    in_force: int
    """How many are in force."""
    completed: int
    """How many are completed."""
    without_amount: int
    """How many state no amount."""
    withheld_amounts: int
    """How many are shown without their amounts, which are withheld."""


def outcome_columns(of: AnyTable) -> dict[str, Expression]:
    """How many agreements the rows stand for, in all and of each sort."""
    counted: dict[str, ColumnElement[bool]] = {
        "signed": was_ever_signed(of),
        **{each.value: of.firmness == each for each in Firmness},
        "in_force": of.status == AgreementStatus.in_force,
        "completed": of.status == AgreementStatus.completed,
        "without_amount": and_(of.amount.is_(None), is_withheld(of, "amount") == 0),
        "withheld_amounts": is_withheld(of, "amount") == 1,
    }
    whole: Expression = cast(func.sum(of.stands_for), BigInteger)
    return {"agreements": whole} | {name: _number(of, met) for name, met in counted.items()}


def date_columns(of: AnyTable) -> dict[str, Expression]:
    """How many have no date of signing, or none with a year, and of how many it is withheld."""
    withholds = is_withheld(of, "signed")
    return {
        "undated": _number(of, and_(of.signed_earliest.is_(None), withholds == 0)),
        "withheld_dates": _number(of, withholds == 1),
    }


def _number(of: AnyTable, met: ColumnElement[bool]) -> Expression:
    return cast(func.sum(case((met, of.stands_for), else_=0)), BigInteger)
