"""Rows of a CSV file as the database writes them: one text a record, ready to be sent.

Cells that come one by one and are put together in Python take twice the time of the reading. Lines
have commas and quotes as `core/sheets/sheet.CsvSheet` sets them; of formulas only that knows.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Boolean, Date, Dialect, Enum, Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from app.core.databases.expressions import Expression, SqlType
from app.core.databases.types import CELL_FORMS, CodeList, Exact, Id, Instant

#: Neither database's function takes more than a hundred arguments.
_MOST_CELLS = 50
#: Functions that put values into a pattern, null as nothing.
_FORMAT = {"sqlite": "printf", "postgresql": "format"}


class csv_cell(FunctionElement[str]):  # noqa: N801 (reads as an SQL function)
    """A column as a cell of a CSV file, with quotes where it needs them."""

    inherit_cache = True


class csv_json_cell(FunctionElement[str]):  # noqa: N801
    """The same of a list of objects in JSON, which always needs them."""

    inherit_cache = True


class csv_line(FunctionElement[str]):  # noqa: N801
    """Cells as a line of a CSV file, without its end."""

    inherit_cache = True


def line_of(cells: Sequence[Expression]) -> Expression:
    """The cells, each a `csv_cell` or `csv_json_cell`, as one text."""
    return csv_line(*cells)


@compiles(csv_cell)
def _csv_cell(element: csv_cell, compiler: SQLCompiler, **kw: object) -> str:
    (column,) = element.clauses
    kind, dialect = column.type, compiler.dialect
    text = CELL_FORMS[dialect.name](kind, compiler.process(column, **kw))
    if _is_plain(kind, dialect):
        return text
    quoted = _QUOTED[dialect.name]
    if isinstance(kind, CodeList) and kind.of is not None:
        # Put together once, and looked at several times.
        return f"(SELECT {quoted('listed.item')} FROM (SELECT {text} AS item) AS listed)"  # noqa: S608
    return quoted(text)


@compiles(csv_json_cell)
def _csv_json_cell(element: csv_json_cell, compiler: SQLCompiler, **kw: object) -> str:
    (column,) = element.clauses
    text = CELL_FORMS[compiler.dialect.name](column.type, compiler.process(column, **kw))
    return _in_quotes(text)


@compiles(csv_line)
def _csv_line(element: csv_line, compiler: SQLCompiler, **kw: object) -> str:
    cells = [compiler.process(cell, **kw) for cell in element.clauses]
    if len(cells) == 1:
        # An empty line would be no record.
        return f"coalesce(nullif({_joined(cells, compiler)}, ''), '\"\"')"
    parts = [cells[at : at + _MOST_CELLS] for at in range(0, len(cells), _MOST_CELLS)]
    return "(" + " || ',' || ".join(_joined(part, compiler) for part in parts) + ")"


def _joined(cells: Iterable[str], compiler: SQLCompiler) -> str:
    cells = list(cells)
    pattern = ",".join(["%s"] * len(cells))
    return f"{_FORMAT[compiler.dialect.name]}('{pattern}', {', '.join(cells)})"


def _is_plain(kind: SqlType, dialect: Dialect) -> bool:
    """Whether no value of the type needs quotes."""
    if isinstance(kind, Enum):
        return all(value.isidentifier() for value in kind.enums)
    return isinstance(kind, Id | Instant | Exact | Integer | Boolean | Date)


def _in_quotes(text: str) -> str:
    return f"""'"' || replace({text}, '"', '""') || '"'"""


def _sqlite_quoted(text: str) -> str:
    # Several searches for a letter take a fraction of one with a pattern.
    letters = ("','", "'\"'", "char(10)", "char(13)")
    special = " OR ".join(f"instr({text}, {letter})" for letter in letters)
    return f"CASE WHEN {special} THEN {_in_quotes(text)} ELSE {text} END"


def _postgresql_quoted(text: str) -> str:
    return rf"""CASE WHEN {text} ~ '[,"\n\r]' THEN {_in_quotes(text)} ELSE {text} END"""


_QUOTED = {"sqlite": _sqlite_quoted, "postgresql": _postgresql_quoted}
