"""Another name of a table in a statement, whose columns are those of the table itself."""

from sqlalchemy import FromClause, inspect
from sqlalchemy.orm import aliased

from app.core.databases.expressions import AnyTable, Expression
from app.core.databases.interface import Base


class TableAlias:
    """An alias of a mapped class. Its columns are asked for as those of the class are.

    A column of an alias of SQLAlchemy's ORM is looked up and adapted each time that it is named,
    and makes its statement one that loads objects: that takes twice as long to compile. What is
    read here is text, so the table's own columns do; what a class derives from others is the ORM's.
    """

    def __init__(self, mapped: type[Base]) -> None:
        self._mapped: AnyTable = aliased(mapped)
        #: What stands in FROM.
        self.source: FromClause = inspect(self._mapped).selectable

    def __getattr__(self, name: str) -> Expression:
        column: Expression | None = self.source.c.get(name)
        return getattr(self._mapped, name) if column is None else column
