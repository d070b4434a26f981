"""Rows of a workbook: which of its worksheets are read, and which are told to be left out."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from app.core.errors import did_you_mean
from app.core.sheets.ods_reader import Ods
from app.core.sheets.sheet import SheetError
from app.core.sheets.tabular import HeadedTable, RawRow, ReadOptions, ReadSheets, SheetRow
from app.core.sheets.xlsx_parts import Worksheet
from app.core.sheets.xlsx_reader import Xlsx

Workbook = Xlsx | Ods
_BOOKS: Final[Mapping[str, type[Xlsx] | type[Ods]]] = {"xlsx": Xlsx, "ods": Ods}
#: As many names of worksheets are told.
_MOST_SHEETS: Final = 20
_HOW = "to import it, send the file again with its name as `sheet`"


def read_workbook(
    path: Path, file_format: str, options: ReadOptions, sheets: ReadSheets
) -> Iterator[SheetRow]:
    """The rows of the worksheet that the options name, or else of the first visible one that is not
    blank and of all after it that have its headers; `sheets` is told which were read."""
    with closing(_BOOKS[file_format](path)) as book:
        first, *others = _chosen(book, options.sheet)
        try:
            table = _table(book, first, options)
        except SheetError as fault:
            named = [] if options.sheet is not None else others
            rest = [each.name for each in named if not _is_blank(book, each)]
            fault.add(which_read(first.name, rest))
            raise
        sheets.add(table)
        yield from _rows(table, first)
        for other in others if options.sheet is None else ():
            more = _continuation(book, other, table.names, options, sheets)
            if more is not None:
                sheets.add(more)
                for row in _rows(more, other):
                    yield _under(table.names, more.names, row)


def which_read(name: str, others: Sequence[str]) -> str:
    """` 'Readme' is the worksheet that was read; the workbook also has 'People': …`; nothing where
    there is no other."""
    if not others:
        return ""
    known = ", ".join(repr(each) for each in others[:_MOST_SHEETS])
    return (
        f" {name!r} is the worksheet that was read; the workbook also has {known}: to import that,"
        " send the file again with its name as `sheet`."
    )


def workbook_header(path: Path, file_format: str, options: ReadOptions) -> list[str]:
    """The headers of what `read_workbook` begins with."""
    with closing(_BOOKS[file_format](path)) as book:
        return _table(book, _chosen(book, options.sheet)[0], options).names


def _chosen(book: Workbook, name: str | None) -> list[Worksheet]:
    """The worksheet of this name; without one all from the first visible one that has cells on."""
    if name is not None:
        found = [each for each in book.sheets if each.name.strip() == name.strip()]
        if not found:
            names = [each.name for each in book.sheets]
            known = ", ".join(repr(each) for each in names[:_MOST_SHEETS])
            near = did_you_mean(name, names)
            raise SheetError(f"The workbook has no worksheet {name!r}.{near} It has {known}.")
        return found
    if not book.sheets:
        raise SheetError("The workbook has no worksheet.")
    visible = [each for each in book.sheets if each.is_visible]
    if not visible:
        raise SheetError(f"The workbook has no worksheet that is not hidden; {_HOW}.")
    begin = next((each for each in visible if not _is_blank(book, each)), visible[0])
    at = book.sheets.index(begin)
    # What is hidden before it is told to be left out as well.
    return [
        begin,
        *(each for each in book.sheets[:at] if not each.is_visible),
        *book.sheets[at + 1 :],
    ]


def _is_blank(book: Workbook, sheet: Worksheet) -> bool:
    try:
        return next(book.rows(sheet), None) is None
    except SheetError:
        return False  # Something is there, if only a fault.


def _continuation(
    book: Workbook,
    sheet: Worksheet,
    names: list[str],
    options: ReadOptions,
    sheets: ReadSheets,
) -> HeadedTable | None:
    """A worksheet that goes on with the rows; of another one that has cells it is told why not."""
    if _is_blank(book, sheet):
        return None
    if not sheet.is_visible:
        reason = f"The worksheet is hidden: {_HOW}."
    else:
        try:
            table = HeadedTable(_dense(book, sheet), sheet.name, options)
        except SheetError as fault:
            reason = f"The worksheet is not read: {fault.detail}"
        else:
            if sorted(map(_folded, table.names)) == sorted(map(_folded, names)):
                return table
            reason = f"The worksheet has other headers than the first one: {_HOW}."
    sheets.left_out.append(SheetError(reason, sheet=sheet.name))
    return None


def _folded(header: str) -> str:
    """A header as people mean it: `Full name` is full_name."""
    return re.sub(r"[\s_-]+", "_", header.casefold())


def _under(names: list[str], own: list[str], row: SheetRow) -> SheetRow:
    """The row of a later worksheet under the headers of the first, which may be written otherwise
    and stand in another order."""
    if names == own:
        return row
    header = {_folded(name): name for name in own}
    cells = {name: row.cells[header[_folded(name)]] for name in names}
    unread = frozenset(name for name in names if header[_folded(name)] in row.unread)
    return replace(row, cells=cells, unread=unread)


def _table(book: Workbook, sheet: Worksheet, options: ReadOptions) -> HeadedTable:
    try:
        return HeadedTable(_dense(book, sheet), sheet.name, options)
    except SheetError as fault:
        fault.sheet = sheet.name
        raise


def _rows(table: HeadedTable, sheet: Worksheet) -> Iterator[SheetRow]:
    try:
        yield from table.rows()
    except SheetError as fault:
        fault.sheet = sheet.name
        raise


def _dense(book: Workbook, sheet: Worksheet) -> Iterator[RawRow]:
    for row in book.rows(sheet):
        book.count_text(row)
        number, cells, faults = row
        yield RawRow(number, [cells.get(index) for index in range(max(cells) + 1)], faults)
