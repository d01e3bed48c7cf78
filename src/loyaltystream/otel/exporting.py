"""Spans in, OTLP over HTTP out, in a thread of its own. Does I/O: HTTP, through the exporter.

A collector that is away holds nobody up: so many spans wait at most, what comes beyond is dropped,
and that is told once in a while.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from loyaltystream import __version__
from loyaltystream.tracing.settings import TraceSettings
from loyaltystream.tracing.spans import Span

MOST_WAITING: Final = 8_192
LEAVE_S: Final = 2.0
_BATCH: Final = 512
_EVERY_MS: Final = 1_000
_REQUEST_S: Final = 5.0
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_SCOPE: Final = InstrumentationScope("loyaltystream", __version__)
_FAILED: Final = Status(StatusCode.ERROR)
_UNSET: Final = Status(StatusCode.UNSET)

Lost = Callable[[int, str], None]
"""Told how many spans were lost since the last time, and why; from any thread."""


def otlp_exporter(settings: TraceSettings) -> SpanExporter:
    """Return what writes to the collector of the settings."""
    headers = {name: secret.get_secret_value() for name, secret in settings.headers.items()}
    return OTLPSpanExporter(endpoint=settings.endpoint, headers=headers, timeout=_REQUEST_S)


class Export:
    """Takes spans, and writes them when there are enough of them, or a second has gone.

    Args:
        exporter: writes them.
        service: whose they are.
        instance: which process of it.
        lost: told of losses.
        most: how many may wait.
    """

    def __init__(
        self,
        exporter: SpanExporter,
        *,
        service: str,
        instance: str,
        lost: Lost,
        most: int = MOST_WAITING,
    ) -> None:
        self._resource = Resource(
            {
                "service.name": service,
                "service.instance.id": instance,
                "service.version": __version__,
            }
        )
        self._most = most
        self._room = _Room(exporter, lost)
        self._processor = BatchSpanProcessor(
            self._room,
            max_queue_size=most,
            schedule_delay_millis=_EVERY_MS,
            max_export_batch_size=min(_BATCH, most),
        )

    def take(self, spans: Sequence[Span]) -> None:
        """Take spans; those that there is no room for are lost."""
        free = self._room.enter(len(spans), self._most)
        for span in spans[:free]:
            self._processor.on_end(self._readable(span))

    def close(self) -> None:
        """Write what waits, for seconds at most; what is left then is lost."""
        # The processor itself would wait for half a minute.
        leaving = threading.Thread(target=self._processor.shutdown, name="spans", daemon=True)
        leaving.start()
        leaving.join(LEAVE_S)
        if leaving.is_alive():
            self._room.abandon()

    def _readable(self, span: Span) -> ReadableSpan:
        trace_id, parent_id = span.parent
        parent = None if parent_id is None else _context(trace_id, parent_id, is_remote=True)
        return ReadableSpan(
            span.name,
            context=_context(trace_id, span.span_id, is_remote=False),
            parent=parent,
            resource=self._resource,
            attributes=span.attributes,
            events=[Event(name, timestamp=at_ns) for name, at_ns in span.marks],
            kind=SpanKind[span.kind],
            status=_FAILED if span.failed else _UNSET,
            start_time=span.began_ns,
            end_time=span.ended_ns,
            instrumentation_scope=_SCOPE,
        )


def _context(trace_id: int, span_id: int, *, is_remote: bool) -> SpanContext:
    return SpanContext(trace_id, span_id, is_remote=is_remote, trace_flags=_SAMPLED)


class _Room(SpanExporter):
    """Writes through another exporter, and knows how many spans wait for it."""

    def __init__(self, exporter: SpanExporter, lost: Lost) -> None:
        self._exporter = exporter
        self._lost = lost
        self._turn = threading.Lock()
        self._waiting = 0

    def enter(self, spans: int, most: int) -> int:
        """Return how many of so many spans may come in; the others are lost."""
        with self._turn:
            free = max(min(spans, most - self._waiting), 0)
            self._waiting += free
        if free < spans:
            self._lost(spans - free, f"{most} spans wait for the collector")
        return free

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write spans; what is not taken is lost."""
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            self._leave(len(spans), result)
        return result

    def abandon(self) -> None:
        """Give up what waits."""
        if self._waiting:
            self._lost(self._waiting, "the process ends, and the collector takes too long")

    def _leave(self, spans: int, result: SpanExportResult) -> None:
        with self._turn:
            self._waiting -= spans
        if result is not SpanExportResult.SUCCESS:
            self._lost(spans, "the collector at traces.endpoint did not take them")

    def shutdown(self) -> None:
        """Let go of the connection."""
        self._exporter.shutdown()
