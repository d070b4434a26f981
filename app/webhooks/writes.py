"""What is written of webhooks, each a function of a Session within its transaction."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete as sql_delete
from sqlalchemy import func, select
from sqlalchemy import update as sql_update
from sqlalchemy.orm import Session

from app.core import json_codec
from app.core.databases.types import now, uuid7
from app.core.errors import Conflict, NotFound
from app.core.loose_types import Json, Values
from app.engine.history.change_log import ChangeCounter
from app.engine.query.filter_reader import ParsedFilter
from app.webhooks.schemas import WebhookFields, new_secret
from app.webhooks.tables import TEST, Delivery, Rules, State, Webhook, delivery_id

#: How many webhooks there can be: each is a reader of everything that is changed.
MAX_WEBHOOKS = 100
#: What refuses a webhook whose fields are wrong, alone or together.
Check = Callable[[Values], ParsedFilter | None]
_LISTS = ("kinds", "actions")


def find(session: Session, key: UUID) -> Webhook:
    """The webhook; NotFound without one."""
    found = session.get(Webhook, key)
    if found is None:
        raise NotFound(f"There is no webhook {key}.")
    return found


def create(session: Session, values: Values, actor: str, rules: Rules) -> tuple[UUID, str]:
    """The id of a new webhook, and its secret; Conflict when there are too many."""
    if (session.scalar(select(func.count()).select_from(Webhook)) or 0) >= MAX_WEBHOOKS:
        raise Conflict(
            f"There are {MAX_WEBHOOKS} webhooks already; delete those that are not used."
        )
    secret = new_secret()
    webhook = Webhook(
        id=uuid7(),
        **_stored(values),
        secret=rules.encryption.encrypt(secret),
        position=_newest(session),
        created_by=actor,
    )
    session.add(webhook)
    session.flush()
    return webhook.id, secret


def state(session: Session, key: UUID) -> Json:
    """The fields of a webhook that clients write, as they are."""
    webhook = find(session, key)
    values = {name: getattr(webhook, name) for name in WebhookFields.model_fields}
    lists = {name: values[name] and json_codec.loads(values[name]) for name in _LISTS}
    return values | lists


def update(session: Session, key: UUID, changes: Values, check: Check) -> None:
    """Change these fields; one that is enabled begins with the changes from now on."""
    check({**state(session, key), **changes})
    webhook = find(session, key)
    values = _stored(changes)
    if values.get("enabled") and not webhook.enabled:
        values |= {"position": _newest(session), "disabled_reason": None, "failing_since": None}
    for name, value in values.items():
        setattr(webhook, name, value)
    if "url" in values:
        # Another receiver did not ask to be left alone.
        webhook.rests_until = None
    # Whoever sends for it now stops after the message that is under way, and sees how it is.
    webhook.lease_owner = webhook.lease_until = None
    webhook.updated_at = now()
    session.flush()


def delete(session: Session, key: UUID) -> None:
    """Delete the webhook and all its deliveries."""
    webhook = find(session, key)
    session.execute(sql_delete(Delivery).where(Delivery.webhook_id == key))
    session.delete(webhook)
    session.flush()


def rotate(session: Session, key: UUID, rules: Rules) -> str:
    """A new secret; messages are signed with the old one too, for a time."""
    webhook = find(session, key)
    webhook.previous_secret = webhook.secret
    webhook.previous_secret_until = now() + timedelta(seconds=rules.overlap)
    secret = new_secret()
    webhook.secret = rules.encryption.encrypt(secret)
    webhook.updated_at = now()
    session.flush()
    return secret


def test(session: Session, key: UUID) -> UUID:
    """The id of a new delivery of a test; Conflict when the webhook is not enabled."""
    webhook = find(session, key)
    if not webhook.enabled:
        raise Conflict('The webhook is not enabled: change it with {"enabled": true} first.')
    made = delivery_id(key, webhook.position, noise=str(uuid4()))
    delivery = Delivery(
        id=made,
        webhook_id=key,
        type=TEST,
        state=State.PENDING,
        attempts=0,
        next_attempt_at=now(),
    )
    session.add(delivery)
    session.flush()
    return made


def redeliver(session: Session, webhook_id: UUID, key: UUID) -> None:
    """Send the delivery once more, from the first attempt on."""
    find(session, webhook_id)
    delivery = session.get(Delivery, key)
    if delivery is None or delivery.webhook_id != webhook_id:
        raise NotFound(f"The webhook {webhook_id} has no delivery {key}.")
    delivery.state, delivery.attempts = State.PENDING, 0
    delivery.next_attempt_at, delivery.finished_at = now(), None
    session.flush()


def redeliver_all(session: Session, webhook_id: UUID, state: str) -> int:
    """Send all deliveries that stand so once more; how many these are."""
    find(session, webhook_id)
    chosen = (Delivery.webhook_id == webhook_id) & (Delivery.state == State(state))
    again = {
        "state": State.PENDING,
        "attempts": 0,
        "next_attempt_at": now(),
        "finished_at": None,
    }
    statement = sql_update(Delivery).where(chosen).values(again)
    result: Any = session.execute(statement.execution_options(synchronize_session=False))
    return int(result.rowcount)


def _stored(values: Values) -> Json:
    """The values as the table holds them."""
    found = dict(values)
    for name in _LISTS:
        if found.get(name) is not None:
            found[name] = json_codec.dumps(found[name]).decode()
    return found


def _newest(session: Session) -> int:
    return session.scalars(select(ChangeCounter.seq)).one()
