"""Rows of a related record that lead to the same group, such as two stops of a mission in one
country: an agreement of that mission is in the group once."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, case, exists, func, not_, select, tuple_

from app.core.databases.expressions import AnyTable, Expression
from app.engine.aggregates.joins import Joins


@dataclass(frozen=True, slots=True, eq=False)
class Repeats:
    """The rows of a kind of related records that are left out of groups.

    There are few of those beside the records that lead to them, so that no row of these has to be
    compared with the others of its record.
    """

    #: Each row's `owner` and `position`, which `place` it has among those of its owner in its
    #: group, and which `number` among all of its owner.
    rows: FromClause
    owner: str
    dialect: str

    @classmethod
    def among(cls, joins: Joins, table: AnyTable, owner: str, key: Expression) -> "Repeats":
        """Among the rows of a table that `joins` lead to, in groups by this key."""
        of, position = getattr(table, owner), table.position

        def place(*by: Expression) -> Expression:
            return func.row_number().over(partition_by=[of, *by], order_by=position)

        columns = [of.label("owner"), position.label("position")]
        columns += [place(key).label("place"), place().label("number")]
        statement = joins.join(select(*columns)).where(position.is_not(None))
        return cls(statement.subquery("ranked"), owner, joins.dialect)

    def left_in(self, table: AnyTable) -> ColumnElement[bool]:
        """Whether a row is the first of its owner in its group."""
        return not_(self._is_one(table, self.rows.c.place > 1))

    def once(self, table: AnyTable) -> Expression:
        """1 in one row of each record, be it that it leads to no row, and 0 in its others."""
        is_later = self._is_one(table, self.rows.c.number > 1)
        return case((table.position.is_(None), 1), (is_later, 0), else_=1)

    def _is_one(self, table: AnyTable, of: ColumnElement[bool]) -> ColumnElement[bool]:
        c, key = self.rows.c, (getattr(table, self.owner), table.position)
        if self.dialect == "sqlite":
            # It makes an index for what IN looks through, and for EXISTS only if it thinks that it
            # pays; PostgreSQL hashes EXISTS, and IN only if it thinks that there is room.
            return tuple_(*key).in_(select(c.owner, c.position).where(of))
        found = select(c.owner).where(of, c.owner == key[0], c.position == key[1])
        return exists(found)
