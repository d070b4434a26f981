"""Records that a file tells of more than once: which of the rows is right nobody can know."""

from app.core.errors import Conflict
from app.engine.imports.entry import Entry
from app.engine.writes.store import State


class RepeatedRecords:
    """The rows that have told of records so far, by what they call them, unless that is allowed."""

    def __init__(self, *, is_allowed: bool) -> None:
        self.is_allowed = is_allowed
        self._places: dict[tuple[str, str], tuple[int, str | None]] = {}
        self._repeated: dict[tuple[int, str | None], tuple[str, tuple[int, str | None]]] = {}

    def note(self, entry: Entry) -> None:
        """Note what the row, which comes next in the file, calls its record."""
        for name, key in (("id", entry.id and str(entry.id)), ("ref", entry.ref)):
            if key and not self.is_allowed:
                first = self._places.setdefault((name, key), (entry.row, entry.sheet))
                if first != (entry.row, entry.sheet):
                    self._repeated[entry.row, entry.sheet] = name, first

    def check(self, entry: Entry) -> None:
        """Conflict for a row that has an id or ref that a row before it has."""
        if found := self._repeated.get((entry.row, entry.sheet)):
            self._refuse(entry, *found)

    def check_found(self, entry: Entry, state: State | None) -> None:
        """Conflict for a row whose record another row has told of under its other name."""
        if state is not None and not self.is_allowed:
            here = (entry.row, entry.sheet)
            first = self._places.setdefault(("id", state["id"]), here)
            if first[1] == entry.sheet and first[0] > entry.row:
                # One below it in the same batch was noted already: that one is refused.
                self._repeated[first] = "id", here
                self._places["id", state["id"]] = here
            elif first != here:
                self._refuse(entry, "id" if entry.id else "ref", first)

    def _refuse(self, entry: Entry, name: str, first: tuple[int, str | None]) -> None:
        row, sheet = first
        before = f"Row {row}" if sheet == entry.sheet else f"Row {row} of sheet {sheet!r}"
        text = f"{before} and {entry.place} are of the same record: keep one of them."
        raise Conflict("", [entry.fault(name, "twice", text)])
