"""The gateway's metrics, and a line in the log when Kafka does not take events. Does I/O: logs."""

from prometheus_client import CollectorRegistry, Counter

from loyaltystream.memo import Memo
from loyaltystream.telemetry import log_events
from loyaltystream.telemetry.seldom import Seldom


class GatewayTelemetry:
    """What one gateway tells the world.

    Attributes:
        registry: its metrics.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "loyaltystream_gateway_requests",
            "Requests answered, by route and status.",
            ["route", "status"],
            registry=self.registry,
        )
        self._events = Counter(
            "loyaltystream_gateway_events",
            "Events acknowledged: the broker has them.",
            ["route"],
            registry=self.registry,
        )
        # Looking up labels costs more than counting.
        self._answered: Memo[tuple[str, int], Counter] = Memo(
            lambda told: self._requests.labels(told[0], str(told[1]))
        )
        self._acknowledged = Memo(self._events.labels)
        self._refusing, self._asking, self._following = Seldom(), Seldom(), Seldom()

    def answered(self, route: str, status: int, events: int) -> None:
        """Count an answer, and the events that it acknowledges."""
        self._answered[route, status].inc()
        if events:
            self._acknowledged[route].inc(events)

    def not_written(self, why: str) -> None:
        """Note that events could not be written; an outage is told once in a while."""
        if self._refusing.take():
            log_events.events_refused(why=why)

    def not_told(self, why: str) -> None:
        """Note that it could not be told what became of an event; once in a while."""
        if self._asking.take():
            log_events.questions_refused(why=why)

    def not_followed(self, why: str) -> None:
        """Note that the definitions in force could not be asked for; once in a while."""
        if self._following.take():
            log_events.definitions_awaited(why=why)
