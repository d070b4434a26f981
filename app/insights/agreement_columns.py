"""How many agreements there are of each sort, as columns of a list of figures."""

from sqlalchemy import BigInteger, ColumnElement, case, cast, func

from app.core.databases.expressions import AnyTable, Expression
from app.insights.figures import was_ever_signed
from app.resources.firmness import Firmness
from app.resources.status import AgreementStatus

#: The columns, in their order.
OUTCOME_COLUMNS = (
    *("agreements", "signed", *(each.value for each in Firmness)),
    *("in_force", "completed", "without_amount"),
)


def outcome_columns(of: AnyTable) -> dict[str, Expression]:
    """How many agreements the rows stand for, in all and of each sort."""
    counted: dict[str, ColumnElement[bool]] = {
        "signed": was_ever_signed(of),
        **{each.value: of.firmness == each for each in Firmness},
        "in_force": of.status == AgreementStatus.in_force,
        "completed": of.status == AgreementStatus.completed,
        "without_amount": of.amount.is_(None),
    }
    whole: Expression = cast(func.sum(of.stands_for), BigInteger)
    return {"agreements": whole} | {name: _number(of, met) for name, met in counted.items()}


def undated(of: AnyTable) -> Expression:
    """How many have no date of signing, or none with a year."""
    return _number(of, of.signed_earliest.is_(None))


def _number(of: AnyTable, met: ColumnElement[bool]) -> Expression:
    return cast(func.sum(case((met, of.stands_for), else_=0)), BigInteger)
