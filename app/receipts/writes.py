"""What is written of receipts, each a function of a Session within its transaction."""

from typing import Final
from uuid import UUID

from sqlalchemy import delete as sql_delete
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.errors import Conflict, NotFound
from app.core.loose_types import Values
from app.receipts.tables import Receipt

#: How many receipts there can be, and how long the answer of each.
MAX_RECEIPTS: Final = 10_000
MAX_ANSWER_BYTES: Final = 1_000_000


def create(session: Session, values: Values) -> None:
    """Store a receipt; Conflict when there are too many."""
    if (session.scalar(select(func.count()).select_from(Receipt)) or 0) >= MAX_RECEIPTS:
        raise Conflict(
            f"There are {MAX_RECEIPTS:,} receipts already: an admin can delete those that nobody"
            " quotes."
        )
    session.add(Receipt(**values))
    session.flush()


def delete(session: Session, key: UUID) -> None:
    """Delete a receipt for good; NotFound without one."""
    gone = session.execute(sql_delete(Receipt).where(Receipt.id == key).returning(Receipt.id))
    if gone.first() is None:
        raise missing(key)


def missing(key: object) -> NotFound:
    """The 404 of a receipt that is not there."""
    return NotFound(f"There is no receipt {str(key)[:100]!r}: it is named by its id, a UUID.")
