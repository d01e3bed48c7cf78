"""Tracing as the settings have it, decided once: all of it, or none. Does I/O: begins to export.

Without `traces.endpoint` nothing looks at a header, and no library of it is loaded.
"""

import threading
from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from loyaltystream.ports import Telemetry
from loyaltystream.sending import Channel as PlainChannel
from loyaltystream.telemetry import log_events
from loyaltystream.telemetry.seldom import Seldom
from loyaltystream.tracing.beginning import Beginning
from loyaltystream.tracing.judged import TraceJudged, tracing_judged, untraced
from loyaltystream.tracing.notified import TraceNotified, tracing_notified, unnotified
from loyaltystream.tracing.sampling import sampler_of_ingest, sampler_of_notify
from loyaltystream.tracing.sent import STAGE, Channel, TracedChannel
from loyaltystream.tracing.settings import TraceSettings
from loyaltystream.tracing.spans import Take, Work
from loyaltystream.tracing.telling import TracedTelemetry


class Export(Protocol):
    """Where spans go."""

    @property
    def take(self) -> Take:
        """Takes spans; never waits."""

    def close(self) -> None:
        """Write what waits, for seconds at most."""


class Tracing(msgspec.Struct, frozen=True):
    """What a worker is put together with.

    Attributes:
        judged: traces the verdicts of INGEST.
        notified: traces what NOTIFY causes.
        around: has what the loop tells listened to.
        close: writes what waits, for seconds at most.
    """

    judged: TraceJudged
    notified: TraceNotified
    around: Callable[[Telemetry], Telemetry]
    close: Callable[[], None]


NO_TRACING: Final = Tracing(untraced, unnotified, lambda telemetry: telemetry, lambda: None)


def open_tracing(settings: TraceSettings, work: Work, instance: str) -> Tracing:
    """Return the tracing of a worker, or none.

    Args:
        settings: whether, where to, and how much of it.
        work: what the worker does.
        instance: its name.

    Raises:
        ConfigurationError: if it is asked for and not installed.
    """
    if settings.endpoint is None:
        return NO_TRACING
    export = open_export(settings, work.stage, instance)
    return tracing_to(export, work, settings.share)


def tracing_to(export: Export, work: Work, share: float) -> Tracing:
    """Return the tracing of a worker whose spans go there."""
    return Tracing(
        tracing_judged(sampler_of_ingest(work.topic, share).sample),
        tracing_notified(sampler_of_notify(share).sample),
        lambda telemetry: TracedTelemetry(telemetry, work, export.take),
        export.close,
    )


class Sending(msgspec.Struct, frozen=True):
    """What sends lines by hand, with spans around them or without.

    Attributes:
        channel: takes the records.
        close: writes what waits, for seconds at most.
        traced: the same as `channel`, if it makes spans.
    """

    channel: PlainChannel
    close: Callable[[], None] = lambda: None
    traced: TracedChannel | None = None


def open_sending(
    settings: TraceSettings, channel: Channel, *, topic: str, instance: str
) -> Sending:
    """Return what sends through a channel, with spans if the settings want them.

    Args:
        settings: whether, where to, and how much of it.
        channel: where records go; without traces they go there straight.
        topic: its name.
        instance: who sends.

    Raises:
        ConfigurationError: if traces are asked for and not installed.
    """
    if settings.endpoint is None:
        return Sending(channel)
    export = open_export(settings, STAGE, instance)
    beginning = Beginning(settings.share)
    traced = TracedChannel(channel, topic=topic, beginning=beginning, take=export.take)
    return Sending(traced, export.close, traced)


def open_export(settings: TraceSettings, role: str, instance: str) -> Export:
    """Begin to export the spans of a process in that role.

    Raises:
        ConfigurationError: if what that needs is not installed.
    """
    # Whoever traces nothing need not have it, nor load it.
    from loyaltystream.otel import exporting  # noqa: PLC0415

    return exporting.Export(
        exporting.otlp_exporter(settings),
        service=f"{settings.service_name}.{role}",
        instance=instance,
        lost=Losses().add,
    )


class Losses:
    """Tells once in a while how many spans were lost since it was told last."""

    def __init__(self, seldom: Seldom | None = None) -> None:
        self._seldom = seldom or Seldom()
        self._turn = threading.Lock()
        self._spans = 0

    def add(self, spans: int, why: str) -> None:
        """Note a loss; any thread may."""
        with self._turn:
            self._spans += spans
            if self._seldom.take():
                log_events.spans_lost(spans=self._spans, why=why)
                self._spans = 0
