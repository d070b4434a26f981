"""References: whatever a record points to must be there, and not in the trash or retired."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, ForeignKeyConstraint, Table, exists, select
from sqlalchemy.orm import Session

from app.core.database import Base
from app.core.errors import Fault, Invalid, did_you_mean
from app.core.types import CodeList
from app.crud.resource import Resource


@dataclass(frozen=True, slots=True)
class _Reference:
    """A value at a pointer that must be found in a column; `besides` narrows where."""

    pointer: str
    column: Column[Any]
    value: Any
    besides: tuple[tuple[Column[Any], Any], ...] = ()

    def holds(self) -> ColumnElement[bool]:
        found = exists().where(self.column == self.value)
        for column, value in self.besides:
            found = found.where(column == value)
        return found.where(_usable(self.column.table))


def _usable(table: Any) -> ColumnElement[bool]:
    if "retired" in table.c:
        return table.c.retired.is_(False)  # type: ignore[no-any-return]
    return table.c.deleted_at.is_(None)  # type: ignore[no-any-return]


def check_references(
    session: Session, resource: Resource, data: Mapping[str, Any], before: Mapping[str, Any]
) -> None:
    """Refuse (422) what points nowhere; `data` is what changes, `before` the record's old state."""
    table = resource.table.__table__
    assert isinstance(table, Table)
    wanted = list(_of_row(table, data, before, ""))
    for name, part in resource.parts.items():
        rows = part.table.__table__
        assert isinstance(rows, Table)
        for at, row in enumerate(data.get(name, ())):
            wanted += _of_row(rows, row, {}, f"/{name}/{at}")
    _check_circles(session, table, data, before)
    if not wanted:
        return
    answers = session.execute(select(*(reference.holds() for reference in wanted))).one()
    faults = [
        _fault(session, reference)
        for reference, holds in zip(wanted, answers, strict=True)
        if not holds
    ]
    if faults:
        raise Invalid(f"{faults[0].pointer}: {faults[0].detail}", faults)


def _check_circles(
    session: Session, table: Table, data: Mapping[str, Any], before: Mapping[str, Any]
) -> None:
    """Refuse (422) that a record is, by way of others or not, its own parent."""
    for key in table.foreign_keys:
        name, own = key.parent.name, before.get("id")
        above = data.get(name) if key.column.table is table and own is not None else None
        while above is not None:
            if str(above) == own:
                text = "The record would stand above itself."
                raise Invalid.at(f"/{name}", "circle", text)
            above = session.scalar(select(key.parent).where(table.c.id == above))


def _of_row(
    table: Table, data: Mapping[str, Any], before: Mapping[str, Any], at: str
) -> Iterator[_Reference]:
    for constraint in table.constraints:
        if isinstance(constraint, ForeignKeyConstraint):
            yield from _of_key(constraint, data, before, at)
    for name, value in data.items():
        kind = table.c[name].type if name in table.c else None
        if isinstance(kind, CodeList) and kind.of is not None:
            target = _column(kind.of)
            for n, item in enumerate(value):
                yield _Reference(f"{at}/{name}/{n}", target, item)


def _of_key(
    constraint: ForeignKeyConstraint, data: Mapping[str, Any], before: Mapping[str, Any], at: str
) -> Iterator[_Reference]:
    names = [element.parent.name for element in constraint.elements]
    if not any(data.get(name) is not None for name in names):
        return
    values = {name: data[name] if name in data else before.get(name) for name in names}
    if any(value is None for value in values.values()):
        return
    first, *rest = constraint.elements
    besides = tuple((e.column, values[e.parent.name]) for e in rest)
    yield _Reference(f"{at}/{names[0]}", first.column, values[names[0]], besides)


def _column(target: str) -> Column[Any]:
    table, _, name = target.partition(".")
    return Base.metadata.tables[table].c[name]


def _fault(session: Session, reference: _Reference) -> Fault:
    table = reference.column.table
    assert isinstance(table, Table)
    what = table.name.replace("_", " ")
    if "retired" not in table.c:
        text = f"There is no {what} with the id {reference.value} (or it is in the trash)."
        return Fault("reference", text, pointer=reference.pointer)
    if reference.besides:
        where = ", ".join(str(value) for _, value in reference.besides)
        text = f"{reference.value!r} is not a {what} of {where}."
        return Fault("code", text, pointer=reference.pointer)
    known = session.scalars(select(reference.column).where(_usable(table))).all()
    text = f"{reference.value!r} is not a {what} code in use.{did_you_mean(reference.value, known)}"
    return Fault("code", text, pointer=reference.pointer)
