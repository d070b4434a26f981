"""Compares the CHECK constraints of a database with those of the program, by what they say."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from alembic.runtime.plugins import Plugin
from alembic.util import PriorityDispatchResult
from sqlalchemy import CheckConstraint, Dialect, Table, inspect, text
from sqlalchemy.sql.elements import conv

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
    """What a CHECK compares: its values, columns, bounds and tests for null, each counted.

    PostgreSQL tells a rule otherwise than it was written: `a IN ('x')` as `a = ANY (ARRAY[…])`,
    with casts and brackets, and -1 as a text. What is left without these is the same on both.
    """
    texts = _TEXT.findall(sql)
    rest = _TEXT.sub(" ", sql)
    rest = _CAST.sub(" ", _NOT_IN.sub("<>", _BETWEEN.sub(r">= \1 <=", rest)))
    found = Counter(f"'{item.lstrip('-')}'" for item in texts)
    for test, told in ((_NOT_NULL, "IS NOT NULL"), (_NULL, "IS NULL")):
        rest, times = test.subn(" ", rest)
        found[told] += times
    known = set(columns)
    for word in _WORD.findall(rest):
        if word[0].isdigit():
            found[f"'{word}'"] += 1
        elif word in known or not (word[0].isalpha() or word[0] == "_"):
            found["<>" if word == "!=" else word] += 1
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
        wanted = dict(_wanted(table, there, context.dialect))
        columns = {column.name for column in (*table.columns, *there.columns)}
        for check in sorted({*before, *wanted}):
            old, new = before.get(check), wanted.get(check)
            if old and new and meaning(old, columns) == meaning(new, columns):
                continue
            if old is not None:
                changes.ops.append(_dropped(check, str(name), old))
            if new is not None:
                changes.ops.append(_created(check, str(name), new))
    return PriorityDispatchResult.CONTINUE


def _wanted(table: Table, there: Table, dialect: Dialect) -> Iterator[tuple[str, str]]:
    for name, constraint in checks_of(table, dialect).items():
        # The CHECK of an enumeration comes with its column, when that is new.
        new = {column.name for column in constraint.columns} - set(there.columns.keys())
        if not (new and getattr(constraint, "_type_bound", False)):
            yield name, written(constraint, dialect)


def _dropped(check: str, table: str, condition: str) -> ops.DropConstraintOp:
    back: Any = _created(check, table, condition)
    return ops.DropConstraintOp(conv(check), table, type_="check", _reverse=back)


def _created(check: str, table: str, condition: str) -> ops.CreateCheckConstraintOp:
    # The name is whole: no rule is to be applied to it.
    return ops.CreateCheckConstraintOp(conv(check), table, text(condition))


def install() -> str:
    """Register the comparison with Alembic; returns the plugin's name."""
    try:
        plugin = Plugin(PLUGIN)
    except ValueError:  # It is there already: migrations/env.py runs anew each time.
        return PLUGIN
    plugin.add_autogenerate_comparator(_compare, "table", "checks")
    return PLUGIN
