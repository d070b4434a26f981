"""How many different values the records of a group have over relations to any number of them."""

from sqlalchemy import CTE, Text, cast, distinct, func, literal_column, select

from app.core.databases.expressions import Expression
from app.engine.aggregates.rows import Rows
from app.engine.aggregates.shape import Grouping, Metric
from app.engine.query.parameters import QueryShape
from app.engine.query.statements import narrowed
from app.engine.resource import Resource


def distinct_counts(
    resource: Resource, grouping: Grouping, metric: Metric, dialect: str, name: str
) -> CTE:
    """A row a group, with `j0, j1, …` for its keys and `number`.

    Read by itself: beside the other metrics a record would stand there once for each of its related
    records. Where a group key leads over the same relation, only records of that group count.
    """
    rows = Rows(resource, grouping, dialect)
    value = rows.joins.item(metric.path).label("value")
    columns: list[Expression] = [column.label(key) for key, column in rows.columns.items()]
    shape = QueryShape(grouping.condition, grouping.q, grouping.deleted)
    found = narrowed(rows.joins.join(select(*columns, value)), resource, None, shape).subquery(name)
    keys: list[Expression] = [found.c[f"k{at}"] for at in range(len(grouping.keys))]
    joins = [joined_by(key).label(f"j{at}") for at, key in enumerate(keys)]
    number = func.count(distinct(found.c.value)).label("number")
    return select(*joins, number).group_by(*keys).cte(f"{name}_counts").prefix_with("MATERIALIZED")


def joined_by(key: Expression) -> Expression:
    """A text that is equal for equal keys, null among them, so that groups are joined by a hash."""
    return func.coalesce(literal_column("'='").concat(cast(key, Text)), literal_column("''"))
