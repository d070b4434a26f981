"""Names for SQL of any type: which it is stands in the tables, where only the database knows it."""

from typing import Any, TypeAlias

from sqlalchemy import Column, ColumnElement, Select
from sqlalchemy.types import TypeEngine

Expression = ColumnElement[Any]
TableColumn = Column[Any]
Selection = Select[Any]
SqlType = TypeEngine[Any]
#: A mapped class, an alias of one or a record: what has the columns, which are found by name.
AnyTable: TypeAlias = Any
