"""The JSON of records within the transaction that writes them."""

from collections.abc import Sequence
from functools import cache
from uuid import UUID

from sqlalchemy import Select, Text, bindparam, cast, select
from sqlalchemy.orm import Session

from app.core.databases.prepared import Prepared
from app.core.databases.types import Id
from app.engine.query.render import record_json
from app.engine.resource import Resource


def render_record(session: Session, resource: Resource, record_id: UUID) -> str:
    """The record's JSON as it is now, by the same SELECT that reads use."""
    ((body,),) = _rendering_one(resource).rows(session, {"id": record_id})
    return str(body)


def render_records(session: Session, resource: Resource, ids: Sequence[UUID]) -> list[str]:
    """The JSON of these records, which are there, in the order of the ids."""
    found = {row[0]: row[1] for row in session.execute(_rendering(resource), {"ids": ids})}
    return [found[record_id] for record_id in ids]


@cache
def _rendering_one(resource: Resource) -> Prepared:
    body = cast(record_json(resource), Text)
    return Prepared(select(body).where(resource.table.id == bindparam("id", type_=Id)))


@cache
def _rendering(resource: Resource) -> Select[UUID, str]:
    table = resource.table
    # As text: SQLAlchemy would read PostgreSQL's JSON into floats, which lose digits.
    body = cast(record_json(resource), Text).label("body")
    return select(table.id, body).where(table.id.in_(bindparam("ids", expanding=True)))
