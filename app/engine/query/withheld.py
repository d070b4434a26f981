"""How many records an answer leaves out because they are withheld from who asks."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Integer, case, func, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement

from app.core.databases.expressions import AnyTable, Expression, Selection
from app.core.databases.interface import table_of
from app.core.databases.public_reads import ALL, HIDDEN, including_withheld, is_public
from app.engine.query.parameters import QueryShape
from app.engine.query.render import object_of
from app.engine.query.statements import narrowed
from app.engine.resource import Resource


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
    return _counted(every, every[key].in_(owners))


def withheld_in_all(resource: Resource) -> Expression:
    """How many records of a kind that are not in the trash are withheld from who asks: of its whole
    table, whatever else is asked, since any filter would tell what is withheld of them, that of
    `row_filter` as well."""
    if HIDDEN not in table_of(resource.table).c:
        return literal_column("0", Integer())
    return _counted(including_withheld(resource.table).c)


def _counted(every: AnyTable, *conditions: ColumnElement[bool]) -> Expression:
    counted = select(func.count()).where(*_is_whole(every), *conditions)
    return _left_out(counted.scalar_subquery())


def _is_whole(every: AnyTable) -> tuple[ColumnElement[bool], ...]:
    """By the index of the few of which something is withheld, in its own words."""
    return every[HIDDEN] == literal_column(f"'{ALL}'"), every.deleted_at.is_(None)


def withheld_of(
    table: AnyTable, owner: Expression, key: str
) -> tuple[Expression, list[ColumnElement[bool]]]:
    """How many records of the table that belong to `owner` by the column `key` are withheld from
    who asks, where rows of owners are grouped, and the conditions that join them."""
    every = including_withheld(table).c
    return _left_out(func.count()), [every[key] == owner, *_is_whole(every)]


def withheld_values(resource: Resource, shape: QueryShape, names: Iterable[str]) -> Expression:
    """The JSON object of how many of what matches is shown to who asks without each of these
    fields, which are withheld: a record counts for as many as it stands for."""
    table = resource.table
    if HIDDEN not in table_of(table).c:
        return object_of({name: literal_column("0") for name in names})
    rules = resource.figures
    weight = 1 if rules is None or rules.weight is None else getattr(table, rules.weight)
    number = {name: func.coalesce(func.sum(is_withheld(table, name) * weight), 0) for name in names}
    columns = [each.label(f"v{at}") for at, each in enumerate(number.values())]
    few: Selection = select(*columns).where(table.hidden.is_not(None))
    found = narrowed(few, resource, None, shape).subquery("withholding")
    told = {name: found.c[f"v{at}"] for at, name in enumerate(number)}
    return select(object_of(told)).select_from(found).scalar_subquery()


def is_withheld(table: AnyTable, name: str) -> Expression:
    """1 where this field of a record that is shown is withheld from who asks, or else 0."""
    names = f",{name},"
    return _left_out(case((table.hidden.contains(names), 1), else_=0))
