"""Rows of an imported file become bodies of records, and changes of those that are there."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, NoReturn

from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.core import json_codec
from app.core.databases.interface import table_of
from app.core.errors import Conflict, Fault, Invalid, Problem
from app.core.loose_types import Fields, JsonValue, Value
from app.core.sheets.tabular import SheetRow
from app.core.text.name_keys import name_key
from app.core.validation import Model, telling, validate
from app.engine.composed_titles import COMPOSED_OF, composed_title
from app.engine.imports.cell_error import (
    CellError,
    NothingStated,
    refuse_nothing,
    shown,
)
from app.engine.imports.cells import Measured, read_text
from app.engine.imports.code_labels import SeveralCodes
from app.engine.imports.columns import ImportColumn, Plan
from app.engine.imports.entry import Entry
from app.engine.imports.known_parts import keep_untold
from app.engine.imports.named_records import NamedRecords, NewRecord, described
from app.engine.imports.own_kind import OwnKind
from app.engine.imports.report import MAX_FAULTS
from app.engine.imports.row_checker import RowChecker
from app.engine.imports.stand_ins import assembled, at_columns, replaced_by, resolved
from app.engine.keys import as_id, names_of
from app.engine.record import Record
from app.engine.resource import Resource
from app.engine.writes import store
from app.engine.writes.bulk_insert import New
from app.engine.writes.savepoint import undone_on_error
from app.engine.writes.store import State
from app.engine.writes.successors import merged_hint

#: Makes a row fail of which everything is told elsewhere.
SILENT: Final = Fault("", "")
#: What stands between several names in a cell of parts.
_BETWEEN_NAMES: Final = re.compile(r"[;\n]")
_MAX_NAMES: Final = 200


class RowReader:
    """Reads rows into bodies, with ids in place of the refs and names that stand for records."""

    def __init__(self, session: Session, resource: Resource, *, creates: bool = False) -> None:
        self.session, self.resource = session, resource
        self.named = NamedRecords(session, creates)
        self.named.awaited = resource.table
        self.soundness = RowChecker(session, resource)
        #: Whether one fault of a row is enough: neither are more of them told nor counted.
        self.is_hasty = False
        self.own = OwnKind(resource)
        #: The records that were created because rows name them.
        self.created: list[Fault] = []

    def enter(self, session: Session, created: list[Fault]) -> None:
        """Go on in another transaction, and tell of the records that are created there."""
        self.session = self.soundness.session = session
        self.soundness.known.clear()
        self.named.enter(session)
        self.created = created

    def entry(self, plan: Plan, row: SheetRow) -> Entry:
        """The row with its cells read; what is wrong with them is in `faults`."""
        entry, cells = Entry(row.number, plan, row.sheet, cells=row.cells), row.cells
        is_settled = True
        for column in plan.columns:
            cell = cells[column.header]
            if cell is None or (isinstance(cell, str) and not cell.strip()):
                if column.header in row.unread:
                    entry.unread.add(column.field)
                else:
                    entry.empty.append(column)
                continue
            try:
                value = entry.values[column.field] = column.read(cell)
            except CellError as error:
                self._refuse(entry, column, error)
            except NothingStated:
                entry.empty.append(column)
            else:
                is_settled = is_settled and not isinstance(value, SeveralCodes | Measured)
        for column in plan.keys:
            if (cell := cells[column.header]) is not None and cell != "":
                self._key(entry, column, cell)
            elif column.header in row.unread:
                entry.unread.add(column.field)
        if not is_settled:
            self._settle(entry)
        if plan.parts or plan.title_parts:
            self._read_parts(entry)
        self._mention(entry)
        return entry

    def _settle(self, entry: Entry) -> None:
        """Find out what cells say of which others have a say: codes with one label, and units."""
        for column in entry.plan.columns:
            value = entry.values.get(column.field)
            try:
                if isinstance(value, SeveralCodes):
                    others = {each for each in entry.values.values() if isinstance(each, str)}
                    entry.values[column.field] = value.settled(others)
            except CellError as error:
                del entry.values[column.field]
                self._refuse(entry, column, error)
        for column in entry.plan.columns:
            value = entry.values.get(column.field)
            if isinstance(value, Measured):
                entry.values[column.field] = value.number
                self._fill_others(entry, column, value)

    def _fill_others(self, entry: Entry, column: ImportColumn, measured: Measured) -> None:
        """What a cell says of other fields, which their own columns do not contradict."""
        for name, said in measured.others.items():
            given = entry.values.setdefault(name, said)
            if name not in entry.plan.headers:
                entry.said_in[name] = column.header
            entry.empty = [each for each in entry.empty if each.field != name]
            if given != said and not name.endswith("_text"):
                text = f"The cell says {said}, the column {entry.header(name)} {given}"
                self._refuse(entry, column, CellError(f"{text}: let them say the same."))

    def _read_parts(self, entry: Entry) -> None:
        """The parts that have columns of their own, in the order of these."""
        names: list[str] = []
        for part in entry.plan.parts:
            cell = entry.cells[part.header]
            several = _BETWEEN_NAMES.split("" if cell is None else read_text(cell))
            if len(several) > _MAX_NAMES:
                error = CellError(f"There are more than {_MAX_NAMES} names in the cell.")
                self._refuse_at(entry, part.part, part.header, error)
                continue
            for name in several:
                if text := _name_in(name):
                    row = {**part.values, part.relation: text}
                    entry.part_rows.setdefault(part.part, []).append((part.header, row))
                    names.append(text)
        for part_name, rows in entry.part_rows.items():
            entry.values[part_name] = [row for _, row in rows]
            entry.part_headers[part_name] = [header for header, _ in rows]
        if entry.plan.title_parts:
            part_headers = {part.header for part in entry.plan.parts}
            cells = [entry.cells[h] for h in entry.plan.title_parts if h not in part_headers]
            words = [str(cell).strip() for cell in cells if cell is not None]
            entry.composed_of = composed_title(": ".join(filter(None, words)), ())
            entry.composed = composed_title(entry.composed_of, names)

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
        self._refuse_at(entry, column.field, column.header, error)

    def _refuse_at(self, entry: Entry, name: str, header: str, error: CellError) -> None:
        entry.unread.add(name)
        place = {"column": header, "sheet": entry.sheet}
        entry.faults.append(Fault("cell", str(error), row=entry.row, **place))

    def _mention(self, entry: Entry) -> None:
        entry.mentioned_keys |= entry.known_by()
        entry.mentioned_keys |= self.own.mentioned(entry)

    def new(self, entry: Entry) -> New:
        """What the row creates; Problem tells all that is wrong with it."""
        composed = {self.resource.title_parts[0]: entry.composed} if entry.composed else {}
        kept = {COMPOSED_OF: entry.composed_of} if composed else {}
        return New(self._body(entry, self.resource.create, composed, [], None), entry.id, kept)

    def change(self, entry: Entry, before: State) -> tuple[BaseModel, bool]:
        """What the row sets, and whether the record differs from it; Problem as in `new`."""
        defaults = {column.field: column.default for column in entry.empty if not column.required}
        self._keep_parts(entry, before)
        body = self._body(entry, self.resource.patch, defaults, self._needed(entry), before)
        sent = {n: v for n, v in store.written(body).items() if n in body.model_fields_set}
        values = json_codec.loads(json_codec.dumps(sent))
        differs = any(before[name] != value for name, value in values.items())
        if differs and before["deleted_at"] is not None:
            table = table_of(self.resource.table)
            merged = merged_hint(self.session, table, table.c.id == as_id(before["id"]))
            advice = f".{merged}" if merged else ": restore it first."
            text = f"The {self.resource.singular} is in the trash{advice}"
            code = "merged" if merged else "trash"
            raise Conflict("", [Fault(code, text, row=entry.row, sheet=entry.sheet)])
        return body, differs

    def _keep_parts(self, entry: Entry, before: State) -> None:
        """Parts of which the file has no columns stay as they are, before the others; an empty cell
        clears those of its column."""
        for name in {part.part for part in entry.plan.parts}:
            columns = [part.values for part in entry.plan.parts if part.part == name]
            kept = [
                row
                for row in before[name]
                if not any(values.items() <= row.items() for values in columns)
            ]
            if name in entry.unread:
                continue
            rows = entry.part_rows.get(name, [])
            first = next(part.header for part in entry.plan.parts if part.part == name)
            entry.values[name] = [*kept, *(row for _, row in rows)]
            entry.part_headers[name] = [first] * len(kept) + [header for header, _ in rows]

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
        if before is not None:
            keep_untold(values, {part.part for part in entry.plan.parts} - loose.keys(), before)
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
        entry.resolved = values
        if not faults:
            try:
                with telling(1):
                    body = validate(model, values)
            except Invalid as problem:
                if self.is_hasty:
                    faults = entry.placed(problem)
                # Else all that is wrong is looked for together.
            else:
                self._create_related(entry)
                return body
        if faults and self.is_hasty:
            raise Invalid("", faults)
        left_out = entry.unread | loose.keys() | entry.new_records.keys()
        found = self.soundness.faults(model, values, left_out, is_alone=not faults)
        raise Invalid("", [*faults, *entry.placed(Invalid("", found))] if found else faults)

    def _create_related(self, entry: Entry) -> None:
        """Store the records that the row names and that are not there."""
        for name, several in entry.new_records.items():
            for new in several:
                try:
                    with undone_on_error(self.session):
                        self.named.create(new)
                except Problem as problem:
                    details = [fault.detail for fault in problem.errors] or [problem.detail]
                    text = (
                        f"A new {new.resource.singular} {shown(new.name)} cannot be: {details[0]}"
                    )
                    raise Invalid("", [entry.fault(name, "reference", text)]) from None
                if len(self.created) < MAX_FAULTS:
                    self.created.append(described(new, entry.row, entry.sheet))
        entry.new_records.clear()

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
        self.named.forget(self.resource.table, names)

    def lacks_own(self, entry: Entry, problem: Problem) -> bool:
        """Whether records of the row's own kind are not there, which may come later."""
        return any(self.own.named(entry, fault) for fault in entry.placed(problem))

    def _linked(self, entry: Entry) -> tuple[Fields, dict[str, list[Fault]]]:
        """The values with ids in place of names, and by field what is wrong with the names."""
        values, loose = dict(entry.values), dict[str, list[Fault]]()
        entry.new_records.clear()
        for name, target in entry.plan.links:
            if name not in values:
                continue
            try:
                if target is not None:
                    values[name] = self._link(entry, name, target, values[name], "")
                elif part := self.resource.embedded.get(name):
                    values[name] = self._linked_rows(entry, name, part.to_one, values[name])
            except Problem as problem:
                for fault in problem.errors:
                    loose.setdefault(name, []).append(self._at_cell(entry, name, fault))
        return values, loose

    def _at_cell(self, entry: Entry, name: str, fault: Fault) -> Fault:
        place = (fault.pointer or "").lstrip("/")
        at = place.partition("/")[0]
        if at.isdecimal() and name in entry.part_headers:
            found = entry.fault(name, fault.code, fault.detail)
            return replace(found, column=entry.header(name, int(at)))
        detail = f"{place}: {fault.detail}" if place else fault.detail
        return entry.fault(name, fault.code, detail)

    def _linked_rows(
        self, entry: Entry, part: str, one: Mapping[str, Resource], rows: JsonValue
    ) -> JsonValue:
        """The rows of a part; `organization` may stand in place of `organization_id`."""
        if not one or not isinstance(rows, list):
            return rows
        linked, faults = [], list[Fault]()
        for at, row in enumerate(rows):
            found = dict(row) if isinstance(row, dict) else row
            for name, target in one.items() if isinstance(row, dict) else ():
                key, given = f"{name}_id", found.pop(name, None)
                value = found.get(key, given)
                if value is not None:
                    try:
                        found[key] = self._link(entry, part, target, value, f"/{at}/{key}")
                    except Problem as problem:
                        faults += problem.errors
            linked.append(found)
        if faults:
            raise Invalid("", faults)
        return linked

    def _link(
        self, entry: Entry, name: str, target: Resource, value: JsonValue, pointer: str
    ) -> JsonValue:
        """The id of the record that is named; ids are left as they are, for the store to check."""
        if isinstance(value, dict):
            value = value.get("id") or value.get("ref") or value
        if not isinstance(value, str) or as_id(text := value.strip()):
            return value
        for new in (each for several in entry.new_records.values() for each in several):
            if new.resource is target and name_key(new.name) == name_key(text):
                return new.id
        found = self.named.find(target, text, pointer)
        if isinstance(found, NewRecord):
            entry.new_records.setdefault(name, []).append(found)
            return found.id
        return found


def _name_in(cell: str) -> str:
    """The name in a cell of parts; empty where it says that there is none."""
    try:
        refuse_nothing(cell, is_name=True)
    except NothingStated:
        return ""
    return cell.strip()
