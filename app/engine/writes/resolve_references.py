"""References by name: what stands for a record where its id is not at hand."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.core.databases.interface import table_of
from app.core.errors import Invalid
from app.engine.history.change_log import known_of_kinds
from app.engine.keys import as_id, is_askable, names_of
from app.engine.resource import Resource
from app.engine.writes.successors import merged_hint

#: How many texts are looked up at a time.
_BATCH = 500


def find_id(session: Session, resource: Resource, text: str, pointer: str) -> UUID:
    """The id of the record that the text names: by id, ref or exact name; Invalid (422) for none,
    or for a name that several have."""
    table = resource.table
    by_id = as_id(text)
    if text in _unknown(session, resource):
        raise _nothing_named(resource, text, pointer)
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
    hint = merged_hint(session, table_of(table), conditions[0])
    raise _nothing_named(resource, text, pointer, hint)


def _nothing_named(resource: Resource, text: str, pointer: str, merged: str = "") -> Invalid:
    detail = (
        f"There is no {resource.singular} with the id, ref or exact name {text!r} (or it is in the"
        f" trash).{merged}"
    )
    return Invalid.at(pointer, "merged" if merged else "reference", detail)


def note_unknown(session: Session, resource: Resource, texts: Iterable[str]) -> None:
    """Find out which of the texts name no record, so that `find_id` does not look for each of them
    through all names; until the session changes a record of the kind."""
    found = _unknown(session, resource)
    asked = sorted({text for text in texts if as_id(text) is None and is_askable(text)} - found)
    for at in range(0, len(asked), _BATCH):
        left = set(asked[at : at + _BATCH])
        for name in ("ref", *names_of(resource)):
            if left:
                column = getattr(resource.table, name)
                left -= set(session.scalars(select(column).where(column.in_(sorted(left)))))
        found |= left


def _unknown(session: Session, resource: Resource) -> set[str]:
    """The texts that are known to name no record of the kind."""
    kept = known_of_kinds(session).setdefault(resource.record_type, {})
    return kept.setdefault(resource.path, set())
