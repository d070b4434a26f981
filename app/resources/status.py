"""The life of an agreement: its statuses, and which may follow which."""

from enum import StrEnum

from app.core.errors import Conflict, Fault


class AgreementStatus(StrEnum):
    """How far an agreement has come."""

    announced = "announced"
    negotiated = "negotiated"
    signed = "signed"
    in_force = "in_force"
    completed = "completed"
    cancelled = "cancelled"
    expired = "expired"
    superseded = "superseded"


_FORWARD = (
    AgreementStatus.announced,
    AgreementStatus.negotiated,
    AgreementStatus.signed,
    AgreementStatus.in_force,
    AgreementStatus.completed,
)
_EXITS = (AgreementStatus.cancelled, AgreementStatus.expired, AgreementStatus.superseded)

#: From here on there are parties who agreed.
SIGNED = (AgreementStatus.signed, AgreementStatus.in_force, AgreementStatus.completed)
#: The agreements that came to nothing, or whose place another took.
FALLEN_THROUGH = _EXITS


def moves_from(status: AgreementStatus) -> tuple[AgreementStatus, ...]:
    """The statuses that may follow: any further on, or an exit; none after the end."""
    if status in _EXITS or status is AgreementStatus.completed:
        return ()
    return _FORWARD[_FORWARD.index(status) + 1 :] + _EXITS


def check_move(before: AgreementStatus, after: AgreementStatus) -> None:
    """Refuse (409) a move that is not possible, and name those that are."""
    possible = moves_from(before)
    if after not in possible:
        told = ", ".join(possible) or "none: this is an end"
        text = f"An agreement that is {before} cannot become {after}. Possible from here: {told}."
        raise Conflict(text, [Fault("move", text, pointer="/status")])
