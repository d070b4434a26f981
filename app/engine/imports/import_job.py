"""Imports: the rows of a file become new records, or changes of those that they name."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from app.engine.history import change_log
from app.engine.imports.import_run import ImportRun
from app.engine.imports.long_running import collecting_less, holding
from app.engine.imports.read_ahead import RowsAhead
from app.engine.imports.report import Report
from app.engine.resource import Resource
from app.engine.writes.bulk_insert import BulkState, RetryWithSavepoints
from app.engine.writes.savepoint import undone_on_error


def import_file(
    session: Session,
    resource: Resource,
    rows: RowsAhead,
    actor: str,
    on_progress: Callable[[int], None] = lambda rows: None,
) -> Report:
    """Store what a file says, and log it as the actor's; `on_progress` is told the rows done,
    and ends it by raising.

    Raises Invalid with a row and column for each error when a row fails and the file is not
    lenient, and for a file that cannot be read. The session's transaction must then be undone.
    """
    bulk_state = BulkState(savepoints=False)
    with collecting_less(), holding(session):
        try:
            return _import(session, resource, rows, actor, on_progress, bulk_state)
        except RetryWithSavepoints:
            bulk_state.savepoints = True
            return _import(session, resource, rows, actor, on_progress, bulk_state)


def _import(
    session: Session,
    resource: Resource,
    rows: RowsAhead,
    actor: str,
    on_progress: Callable[[int], None],
    bulk_state: BulkState,
) -> Report:
    done = 0

    def counted(count: int) -> None:
        nonlocal done
        done += count
        on_progress(count)

    with change_log.spooling(session):
        try:
            with undone_on_error(session):
                report = ImportRun(session, resource, rows, bulk_state).run(counted)
        except RetryWithSavepoints:
            on_progress(-done)
            raise
        change_log.log_changes(session, actor)
    return report
