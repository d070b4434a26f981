"""Lenient imports of many rows: part by part, between which others write."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from time import perf_counter
from typing import Final

from sqlalchemy.orm import Session

from app.core.errors import Fault, Problem
from app.core.sheets.tabular import SheetRow
from app.engine.imports.entry import Entry
from app.engine.imports.import_run import ImportRun
from app.engine.imports.long_running import collecting_less, holding
from app.engine.imports.part import Part
from app.engine.imports.progress import Progress
from app.engine.imports.read_ahead import BATCH_ROWS, RowsAhead
from app.engine.imports.report import Report
from app.engine.resource import Resource
from app.engine.writes.bulk_insert import BulkState

#: Runs work in a transaction of its own, which ends with its changes in the log.
Write = Callable[[Callable[[Session], float]], Awaitable[float]]

#: How long others wait for a part, about.
PART_SECONDS: Final = 0.2
#: How many rows the first part has, and a slow one at least.
FIRST_ROWS: Final = 50
MIN_ROWS: Final = 10
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
    """Store the good rows of a file, each part of them in a transaction of its own. None where its
    header is wrong and nothing was stored: one transaction tells all that is wrong then.

    When a part cannot be stored, the report tells so of it and of the rows after it; Problem if
    nothing was stored before. `on_progress` is told the rows done, and ends it by raising.
    """
    # The session is of no database: each part comes with its own.
    run = ImportRun(Session(), resource, rows, BulkState())
    run.part_rows = min(FIRST_ROWS, BATCH_ROWS)
    ended_by: Problem | None = None
    with collecting_less():
        on_progress(0)
        # Beside the loop: to read rows, to order and to judge those that waited takes a while.
        parts = run.parts()
        while (part := await asyncio.to_thread(next, parts, None)) is not None:
            if ended_by is None:
                try:
                    ended_by = await _store(write, run, part)
                except _WrongHeader:
                    return None
            if ended_by is not None:
                await asyncio.to_thread(part.skip, ended_by)
            on_progress(part.rows_done)
    return run.finished()


async def _store(write: Write, run: ImportRun, part: Part) -> Problem | None:
    """Store what is right in a part; why that cannot be, where something was stored before."""
    before = run.progress
    try:
        seconds = await write(partial(_work, run, part, before))
    except Problem as problem:
        run.go_back(before)
        if not run.report.tells_of_writes:
            raise
        _tell_of_end(run.report, part.first, problem)
        return problem.alone()
    run.part_rows = _fitting_rows(part.rows, seconds)
    return None


def _work(run: ImportRun, part: Part, before: Progress, session: Session) -> float:
    """Do a part; for how many seconds nobody else could write."""
    began = perf_counter()
    with holding(session):
        run.go_on(session, before)
        run.plan_header()
        if run.progress.wrong_header:
            raise _WrongHeader
        part.work()
    return perf_counter() - began


def _fitting_rows(rows: int, seconds: float) -> int:
    """How many rows the next part has, where so many have taken so long."""
    fitting = int(rows * PART_SECONDS / max(seconds, 0.001))
    return min(max(fitting, MIN_ROWS), BATCH_ROWS)


def _tell_of_end(report: Report, first: SheetRow | Entry, problem: Problem) -> None:
    """Tell that nothing more was stored, at the first row of which this is so. Rows that are done
    once more are told each."""
    if isinstance(first, SheetRow):
        detail = f"{_BEFORE_IT} {problem.detail}"
        report.tell_surely(Fault(problem.slug(), detail, row=first.number, sheet=first.sheet))
    elif report.is_full:
        report.tell_surely(first.placed(problem)[0])
