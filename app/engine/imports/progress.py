"""How far an import has come, and what it has found out on its way."""

from copy import copy
from dataclasses import dataclass, field, fields

from app.core.errors import Fault, Problem
from app.engine.imports.columns import Plan
from app.engine.imports.entry import Entry
from app.engine.imports.report import Report


@dataclass(slots=True)
class Progress:
    """What the rows that were worked on leave for those after them."""

    report: Report = field(default_factory=Report)
    #: How rows are read, by their headers.
    plans: dict[tuple[str, ...], Plan] = field(default_factory=dict)
    skipped_columns: set[str | None] = field(default_factory=set)
    missing_reported: bool = False
    encoding_reported: bool = False
    #: What is wrong with the header: its rows are judged, and none of them is stored.
    wrong_header: list[Fault] = field(default_factory=list)
    #: Rows that refer to others of their kind which are not there yet.
    postponed: list[tuple[Entry, Problem]] = field(default_factory=list)
    #: What rows that fail are called, as far as others of their kind may name them.
    failed_rows: dict[str, str] = field(default_factory=dict)

    def copied(self) -> "Progress":
        """The same, to go on from: what is added to it is not added to this one."""
        found = Progress(**{each.name: copy(getattr(self, each.name)) for each in fields(self)})
        found.report = self.report.copied()
        return found
