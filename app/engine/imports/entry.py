"""A row of an imported file: what it says of the record that it is of."""

from dataclasses import dataclass, field, replace
from uuid import UUID

from app.core.errors import Fault, Problem
from app.core.loose_types import Fields, Values
from app.engine.imports.columns import ImportColumn, Plan
from app.engine.imports.named_records import NewRecord


@dataclass(slots=True)
class Entry:
    """A row as it was read: the record it names, and the fields whose cells are not empty.

    `mentioned_keys` is all by which it may mean a record of its own kind; `unread` are the fields
    of which it is told already why nothing is known. `part_rows` are the parts that have columns,
    each with its header, `part_headers` the header over each part of a list, `composed` the name
    that other cells make up, `composed_of` what of it names nobody, `new_records` what is to be
    created with it, by field; `resolved` are the values with ids, once these are known. `said_in`
    has the header of the column that says a field which has none of its own, as the currency of
    an amount.
    """

    row: int
    plan: Plan
    sheet: str | None = None
    id: UUID | None = None
    version: int | None = None
    deleted_at: str | None = None
    values: Fields = field(default_factory=dict)
    empty: list[ImportColumn] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    mentioned_keys: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)
    cells: Values = field(default_factory=dict)
    part_rows: dict[str, list[tuple[str, Fields]]] = field(default_factory=dict)
    part_headers: dict[str, list[str]] = field(default_factory=dict)
    composed: str = ""
    composed_of: str = ""
    new_records: dict[str, list[NewRecord]] = field(default_factory=dict)
    resolved: Fields = field(default_factory=dict)
    said_in: dict[str, str] = field(default_factory=dict)

    @property
    def names_nobody_knows(self) -> bool:
        """Whether it cannot be told which record it is of, as the cell that would say is unread."""
        return not self.unread.isdisjoint(("id", "ref"))

    @property
    def place(self) -> str:
        """Where it stands, for a sentence: `row 3` or `row 3 of sheet 'Data'`."""
        return (
            f"row {self.row}" if self.sheet is None else f"row {self.row} of sheet {self.sheet!r}"
        )

    @property
    def ref(self) -> str | None:
        ref = self.values.get("ref")
        # Anything else is no ref, which its own rules will say.
        return ref if isinstance(ref, str) and ref.isascii() and ref.isprintable() else None

    def again(self) -> "Entry":
        """The row, to be tried once more: what is found wrong with it is not noted here."""
        return replace(self, faults=[*self.faults], unread={*self.unread})

    def known_by(self) -> set[str]:
        """The id and the ref that the row names."""
        return {key for key in (self.id and str(self.id), self.ref) if key}

    def fault(self, name: str, code: str, detail: str) -> Fault:
        """An error in the column of a field."""
        return Fault(code, detail, row=self.row, column=self.header(name), sheet=self.sheet)

    def header(self, name: str, at: int = 0) -> str:
        """The header over a field, or over the part of it that has this index."""
        parts = self.part_headers.get(name) or [part.header for part in self.plan.parts[:1]]
        if name in self.plan.headers or not any(part.part == name for part in self.plan.parts):
            return self.plan.headers.get(name) or self.said_in.get(name, name)
        return parts[min(at, len(parts) - 1)]

    def placed(self, problem: Problem) -> list[Fault]:
        """The faults of a problem, by row and column; a place within the cell goes before."""
        faults = problem.errors or [Fault(problem.slug(), problem.detail)]
        return [self._placed(fault) for fault in faults if fault.code]

    def _placed(self, fault: Fault) -> Fault:
        if fault.row is not None or fault.pointer is None:
            return replace(fault, row=fault.row or self.row, sheet=self.sheet)
        name, _, rest = fault.pointer[1:].partition("/")
        at = rest.partition("/")[0]
        detail = f"{rest}: {fault.detail}" if rest else fault.detail
        column = self.header(name, int(at) if at.isdecimal() else 0) or None
        if name in self.plan.absent and name not in self.said_in:
            detail = f"{detail} {self.plan.absent[name]}"
        return Fault(fault.code, detail, row=self.row, column=column, sheet=self.sheet)
