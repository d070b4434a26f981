"""How many requests there are and how long they take, counted for Prometheus."""

from typing import Any

from prometheus_client import CollectorRegistry, Gauge, Histogram, disable_created_metrics
from starlette.types import Scope

from app.core.observability.request_info import method_of, route_of

#: Upper bounds in seconds: a record is read within the first, an export may need the last.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

# The times when series began are of no use to anybody here, and would double their number.
disable_created_metrics()  # type: ignore[no-untyped-call]


class RequestMetrics:
    """Counts the requests of this process; several processes share their counts in files where
    PROMETHEUS_MULTIPROC_DIR says so.

    A request costs about one microsecond, and three where counts are shared.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.running = Gauge(
            "http_requests_in_progress",
            "Requests that are being answered.",
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "Requests by method, template of the path and status, and how long each took until the"
            " last byte was sent.",
            ("method", "route", "status"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        #: Finding a child by its labels costs as much as counting with it.
        self._children: dict[tuple[str, str, int], Any] = {}

    def count(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a request that was answered, or broke off with status 499."""
        key = (scope["method"], scope.get("route_path") or route_of(scope), status)
        child = self._children.get(key)
        if child is None:
            child = self._seconds.labels(method_of(scope), key[1], str(status))
            if method_of(scope) == scope["method"]:
                self._children[key] = child
        child.observe(seconds)
