"""Names for SQL of any type: which it is stands in the tables, where only the database knows it."""

from typing import Any

from sqlalchemy import Column, ColumnElement, Select
from sqlalchemy.types import TypeEngine

Expression = ColumnElement[Any]
TableColumn = Column[Any]
Selection = Select[Any]
SqlType = TypeEngine[Any]
#: A mapped class or an alias of one, whose columns are found by their names.
Columns = Any
