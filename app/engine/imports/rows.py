"""Rows of an imported file: what each says of the record that it is of."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NoReturn
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.core import json_codec
from app.core.errors import Conflict, Fault, Invalid, Problem
from app.core.loose_types import Fields, JsonValue, Value
from app.core.sheets.tabular import SheetRow
from app.core.validation import Model, validate
from app.engine.imports.cells import CellError
from app.engine.imports.columns import ImportColumn, Plan
from app.engine.imports.row_checker import RowChecker
from app.engine.imports.stand_ins import assembled, at_columns, replaced_by, resolved
from app.engine.keys import as_id, names_of
from app.engine.record import Record
from app.engine.resource import Resource
from app.engine.writes import store
from app.engine.writes.bulk_insert import New
from app.engine.writes.resolve_references import find_id
from app.engine.writes.store import State

#: Makes a row fail of which everything is told elsewhere.
SILENT: Final = Fault("", "")
#: How many names of records are remembered with their ids.
_MAX_KNOWN_KEYS = 50_000


@dataclass(slots=True)
class Entry:
    """A row as it was read: the record it names, and the fields whose cells are not empty.

    `mentioned_keys` is all by which it may mean a record of its own kind; `unread` are the fields
    of which it is told already why nothing is known.
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

    def known_by(self) -> set[str]:
        """The id and the ref that the row names."""
        return {key for key in (self.id and str(self.id), self.ref) if key}

    def fault(self, name: str, code: str, detail: str) -> Fault:
        """An error in the column of a field."""
        column = self.plan.headers.get(name, name)
        return Fault(code, detail, row=self.row, column=column, sheet=self.sheet)

    def placed(self, problem: Problem) -> list[Fault]:
        """The faults of a problem, by row and column; a place within the cell goes before."""
        faults = problem.errors or [Fault(problem.slug(), problem.detail)]
        return [self._placed(fault) for fault in faults if fault.code]

    def _placed(self, fault: Fault) -> Fault:
        if fault.row is not None or fault.pointer is None:
            return replace(fault, row=fault.row or self.row, sheet=self.sheet)
        name, _, rest = fault.pointer[1:].partition("/")
        detail = f"{rest}: {fault.detail}" if rest else fault.detail
        column = self.plan.headers.get(name, name) or None
        return Fault(fault.code, detail, row=self.row, column=column, sheet=self.sheet)


class RowReader:
    """Reads rows into bodies, with ids in place of the refs and names that stand for records."""

    def __init__(self, session: Session, resource: Resource) -> None:
        self.session, self.resource = session, resource
        self.links: dict[str, dict[str, UUID]] = {}
        self.soundness = RowChecker(session, resource)
        #: Whether one fault of a row is enough: neither are more of them told nor counted.
        self.is_hasty = False
        self.own = [name for name, to in resource.to_one.items() if to.table is resource.table]

    def entry(self, plan: Plan, row: SheetRow) -> Entry:
        """The row with its cells read; what is wrong with them is in `faults`."""
        entry, cells = Entry(row.number, plan, row.sheet), row.cells
        for column in plan.columns:
            cell = cells[column.header]
            if cell is None or (isinstance(cell, str) and not cell.strip()):
                if column.header in row.unread:
                    entry.unread.add(column.field)
                else:
                    entry.empty.append(column)
                continue
            try:
                entry.values[column.field] = column.read(cell)
            except CellError as error:
                self._refuse(entry, column, error)
        for column in plan.keys:
            if (cell := cells[column.header]) is not None and cell != "":
                self._key(entry, column, cell)
            elif column.header in row.unread:
                entry.unread.add(column.field)
        self._mention(entry)
        return entry

    def _key(self, entry: Entry, column: ImportColumn, cell: Value) -> None:
        try:
            value = column.read(cell)
            if column.field == "id" and (value := as_id(value)) is None:
                detail = f"{str(cell)[:60]!r} is not an id (a UUID): leave it empty in new rows."
                raise CellError(detail)
        except CellError as error:
            self._refuse(entry, column, error)
        else:
            setattr(entry, column.field, value)

    def _refuse(self, entry: Entry, column: ImportColumn, error: CellError) -> None:
        entry.unread.add(column.field)
        place = {"column": column.header, "sheet": entry.sheet}
        entry.faults.append(Fault("cell", str(error), row=entry.row, **place))

    def _mention(self, entry: Entry) -> None:
        entry.mentioned_keys |= entry.known_by()
        for name in self.own:
            value = entry.values.get(f"{name}_id")
            values = value.values() if isinstance(value, dict) else [value]
            entry.mentioned_keys |= {each for each in values if isinstance(each, str)}

    def new(self, entry: Entry) -> New:
        """What the row creates; Problem tells all that is wrong with it."""
        return New(self._body(entry, self.resource.create, {}, [], None), entry.id)

    def change(self, entry: Entry, before: State) -> tuple[BaseModel, bool]:
        """What the row sets, and whether the record differs from it; Problem as in `new`."""
        defaults = {column.field: column.default for column in entry.empty if not column.required}
        body = self._body(entry, self.resource.patch, defaults, self._needed(entry), before)
        sent = {n: v for n, v in store.written(body).items() if n in body.model_fields_set}
        values = json_codec.loads(json_codec.dumps(sent))
        differs = any(before[name] != value for name, value in values.items())
        if differs and before["deleted_at"] is not None:
            text = f"The {self.resource.singular} is in the trash: restore it first."
            raise Conflict("", [Fault("trash", text, row=entry.row, sheet=entry.sheet)])
        return body, differs

    def refuse(self, entry: Entry, faults: Iterable[Fault] = ()) -> NoReturn:
        """Raise Invalid with these faults of a row and all others that can be found."""
        first = [*faults, *self._needed(entry), SILENT]
        self._body(entry, self.resource.patch, {}, first, None)
        raise AssertionError  # A fault was given, so that the row has been refused.

    def _needed(self, entry: Entry) -> list[Fault]:
        """The cells that are empty and cannot be."""
        replaced = replaced_by(self.resource, entry.values)
        return [
            entry.fault(column.field, "missing", f"{column.header} cannot be empty.")
            for column in entry.empty
            if column.required and column.field not in replaced
        ]

    def _body(
        self,
        entry: Entry,
        model: Model,
        defaults: Fields,
        first: list[Fault],
        before: State | None,
    ) -> BaseModel:
        """The values of the row as the model. Invalid has the faults `first` and all others."""
        values, loose = self._linked(entry)
        values = assembled(self.resource, values | defaults)
        replaced = replaced_by(self.resource, (n for n, v in values.items() if v is not None))
        try:
            values = resolved(self.session, self.resource, values, before)
        except Invalid as problem:
            first = [*first, *entry.placed(at_columns(problem, entry.plan.headers))]
            values = {n: v for n, v in values.items() if n in model.model_fields}
        # What could not be found out is told of where that is said.
        loose |= {name: [] for name in replaced if values.get(name) is None}
        faults = [
            *entry.faults,
            *first,
            *(fault for several in loose.values() for fault in several),
        ]
        if not faults:
            try:
                return validate(model, values)
            except Invalid:
                pass  # All that is wrong is looked for together.
        if faults and self.is_hasty:
            raise Invalid("", faults)
        left_out = entry.unread | loose.keys()
        found = self.soundness.faults(model, values, left_out, is_alone=not faults)
        raise Invalid("", [*faults, *entry.placed(Invalid("", found))] if found else faults)

    def store(self, entry: Entry, before: State, body: BaseModel) -> bool:
        """Change the record of the row; whether that made a new version of it."""

        def guard(record: Record) -> None:
            if entry.version not in (None, record.version):
                text = f"The record has changed since: it is at version {record.version}."
                raise Conflict("", [entry.fault("version", "stale", text)])

        stored = store.update(self.session, self.resource, before["id"], body, guard)
        return bool(stored.version != before["version"])

    def names(self, entry: Entry) -> set[str]:
        """All that another row could call the record."""
        texts = [entry.values.get(name) for name in names_of(self.resource)]
        return entry.known_by() | {text.strip() for text in texts if isinstance(text, str)}

    def forget(self, names: Iterable[str] | None = None) -> None:
        """Forget whom these names stood for, all of them by default: another may be called so."""
        if names is None:
            self.links.clear()
            return
        for name in names:
            self.links.pop(name, None)

    def lacks_own(self, entry: Entry, problem: Problem) -> bool:
        """Whether records of the row's own kind are not there, which may come later."""
        return any(self.own_named(entry, fault) for fault in entry.placed(problem))

    def own_named(self, entry: Entry, fault: Fault) -> str | None:
        """The record of the row's own kind that a fault says is not there."""
        for name in self.own if fault.code == "reference" else ():
            value = entry.values.get(f"{name}_id")
            if fault.column == entry.plan.headers.get(f"{name}_id") and isinstance(value, str):
                return value.strip()
        return None

    def _linked(self, entry: Entry) -> tuple[Fields, dict[str, list[Fault]]]:
        """The values with ids in place of names, and by field what is wrong with the names."""
        values, loose = dict(entry.values), dict[str, list[Fault]]()
        for column in entry.plan.columns:
            if column.field not in values:
                continue
            try:
                if column.link is not None:
                    values[column.field] = self._link(column.link, values[column.field], "")
                elif part := self.resource.embedded.get(column.field):
                    values[column.field] = self._linked_rows(part.to_one, values[column.field])
            except Problem as problem:
                for fault in problem.errors:
                    place = (fault.pointer or "").lstrip("/")
                    detail = f"{place}: {fault.detail}" if place else fault.detail
                    at_cell = entry.fault(column.field, fault.code, detail)
                    loose.setdefault(column.field, []).append(at_cell)
        return values, loose

    def _linked_rows(self, one: Mapping[str, Resource], rows: JsonValue) -> JsonValue:
        """The rows of a part; `organization` may stand in place of `organization_id`."""
        if not one or not isinstance(rows, list):
            return rows
        linked = []
        for at, row in enumerate(rows):
            found = dict(row) if isinstance(row, dict) else row
            for name, target in one.items() if isinstance(row, dict) else ():
                key, given = f"{name}_id", found.pop(name, None)
                value = found.get(key, given)
                if value is not None:
                    found[key] = self._link(target, value, f"/{at}/{key}")
            linked.append(found)
        return linked

    def _link(self, target: Resource, value: JsonValue, pointer: str) -> JsonValue:
        """The id of the record that is named; ids are left as they are, for the store to check."""
        if isinstance(value, dict):
            value = value.get("id") or value.get("ref") or value
        if not isinstance(value, str) or as_id(text := value.strip()):
            return value
        known = self.links.get(text, {}).get(target.path)
        if known is None:
            if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
                detail = "The name has a character that no text here can have."
                raise Invalid.at(pointer, "reference", detail)
            known = find_id(self.session, target, text, pointer)
            if len(self.links) >= _MAX_KNOWN_KEYS:
                self.links.clear()
            self.links.setdefault(text, {})[target.path] = known
        return known
