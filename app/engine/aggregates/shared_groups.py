"""Groups that records are in by way of a related one, such as the countries that a mission visited
for each of its agreements."""

from dataclasses import dataclass

from sqlalchemy import CTE, FromClause, case, func, literal_column, select

from app.core.databases.expressions import Expression
from app.engine.aggregates.joins import Joins
from app.engine.query.conditions import Path

#: The column that is 1 in one row of each record, and 0 in its others.
ONCE = "once"
_ONE: Expression = literal_column("1")


@dataclass(frozen=True, slots=True, eq=False)
class SharedGroups:
    """The groups of each related record, a row each: there are few of those beside the records that
    lead to them, so that no row of these has to be compared with others of the same record."""

    #: The relations to the one that is related.
    path: Path
    #: The columns of the keys, by their names in the rows of records.
    keys: tuple[str, ...]
    table: CTE

    @classmethod
    def of(cls, path: Path, keys: tuple[str, ...], rows: FromClause) -> "SharedGroups":
        """Of distinct rows with the `id` of what is related, and its keys as `k0`, `k1`, …"""
        place = func.row_number().over(partition_by=rows.c.id)
        columns = [rows.c.id, case((place == 1, 1), else_=0).label(ONCE)]
        for at, key in enumerate(keys):
            column = rows.c[f"k{at}"]
            is_lacking = func.max(case((column.is_(None), 1), else_=0)).over(partition_by=rows.c.id)
            columns += [column.label(key), is_lacking.label(lacking(key))]
        statement = select(*columns).select_from(rows)
        return cls(path, keys, statement.cte("shared_groups").prefix_with("MATERIALIZED"))

    def joined_by(self, joins: Joins) -> dict[str, Expression]:
        """The columns of the rows of records, which the joins then lead to; of nothing related the
        keys are null, once."""
        *steps, last = self.path
        joins.joined.append((self.table, self.table.c.id == joins.value((*steps, f"{last}_id"))))
        once = (ONCE, *map(lacking, self.keys))
        found: dict[str, Expression] = {key: self.table.c[key] for key in self.keys}
        return found | {name: func.coalesce(self.table.c[name], _ONE) for name in once}


def lacking(key: str) -> str:
    """The column that is 1 for records that have a row without this key, and 0 for others."""
    return f"no_{key}"
