"""The day that a record can be of, by its own date or by that of what it belongs to."""

from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.databases.expressions import AnyTable
from app.engine.record import Record, first_day_of
from app.resources.event import Event
from app.resources.mission import Mission


def first_day(
    session: Session, table: type[Record], record_id: UUID | None, name: str
) -> date | None:
    """The first day that a stated date of another record can mean."""
    if record_id is None:
        return None
    days = select(first_day_of(table, name)).where(table.id == record_id)
    found: date | None = session.scalar(days)
    return found


def day_of_agreement(session: Session, agreement: AnyTable) -> date | None:
    """When it was signed, or else when people met."""
    return (
        first_day_of(agreement, "signed")
        or first_day(session, Event, agreement.event_id, "dates")
        or first_day(session, Mission, agreement.mission_id, "dates")
    )
