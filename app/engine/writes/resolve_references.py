"""References by name: what stands for a record where its id is not at hand."""

from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.engine.keys import as_id, names_of
from app.engine.resource import Resource


def find_id(session: Session, resource: Resource, text: str, pointer: str) -> UUID:
    """The id of the record that the text names: by id, ref or exact name; Invalid (422) for none,
    or for a name that several have."""
    table = resource.table
    by_id = as_id(text)
    conditions: list[ColumnElement[bool]] = (
        [table.id == by_id] if by_id is not None else [table.ref == text]
    )
    if by_id is None:
        conditions += [getattr(table, name) == text for name in names_of(resource)]
    for condition in conditions:
        statement = select(table.id).where(condition, table.deleted_at.is_(None)).limit(2)
        if resource.row_filter is not None:
            statement = statement.where(resource.row_filter(table))
        found = session.scalars(statement).all()
        if len(found) == 1:
            return UUID(str(found[0]))
        if found:
            detail = f"Several records of {resource.plural} are called {text!r}: give an id or ref."
            raise Invalid.at(pointer, "ambiguous", detail)
    detail = f"There is no {resource.singular} with the id, ref or exact name {text!r}."
    raise Invalid.at(pointer, "reference", detail)
