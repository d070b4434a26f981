"""Firmness: what of an agreement's amount can be counted on, by its status and bindingness."""

from collections.abc import Mapping
from enum import StrEnum

from app.resources.instrument import Bindingness
from app.resources.status import AgreementStatus


class Firmness(StrEnum):
    """How firm an agreement is: amounts of one class are added, and never to those of another."""

    signed_binding = "signed_binding"
    signed_not_binding = "signed_not_binding"
    accomplished = "accomplished"
    announced = "announced"
    replaced = "replaced"
    fallen_through = "fallen_through"


#: What is said or done needs no signature.
NEVER_SIGNED = (Bindingness.announcement, Bindingness.accomplished)
_OF_STATUS = {
    AgreementStatus.cancelled: Firmness.fallen_through,
    AgreementStatus.expired: Firmness.fallen_through,
    # Another took its place: neither does it stand any more, nor has it come to nothing.
    AgreementStatus.superseded: Firmness.replaced,
    # Binds nobody yet, whatever the instrument will be.
    AgreementStatus.announced: Firmness.announced,
    AgreementStatus.negotiated: Firmness.announced,
}
#: Of what is signed; what is not known to bind counts as not binding.
_OF_BINDINGNESS = {
    Bindingness.accomplished: Firmness.accomplished,
    Bindingness.announcement: Firmness.announced,
    Bindingness.binding: Firmness.signed_binding,
}


def firmness_of(status: AgreementStatus, bindingness: Bindingness) -> Firmness:
    """The class of an agreement."""
    of_bindingness = _OF_BINDINGNESS.get(bindingness, Firmness.signed_not_binding)
    return _OF_STATUS.get(status, of_bindingness)


def _cases(
    column: str, classes: Mapping[AgreementStatus, Firmness] | Mapping[Bindingness, Firmness]
) -> str:
    return " ".join(f"WHEN {column} = '{value}' THEN '{then}'" for value, then in classes.items())


#: The same in SQL, for the rule that the database holds.
FIRMNESS_SQL = (
    f"CASE {_cases('status', _OF_STATUS)}"
    f" {_cases('bindingness', _OF_BINDINGNESS)} ELSE 'signed_not_binding' END"
)
#: The agreements that count otherwise than most: for several, or an amount for each year.
SET_APART_SQL = "stands_for > 1 OR amount_period = 'per_year'"
