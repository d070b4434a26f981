"""What webhooks keep while the application serves."""

from dataclasses import dataclass, field

from starlette.requests import Request

from app.changes.app_state import StreamingState
from app.webhooks.dispatcher import Deliveries
from app.webhooks.tables import Rules


@dataclass(kw_only=True)
class WebhookingState(StreamingState):
    """`deliveries` is there once the application has started."""

    webhook_rules: Rules
    deliveries: Deliveries = field(init=False)


def deliveries_of(request: Request) -> Deliveries:
    """What sends to webhooks in this process."""
    state: WebhookingState = request.app.state
    return state.deliveries
