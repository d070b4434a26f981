"""Imports: the rows of a file become new records, or changes of those that they name."""

import asyncio
import gc
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.orm import Session
from sqlalchemy.util import await_only

from app.core.errors import Fault, Invalid, Problem
from app.core.sheets.readers import SheetRow, read_header, read_rows
from app.core.sheets.sheet import SheetError
from app.crud.imports.columns import Plan, plan_of
from app.crud.imports.matches import Matches
from app.crud.imports.report import Report
from app.crud.imports.rows import Entry, RowReader
from app.crud.resource import Resource
from app.crud.writes import history
from app.crud.writes.creating import Course, New, StartAgain, create_many
from app.crud.writes.store import State

T = TypeVar("T")

#: How many rows are worked on at a time.
BATCH = 250
#: How many rows may wait for others below them in the file.
_POSTPONED = 10_000
#: How many of the records that rules have looked up are kept at hand.
_HELD = 10_000


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A file to import: `format` is csv, xlsx or ndjson; `mapping` says of headers which field they
    stand for. `lenient` stores the good rows of a file that has others."""

    path: Path
    format: str
    mapping: Mapping[str, str] = field(default_factory=dict)
    lenient: bool = False


def import_file(
    session: Session,
    resource: Resource,
    file: ImportFile,
    actor: str,
    heard: Callable[[int], None] = lambda rows: None,
) -> Report:
    """Store what the file says, and log it as the actor's; `heard` is told how many rows are done.

    Raises Invalid with a row and column for each error when a row fails and the file is not
    lenient, and for a file that cannot be read. The session's transaction must then be undone.
    """
    course = Course(careful=False)
    with _collecting_less(), _holding(session):
        try:
            return _import(session, resource, file, actor, heard, course)
        except StartAgain:
            course.careful = True
            return _import(session, resource, file, actor, heard, course)


def _import(
    session: Session,
    resource: Resource,
    file: ImportFile,
    actor: str,
    heard: Callable[[int], None],
    course: Course,
) -> Report:
    mark, done = history.noted(session), 0

    def counted(rows: int) -> None:
        nonlocal done
        done += rows
        heard(rows)

    with history.spooling(session):
        try:
            with session.begin_nested():
                report = _Import(session, resource, file, course).run(counted)
        except StartAgain:
            history.forget(session, mark)
            heard(-done)
            raise
        history.log_changes(session, actor)
    return report


@dataclass
class _Waiting:
    """New records that are not stored yet, and all that a later row could call them."""

    entries: list[tuple[Entry, New]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


class _Import:
    """The course of one import through its transaction."""

    def __init__(
        self, session: Session, resource: Resource, file: ImportFile, course: Course
    ) -> None:
        self.session, self.resource, self.file = session, resource, file
        self.report, self.course = Report(), course
        self.waiting = _Waiting()
        self.matches = Matches(session, resource)
        self.reader = RowReader(session, resource)
        self.plans: dict[tuple[str, ...], Plan] = {}
        self.missing_told = False
        #: Rows that refer to others of their kind which are not there yet.
        self.postponed: list[tuple[Entry, Problem]] = []

    def run(self, heard: Callable[[int], None]) -> Report:
        rows = _read(self.file)
        try:
            with closing(rows):
                self._run(rows, heard)
        except SheetError as error:
            self.report.tell([Fault("file", error.detail, row=error.row, column=error.column)])
            raise self._unreadable(error) from None
        if self.report.failed and not self.file.lenient:
            raise self.report.refusal()
        return self.report

    def _run(self, rows: Iterator[SheetRow], heard: Callable[[int], None]) -> None:
        done = 0
        while batch := _apart(lambda: list(islice(rows, BATCH))):
            self._work(self._entries(batch))
            history.spool(self.session)
            heard(len(batch))
            done += len(batch)
        self._work_postponed()
        if not done and self.file.format != "ndjson":
            header = _apart(lambda: read_header(self.file.path, self.file.format))
            self._plan(tuple(header), 1)

    def _unreadable(self, error: SheetError) -> Invalid:
        place = f"Row {error.row}: " if error.row else ""
        return Invalid(f"{place}{error.detail} Nothing was stored.", self.report.faults)

    def _plan(self, headers: tuple[str, ...], row: int) -> Plan:
        """How rows with these headers are read; Invalid where a header of a table is wrong."""
        plan = self.plans.get(headers)
        if plan is None:
            native = self.file.format == "ndjson"
            plan = plan_of(self.resource, headers, self.file.mapping, native)
            if len(self.plans) > 1000:  # Objects of NDJSON can each have names of their own.
                self.plans.clear()
            self.plans[headers] = plan
            if not native:
                self._check_header(plan)
        return plan

    def _check_header(self, plan: Plan) -> None:
        faults = list(plan.faults)
        if plan.only_new:
            faults += self._missing(plan, 1)
        if faults:
            text = f"The header is wrong, so nothing was stored: {faults[0].detail}"
            raise Invalid(text, faults)

    def _missing(self, plan: Plan, row: int) -> list[Fault]:
        told = f"A new {self.resource.singular} needs the column"
        return [Fault("missing", f"{told} {n!r}.", row=row, column=n) for n in plan.missing]

    def _work_postponed(self) -> None:
        """Try again what referred to rows below it, as long as that gets any further."""
        before = 0
        while self.postponed and len(self.postponed) != before:
            again, self.postponed = self.postponed, []
            before = len(again)
            for at in range(0, before, BATCH):
                self._work([entry for entry, _ in again[at : at + BATCH]])
                history.spool(self.session)
        for entry, problem in self.postponed:
            self._fail(entry, problem)

    def _entries(self, rows: list[SheetRow]) -> list[Entry]:
        entries = []
        for row in rows:
            plan = self._plan(tuple(row.cells), row.number)
            entry = self.reader.entry(plan, row)
            if plan.faults:  # Only of NDJSON; other files are refused as a whole.
                entry.faults += [replace(fault, row=row.number) for fault in plan.faults]
            entries.append(entry)
        return entries

    def _work(self, entries: list[Entry]) -> None:
        self.matches.fetch([entry for entry in entries if not entry.faults])
        for entry in entries:
            try:
                self._row(entry)
            except Problem as problem:
                self._postpone(entry, problem)
        self._store()

    def _row(self, entry: Entry) -> None:
        """Do what one row says; a new record waits for others to be stored with it."""
        if entry.faults:
            raise Invalid("", entry.faults)
        if not self.waiting.names.isdisjoint(entry.mentioned):
            self._store()
        before = self.matches.find(entry)
        if before is not None:
            self._update(entry, before)
            return
        self._check_missing(entry)
        new = self.reader.new(entry)
        self.waiting.entries.append((entry, new))
        names = self.reader.names(entry, new)
        self.reader.forget(names)
        self.waiting.names |= names
        self.matches.touch(entry)

    def _check_missing(self, entry: Entry) -> None:
        """One error for a column that is not there, not one for each row that would need it."""
        if not entry.plan.missing or self.file.format == "ndjson":
            return
        faults = [] if self.missing_told else self._missing(entry.plan, 1)
        self.missing_told = True
        raise Invalid("", faults or [Fault("", "")])

    def _update(self, entry: Entry, before: State) -> None:
        body, differs = self.reader.change(entry, before)
        if not differs:
            self.report.unchanged += 1
            return
        self._store()
        self.matches.touch(entry, before)
        mark = history.noted(self.session)
        try:
            with self.session.begin_nested():
                changed = self.reader.store(entry, before, body)
        except Problem:
            history.forget(self.session, mark)
            raise
        self.reader.forget()
        self.report.updated += changed
        self.report.unchanged += not changed

    def _store(self) -> None:
        """Store the new records that wait."""
        waiting, self.waiting = self.waiting.entries, _Waiting()
        if not waiting:
            return
        new = [each for _, each in waiting]
        refused = create_many(self.session, self.resource, new, self.course)
        self.report.created += len(new) - len(refused)
        for at, problem in sorted(refused.items()):
            self._postpone(waiting[at][0], problem)

    def _postpone(self, entry: Entry, problem: Problem) -> None:
        """Let the row wait for the others, if it may be one of them that it lacks."""
        if self.reader.lacks_own(entry, problem) and len(self.postponed) < _POSTPONED:
            self.postponed.append((entry, problem))
        else:
            self._fail(entry, problem)

    def _fail(self, entry: Entry, problem: Problem) -> None:
        self.report.failed += 1
        self.report.tell(entry.placed(problem))


def _read(file: ImportFile) -> Generator[SheetRow]:
    yield from read_rows(file.path, file.format)


def _apart(work: Callable[[], T]) -> T:
    """Run the work, which knows no database, so that an event loop goes on serving meanwhile."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return work()  # A thread of its own already, as writes on SQLite have.
    return await_only(asyncio.to_thread(work))


@contextmanager
def _collecting_less() -> Iterator[None]:
    """Within, the garbage collector passes over what was there before: it would look through the
    whole application again and again for what the rows leave behind, a fifth of all the time."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


class _holding:  # noqa: N801 (reads as a function)
    """Within, the session keeps what it has looked up: its own map forgets what nobody uses."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.held: list[Any] = []

    def __enter__(self) -> None:
        event.listen(self.session, "loaded_as_persistent", self._hold)

    def __exit__(self, *_: object) -> None:
        event.remove(self.session, "loaded_as_persistent", self._hold)

    def _hold(self, session: Session, instance: object) -> None:
        if len(self.held) >= _HELD:
            self.held.clear()
        self.held.append(instance)
