"""How many records an answer leaves out because they are withheld from who asks."""

from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.core.databases.public_reads import ALL, HIDDEN, including_withheld, is_public


class _left_out(FunctionElement[Any]):  # noqa: N801 (reads as an SQL function)
    """A number for the public, and 0 for those from whom nothing is withheld."""

    inherit_cache = True


@compiles(_left_out)
def _compile(element: _left_out, compiler: SQLCompiler, **kw: object) -> str:
    return compiler.process(element.clauses, **kw) if is_public(compiler.dialect) else "0"


def withheld_count(table: AnyTable, key: str, owners: Selection) -> Expression:
    """How many records of the table that are not in the trash, and belong to one of `owners` by the
    column `key`, are withheld from who asks.

    By what they belong to, and by no other filter: that would tell what is withheld of them.
    """
    every = including_withheld(table).c
    counted = select(func.count()).where(
        every[key].in_(owners), every[HIDDEN] == ALL, every.deleted_at.is_(None)
    )
    return _left_out(counted.scalar_subquery())


def is_withheld(table: AnyTable, name: str) -> Expression:
    """1 where this field of a record that is shown is withheld from who asks, or else 0."""
    names = f",{name},"
    return _left_out(case((table.hidden.contains(names), 1), else_=0))
