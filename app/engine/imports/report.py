"""What came of an import: how many rows became what, and what is wrong with the others."""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field, fields
from itertools import islice

from app.core.errors import Fault, Invalid
from app.core.loose_types import Json

#: How many errors are told.
MAX_FAULTS = 1000
#: Of how many rows it is told what their cells were taken for.
MAX_TRACED = 20


@dataclass(slots=True)
class Report:
    """How many rows came to what, and the first of the errors, of which there are `faults_seen`."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    faults: list[Fault] = field(default_factory=list)
    faults_seen: int = 0
    #: The worksheets that were read, in order; others, and rows of totals, that were not.
    sheets: list[str] = field(default_factory=list)
    left_out: list[Fault] = field(default_factory=list)
    #: Records that were created because rows name them.
    related: list[Fault] = field(default_factory=list)
    #: Rows that became new records and look like others.
    similar: list[Fault] = field(default_factory=list)
    #: What the cells of the first rows were taken for.
    taken: list[Json] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return self.created + self.updated + self.unchanged + self.failed

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another error."""
        return self.faults_seen >= MAX_FAULTS

    def in_order(self) -> list[Fault]:
        """The errors by row; rules are tried after the cells of the rows around."""
        order = {sheet: at for at, sheet in enumerate(self.sheets)}
        return sorted(self.faults, key=lambda f: (order.get(f.sheet or "", 0), f.row or 0))

    def leave_out(self, fault: Fault) -> None:
        """Tell that something was passed over, as long as there is room."""
        if len(self.left_out) < MAX_FAULTS:
            self.left_out.append(fault)

    def add_similar(self, faults: Iterable[Fault]) -> None:
        """Tell of these rows, as long as there is room."""
        self.similar += islice(faults, max(0, MAX_FAULTS - len(self.similar)))

    def add_faults(self, faults: Iterable[Fault]) -> None:
        """Keep these for the answer, as long as there is room."""
        for fault in faults:
            self.faults_seen += 1
            if self.faults_seen <= MAX_FAULTS:
                self.faults.append(fault)

    def tell_surely(self, fault: Fault) -> None:
        """Keep this for the answer, in the place of another where there is no room."""
        del self.faults[MAX_FAULTS - 1 :]
        self.faults.append(fault)
        self.faults_seen += 1

    @property
    def tells_of_writes(self) -> bool:
        """Whether anything was stored."""
        return bool(self.created or self.updated or self.related)

    def copied(self) -> "Report":
        """The same, with lists of its own."""
        return Report(**{each.name: copy(getattr(self, each.name)) for each in fields(self)})

    def to_dict(self) -> Json:
        """As the answer tells it."""
        return {
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "failed": self.failed,
            "errors": [_placed(fault) for fault in self.in_order()],
            "sheets": self.sheets,
            "left_out": [_placed(fault) for fault in self.left_out],
            "related": [_placed(fault) for fault in self.related[:MAX_FAULTS]],
            "similar": [_placed(fault) for fault in self.similar],
            "taken": self.taken,
        }

    def refusal(self, total: int | None = None) -> Invalid:
        """The 422 of a file that is stored as a whole or not at all; of its `total` rows, where
        those after so many errors were not looked at."""
        faults = self.in_order()
        first = faults[0]
        place = f"sheet {first.sheet!r}, " if len(self.sheets) > 1 else ""
        place += f"row {first.row}" + (f", column {first.column}" if first.column else "")
        count = f"{self.faults_seen} error{'s' if self.faults_seen > 1 else ''}"
        shown = f", of which {MAX_FAULTS} are told" if self.faults_seen > MAX_FAULTS else ""
        fail = f"{self.failed} of {total or self.rows} rows fail with {count}{shown}"
        text = f"{'At least ' if total else ''}{fail}, so nothing was stored."
        return Invalid(f"{text} First: {place}: {first.detail}", faults)


def _placed(fault: Fault) -> Json:
    place = {"sheet": fault.sheet, "row": fault.row, "column": fault.column}
    return {**place, "code": fault.code, "detail": fault.detail}
