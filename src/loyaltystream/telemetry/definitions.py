"""Turns what a worker hears of definitions into a metric and log lines. Does I/O: logs."""

import structlog

from loyaltystream.telemetry.metrics import Metrics


class DefinitionWatch:
    """What one worker tells of the topic of definitions.

    Args:
        metrics: set.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._log = structlog.get_logger()

    def heard(self, revision: int, events: int) -> None:
        """Note that events are judged by a revision from now on, and how many are in force."""
        self._metrics.definitions_revision.set(revision)
        self._log.info("definitions.heard", revision=revision, events=events)
