"""What leaves a process: OpenTelemetry's own spans; and what a collector that is away costs."""

import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from structlog.testing import capture_logs

from loyaltystream.otel.exporting import Export
from loyaltystream.telemetry.seldom import Seldom
from loyaltystream.tracing.opening import Losses
from loyaltystream.tracing.spans import Kind, Span
from tests.tracing.town import PRODUCER


class Ledger:
    """Keeps what was told to be lost."""

    def __init__(self) -> None:
        self.told: list[tuple[int, str]] = []

    def add(self, spans: int, why: str) -> None:
        """Keep it."""
        self.told.append((spans, why))

    @property
    def spans(self) -> int:
        """How many were lost."""
        return sum(spans for spans, _ in self.told)


class Stuck(SpanExporter):
    """A collector that takes no connection, until it is let go."""

    def __init__(self, result: SpanExportResult = SpanExportResult.FAILURE) -> None:
        self.going = threading.Event()
        self.asked = threading.Event()
        self.result = result

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002
        """Hang."""
        self.asked.set()
        self.going.wait(30)
        return self.result

    def shutdown(self) -> None:
        """Do nothing."""


def span(number: int = 7, **changes: Any) -> Span:
    """Return a span."""
    made = Span("process t", Kind.CONSUMER, PRODUCER, number, 1_000, 5_000, {"a": "b", "n": 1})
    for name, value in changes.items():
        made = type(made)(**{**{f: getattr(made, f) for f in made.__struct_fields__}, name: value})
    return made


def export_to(exporter: SpanExporter, lost: Ledger, most: int = 100) -> Export:
    """Return an export of a worker's."""
    return Export(
        exporter, service="loyaltystream.ingest", instance="a.0", lost=lost.add, most=most
    )


def test_a_span_leaves_as_opentelemetry_has_it() -> None:
    """Ids, parent, kind, times, attributes, marks and whose it is are OpenTelemetry's own."""
    memory, lost = InMemorySpanExporter(), Ledger()
    export = export_to(memory, lost)
    export.take([span(marks=[("transaction.submitted", 3_000)])])
    export.close()
    [written] = memory.get_finished_spans()
    assert written.context is not None
    assert written.parent is not None
    assert (written.context.trace_id, written.context.span_id) == (PRODUCER.trace_id, 7)
    assert written.parent.span_id == PRODUCER.span_id
    assert written.parent.is_remote
    assert (written.name, written.kind) == ("process t", SpanKind.CONSUMER)
    assert (written.start_time, written.end_time) == (1_000, 5_000)
    assert written.attributes == {"a": "b", "n": 1}
    assert [(one.name, one.timestamp) for one in written.events] == [
        ("transaction.submitted", 3_000)
    ]
    assert written.status.status_code is StatusCode.UNSET
    assert written.resource.attributes["service.name"] == "loyaltystream.ingest"
    assert written.resource.attributes["service.instance.id"] == "a.0"
    assert lost.told == []


def test_a_failure_and_a_root_leave_as_such() -> None:
    """A span that failed has the status error, and the first of a trace has no parent."""
    memory = InMemorySpanExporter()
    export = export_to(memory, Ledger())
    export.take([span(parent=PRODUCER._replace(span_id=None), failed=True)])
    export.close()
    [written] = memory.get_finished_spans()
    assert written.parent is None
    assert written.status.status_code is StatusCode.ERROR


def test_a_collector_that_is_away_holds_nobody_up() -> None:
    """So many spans wait and no more; whoever brings them never waits, and what is lost is told."""
    stuck, lost = Stuck(), Ledger()
    export = export_to(stuck, lost, most=50)
    for number in range(1, 1_001):
        export.take([span(number)])
    assert len(export._processor._batch_processor._queue) <= 50
    assert lost.spans == 950
    stuck.going.set()
    export.close()
    assert lost.spans == 1_000
    assert {why for _, why in lost.told} == {
        "50 spans wait for the collector",
        "the collector at traces.endpoint did not take them",
    }


def test_there_is_room_again_behind_an_outage() -> None:
    """What was written or given up makes room."""
    stuck, lost = Stuck(SpanExportResult.SUCCESS), Ledger()
    export = export_to(stuck, lost, most=10)
    export.take([span(number) for number in range(1, 11)])
    assert stuck.asked.wait(10)
    stuck.going.set()
    export._processor.force_flush()
    export.take([span(99)])
    export.close()
    assert lost.told == []


def test_a_loss_is_told_once_in_a_while() -> None:
    """Losses add up until the next line, which says how many there were."""
    moments = iter([0.0, 1.0, 2.0, 11.0])
    losses = Losses(Seldom(now_s=lambda: next(moments)))
    with capture_logs() as told:
        for spans in (1, 10, 100, 1_000):
            losses.add(spans, "away")
    assert [(line["event"], line["spans"]) for line in told] == [
        ("spans.lost", 1),
        ("spans.lost", 1_110),
    ]


def test_what_is_not_installed_is_told_in_a_line() -> None:
    """Whoever asks for traces without the extra is told what to install."""
    code = (
        "import sys; sys.modules['opentelemetry.sdk'] = None;"
        "from loyaltystream.tracing.opening import open_export;"
        "from loyaltystream.tracing.settings import TraceSettings;"
        "open_export(TraceSettings(endpoint='http://127.0.0.1:1/v1/traces'), 'ingest', 'one')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == (
        "loyaltystream.errors.ConfigurationError: traces need OpenTelemetry, which is not "
        "installed: `pip install 'loyaltystream[otel]'`"
    )
