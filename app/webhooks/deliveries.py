"""What came of attempts, stored: deliveries that are done, or tried again, or given up."""

from datetime import timedelta
from secrets import SystemRandom
from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.core.databases.types import instant_text, now
from app.core.loose_types import Fields
from app.webhooks.due import Due
from app.webhooks.scheduling import WebhookState, changed
from app.webhooks.tables import Delivery, Rules, State, Webhook

if TYPE_CHECKING:
    from app.webhooks.sender import Outcome

_CHANCE = SystemRandom()


def record_attempt(
    session: Session,
    hook: WebhookState,
    delivery: Due,
    outcome: "Outcome",
    owner: str,
    rules: Rules,
    is_last: bool,
) -> bool:
    """Store what came of an attempt; False when the webhook is no longer this process's."""
    moment = now()
    is_done, is_test = outcome.error is None, delivery.seq is None
    again = None if is_done or is_test or outcome.is_gone else _again(delivery, outcome, rules)
    state = State.DELIVERED if is_done else State.DEAD if again is None else State.PENDING
    values = {
        "state": state,
        "attempts": delivery.attempts + 1,
        "next_attempt_at": None if again is None else moment + timedelta(seconds=again),
        "attempted_at": moment,
        "response_status": outcome.status,
        "response_text": outcome.text,
        "error": outcome.error,
        "duration_ms": outcome.duration_ms,
        "finished_at": None if state is State.PENDING else moment,
    }
    changed(session, update(Delivery).where(Delivery.id == delivery.id).values(values))
    goes_on = is_test or _note_health(session, hook, outcome, rules)
    lease = {"lease_until": moment + timedelta(seconds=rules.lease)}
    mine = update(Webhook).where(Webhook.id == hook.id, Webhook.lease_owner == owner)
    freed: Fields = {"lease_owner": None, "lease_until": None}
    is_ours = changed(session, mine.values(lease if goes_on and not is_last else freed))
    return bool(is_ours) and goes_on


def _again(delivery: Due, outcome: "Outcome", rules: Rules) -> float | None:
    """After how many seconds to try again; None when it was tried often enough."""
    if delivery.attempts >= len(rules.schedule):
        return None
    wait = rules.schedule[delivery.attempts] * (1 + _CHANCE.uniform(0, rules.jitter))
    return max(wait, min(outcome.rest or 0.0, rules.longest_rest))


def _note_health(session: Session, hook: WebhookState, outcome: "Outcome", rules: Rules) -> bool:
    """Remember since when a webhook fails; False when it is disabled for that."""
    webhook, moment = Webhook.id == hook.id, now()
    if outcome.error is None:
        failing = update(Webhook).where(webhook, Webhook.failing_since.is_not(None))
        changed(session, failing.values(failing_since=None))
        return True
    since = update(Webhook).where(webhook, Webhook.failing_since.is_(None))
    changed(session, since.values(failing_since=moment))
    if outcome.rest:
        until = moment + timedelta(seconds=min(outcome.rest, rules.longest_rest))
        changed(session, update(Webhook).where(webhook).values(rests_until=until))
    if outcome.is_gone:
        disable(session, hook, outcome.error)
        return False
    if hook.failing_since and (moment - hook.failing_since).total_seconds() > rules.give_up:
        begin = instant_text(hook.failing_since)
        disable(session, hook, f"Every attempt since {begin} failed, the last: {outcome.error}")
        return False
    return True


def disable(session: Session, hook: WebhookState, reason: str) -> None:
    """Tell the webhook of nothing any more, until somebody enables it again."""
    values = {"enabled": False, "disabled_reason": reason, "updated_at": now()}
    changed(session, update(Webhook).where(Webhook.id == hook.id).values(values))
