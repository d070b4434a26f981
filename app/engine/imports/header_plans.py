"""How the rows under the headers of a file are read, and what is told of these headers."""

from dataclasses import replace

from app.core.errors import Fault
from app.core.sheets.workbook_rows import which_read
from app.engine.imports.cells import CellReaders
from app.engine.imports.columns import Plan, plan_of
from app.engine.imports.progress import Progress
from app.engine.imports.read_ahead import RowsAhead
from app.engine.imports.report import MAX_FAULTS
from app.engine.resource import Resource

#: Objects of NDJSON can each have names of their own.
_MAX_PLANS = 1000


class HeaderPlans:
    """Plans for the headers of one file; a table has `readers` of its cells, NDJSON has not."""

    def __init__(self, resource: Resource, rows: RowsAhead, readers: CellReaders | None) -> None:
        self.resource, self.rows, self.readers = resource, rows, readers

    def make(self, headers: tuple[str, ...], progress: Progress) -> Plan:
        """A plan that is not there yet; what is to be told of the headers is in the progress."""
        file, readers = self.rows.file, self.readers
        plan = plan_of(self.resource, headers, file.mapping, readers, file.skip_unknown)
        if len(progress.plans) > _MAX_PLANS:
            progress.plans.clear()
        progress.plans[headers] = plan
        if readers is not None:
            self._check_header(plan, progress)
        for fault in plan.skipped:
            self._leave_out_column(fault, progress)
        return plan

    def missing(self, plan: Plan, progress: Progress) -> list[Fault]:
        """One error for a column that is not there, not one for each row that would need it."""
        if progress.missing_reported:
            return []
        progress.missing_reported = True
        text = f"A new {self.resource.singular} needs the column"
        return [Fault("missing", f"{text} {n!r}.", row=1, column=n) for n in plan.missing]

    def _check_header(self, plan: Plan, progress: Progress) -> None:
        wrong = list(plan.faults)
        if plan.only_new:
            wrong += self.missing(plan, progress)
        sheets = self.rows.sheets
        sheet, row = next(iter(sheets.names), None), sheets.header_row
        progress.wrong_header = [replace(each, sheet=sheet, row=row) for each in wrong]
        if wrong and sheet is not None:
            others = [each.sheet for each in sheets.left_out if each.sheet]
            first = progress.wrong_header[0]
            detail = first.detail + which_read(sheet, [name for name in others if name != sheet])
            progress.wrong_header[0] = replace(first, detail=detail)
        progress.report.add_faults(progress.wrong_header)

    def _leave_out_column(self, fault: Fault, progress: Progress) -> None:
        """Tell that a column is passed over; a name in lines that have many, once."""
        told = progress.skipped_columns
        if fault.column not in told and len(told) < MAX_FAULTS:
            told.add(fault.column)
            sheets, is_table = self.rows.sheets, self.readers is not None
            sheet, row = next(iter(sheets.names), None), sheets.header_row if is_table else None
            progress.report.leave_out(replace(fault, sheet=sheet, row=row))
