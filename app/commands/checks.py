"""Compares the CHECK constraints of a database with those of the program, by what they say."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.plugins import Plugin
from alembic.util import PriorityDispatchResult
from sqlalchemy import (
    CheckConstraint,
    Column,
    DefaultClause,
    Dialect,
    Enum,
    String,
    Table,
    inspect,
    text,
)
from sqlalchemy.sql.elements import conv

from app.core.databases.expressions import TableColumn

#: The name of the plugin in `autogenerate_plugins`; Alembic's own compares names alone.
PLUGIN = "app.checks"

_TEXT = re.compile(r"'((?:[^']|'')*)'")
_BETWEEN = re.compile(r"\bBETWEEN\b(.*?)\bAND\b", re.IGNORECASE | re.DOTALL)
_NOT_IN = re.compile(r"\bNOT\s+IN\b", re.IGNORECASE)
_CAST = re.compile(r"::[a-z ]+(?:\(\d+(?:,\s*\d+)?\))?")
_NOT_NULL = re.compile(r"\bIS\s+NOT\s+NULL\b", re.IGNORECASE)
_NULL = re.compile(r"\bIS\s+NULL\b", re.IGNORECASE)
# A comparison, a number, or a name; `<>` and `!=` are the same.
_WORD = re.compile(r"<>|!=|<=|>=|<|>|\b\d+(?:\.\d+)?\b|[A-Za-z_]\w*")


def meaning(sql: str, columns: Iterable[str]) -> Counter[str]:
    """What a CHECK compares: its columns, and how often each value, bound, AND, OR and null.

    PostgreSQL tells a rule otherwise than it was written: `a IN ('x')` as `a = ANY (ARRAY[…])`,
    with casts and brackets, and -1 as a text. What is left without these is the same on both.
    """
    texts = _TEXT.findall(sql)
    rest = _TEXT.sub(" ", sql)
    rest = _CAST.sub(" ", _NOT_IN.sub("<>", _BETWEEN.sub(r">= \1 AND <=", rest)))
    found = Counter(f"'{item.lstrip('-')}'" for item in texts)
    for test, clause in ((_NOT_NULL, "IS NOT NULL"), (_NULL, "IS NULL")):
        rest, times = test.subn(" ", rest)
        found[clause] += times
    known = set(columns)
    for word in _WORD.findall(rest):
        if word[0].isdigit():
            found[f"'{word}'"] += 1
        elif word in known:
            found[word] = 1  # BETWEEN names it once, what it is told as twice.
        elif word.upper() in ("AND", "OR") or not (word[0].isalpha() or word[0] == "_"):
            found["<>" if word == "!=" else word.upper()] += 1
    return +found


def written(constraint: CheckConstraint, dialect: Dialect) -> str:
    """The condition as it stands in the database, with the values of an enumeration in place."""
    compiled = constraint.sqltext.compile(
        dialect=dialect, compile_kwargs={"literal_binds": True, "include_table": False}
    )
    return str(compiled)


def checks_of(table: Table, dialect: Dialect) -> dict[str, CheckConstraint]:
    """The CHECK constraints of a table of the program, by their names in the database."""
    preparer = dialect.identifier_preparer
    return {
        str(preparer.format_constraint(constraint)): constraint
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }


def _reflected(context: AutogenContext, name: str) -> dict[str, str]:
    connection = context.connection
    assert connection is not None
    found = inspect(connection).get_check_constraints(name)
    return {check["name"]: check["sqltext"] for check in found if check["name"]}


def _compare(
    context: AutogenContext,
    changes: ops.ModifyTableOps,
    schema: str | None,
    name: str,
    there: Table | None,
    table: Table | None,
) -> PriorityDispatchResult:
    """Drop what the database has otherwise than the program, and create what it lacks."""
    if there is not None and table is not None:
        assert context.dialect is not None
        before = _reflected(context, str(name))
        wanted = {
            check: written(constraint, context.dialect)
            for check, constraint in checks_of(table, context.dialect).items()
        }
        columns = {column.name for column in (*table.columns, *there.columns)}
        for check in sorted({*before, *wanted}):
            old, new = before.get(check), wanted.get(check)
            if old and new and _same(old, new, columns, context.dialect):
                continue
            if old is not None:
                changes.ops.append(_dropped(check, str(name), old))
            if new is not None:
                changes.ops.append(_created(check, str(name), new))
    return PriorityDispatchResult.CONTINUE


def _same(old: str, new: str, columns: Iterable[str], dialect: Dialect) -> bool:
    # SQLite keeps a rule as it was written. There new migrations are found, so none is missed.
    if dialect.name == "sqlite":
        return old.split() == new.split()
    return meaning(old, columns) == meaning(new, columns)


def _dropped(check: str, table: str, condition: str) -> ops.DropConstraintOp:
    back: Any = _created(check, table, condition)
    return ops.DropConstraintOp(conv(check), table, type_="check", _reverse=back)


def _created(check: str, table: str, condition: str) -> ops.CreateCheckConstraintOp:
    # The name is whole: no rule is to be applied to it.
    return ops.CreateCheckConstraintOp(conv(check), table, text(condition))


def arrange(script: ops.MigrationScript) -> None:
    """Put the changes of each table in an order that both databases can follow, either way.

    PostgreSQL drops the CHECK of a column with it, and then misses it; SQLite keeps it, and then
    misses the column. So these go before the columns do, and come after them.
    """
    assert script.upgrade_ops is not None
    assert script.downgrade_ops is not None
    for change in script.upgrade_ops.ops:
        if isinstance(change, ops.ModifyTableOps):
            for added in change.ops:
                if isinstance(added, ops.AddColumnOp):
                    added.column = _without_check(added.column)
            change.ops.sort(key=_place)
    script.upgrade_ops.reverse_into(script.downgrade_ops)


def _without_check(column: TableColumn) -> TableColumn:
    """The new column of an enumeration as plain text: its CHECK is a change of its own."""
    if not isinstance(column.type, Enum):
        return column
    given = column.server_default
    default: Any = given.arg if isinstance(given, DefaultClause) else None
    of = String(column.type.length)
    return Column(column.name, of, nullable=column.nullable, server_default=default)


def _place(change: ops.MigrateOperation) -> int:
    if isinstance(change, ops.DropConstraintOp) and change.constraint_type == "check":
        return 0
    return 2 if isinstance(change, ops.CreateCheckConstraintOp) else 1


def install() -> str:
    """Register the comparison with Alembic; returns the plugin's name."""
    try:
        plugin = Plugin(PLUGIN)
    except ValueError:  # It is there already: migrations/env.py runs anew each time.
        return PLUGIN
    plugin.add_autogenerate_comparator(_compare, "table", "checks")
    return PLUGIN
