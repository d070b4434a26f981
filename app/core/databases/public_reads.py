"""What the public reads of tables that hold withheld rows: statements are written over them.

A table says so with a column `hidden`: null where all of a row is public, `*` where nothing is, and
else the columns that are not, between commas. A statement that is compiled for `public(dialect)`
reads of such a table, wherever it names it, the rows and columns that the public may see, whatever
it does with them: it cannot forget to. Both databases plan that as if it were written by hand, and
so use the indexes of the table; those for an order by what can be withheld are over `shown`.
"""

import re
from collections.abc import Callable
from copy import copy
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Alias, Column, Dialect, Table, Text, column, table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import MappedColumn, mapped_column
from sqlalchemy.sql import operators
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from app.core.databases.expressions import AnyTable, TableColumn
from app.core.databases.types import CodeList, Id

HIDDEN = "hidden"
#: What the column `hidden` holds where nothing of a row is public.
ALL = "*"
#: Which rows are public.
ROWS = f"{HIDDEN} IS DISTINCT FROM '{ALL}'"
#: In the `info` of a column that is never null: the SQL of what is shown while it is withheld.
WITHHELD_AS = "withheld_as"
#: In the `info` of a column of a part: it is withheld by itself, where the record that it names is,
#: and these columns beside it with it.
WITHHELD_ALONE = "withheld_alone"
#: In the `info` of the column `withheld` of a table: names that it tells to the public where the
#: column `hidden` has them.
TOLD = "told"
#: Columns that every row shows which is shown at all.
_ALWAYS_SHOWN = frozenset({HIDDEN, "ref", "withheld", "deleted_at"})
_CONTAINS = {"sqlite": "instr", "postgresql": "strpos"}
#: Ends the name of a column as it is stored, beside that of what is shown of it.
_STORED = "__stored"
#: Stands in a statement for a table until it is known which of its columns are read.
_PLACE = re.compile("\x02([^\x02\x03]*)\x03([^\x02\x03]*)\x02")

#: The SQL of what is shown of a column: `(name, name of the dialect)`; None for it as it is stored.
Shown = Callable[[str, str], str | None]


def hidden_column(rows: str = ROWS, shown: Shown | None = None) -> MappedColumn[Any]:
    """The column `hidden` of a table; which of its rows the public sees, and what of columns that
    are not shown as others are."""
    return mapped_column(HIDDEN, Text, nullable=True, info={"rows": rows, "shown": shown})


def rows_only(name: str, dialect: str) -> str | None:
    """Of tables whose rows are shown whole or not at all."""
    return None


def is_withholdable(of: TableColumn) -> bool:
    """Whether a column of a record can be withheld: it can be null or empty as it is, or says what
    it is then."""
    can_be = of.nullable is True or isinstance(of.type, CodeList) or WITHHELD_AS in of.info
    return of.name not in _ALWAYS_SHOWN and can_be


def _case(name: str, quoted: str, dialect: str, empty: str = "") -> str:
    is_shown = f"{_CONTAINS[dialect]}({HIDDEN}, ',{name},') = 0"
    return f"CASE WHEN {HIDDEN} IS NULL THEN {quoted} WHEN {is_shown} THEN {quoted}{empty} END"


def _told(of: TableColumn, quoted: str, dialect: str) -> str:
    """The list in a column, with those of these names that are withheld for what they name."""
    position, is_text, more = _CONTAINS[dialect], dialect == "sqlite", ""
    kind = "" if is_text else "::jsonb"
    for name in of.info[TOLD]:
        is_new = f"{position}({HIDDEN}, ',{name},') > 0"
        is_new += f""" AND {position}(CAST({quoted} AS TEXT), '"{name}"') = 0"""
        if name in of.table.c:
            is_new += f" AND {name} IS NOT NULL"
        some, none = (f',"{name}"', "") if is_text else (f'["{name}"]', "[]")
        more += f" || CASE WHEN {is_new} THEN '{some}'{kind} ELSE '{none}'{kind} END"
    text = f"replace(rtrim({quoted}, ']'){more} || ']', '[,', '[')"
    longer = text if is_text else f"{quoted}{more}"
    return f"CASE WHEN {HIDDEN} IS NULL THEN {quoted} ELSE {longer} END"


class shown(FunctionElement[Any]):  # noqa: N801 (reads as an SQL function)
    """What the public is shown of a column, as an index has it: statements say the same."""

    inherit_cache = True


@compiles(shown)
def _compile_shown(element: shown, compiler: SQLCompiler, **kw: object) -> str:
    (of,) = element.clauses
    name = str(of.name)
    return f"({_case(name, compiler.preparer.quote(name), compiler.dialect.name)})"


@cache
def public(dialect: Dialect) -> Dialect:
    """The dialect whose statements read what is public, and nothing else."""
    variant = copy(dialect)
    compiler = dialect.statement_compiler
    variant.statement_compiler = type(f"Public{compiler.__name__}", (_PublicReads, compiler), {})
    variant.is_public = True  # type: ignore[attr-defined]
    return variant


def is_public(dialect: Dialect) -> bool:
    """Whether statements of the dialect read what is public alone."""
    return hasattr(dialect, "is_public")


@lru_cache(maxsize=64)
def including_withheld(of: type[AnyTable]) -> AnyTable:
    """All rows of a table for a statement that is the public's too: to count what is withheld, or
    to find by an index what is looked for among what is shown. Its columns are `.c`."""
    stored: Table = of.__table__
    columns = (column(each.name, each.type) for each in stored.columns)
    return table(stored.name, *columns).alias(f"every_{stored.name}")


def _table_of(of: AnyTable) -> Table | None:
    """The table behind a column's, where it holds what is withheld."""
    while isinstance(of, Alias):
        of = of.element
    return of if isinstance(of, Table) and HIDDEN in of.c else None


def _is_reference(side: Any) -> bool:
    """Whether it is a reference to another record that can be withheld by itself."""
    if not (isinstance(side, Column) and side.foreign_keys and isinstance(side.type, Id)):
        return False
    table = _table_of(side.table)
    if table is None or _shown_of(table) is not None:
        return table is not None and WITHHELD_ALONE in side.info
    return is_withholdable(side)


class _PublicReads(SQLCompiler):
    """Writes the public's part of a table wherever a statement names the table."""

    def __init__(self, *args: Any, **kw: Any) -> None:
        #: The columns that are read of each table, by the name that it has in the statement.
        self._read: dict[str, set[str]] = {}
        self._tables: dict[str, Table] = {}
        super().__init__(*args, **kw)
        self.string = _PLACE.sub(self._public_part, self.string or "")
        if (before := getattr(self, "_pre_expanded_string", None)) is not None:
            self._pre_expanded_string = _PLACE.sub(self._public_part, before)

    def visit_table(self, table: Any, asfrom: Any = False, *args: Any, **kw: Any) -> str:
        of: Any = super()
        written: str = of.visit_table(table, asfrom, *args, **kw)
        if not asfrom or _table_of(table) is None:
            return written
        self._tables[table.name] = table
        above = kw.get("enclosing_alias")
        if above is not None and above.element is table:
            return self._place(table, self._alias(above.name))
        name = self.preparer.quote(table.name)
        # Where two tables have the name, it has another one already.
        called = written.removeprefix(name).rpartition(" AS ")[2] or name
        return f"{self._place(table, called)} AS {called}"

    def _alias(self, name: Any) -> str:
        if hasattr(name, "apply_map"):
            name = self._truncated_identifier("alias", name)
        return str(self.preparer.quote(name))

    def _place(self, table: Table, called: str) -> str:
        return f"\x02{table.name}\x03{called}\x02"

    def visit_column(self, column: Any, *args: Any, **kw: Any) -> str:
        written: str = super().visit_column(column, *args, **kw)
        called, dot, _ = written.rpartition(".")
        if dot and _table_of(column.table) is not None:
            self._read.setdefault(called, set()).add(column.name)
        return written

    def visit_binary(self, binary: Any, *args: Any, **kw: Any) -> str:
        """A reference that is compared is compared as it is stored, so that its index serves, and
        must be shown as well."""
        sides = (binary.left, binary.right)
        known = (operators.eq, operators.in_op)
        for side in sides if binary.operator in known else ():
            if _is_reference(side):
                return self._compared(binary, side, *args, **kw)
        written: str = super().visit_binary(binary, *args, **kw)  # type: ignore[no-untyped-call]
        return written

    def _compared(self, binary: Any, side: Any, *args: Any, **kw: Any) -> str:
        is_shown = self.process(side)
        called = is_shown.rpartition(".")[0]
        stored = f"{side.name}{_STORED}"
        self._read[called].add(stored)
        written: str = super().visit_binary(binary, *args, **kw)  # type: ignore[no-untyped-call]
        compared = written.replace(is_shown, f"{called}.{self.preparer.quote(stored)}", 1)
        return f"({compared} AND {is_shown} IS NOT NULL)"

    def _public_part(self, place: re.Match[str]) -> str:
        table, called = self._tables[place[1]], place[2]
        columns = [self._shown(table, name) for name in sorted(self._read.get(called, ()))]
        rows = table.c[HIDDEN].info["rows"]
        name = self.preparer.quote(table.name)
        return f"(SELECT {', '.join(columns) or '1'} FROM {name} WHERE {rows})"  # noqa: S608

    def _shown(self, table: Table, name: str) -> str:
        quoted = str(self.preparer.quote(name))
        if name.endswith(_STORED):
            return f"{self.preparer.quote(name.removesuffix(_STORED))} AS {quoted}"
        of, dialect = table.c[name], self.dialect.name
        special = _shown_of(table)
        if WITHHELD_ALONE in of.info:
            return f"{_case(name, quoted, dialect)} AS {quoted}"
        if special is not None:
            sql = special(name, dialect)
            return quoted if sql is None else f"{sql} AS {quoted}"
        if of.info.get(TOLD):
            return f"{_told(of, quoted, dialect)} AS {quoted}"
        if not is_withholdable(of):
            return quoted
        otherwise = "'[]'" if isinstance(of.type, CodeList) else of.info.get(WITHHELD_AS)
        empty = "" if otherwise is None else f" ELSE {otherwise}"
        return f"{_case(name, quoted, dialect, empty)} AS {quoted}"


def _shown_of(table: Table) -> Shown | None:
    found: Shown | None = table.c[HIDDEN].info["shown"]
    return found


def where_public(dialect: Dialect, alias: str) -> str:
    """SQL that follows other conditions in statements that are written by hand."""
    return f" AND {alias}.{ROWS}" if is_public(dialect) else ""
