"""Records that stand in the way of a change of many: all of them are told."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.core.errors import Conflict, Fault, Problem
from app.engine.resource import Resource

#: Of how many records it is told.
_MAX_TOLD: Final = 100


class InTheWay:
    """The records that cannot name another, each with what it breaks: `what` they prevent, which a
    client asks for at a place of the body."""

    def __init__(self, what: str, pointer: str | None) -> None:
        self.what, self.pointer = what, pointer
        self.faults: list[Fault] = []

    @contextmanager
    def noted(self, child: Resource, record_id: UUID) -> Iterator[None]:
        """Remember what is broken within. What is written stays until all is refused; and after
        what the database itself has refused it answers no more."""
        try:
            yield
        except Problem as problem:
            if len(self.faults) < _MAX_TOLD:
                text = f"The {child.singular} {record_id}: {problem.detail}"
                self.faults.append(Fault("in_the_way", text, pointer=self.pointer))
            if _is_of_database(problem):
                self.refuse()

    def refuse(self) -> None:
        """Conflict (409) where there are any."""
        if self.faults:
            others = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
            text = f"A record stands in the way of {self.what}{others}."
            raise Conflict(f"{text} {self.faults[0].detail}", self.faults)


def _is_of_database(problem: BaseException | None) -> bool:
    """Whether a rule is told that the database has found broken."""
    while problem is not None and not isinstance(problem, IntegrityError):
        problem = problem.__cause__
    return problem is not None
