"""Planning: which changes a webhook is to be told of, stored with how far it has been."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from sqlalchemy import Dialect, Update, bindparam, delete, func, insert, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.changes.entries import Entry
from app.core import json_codec
from app.core.databases.interface import CompiledQuery, Database, compile_query
from app.core.databases.types import Id, instant_text, now
from app.core.instance_secret import epoch_within
from app.core.loose_types import Fields, Values
from app.engine.history.change_log import Action
from app.engine.query.conditions import Condition
from app.engine.query.filter_reader import ParsedFilter, read_filters
from app.engine.query.parameters import QueryShape
from app.engine.query.render import as_json, object_of
from app.engine.query.statements import narrowed
from app.engine.resource import Resource
from app.webhooks.tables import PAST, Delivery, Rules, State, Webhook, delivery_id


@dataclass(frozen=True, slots=True)
class WebhookState:
    """A webhook as it stands when its turn comes; moments are texts, as JSON has them."""

    id: UUID
    url: str
    kinds: tuple[str, ...] | None
    actions: tuple[str, ...] | None
    filter: str | None
    #: As they are stored.
    secrets: tuple[str, ...]
    position: int
    failing_since: datetime | None
    rests_until: str | None
    lease_owner: str | None
    lease_until: str | None
    updated_at: str
    #: When the next attempt of a delivery is due.
    due_at: str | None

    def wants(self, entry: Entry) -> bool:
        """Whether the change is of a kind and a sort that the webhook is told of."""
        return (self.kinds is None or entry.kind in self.kinds) and (
            self.actions is None or entry.action in self.actions
        )

    def is_due(self, moment: str) -> bool:
        """Whether a delivery waits to be sent, and the receiver to be told."""
        rests = self.rests_until is not None and self.rests_until > moment
        return self.due_at is not None and self.due_at <= moment and not rests

    def is_taken(self, owner: str, moment: str) -> bool:
        """Whether another process works for it."""
        taken = self.lease_until is not None and self.lease_until > moment
        return taken and self.lease_owner != owner


_COLUMNS = (
    *("id", "url", "kinds", "actions", "filter", "secret", "previous_secret"),
    *("previous_secret_until", "position", "failing_since", "rests_until", "lease_owner"),
    *("lease_until", "updated_at"),
)


@lru_cache(maxsize=4)
def _hooks_statement(dialect: Dialect) -> CompiledQuery:
    due = (
        select(func.min(Delivery.next_attempt_at))
        .where(Delivery.webhook_id == Webhook.id, Delivery.state == State.PENDING)
        .scalar_subquery()
    )
    shown = {name: as_json(getattr(Webhook, name)) for name in _COLUMNS}
    statement = select(object_of({**shown, "due_at": as_json(due)}))
    return compile_query(statement.where(Webhook.enabled.is_(True)).order_by(Webhook.id), dialect)


async def find_hooks(database: Database) -> list[WebhookState]:
    """The webhooks that are enabled."""
    rows = await database.read(_hooks_statement(database.dialect), {}, point_lookup=True)
    return [_hook(json_codec.loads(row[0])) for row in rows]


def _hook(row: Values) -> WebhookState:
    until = row["previous_secret_until"]
    secrets = [row["secret"]]
    if until is not None and until > instant_text(now()):
        secrets.append(row["previous_secret"])
    names = ("filter", "rests_until", "lease_owner", "lease_until", "updated_at", "due_at")
    failing = row["failing_since"]
    return WebhookState(
        id=UUID(row["id"]),
        url=row["url"],
        kinds=None if row["kinds"] is None else tuple(row["kinds"]),
        actions=None if row["actions"] is None else tuple(row["actions"]),
        secrets=tuple(secrets),
        position=row["position"],
        failing_since=None if failing is None else datetime.fromisoformat(failing),
        **{name: row[name] for name in names},
    )


def read_filter(resource: Resource, text: str) -> ParsedFilter:
    """The filter expression of a webhook; BadRequest tells what is wrong with it, and where."""
    return read_filters(resource, (), text)


@lru_cache(maxsize=256)
def _judging(resource: Resource, condition: Condition, dialect: Dialect) -> CompiledQuery:
    table = resource.table
    shape = QueryShape(condition=condition, deleted="include")
    statement = narrowed(select(table.id), resource, None, shape)
    return compile_query(statement.where(table.id == bindparam("key", type_=Id())), dialect)


async def matches(
    database: Database, resource: Resource, parsed: ParsedFilter, record_id: str
) -> bool:
    """Whether the record is now, in the trash or not, as the filter says."""
    assert parsed.condition is not None
    statement = _judging(resource, parsed.condition, database.dialect)
    return bool(await database.read(statement, {**parsed.values, "key": UUID(record_id)}))


def claim(
    session: Session,
    hook: WebhookState,
    owner: str,
    rules: Rules,
    upto: int,
    epoch: str,
    found: Iterable[Entry],
) -> bool:
    """Take the webhook for this process and plan the deliveries of these changes; False when
    another process has it, or was quicker, or the changes are of before a restore."""
    if epoch_within(session) != epoch:
        return False
    moment = now()
    free = Webhook.lease_until.is_(None) | (Webhook.lease_until < moment)
    taking = (
        update(Webhook)
        .where(Webhook.id == hook.id, Webhook.enabled.is_(True), Webhook.position == hook.position)
        .where(free | (Webhook.lease_owner == owner))
        .values(lease_owner=owner, lease_until=moment + timedelta(seconds=rules.lease))
    )
    if not changed(session, taking.values(position=upto)):
        return False
    rows = [_planned(hook, entry, moment) for entry in found]
    if rows:
        session.execute(insert(Delivery), rows)
    return True


def advance(session: Session, hook: WebhookState, upto: int, epoch: str) -> None:
    """Remember that there is nothing to be told up to this change."""
    if epoch_within(session) != epoch:
        return
    known = (Webhook.id == hook.id) & (Webhook.position == hook.position)
    changed(session, update(Webhook).where(known).values(position=upto))


def release(session: Session, hook: WebhookState, owner: str) -> None:
    """Leave the webhook to whoever takes it next."""
    mine = (Webhook.id == hook.id) & (Webhook.lease_owner == owner)
    changed(session, update(Webhook).where(mine).values(lease_owner=None, lease_until=None))


def sweep(session: Session, rules: Rules) -> None:
    """Delete the deliveries that were finished long ago."""
    before = now() - timedelta(seconds=rules.kept)
    session.execute(delete(Delivery).where(Delivery.finished_at < before))


def _planned(hook: WebhookState, entry: Entry, moment: datetime) -> Fields:
    return {
        "id": delivery_id(hook.id, entry.seq, entry.epoch),
        "webhook_id": hook.id,
        "seq": entry.seq,
        "type": f"{entry.kind}.{PAST[Action(entry.action)]}",
        "record_id": UUID(entry.record_id),
        "state": State.PENDING,
        "attempts": 0,
        "next_attempt_at": moment,
        "created_at": moment,
    }


def changed(session: Session, statement: Update) -> int:
    """How many rows the statement changed."""
    result = session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)
    return int(result.rowcount)
