"""Imports a file of records into the database, as the API's imports do."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy.orm import Session

from app.api import RESOURCES
from app.commands.readiness import refuse_unready
from app.core import json_codec
from app.core.databases.diagnosis import diagnosed
from app.core.databases.opening import open_database
from app.core.errors import Fault, Invalid, did_you_mean
from app.core.sheets.options import read_options
from app.core.sheets.readers import WORKBOOKS
from app.engine.history.change_log import log_changes
from app.engine.imports.columns import read_mapping
from app.engine.imports.import_file import ImportFile, known_date_format, with_headers
from app.engine.imports.import_job import import_file
from app.engine.imports.lenient_import import goes_in_parts, import_in_parts
from app.engine.imports.read_ahead import reading_ahead
from app.engine.imports.report import Report
from app.engine.registry import find_named, kind_names
from app.engine.resource import Resource

ACTOR = "import"
FORMATS = ("csv", "tsv", "xlsx", "ods", "ndjson")
_LIKE = "such as agreements.csv"

OnProgress = Callable[[int], None]


class _DryRun(Exception):
    """Ends a transaction whose report is wanted and whose writes are not."""

    def __init__(self, report: Report) -> None:
        self.report = report


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a file: the kind of its records, its columns, and how it is to be read."""

    kind: str | None = None
    columns: str | None = None
    sheet: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    header_row: int | None = None
    date_format: str | None = None
    skip_unknown: bool = False
    create_missing: bool = False


def run(url: str, path: Path, said: Said, *, dry_run: bool, lenient: bool) -> int:
    """Import the file and tell what came of it; the exit status, 1 when a row failed.

    Raises ValueError for a file that cannot be read or whose name does not say what it is, and for
    a kind that is not known.
    """
    file_format = _format_of(path)
    resource = _resource(path, said.kind)
    mapping = read_mapping(resource, said.columns)
    options = read_options(file_format, said.sheet, said.delimiter, said.encoding, said.header_row)
    file = ImportFile(
        path,
        file_format,
        mapping,
        lenient,
        with_headers(options, resource, mapping),
        known_date_format(said.date_format),
        said.skip_unknown,
        said.create_missing,
        is_traced=dry_run,
    )
    asyncio.run(refuse_unready(url))
    errors = Console(stderr=True, soft_wrap=True)
    try:
        report = _with_progress(url, resource, file, dry_run, errors)
    except Invalid as problem:
        _show(errors, problem.errors)
        errors.print(f"{path.name}: {problem.detail}", markup=False, highlight=False)
        return 1
    _show(errors, tuple(report.in_order()))
    _show(errors, tuple(report.left_out))
    _show(errors, tuple(report.related))
    _show(errors, tuple(report.similar))
    _show_taken(errors, report)
    sys.stdout.write(_summary(report, dry_run) + "\n")
    return 1 if report.failed else 0


def _format_of(path: Path) -> str:
    """The format of a file that can be opened; ValueError says what keeps it from being read."""
    refuse_no_file(path, _LIKE)
    file_format = path.suffix.removeprefix(".").lower()
    if file_format not in FORMATS:
        known = ", ".join(f".{name}" for name in FORMATS)
        text = f"{path}: the ending of its name must say what it is: one of {known}."
        raise ValueError(text + did_you_mean(file_format, FORMATS))
    return file_format


def refuse_no_file(path: Path, like: str) -> None:
    """ValueError for what is no file that can be opened; `like` says what one looks like."""
    if path == Path():  # What an empty name becomes, too.
        raise ValueError(f"Name the file to import, not a folder: {like}.")
    try:
        if path.is_dir():
            raise ValueError(f"{path} is a folder: name one file in it, {like}.")
        if not path.exists():
            near = did_you_mean(path.name, _files_beside(path))
            raise ValueError(f"There is no file {path}: look at its name and folder.{near}")
        if not path.is_file():
            raise ValueError(f"{path} is no file but a device or pipe: write what it gives to one.")
        with path.open("rb"):
            pass
    except OSError as error:
        text = f"{str(path)[:200]} cannot be read: {error.strerror or error}."
        raise ValueError(f"{text} Give a file that you may read.") from None


def _files_beside(path: Path) -> list[str]:
    try:
        return [each.name for each in islice(path.parent.iterdir(), 1000) if each.is_file()]
    except OSError:
        return []


def _resource(path: Path, kind: str | None) -> Resource:
    """What the file holds, by `--kind` or else its name."""
    name = path.stem if kind is None else kind
    found = find_named(name, RESOURCES)
    if found is None:
        names = [each for resource in RESOURCES for each in sorted(kind_names(resource))]
        known = ", ".join(resource.path for resource in RESOURCES)
        text = f"--kind {name!r} is no kind of record."
        if kind is None:
            text = f"{path}: its name is no kind of record: give --kind."
        raise ValueError(f"{text}{did_you_mean(name, names)} Possible: {known}.")
    return found


def _with_progress(
    url: str, resource: Resource, file: ImportFile, dry_run: bool, console: Console
) -> Report:
    shown = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*shown, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task(f"Importing {resource.plural}", total=_lines(file))

        def on_progress(rows: int) -> None:
            progress.advance(task, rows)

        return asyncio.run(import_into(url, resource, file, dry_run, on_progress))


def _lines(file: ImportFile) -> int | None:
    """About how many rows the file has; None where only reading it would tell."""
    if file.format in WORKBOOKS:
        return None
    with file.path.open("rb") as content:
        return sum(piece.count(b"\n") for piece in iter(lambda: content.read(1 << 20), b""))


async def import_into(
    url: str, resource: Resource, file: ImportFile, dry_run: bool, on_progress: OnProgress
) -> Report:
    """Import the file into the database at the address, a lenient one of many rows in parts;
    nothing of a dry run."""

    def work(session: Session) -> Report:
        report = import_file(session, resource, rows, ACTOR, on_progress)
        if dry_run:
            raise _DryRun(report)
        return report

    async def write_part(part: Callable[[Session], float]) -> float:
        def logged(session: Session) -> float:
            seconds = part(session)
            log_changes(session, ACTOR)
            return seconds

        return await database.write(logged)

    database = open_database(url)
    with diagnosed(url), reading_ahead(file) as rows:
        await database.start()
        try:
            if goes_in_parts(rows) and not dry_run:
                report = await import_in_parts(write_part, resource, rows, on_progress)
                if report is not None:
                    return report
            return await database.write(work)
        except _DryRun as end:
            return end.report
        finally:
            await database.stop()


def _show(console: Console, faults: tuple[Fault, ...]) -> None:
    if not faults:
        return
    table = Table("row", "column", "what", highlight=False)
    for fault in faults:
        row = " ".join(str(each) for each in (fault.sheet, fault.row) if each is not None)
        table.add_row(_plain(row), _plain(fault.column or ""), _plain(fault.detail))
    console.print(table)


def _show_taken(console: Console, report: Report) -> None:
    """What the cells of the first rows of a dry run were taken for."""
    if not report.taken:
        return
    table = Table("row", "column", "cell", "field", "value", highlight=False)
    for row in report.taken:
        place = " ".join(str(each) for each in (row["sheet"], row["row"]) if each is not None)
        for cell in row["cells"]:
            value = json_codec.dumps(cell["value"]).decode()
            told = (place, cell["column"], cell["cell"] or "", cell["field"] or "-", value)
            table.add_row(*map(_plain, told))
    console.print(table)


def _plain(text: str) -> str:
    """The text with nothing in it that the table would take for its own marks."""
    return text.replace("[", "\\[")


def _summary(report: Report, dry_run: bool) -> str:
    done = "Nothing was stored, but would be: " if dry_run else "Imported: "
    return (
        f"{done}{report.created} created, {report.updated} updated,"
        f" {report.unchanged} unchanged, {report.failed} failed."
    )
