"""Lenient imports of many rows: each batch is stored by itself, and others write between them."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from sqlalchemy.orm import Session

from app.core.errors import Fault, Problem
from app.core.sheets.tabular import SheetRow
from app.engine.imports.entry import Entry
from app.engine.imports.import_run import ImportRun, Part
from app.engine.imports.long_running import collecting_less, holding
from app.engine.imports.progress import Progress
from app.engine.imports.read_ahead import BATCH_ROWS, RowsAhead
from app.engine.imports.report import Report
from app.engine.resource import Resource
from app.engine.writes.bulk_insert import BulkState

#: Runs work in a transaction of its own, which ends with its changes in the log.
Write = Callable[[Callable[[Session], None]], Awaitable[None]]

_BEFORE_IT: Final = "What is right in the rows before this one is stored. From it on:"


class _WrongHeader(Exception):
    """Ends the first part: nothing of a file with a wrong header is stored."""


def goes_in_parts(rows: RowsAhead) -> bool:
    """Whether the rows are stored in several transactions: each good one is stored whatever comes
    of the others, and they are many."""
    return rows.file.lenient and rows.error is None and rows.count > BATCH_ROWS


async def import_in_parts(
    write: Write,
    resource: Resource,
    rows: RowsAhead,
    on_progress: Callable[[int], None] = lambda rows: None,
) -> Report | None:
    """Store the good rows of a file, batch by batch. None where its header is wrong, of which all
    can be told by an import in one transaction; nothing was stored then.

    When a batch cannot be stored, the report tells so of it and of the rows after it; Problem if
    nothing was stored before. `on_progress` is told the rows done, and ends it by raising.
    """
    # The session is of no database: each part comes with its own.
    run = ImportRun(Session(), resource, rows, BulkState())
    ended_by: Problem | None = None
    with collecting_less():
        on_progress(0)
        for part in run.parts():
            if ended_by is None:
                before = run.progress
                try:
                    await write(partial(_work, run, part, before))
                except _WrongHeader:
                    return None
                except Problem as problem:
                    run.go_back(before)
                    if not run.report.tells_of_writes:
                        raise
                    ended_by = problem.alone()
                    _tell_of_end(run.report, part.first, ended_by)
            if ended_by is not None:
                part.skip(ended_by)
            on_progress(part.rows)
    return run.finished()


def _work(run: ImportRun, part: Part, before: Progress, session: Session) -> None:
    with holding(session):
        run.go_on(session, before)
        run.plan_header()
        if run.progress.wrong_header:
            raise _WrongHeader
        part.work()


def _tell_of_end(report: Report, first: SheetRow | Entry, problem: Problem) -> None:
    """Tell that nothing more was stored, at the first row of which this is so. Rows that are done
    once more are told each."""
    if isinstance(first, SheetRow):
        detail = f"{_BEFORE_IT} {problem.detail}"
        report.tell_surely(Fault(problem.slug(), detail, row=first.number, sheet=first.sheet))
    elif report.is_full:
        report.tell_surely(first.placed(problem)[0])
