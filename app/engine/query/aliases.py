"""Another name of a table in a statement, whose columns are those of the table itself."""

from sqlalchemy import FromClause
from sqlalchemy.orm import aliased
from sqlalchemy.sql.base import ColumnSet

from app.core.databases.expressions import AnyTable, Expression
from app.core.databases.interface import Base, table_of


class TableAlias:
    """An alias of a mapped class. Its columns are asked for as those of the class are.

    A column of an alias of SQLAlchemy's ORM is looked up and adapted each time that it is named,
    and makes its statement one that loads objects: that takes twice as long to compile. What is
    read here is text, so the table's own columns do; what a class derives from others is the ORM's.

    Each column is made when it is first asked for, as SQLAlchemy makes it: asked for one, an alias
    of its own makes all that the table has, for a third of what it takes to compile an expansion.
    """

    def __init__(self, mapped: type[Base]) -> None:
        self._mapped = mapped
        #: What stands in FROM.
        self.source: FromClause = table_of(mapped).alias()

    def __getattr__(self, name: str) -> Expression:
        column = table_of(self._mapped).c.get(name)
        made: Expression
        if column is None:
            derived: AnyTable = aliased(self._mapped, self.source)
            made = getattr(derived, name)
        else:
            _, made = column._make_proxy(self.source, ColumnSet(), set())
        setattr(self, name, made)
        return made
