"""Turns what a worker hears of definitions into a metric and log lines. Does I/O: logs."""

from loyaltystream.telemetry import log_events
from loyaltystream.telemetry.metrics import Metrics


class DefinitionWatch:
    """What one worker tells of the topic of definitions.

    Args:
        metrics: set.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def heard(self, revision: int, events: int) -> None:
        """Note that events are judged by a revision from now on, and how many are in force."""
        self._metrics.definitions_revision.set(revision)
        log_events.definitions_heard(revision=revision, events=events)
