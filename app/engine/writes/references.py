"""References: whatever a record points to must be there, and not in the trash or retired."""

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    ForeignKeyConstraint,
    FromClause,
    Select,
    Table,
    bindparam,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from app.core.code_lookup import where_in
from app.core.databases.expressions import Expression, TableColumn
from app.core.databases.interface import Base, table_of
from app.core.databases.prepared import Prepared
from app.core.databases.public_reads import HIDDEN
from app.core.databases.types import CodeList
from app.core.errors import Fault, Invalid
from app.core.loose_types import Value, Values
from app.engine.codes import codes_with_names, is_ever_right, list_name, meant_code
from app.engine.record import MERGED_INTO
from app.engine.resource import Resource
from app.engine.writes.successors import merged_hint

#: Where a session keeps what is withheld of the records that were just referred to.
HIDDEN_KNOWN = "hidden of references"
#: References that a transaction has found to hold: a column, the value, and what stands beside it.
Known = set[tuple[TableColumn, Value, tuple[tuple[TableColumn, Value], ...]]]


class _Reference(NamedTuple):
    """A value at a pointer that must be found in a column; `besides` narrows where."""

    pointer: str
    column: TableColumn
    value: Value
    besides: tuple[tuple[TableColumn, Value], ...] = ()

    @property
    def columns(self) -> tuple[TableColumn, ...]:
        return (self.column, *(column for column, _ in self.besides))

    @property
    def values(self) -> tuple[Value, ...]:
        return (self.value, *(value for _, value in self.besides))


def _usable(table: FromClause) -> ColumnElement[bool]:
    if "retired" in table.c:
        # Which of them are right for the record's day, `codes_of_time` looks at.
        return is_ever_right(table)
    return table.c.deleted_at.is_(None)


def check_references(session: Session, resource: Resource, data: Values, before: Values) -> None:
    """Refuse (422) what points nowhere; `data` is what changes, `before` the record's old state."""
    given = list(_of_record(resource, data, before))
    if before:
        check_circles(session, resource, data, before)
    if not given:
        return
    wanted = _in_order(given)
    asking = _asking(tuple(reference.columns for reference in wanted))
    values = {
        _name(n, m): value
        for n, reference in enumerate(wanted)
        for m, value in enumerate(reference.values)
    }
    (answers,) = asking.rows(session, values)
    held = answers[: len(wanted)]
    loose = [reference for reference, holds in zip(wanted, held, strict=True) if not holds]
    if loose:
        raise _refusal(session, sorted(loose, key=given.index))
    records = (each for each in wanted if _is_to_record(each.columns))
    keys = ((each.column.table, each.value) for each in records)
    session.info[HIDDEN_KNOWN] = dict(zip(keys, answers[len(wanted) :], strict=True))


def _in_order(wanted: list[_Reference]) -> list[_Reference]:
    """The references, those to the same columns by their values: in one order for all writes, as
    what they lead to may be locked."""
    places = {each.columns: n for n, each in reversed([*enumerate(wanted)])}
    return sorted(wanted, key=lambda each: (places[each.columns], str(each.value)))


@lru_cache(maxsize=512)
def _asking(several: tuple[tuple[TableColumn, ...], ...]) -> Prepared:
    """Asks of each reference to these columns whether it holds; and then of those to records what
    is withheld of them."""
    asked = [_holds(n, columns) for n, columns in enumerate(several)]
    records = ((n, columns[0]) for n, columns in enumerate(several) if _is_to_record(columns))
    return Prepared(select(*asked, *(_hidden(n, column) for n, column in records)))


def _is_to_record(columns: Sequence[TableColumn]) -> bool:
    return len(columns) == 1 and HIDDEN in columns[0].table.c


def _hidden(n: int, column: TableColumn) -> Expression:
    key = bindparam(_name(n, 0), type_=column.type)
    return select(column.table.c[HIDDEN]).where(column == key).scalar_subquery()


def _holds(n: int, columns: Sequence[TableColumn]) -> ColumnElement[bool]:
    found = select(columns[0]).where(_usable(columns[0].table))
    for m, column in enumerate(columns):
        found = found.where(column == bindparam(_name(n, m), type_=column.type))
    return _kept(found, columns[0].table).exists()


def _kept(found: Select[Value], table: FromClause) -> Select[Value]:
    """The records that are found, none of which is merged into another before the transaction ends:
    what it writes would name the former. A foreign key locks them so, too, but only then."""
    return found.with_for_update(read=True, key_share=True) if MERGED_INTO in table.c else found


def _name(n: int, m: int) -> str:
    return f"r{n}_{m}"


def loose_references(
    session: Session, resource: Resource, records: Sequence[Values], known: Known
) -> dict[int, Invalid]:
    """Of new records, those that point nowhere, by their place in the list; one SELECT for each
    column that is pointed to. What is found to hold is added to `known` and not asked again."""
    wanted = [list(_of_record(resource, data, {})) for data in records]
    unknown: dict[tuple[TableColumn, ...], Known] = {}
    for reference in (each for several in wanted for each in several):
        if reference[1:] not in known:
            unknown.setdefault(reference.columns, set()).add(reference[1:])
    for columns, several in unknown.items():
        known |= _held(session, columns, several)
    refused: dict[int, Invalid] = {}
    for at, references in enumerate(wanted):
        loose = [reference for reference in references if reference[1:] not in known]
        if loose:
            refused[at] = _refusal(session, loose)
    return refused


def _held(session: Session, columns: tuple[TableColumn, ...], wanted: Known) -> Known:
    """Those of the references to these columns that hold."""
    values = {(value, *(each for _, each in besides)): None for _, value, besides in wanted}
    condition = columns[0].in_([value for (value,) in values]) if len(columns) == 1 else None
    if condition is None:
        condition = tuple_(*columns).in_(list(values))
    found_rows = select(*columns).where(condition, _usable(columns[0].table))
    rows = session.execute(_kept(found_rows.order_by(*columns), columns[0].table))
    found = {tuple(row) for row in rows}
    return {
        (column, value, besides)
        for column, value, besides in wanted
        if (value, *(each for _, each in besides)) in found
    }


def _refusal(session: Session, loose: Sequence[_Reference]) -> Invalid:
    faults = [_fault(session, reference) for reference in loose]
    return Invalid(f"{faults[0].pointer}: {faults[0].detail}", faults)


def _of_record(resource: Resource, data: Values, before: Values) -> Iterator[_Reference]:
    yield from _of_row(table_of(resource.table), data, before, "")
    for name, part in resource.embedded.items():
        for at, row in enumerate(data.get(name, ())):
            yield from _of_row(table_of(part.table), row, {}, f"/{name}/{at}")


def check_circles(session: Session, resource: Resource, data: Values, before: Values) -> None:
    """Refuse (422) that a record is, by way of others or not, its own parent."""
    table = table_of(resource.table)
    for key in table.foreign_keys:
        name, own = key.parent.name, before.get("id")
        above = data.get(name) if key.column.table is table and own is not None else None
        # Two writes at once can have closed a circle above.
        seen = set[str]()
        while above is not None and str(above) not in seen:
            if str(above) == own:
                text = "The record would stand above itself."
                raise Invalid.at(f"/{name}", "circle", text)
            seen.add(str(above))
            above = session.scalar(select(key.parent).where(table.c.id == above))


def _of_row(table: Table, data: Values, before: Values, at: str) -> Iterator[_Reference]:
    for name, columns, others in _keys(table):
        if not others:
            if (value := data.get(name)) is not None:
                yield _Reference(f"{at}/{name}", columns[0], value)
        elif any(data.get(each) is not None for each in (name, *others)):
            values = [data[n] if n in data else before.get(n) for n in (name, *others)]
            if all(value is not None for value in values):
                besides = tuple(zip(columns[1:], values[1:], strict=True))
                yield _Reference(f"{at}/{name}", columns[0], values[0], besides)
    for name, target in _code_lists(table):
        for n, item in enumerate(data.get(name) or ()):
            yield _Reference(f"{at}/{name}/{n}", target, item)


class _Key(NamedTuple):
    """A foreign key: its first field and the others, and the columns that they point to."""

    name: str
    columns: tuple[TableColumn, ...]
    others: tuple[str, ...]


@cache
def _keys(table: Table) -> tuple[_Key, ...]:
    """The foreign keys of a table."""
    found = []
    for constraint in table.constraints:
        if isinstance(constraint, ForeignKeyConstraint):
            name, *others = (element.parent.name for element in constraint.elements)
            columns = tuple(element.column for element in constraint.elements)
            found.append(_Key(name, columns, tuple(others)))
    return tuple(found)


@cache
def _code_lists(table: Table) -> tuple[tuple[str, TableColumn], ...]:
    """The columns that are lists of codes, each with the column of its list."""
    return tuple(
        (column.name, _column(column.type.of))
        for column in table.c
        if isinstance(column.type, CodeList) and column.type.of is not None
    )


def _column(target: str) -> TableColumn:
    table, _, name = target.partition(".")
    return Base.metadata.tables[table].c[name]


def _fault(session: Session, reference: _Reference) -> Fault:
    table = reference.column.table
    assert isinstance(table, Table)
    what = table.name.replace("_", " ")
    if "retired" not in table.c:
        text = f"There is no {what} with the id {reference.value} (or it is in the trash)."
        merged = merged_hint(session, table, table.c.id == reference.value)
        code = "merged" if merged else "reference"
        return Fault(code, text + merged, pointer=reference.pointer)
    if reference.besides:
        where = ", ".join(str(value) for _, value in reference.besides)
        text = f"{reference.value!r} is not a {what} of {where}."
        if listed := list_name(reference.column):
            text += where_in(listed, where)
        return Fault("code", text, pointer=reference.pointer)
    rows = session.execute(codes_with_names(reference.column)).all()
    meant = meant_code(reference.value, reference.column, rows)
    text = f"{reference.value!r} is not a {what} code in use.{meant}"
    return Fault("code", text, pointer=reference.pointer)
