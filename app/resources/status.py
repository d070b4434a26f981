"""The life of an agreement: its statuses, and which may follow which."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date as Day
from enum import StrEnum

from app.core.edtf import bounds
from app.core.errors import Conflict, Fault, Invalid


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

#: Until then nobody has signed anything.
NOT_YET_SIGNED = (AgreementStatus.announced, AgreementStatus.negotiated)
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


#: Marks of dates that nobody is sure of: what they say is never certain.
_UNSURE = frozenset("?~%")


@dataclass(frozen=True, slots=True)
class Move:
    """A status that an agreement came to, on a date as stated."""

    status: AgreementStatus
    date: str | None
    #: Whether it is the agreement's own date of signing, which no move from then on is before.
    is_signature: bool = False

    @property
    def place(self) -> tuple[int, bool]:
        """Where it stands among the moves of an agreement: all exits stand at the end."""
        forward = self.status in _FORWARD
        at = _FORWARD.index(self.status) if forward else len(_FORWARD)
        return at, not self.is_signature

    def days(self) -> tuple[Day | None, Day | None]:
        """The first and the last day that it can have been on, None where that is not certain."""
        if self.date is None or not _UNSURE.isdisjoint(self.date):
            return None, None
        span = bounds(self.date)
        return span.earliest, span.latest


def check_order(move: Move, others: Iterable[Move], pointer: str) -> None:
    """Refuse (422) a move on a date that is certainly before one that it can only follow, or after
    one that can only follow it."""
    for other in others:
        earlier, later = sorted((move, other), key=lambda each: each.place)
        first, last = earlier.days()[0], later.days()[1]
        if earlier.place < later.place and first is not None and last is not None and last < first:
            text = (
                f"An agreement that was {earlier.status} on {earlier.date} was not"
                f" {later.status} on {later.date}, which is before that: correct the one or the"
                " other; what happened before leaves status out."
            )
            raise Invalid.at(pointer, "order", text)
