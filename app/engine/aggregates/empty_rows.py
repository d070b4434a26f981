"""The groups of an aggregate with those that no record is in."""

from typing import Final

from sqlalchemy import (
    CTE,
    BigInteger,
    Boolean,
    FromClause,
    Text,
    bindparam,
    cast,
    except_,
    func,
    literal_column,
    null,
    select,
    union,
    union_all,
)

from app.core.databases.expressions import Expression
from app.core.databases.types import Id
from app.engine.aggregates.empty_groups import is_enumerable
from app.engine.aggregates.shape import Grouping
from app.engine.aggregates.sql import Sql
from app.engine.resource import Resource

#: The parameters with the values of each key, each a list in JSON.
PARAMETERS: Final = tuple(f"values_of_k{at}" for at in range(4))
#: How the columns are called that are 0 of no records; all others are null.
_COUNTS: Final = ("records", "count_", "distinct_", "weight_")


def with_empty_groups(present: CTE, resource: Resource, grouping: Grouping, dialect: str) -> CTE:
    """The groups that are `present`, and every other combination of their keys' values, of which
    the parameters tell some; figures of these are those of no records."""
    names = [f"k{at}" for at in range(len(grouping.keys))]
    values: list[FromClause] = []
    for name, key, parameter in zip(names, grouping.keys, PARAMETERS, strict=False):
        column: Expression = present.c[name]
        there = select(column.label("value")).where(column.is_not(None))
        if is_enumerable(resource, key):
            could_be = select(_item(column, parameter, dialect).label("value"))
            values.append(union(there, could_be).subquery(f"of_{name}"))
        else:
            values.append(there.distinct().subquery(f"of_{name}"))
    every = select(*(v.c.value.label(name) for v, name in zip(values, names, strict=True)))
    empty = except_(every, select(*(present.c[name] for name in names))).subquery("empty")
    figures = [
        (_ZERO if column.name.startswith(_COUNTS) else null()).label(column.name)
        for column in present.c
        if column.name not in names
    ]
    added = select(*(empty.c[name] for name in names), *figures)
    return union_all(select(present), added).cte("grouped").prefix_with("MATERIALIZED")


_ZERO: Expression = literal_column("0", BigInteger())


def _item(column: Expression, parameter: str, dialect: str) -> Expression:
    """Each item of the list that the parameter gives, in the column's type."""
    given = bindparam(parameter, type_=Text())
    if dialect == "sqlite":
        item: Expression = func.json_each(given).table_valued("value", name=parameter).c.value
        return item
    items = func.jsonb_array_elements_text(Sql("CAST({0} AS jsonb)", given, kind=Text()))
    text = items.table_valued("value", name=parameter).render_derived().c.value
    return cast(text, column.type if isinstance(column.type, Boolean | Id) else Text())
