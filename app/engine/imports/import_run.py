"""The rows of one import: matched, checked, postponed for others, and stored in batches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from app.core.errors import Fault, Invalid, Problem
from app.core.sheets.sheet import NotUtf8, SheetError
from app.core.sheets.tabular import SheetRow
from app.engine.history import change_log
from app.engine.imports.cells import CellReaders
from app.engine.imports.code_labels import CodeLists
from app.engine.imports.columns import Plan, plan_of
from app.engine.imports.entry import Entry
from app.engine.imports.existing_records import ExistingRecords
from app.engine.imports.import_file import fault_of
from app.engine.imports.named_first import named_first
from app.engine.imports.read_ahead import BATCH_ROWS, RowsAhead
from app.engine.imports.repeated_records import RepeatedRecords
from app.engine.imports.report import MAX_FAULTS, MAX_TRACED, Report
from app.engine.imports.rows import SILENT, RowReader
from app.engine.imports.taken import taken
from app.engine.imports.total_rows import is_total, total_left_out
from app.engine.resource import Resource
from app.engine.writes.bulk_insert import BulkState, New, create_many
from app.engine.writes.savepoint import undone_on_error
from app.engine.writes.store import State

#: How many rows may wait for others below them in the file.
_MAX_POSTPONED_ROWS = 10_000
#: How many rows are judged of a file that is refused, so that more errors would not be told.
_MAX_JUDGED_ROWS = 2_500


@dataclass
class _Waiting:
    """New records that are not stored yet, and all that a later row could call them."""

    entries: list[tuple[Entry, New]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


class ImportRun:
    """One import within its transaction: which of its rows wait for others, fail or are stored."""

    def __init__(
        self, session: Session, resource: Resource, rows: RowsAhead, bulk_state: BulkState
    ) -> None:
        self.session, self.resource = session, resource
        self.rows, self.file = rows, rows.file
        self.report, self.bulk_state = Report(), bulk_state
        self.waiting = _Waiting()
        self.matches = ExistingRecords(session, resource)
        self.reader = RowReader(session, resource, creates=self.file.create_missing)
        is_table = self.file.format != "ndjson"
        readers = CellReaders(CodeLists(session), self.file.date_format)
        self.cell_readers = readers if is_table else None
        #: The first rows, of which it is told what their cells were taken for.
        self.traced: list[Entry] = []
        self.skipped_columns: set[str | None] = set()
        self.plans: dict[tuple[str, ...], Plan] = {}
        self.missing_reported = self.encoding_reported = False
        #: Whether rows were left unread, as all are refused.
        self.is_cut_short = False
        #: What is wrong with the header: its rows are judged, and none of them is stored.
        self.wrong_header: list[Fault] = []
        #: Rows that refer to others of their kind which are not there yet.
        self.postponed: list[tuple[Entry, Problem]] = []
        #: What rows that fail are called, as far as others of their kind may name them.
        self.failed_rows: dict[str, str] = {}
        # Programs that write lines may change a record more than once.
        self.repeated = RepeatedRecords(is_allowed=self.file.format == "ndjson")

    def run(self, on_progress: Callable[[int], None]) -> Report:
        """Store the rows, batch by batch; Invalid when the whole file is refused."""
        sheets = self.rows.sheets
        self.report.sheets = sheets.names
        self._run(on_progress)
        if self.rows.error is not None:
            self._tell(fault_of(self.rows.error))
            raise self._unreadable(self.rows.error)
        for left_out in sheets.left_out:
            code = "sheet" if left_out.row is None else "title"
            self.report.leave_out(replace(fault_of(left_out), code=code))
        self.report.related = self.reader.created
        self.report.taken = [taken(entry) for entry in self.traced]
        if self.wrong_header:
            text = f"The header is wrong, so nothing was stored: {self.wrong_header[0].detail}"
            raise Invalid(text, self.report.in_order())
        if self.report.failed and not self.file.lenient:
            raise self.report.refusal(self.rows.count if self.is_cut_short else None)
        return self.report

    def _run(self, on_progress: Callable[[int], None]) -> None:
        done = 0
        for batch in self.rows.batches():
            self._work(self._entries(batch))
            change_log.spill_to_disk(self.session)
            on_progress(len(batch))
            done += len(batch)
            if done < self.rows.count and self._is_in_vain(done):
                self.is_cut_short = True
                return
        # Those that wait for others may wait for what cannot be read.
        if self.rows.error is None:
            self._work_postponed(on_progress)
        if self.rows.header:
            self._plan(self.rows.header)

    def _is_in_vain(self, done: int) -> bool:
        """Whether nothing will be stored and enough is known of why, after so many rows: others
        wait for the writer meanwhile."""
        is_refused = bool(self.wrong_header) or self.rows.error is not None
        if self.report.is_full and not self.file.lenient:
            is_refused = True
        return is_refused and done >= _MAX_JUDGED_ROWS

    def _unreadable(self, error: SheetError) -> Invalid:
        sheet = f"Sheet {error.sheet!r}: " if error.sheet else ""
        place = sheet + (f"Row {error.row}: " if error.row else "")
        before = self.report.faults_seen - 1
        some = "at least " if self.is_cut_short else ""
        more = f" Before it there are {some}{before} other errors." if before else ""
        return Invalid(f"{place}{error.detail} Nothing was stored.{more}", self.report.in_order())

    def _plan(self, headers: tuple[str, ...]) -> Plan:
        """How rows with these headers are read."""
        plan = self.plans.get(headers)
        if plan is None:
            file, readers = self.file, self.cell_readers
            plan = plan_of(self.resource, headers, file.mapping, readers, file.skip_unknown)
            if len(self.plans) > 1000:  # Objects of NDJSON can each have names of their own.
                self.plans.clear()
            self.plans[headers] = plan
            if readers is not None:
                self._check_header(plan)
            for fault in plan.skipped:
                self._leave_out_column(fault)
        return plan

    def _check_header(self, plan: Plan) -> None:
        self.wrong_header = list(plan.faults)
        if plan.only_new:
            self.wrong_header += self._missing(plan)
        sheets = self.rows.sheets
        sheet, row = next(iter(sheets.names), None), sheets.header_row
        self.wrong_header = [replace(each, sheet=sheet, row=row) for each in self.wrong_header]
        self._tell(*self.wrong_header)

    def _leave_out_column(self, fault: Fault) -> None:
        """Tell that a column is passed over; a name in lines that have many, once."""
        is_new = fault.column not in self.skipped_columns
        if is_new and len(self.skipped_columns) < MAX_FAULTS:
            self.skipped_columns.add(fault.column)
            sheets, is_table = self.rows.sheets, self.cell_readers is not None
            sheet, row = next(iter(sheets.names), None), sheets.header_row if is_table else None
            self.report.leave_out(replace(fault, sheet=sheet, row=row))

    def _missing(self, plan: Plan) -> list[Fault]:
        """One error for a column that is not there, not one for each row that would need it."""
        if self.missing_reported:
            return []
        self.missing_reported = True
        text = f"A new {self.resource.singular} needs the column"
        return [Fault("missing", f"{text} {n!r}.", row=1, column=n) for n in plan.missing]

    def _tell(self, *faults: Fault) -> None:
        self.report.add_faults(faults)
        self.reader.soundness.is_brief = self.report.is_full
        self.reader.is_hasty = self.report.is_full and self.file.lenient

    def _work_postponed(self, on_progress: Callable[[int], None]) -> None:
        """Try again what referred to rows below it, as long as that gets any further."""
        self._retry_postponed(on_progress)
        if self.postponed and self.reader.named.creates:
            # What has not come until now is not in the file.
            self.reader.named.awaited, self.reader.named.failed = None, self.failed_rows
            self._retry_postponed(on_progress)
        for entry, _ in self.postponed:
            self._note_failed(entry)
        for entry, problem in self.postponed:
            self.report.failed += 1
            self._tell(*self._blamed(entry, problem))

    def _retry_postponed(self, on_progress: Callable[[int], None]) -> None:
        before = 0
        while self.postponed and len(self.postponed) != before:
            again = named_first([entry for entry, _ in self.postponed], self.reader.names)
            self.postponed, before = [], len(again)
            for at in range(0, before, BATCH_ROWS):
                self._work(again[at : at + BATCH_ROWS])
                change_log.spill_to_disk(self.session)
                on_progress(0)

    def _blamed(self, entry: Entry, problem: Problem) -> Iterator[Fault]:
        """The faults of a row; where it names another that fails, that this is so."""
        for fault in entry.placed(problem):
            named = self.reader.own.named(entry, fault)
            row = next((self.failed_rows[n] for n in named if n in self.failed_rows), None)
            if row is None:
                yield fault
            elif not self.wrong_header:
                text = f"{row[0].upper()}{row[1:]} is called so, and fails."
                yield replace(fault, detail=text)

    def _entries(self, rows: list[SheetRow]) -> list[Entry]:
        entries = []
        for row in rows:
            if row.faults and not row.cells:
                self._fail_unread(row)
                continue
            if self.file.format != "ndjson" and is_total(row):
                self.report.leave_out(total_left_out(row))
                continue
            plan = self._plan(tuple(row.cells))
            entry = self.reader.entry(plan, row)
            if row.faults:
                entry.faults = [*self._unread(row), *entry.faults]
            if plan.faults and self.file.format == "ndjson":  # Of others the header tells.
                entry.faults += [replace(fault, row=row.number) for fault in plan.faults]
                entry.unread |= set(plan.missing)  # What has a wrong name may be one of these.
            self.repeated.note(entry)
            if self.file.is_traced and len(self.traced) < MAX_TRACED:
                self.traced.append(entry)
            entries.append(entry)
        return entries

    def _unread(self, row: SheetRow) -> list[Fault]:
        """Why cells of a row cannot be read; that a file has another encoding is told once."""
        faults = [SILENT]
        for error in row.faults:
            if isinstance(error, NotUtf8):
                if self.encoding_reported:
                    continue
                self.encoding_reported = True
            faults.append(fault_of(error))
        return faults

    def _fail_unread(self, row: SheetRow) -> None:
        self.report.failed += 1
        self._tell(*(fault for fault in self._unread(row) if fault.code))

    def _work(self, entries: list[Entry]) -> None:
        self.matches.fetch(entries)
        for entry in entries:
            try:
                self._row(entry)
            except Problem as problem:
                self._postpone(entry, problem)
        self._store()

    def _row(self, entry: Entry) -> None:
        """Do what one row says; a new record waits for others to be stored with it."""
        if not self.waiting.names.isdisjoint(entry.mentioned_keys):
            self._store()
        before = self._find(entry)
        if before is not None:
            self._update(entry, before)
            return
        if entry.plan.missing and self.file.format != "ndjson":
            entry.faults += [SILENT, *self._missing(entry.plan)]
            entry.unread |= set(entry.plan.missing)
        new = self.reader.new(entry)
        if self.wrong_header:
            raise Invalid("", [SILENT])
        self.waiting.entries.append((entry, new))
        names = self.reader.names(entry)
        self.reader.forget(names)
        self.waiting.names |= names
        self.matches.touch(entry)

    def _find(self, entry: Entry) -> State | None:
        """The record of the row, None for a new one; where that cannot be told, all that can."""
        if entry.names_nobody_knows:
            self.reader.refuse(entry)
        try:
            self.repeated.check(entry)
            found = self.matches.find(entry)
            self.repeated.check_found(entry, found)
            return found
        except Problem as problem:
            self.reader.refuse(entry, entry.placed(problem))

    def _update(self, entry: Entry, before: State) -> None:
        body, differs = self.reader.change(entry, before)
        if self.wrong_header:
            raise Invalid("", [SILENT])
        if not differs:
            self.report.unchanged += 1
            return
        self._store()
        self.matches.touch(entry, before)
        with undone_on_error(self.session):
            changed = self.reader.store(entry, before, body)
        self.reader.forget()
        self.report.updated += changed
        self.report.unchanged += not changed

    def _store(self) -> None:
        """Store the new records that wait."""
        waiting, self.waiting = self.waiting.entries, _Waiting()
        if not waiting:
            return
        new = [each for _, each in waiting]
        refused = create_many(self.session, self.resource, new, self.bulk_state)
        self.report.created += len(new) - len(refused)
        for at, problem in sorted(refused.items()):
            self._postpone(waiting[at][0], problem)

    def _postpone(self, entry: Entry, problem: Problem) -> None:
        """Let the row wait for the others, if it may be one of them that it lacks."""
        if self.reader.lacks_own(entry, problem) and len(self.postponed) < _MAX_POSTPONED_ROWS:
            self.postponed.append((entry, problem.alone()))
        else:
            self._fail(entry, problem)

    def _fail(self, entry: Entry, problem: Problem) -> None:
        self.report.failed += 1
        self._note_failed(entry)
        self._tell(*entry.placed(problem))

    def _note_failed(self, entry: Entry) -> None:
        if self.reader.own and len(self.failed_rows) < _MAX_POSTPONED_ROWS:
            self.failed_rows |= dict.fromkeys(self.reader.names(entry), entry.place)
