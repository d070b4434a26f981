"""Imports a file of exchange rates into the database, as the API does."""

import asyncio
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.orm import Session

from app.commands.import_ import ACTOR, OnProgress, refuse_no_file
from app.commands.readiness import refuse_unready
from app.core.databases.diagnosis import diagnosed
from app.core.databases.opening import open_database
from app.core.errors import Invalid
from app.core.rate_files.published import RateFileError
from app.core.rate_files.rate_file import UNKNOWN, RateFile, RateOptions, opened_rates
from app.engine.history import change_log
from app.resources.exchange_rate_file import (
    RatesReport,
    count_rates,
    left_out_of,
    refused,
    store_rates,
)

_LIKE = "such as eurofxref-hist.zip"


class _DryRun(Exception):
    """Ends a transaction whose report is wanted and whose writes are not."""

    def __init__(self, report: RatesReport) -> None:
        self.report = report


def run(url: str, path: Path, options: RateOptions, *, dry_run: bool) -> int:
    """Import the file and tell what came of it; the exit status, 1 when nothing could be stored.

    Raises ValueError for a file that cannot be opened.
    """
    refuse_no_file(path, _LIKE)
    asyncio.run(refuse_unready(url))
    errors = Console(stderr=True, soft_wrap=True)
    try:
        with refused(), opened_rates(path, options) as file:
            if file is None:
                raise RateFileError(UNKNOWN)
            report = _with_progress(url, file, dry_run, errors)
    except Invalid as problem:
        errors.print(f"{path.name}: {problem.detail}", markup=False, highlight=False)
        return 1
    for fault in left_out_of(report):
        errors.print(f"Left out: {fault.detail}", markup=False, highlight=False)
    sys.stdout.write(_summary(report, dry_run) + "\n")
    return 0


def _with_progress(url: str, file: RateFile, dry_run: bool, console: Console) -> RatesReport:
    total = count_rates(file)
    shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*shown, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task("Importing rates", total=total)

        def on_progress(rates: int) -> None:
            progress.advance(task, rates)

        return asyncio.run(_import_into(url, file, dry_run, on_progress))


async def _import_into(
    url: str, file: RateFile, dry_run: bool, on_progress: OnProgress
) -> RatesReport:
    def work(session: Session) -> RatesReport:
        report = store_rates(session, file, on_progress)
        if dry_run:
            raise _DryRun(report)
        change_log.log_changes(session, ACTOR)
        return report

    database = open_database(url)
    with diagnosed(url):
        await database.start()
        try:
            return await database.write(work)
        except _DryRun as end:
            return end.report
        finally:
            await database.stop()


def _summary(report: RatesReport, dry_run: bool) -> str:
    done = "Nothing was stored, but would be" if dry_run else "Imported"
    days = f"from {report.first_date} to {report.last_date}" if report.rates else "of no day"
    return (
        f"{done}: {report.added:,} rates added, {report.corrected:,} corrected,"
        f" {report.unchanged:,} unchanged, of {report.provider} {days} ({report.format})."
    )
