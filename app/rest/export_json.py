"""JSON in exports: in a cell, where both databases write it alike, and as a line."""

import re
from collections.abc import Sequence
from typing import Final

from app.core.databases.interface import Rows
from app.core.sheets.sheet import Row
from app.rest.export_columns import Cell

#: A text of JSON, or what stands between blanks outside of one.
_JSON_TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[^\s"]+')


def spaced_cells(cells: tuple[Cell, ...]) -> list[int]:
    """The columns of JSON, which PostgreSQL writes with blanks and SQLite without."""
    return [at for at, cell in enumerate(cells) if cell.is_json]


def without_blanks(batch: Rows, columns: Sequence[int]) -> Sequence[Row]:
    """The rows with the JSON of these columns as SQLite writes it."""
    rows = [list(row) for row in batch]
    for row in rows:
        for at in columns:
            if row[at] is not None:
                row[at] = compact(row[at])
    return rows


def compact(text: str) -> str:
    """The JSON without blanks between its tokens."""
    if "\\" in text:
        return "".join(_JSON_TOKEN.findall(text))
    # Every other piece is within quotes: three times as fast as looking for tokens.
    pieces = text.split('"')
    pieces[::2] = ["".join(piece.split()) for piece in pieces[::2]]
    return '"'.join(pieces)


def whole_object(row: Row) -> str:
    """The object that is in one column, or in several, each with some of its values."""
    if len(row) == 1:
        return str(row[0])
    return "{" + ",".join([str(piece)[1:-1] for piece in row]) + "}"
