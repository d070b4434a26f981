"""What else is wrong with a row that is refused: its cells are judged as far as can be."""

from collections.abc import Set

from pydantic import ValidationError
from sqlalchemy.orm import Session

from app.core.errors import Fault
from app.core.loose_types import Fields, Values
from app.core.validation import Model, faults_of
from app.engine.resource import Resource
from app.engine.writes.references import Known, loose_references
from app.engine.writes.store import patched


class RowChecker:
    """Looks for all that is wrong with values, field by field; nothing is stored.

    Rules that take several fields together are left to the rows that are sound: where one field
    is wrong, what a rule says of the others would be a guess.
    """

    def __init__(self, session: Session, resource: Resource) -> None:
        self.session, self.resource = session, resource
        self.known: Known = set()
        #: Whether references are left alone: so many errors are told that there is no room.
        self.is_brief = False

    def faults(
        self,
        model: Model,
        values: Values,
        left_out: Set[str],
        *,
        is_alone: bool,
    ) -> list[Fault]:
        """What is wrong with the fields that are not left out, by JSON Pointer.

        `is_alone` where nothing else is wrong with the row, so that rules of the whole count.
        """
        sound = {name: value for name, value in values.items() if name not in left_out}
        faults = [
            fault
            for fault in _broken(model, sound)
            if _field(fault) not in left_out and (is_alone or fault.pointer)
        ]
        if not self.is_brief:
            wrong = {_field(fault) for fault in faults}
            faults += self._loose({n: value for n, value in sound.items() if n not in wrong})
        return faults

    def _loose(self, values: Fields) -> list[Fault]:
        """What points nowhere."""
        try:
            data = patched(self.resource.patch.model_validate(values))
        except ValidationError:
            return []
        refused = loose_references(self.session, self.resource, [data], self.known)
        return [fault for problem in refused.values() for fault in problem.errors]


def _broken(model: Model, values: Values) -> list[Fault]:
    try:
        model.model_validate(values)
    except ValidationError as error:
        return faults_of(error, model)
    return []


def _field(fault: Fault) -> str:
    return (fault.pointer or "").lstrip("/").partition("/")[0]
