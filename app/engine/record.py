"""What every stored record has, and the columns that records are made of."""

import inspect
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    literal_column,
    text,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapped, MappedColumn, declared_attr, mapped_column
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.sql.schema import SchemaItem

from app.core.databases.expressions import AnyTable, Expression
from app.core.databases.interface import Base
from app.core.databases.public_reads import hidden_column, rows_only
from app.core.databases.types import CodeList, Exact, Id, StatedDate, now, uuid7
from app.core.edtf import bounds
from app.core.loose_types import Fields, Value

#: The column that names what a record was merged into, of kinds whose records can be.
MERGED_INTO: Final = "merged_into_id"
_NONE: Mapping[str, tuple[str, ...]] = {}
_NO_CASES: Mapping[str, str] = {}
#: A column of a table, whose class says its type.
MappedField = MappedColumn[Any]


def _is_stated(value: Any) -> bool:
    return isinstance(value, MappedColumn) and isinstance(value.column.type, StatedDate)


class Dated(Base):
    """A table that may have dates as stated: with the columns and rules that stand beside them."""

    __abstract__ = True

    def __init_subclass__(cls, **options: Any) -> None:
        dates = [name for name, value in vars(cls).items() if _is_stated(value)]
        annotations: dict[str, Any] = {}
        for name, annotation in inspect.get_annotations(cls).items():
            annotations[name] = annotation
            if name in dates:
                annotations |= dict.fromkeys(bound_names(name), Mapped[date | None])
        if dates:
            # As if the class said so itself, in this order.
            cls.__annotations__ = annotations
            own = getattr(cls, "__table_args__", ())
            derived = (item for name in dates for item in _bound_args(cls, name))
            cls.__table_args__ = (*derived, *own)
        super().__init_subclass__(**options)


class Part(Dated):
    """A row that belongs to a record and is read and written with it. Kept by the server: whether
    it is withheld, with its record, with the list that it is in, or for what it points to."""

    __abstract__ = True

    hidden: Mapped[str | None] = hidden_column(shown=rows_only)


class Record(Dated):
    """The columns of every kind of record."""

    __abstract__ = True

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    ref: Mapped[str | None] = mapped_column(String(120), unique=True)
    note: Mapped[str | None]
    confidential: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    withheld: Mapped[list[str]] = mapped_column(
        CodeList(), default=list, server_default=text("'[]'")
    )
    #: Kept by the server: what of it is withheld, by itself or with what it belongs to.
    hidden: Mapped[str | None] = hidden_column()
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    deleted_at: Mapped[datetime | None]

    @declared_attr.directive
    def __mapper_args__(cls) -> Fields:
        # An update of a row that has changed since it was read is refused, not lost.
        return {"version_id_col": cls.version, "version_id_generator": False}


def reference(target: str, *, is_circular: bool = False, **options: Value) -> MappedField:
    """A foreign key to another record's id (`"mission.id"`), indexed: it is always looked up by.

    `is_circular` where that kind refers to this one too: it stays out of the order of the tables.
    """
    key = ForeignKey(target, use_alter=is_circular)
    return mapped_column(Id, key, index=True, **options)


def code(target: str, **options: Value) -> MappedField:
    """A foreign key to a code list (`"country.code"`)."""
    return mapped_column(String(32), ForeignKey(target), **options)


def region_of(country: str, region: str) -> ForeignKeyConstraint:
    """The region's country is the record's country: both are looked up together."""
    return ForeignKeyConstraint([region, country], ["region.code", "region.parent"])


def code_list(of: str | None = None) -> MappedField:
    """A list of texts, never null; with `of` each is a code of that list."""
    return mapped_column(CodeList(of), default=list, server_default=text("'[]'"))


def stated(*, index: bool = False) -> MappedColumn[Any]:
    """A date as stated. Its table has the columns `<name>_earliest` and `<name>_latest` beside it,
    a CHECK that they are in order, and with `index` an index for lists sorted by it.
    """
    return mapped_column(StatedDate, info={"index": index})


def bound_names(name: str) -> tuple[str, str]:
    """The columns beside a stated date: of the earliest and of the latest day that it can mean."""
    return f"{name}_earliest", f"{name}_latest"


def first_day_of(record: AnyTable, name: str) -> Any:
    """The first day that a stated date of a record can mean; of a table, the column of it."""
    return getattr(record, bound_names(name)[0])


@lru_cache(maxsize=10_000)
def bound_values(name: str, text: str | None) -> Mapping[str, date | None]:
    """What the columns beside a stated date hold when it is this one; the same few days come again
    and again in a file."""
    span = bounds(text)
    earliest, latest = bound_names(name)
    return {earliest: span.earliest, latest: span.latest}


def _bound_args(table: type[Dated], name: str) -> Iterator[SchemaItem]:
    earliest, latest = bound_names(name)
    says = f"the end of {name} is before its beginning"
    yield rule(f"{name}_in_order", f"{earliest} <= {latest}", says, f"/{name}")
    if vars(table)[name].column.info["index"]:
        yield Index(f"ix_{table.__tablename__}_{name}", earliest, "id")


def money(**options: Value) -> MappedField:
    """An amount with up to four decimals; the currency is a column of its own."""
    return mapped_column(Exact(18, 4), **options)


def rule(
    name: str,
    sql: str,
    says: str,
    pointer: str = "",
    units: Mapping[str, tuple[str, ...]] = _NONE,
    cases: Mapping[str, str] = _NO_CASES,
) -> CheckConstraint:
    """A rule that the database holds; `says` is what a client is told who breaks it.

    `units` names the fields that must be equal for values of a field to be added or compared: of
    an amount its currency. `cases` are conditions in SQL with what is told where they are true
    instead, in which `{field}` is the value of a field.
    """
    info = {"says": says, "pointer": pointer, "units": units, "cases": cases}
    return CheckConstraint(sql, name=name, info=info)


def descending(name: str, *, filled: bool = False) -> Expression:
    """A column of an index for lists sorted by it downwards; `filled` when it is never null.

    PostgreSQL uses an index only in its own direction and place of nulls; SQLite in both.
    """
    return (Ordered if filled else OrderedNullsLast)(literal_column(name))


class Ordered(FunctionElement[str]):
    """A column of an index, downwards."""

    inherit_cache = True
    order = "DESC"

    @property
    def name_of_column(self) -> str:
        """The column."""
        return str(next(iter(self.clauses)).name)


class OrderedNullsLast(Ordered):
    order = "DESC NULLS LAST"


@compiles(Ordered)
@compiles(OrderedNullsLast)
def _compile_ordered(element: Ordered, compiler: SQLCompiler, **kw: object) -> str:
    column = compiler.process(element.clauses, **kw)
    return f"{column} {element.order}" if compiler.dialect.name == "postgresql" else column
