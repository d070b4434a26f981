"""Titles of agreements that are made up of who the parties are, and follow them."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.databases.expressions import AnyTable
from app.core.loose_types import Values
from app.engine.composed_titles import composed_title, is_composed
from app.resources.organization import Organization


def compose_anew(session: Session, record: AnyTable, before: Values | None) -> None:
    """Let a composed title name the parties that the agreement has now, unless it was given."""
    if before is None or record.composed_of is None or record.title != before["title"]:
        return
    named = [(party.organization_id, party.description) for party in record.parties]
    if named == _named(before) or not is_composed(record.title, record.composed_of):
        return
    ids = [each for each, _ in named if each is not None]
    statement = select(Organization.id, Organization.name).where(Organization.id.in_(ids))
    names: dict[UUID, str] = dict(row for row in session.execute(statement))
    told = [names.get(each) or description for each, description in named]
    record.title = composed_title(record.composed_of, filter(None, told))


def _named(before: Values) -> list[tuple[UUID | None, str | None]]:
    rows = ((row["organization_id"], row["description"]) for row in before["parties"])
    return [(None if key is None else UUID(key), description) for key, description in rows]
