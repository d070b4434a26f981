"""The rows of one import: matched, checked, postponed for others, and stored in batches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from sqlalchemy.orm import Session

from app.core.errors import Fault, Invalid, Problem
from app.core.sheets.sheet import NotUtf8, SheetError
from app.core.sheets.tabular import SheetRow
from app.engine.history import change_log
from app.engine.imports.cells import CellReaders
from app.engine.imports.code_labels import CodeLists
from app.engine.imports.columns import Plan
from app.engine.imports.entry import Entry
from app.engine.imports.existing_records import ExistingRecords
from app.engine.imports.header_plans import HeaderPlans
from app.engine.imports.import_file import fault_of
from app.engine.imports.named_first import named_first
from app.engine.imports.part import Part, cut_up
from app.engine.imports.progress import Progress
from app.engine.imports.read_ahead import BATCH_ROWS, RowsAhead
from app.engine.imports.repeated_records import RepeatedRecords
from app.engine.imports.report import MAX_TRACED, Report
from app.engine.imports.rows import SILENT, RowReader
from app.engine.imports.similar_records import SimilarRecords
from app.engine.imports.taken import taken
from app.engine.imports.total_rows import is_total, total_left_out
from app.engine.resource import Resource
from app.engine.writes.bulk_insert import BulkState, New, create_many
from app.engine.writes.savepoint import undone_on_error
from app.engine.writes.store import State

#: How many rows may wait for others below them in the file.
_MAX_POSTPONED_ROWS = 10_000
#: How many rows are judged of a file that is refused, so that more errors would not be told, and
#: with how many errors.
_MAX_JUDGED_ROWS, _MAX_JUDGED_FAULTS = 2_500, 10_000


@dataclass
class _Waiting:
    """New records that are not stored yet, and all that a later row could call them."""

    entries: list[tuple[Entry, New]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


class ImportRun:
    """One import within its transactions: which of its rows wait for others, fail or are stored."""

    def __init__(
        self, session: Session, resource: Resource, rows: RowsAhead, bulk_state: BulkState
    ) -> None:
        self.session, self.resource = session, resource
        self.rows, self.file = rows, rows.file
        self.progress, self.bulk_state = Progress(Report(sheets=rows.sheets.names)), bulk_state
        self.waiting = _Waiting()
        self.matches = ExistingRecords(session, resource)
        self.similar = SimilarRecords(session, resource)
        self.reader = RowReader(session, resource, creates=self.file.create_missing)
        self.reader.created = self.report.related
        is_table = self.file.format != "ndjson"
        self.code_lists = CodeLists(session)
        readers = CellReaders(self.code_lists, self.file.date_format) if is_table else None
        self.headers = HeaderPlans(resource, rows, readers)
        #: The first rows, of which it is told what their cells were taken for.
        self.traced: list[Entry] = []
        #: How many rows are worked on at a time.
        self.part_rows = BATCH_ROWS
        #: Whether rows were left unread, as all are refused.
        self.is_cut_short = False
        # Programs that write lines may change a record more than once.
        self.repeated = RepeatedRecords(is_allowed=self.file.format == "ndjson")

    @property
    def report(self) -> Report:
        """What came of the rows by now."""
        return self.progress.report

    def go_on(self, session: Session, progress: Progress) -> None:
        """Go on in another transaction from where the ones before it have come to: what they have
        looked up may have changed, and this one may be tried more than once."""
        self.session = self.matches.session = self.code_lists.session = session
        self.similar.session = session
        self.bulk_state.known.clear()
        self.go_back(progress)
        self.reader.enter(session, self.report.related)

    def go_back(self, progress: Progress) -> None:
        """Forget what was found out since."""
        self.progress, self.waiting = progress.copied(), _Waiting()
        if self._is_last_try:
            self.reader.named.failed = self.progress.failed_rows
        self._tell()

    def run(self, on_progress: Callable[[int], None]) -> Report:
        """Store the rows, batch by batch; Invalid when the whole file is refused."""
        for part in self.parts():
            part.work()
            change_log.spill_to_disk(self.session)
            on_progress(part.rows_done)
        if self.rows.error is None:
            self.plan_header()
        return self.finished()

    def plan_header(self) -> None:
        """Find out how the rows of a table are read, and whether its header is wrong."""
        if self.rows.header:
            self._plan(self.rows.header)

    def finished(self) -> Report:
        """What came of all parts; Invalid when the whole file is refused."""
        if self.rows.error is not None:
            self._tell(fault_of(self.rows.error))
            raise self._unreadable(self.rows.error)
        for left_out in self.rows.sheets.left_out:
            code = "sheet" if left_out.row is None else "title"
            self.report.leave_out(replace(fault_of(left_out), code=code))
        self.report.taken = [taken(entry) for entry in self.traced]
        if wrong := self.progress.wrong_header:
            text = f"The header is wrong, so nothing was stored: {wrong[0].detail}{_needed(wrong)}"
            raise Invalid(text, self.report.in_order())
        if self.report.failed and not self.file.lenient:
            raise self.report.refusal(self.rows.count if self.is_cut_short else None)
        return self.report

    def _part_size(self) -> int:
        return self.part_rows

    def parts(self) -> Iterator[Part]:
        """What is to be done, of which each is done or skipped before the next is asked for."""
        done = 0
        for batch in self.rows.batches():
            for rows in cut_up(batch, self._part_size):
                work, skip = partial(self._work_rows, rows), partial(self._skip_rows, rows)
                yield Part(len(rows), rows[0], work, skip)
            done += len(batch)
            if done < self.rows.count and self._is_in_vain(done):
                self.is_cut_short = True
                return
        # Those that wait for others may wait for what cannot be read.
        if self.rows.error is None:
            yield from self._postponed_parts()

    def _is_in_vain(self, done: int) -> bool:
        """Whether nothing will be stored and enough is known of why, after so many rows: others
        wait for the writer meanwhile."""
        is_refused = bool(self.progress.wrong_header) or self.rows.error is not None
        if self.report.is_full and not self.file.lenient:
            is_refused = True
        is_judged = done >= _MAX_JUDGED_ROWS or self.report.faults_seen >= _MAX_JUDGED_FAULTS
        return is_refused and is_judged

    def _unreadable(self, error: SheetError) -> Invalid:
        sheet = f"Sheet {error.sheet!r}: " if error.sheet else ""
        place = sheet + (f"Row {error.row}: " if error.row else "")
        before = self.report.faults_seen - 1
        some = "at least " if self.is_cut_short else ""
        more = f" Before it there are {some}{before} other errors." if before else ""
        return Invalid(f"{place}{error.detail} Nothing was stored.{more}", self.report.in_order())

    def _plan(self, headers: tuple[str, ...]) -> Plan:
        """How rows with these headers are read."""
        plan = self.progress.plans.get(headers)
        if plan is None:
            plan = self.headers.make(headers, self.progress)
            self._tell()
        return plan

    def _tell(self, *faults: Fault) -> None:
        self.report.add_faults(faults)
        self.reader.soundness.is_brief = self.report.is_full
        self.reader.is_hasty = self.report.is_full and self.file.lenient

    def _postponed_parts(self) -> Iterator[Part]:
        """Try again what referred to rows below it, as long as that gets any further."""
        yield from self._retried_parts()
        if self.progress.postponed and self.reader.named.creates:
            # What has not come until now is not in the file.
            self.reader.named.awaited, self.reader.named.failed = None, self.progress.failed_rows
            yield from self._retried_parts()
        for entry, _ in self.progress.postponed:
            self._note_failed(entry)
        for entry, problem in self.progress.postponed:
            self.report.failed += 1
            self._tell(*self._blamed(entry, problem))

    @property
    def _is_last_try(self) -> bool:
        return self.reader.named.awaited is None

    def _retried_parts(self) -> Iterator[Part]:
        before = 0
        while self.progress.postponed and len(self.progress.postponed) != before:
            again = named_first([entry for entry, _ in self.progress.postponed], self.reader.names)
            self.progress.postponed, before = [], len(again)
            for batch in cut_up(again, self._part_size):
                work, skip = partial(self._work_again, batch), partial(self._skip_again, batch)
                yield Part(len(batch), batch[0], work, skip)

    def _blamed(self, entry: Entry, problem: Problem) -> Iterator[Fault]:
        """The faults of a row; where it names another that fails, that this is so."""
        for fault in entry.placed(problem):
            named = self.reader.own.named(entry, fault)
            failed = self.progress.failed_rows
            row = next((failed[name] for name in named if name in failed), None)
            if row is None:
                yield fault
            elif not self.progress.wrong_header:
                text = f"{row[0].upper()}{row[1:]} is called so, and fails."
                yield replace(fault, detail=text)

    def _entries(self, rows: list[SheetRow]) -> list[Entry]:
        entries = []
        for row in rows:
            if row.faults and not row.cells:
                self._fail_unread(row)
                continue
            if self._is_total(row):
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
                if self.progress.encoding_reported:
                    continue
                self.progress.encoding_reported = True
            faults.append(fault_of(error))
        return faults

    def _fail_unread(self, row: SheetRow) -> None:
        self.report.failed += 1
        self._tell(*(fault for fault in self._unread(row) if fault.code))

    def _work_rows(self, rows: list[SheetRow]) -> None:
        self._work(self._entries(rows))

    def _skip_rows(self, rows: list[SheetRow], _: Problem) -> None:
        self.report.failed += sum(not self._is_total(row) for row in rows)

    def _work_again(self, entries: list[Entry]) -> None:
        self._work([entry.again() for entry in entries])

    def _skip_again(self, entries: list[Entry], problem: Problem) -> None:
        self.progress.postponed += [(entry, problem) for entry in entries]

    def _is_total(self, row: SheetRow) -> bool:
        return self.file.format != "ndjson" and is_total(row)

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
            entry.faults += [SILENT, *self.headers.missing(entry.plan, self.progress)]
            entry.unread |= set(entry.plan.missing)
        new = self.reader.new(entry)
        if self.progress.wrong_header:
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
        if self.progress.wrong_header:
            raise Invalid("", [SILENT])
        if not differs:
            self.report.unchanged += 1
            return
        self._store()
        self.matches.touch(entry, before)
        with undone_on_error(self.session):
            changed = self.reader.store(entry, before, body)
        if self.reader.own:
            self.reader.forget()
        self.report.updated += changed
        self.report.unchanged += not changed

    def _store(self) -> None:
        """Store the new records that wait."""
        waiting, self.waiting = self.waiting.entries, _Waiting()
        if not waiting:
            return
        new = [each for _, each in waiting]
        # Before they are stored, so that none is found for itself.
        similar = self.similar.found(waiting)
        refused = create_many(self.session, self.resource, new, self.bulk_state)
        places = {(waiting[at][0].row, waiting[at][0].sheet) for at in refused}
        self.report.add_similar(f for f in similar if (f.row, f.sheet) not in places)
        self.report.created += len(new) - len(refused)
        for at, problem in sorted(refused.items()):
            self._postpone(waiting[at][0], problem)

    def _postpone(self, entry: Entry, problem: Problem) -> None:
        """Let the row wait for the others, if it may be one of them that it lacks."""
        postponed = self.progress.postponed
        if self.reader.lacks_own(entry, problem) and len(postponed) < _MAX_POSTPONED_ROWS:
            postponed.append((entry, problem.alone()))
        else:
            self._fail(entry, problem)

    def _fail(self, entry: Entry, problem: Problem) -> None:
        self.report.failed += 1
        self._note_failed(entry)
        self._tell(*entry.placed(problem))

    def _note_failed(self, entry: Entry) -> None:
        if self.reader.own and len(self.progress.failed_rows) < _MAX_POSTPONED_ROWS:
            self.progress.failed_rows |= dict.fromkeys(self.reader.names(entry), entry.place)


def _needed(wrong: list[Fault]) -> str:
    """All columns that a header lacks, where its first fault does not tell that alone."""
    missing = [fault.column for fault in wrong if fault.code == "missing" and fault.column]
    return f" Needed are the columns {', '.join(missing)}." if missing and wrong[1:] else ""
