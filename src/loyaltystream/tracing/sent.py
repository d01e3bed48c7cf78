"""A span around each line that is sent by hand, and its context on the record. Does no I/O.

A span ends when the broker has the record; what it refuses leaves none.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import msgspec

from loyaltystream.events import TRACE_HEADER, Header
from loyaltystream.tracing.beginning import Beginning, Begun
from loyaltystream.tracing.context import write_traceparent
from loyaltystream.tracing.spans import Kind, Span, Take

STAGE: Final = "send"
_FIRST: Final = 5


class Channel(Protocol):
    """Takes records for one topic, and tells of each that the broker has."""

    def send(
        self,
        value: bytes | None,
        key: bytes | None,
        headers: Sequence[Header],
        *,
        arrived: Callable[[], None] | None = None,
    ) -> None:
        """Take one record."""


class _Trace(msgspec.Struct):
    traceparent: str | None = None


class _Line(msgspec.Struct):
    trace: _Trace | None = None


_LINES: Final = msgspec.json.Decoder(_Line)


class TracedChannel:
    """Gives each record the context of its own span, below the one that its event brings.

    Args:
        channel: where records go.
        topic: its name.
        beginning: says which are traced.
        take: takes spans.
        now_ns: the time, in epoch nanoseconds.

    Attributes:
        traced: how many records are traced that arrived.
        first: the ids of their first traces, so that somebody can look for them.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        topic: str,
        beginning: Beginning,
        take: Take,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._channel = channel
        self._topic = topic
        self._beginning = beginning
        self._take = take
        self._now_ns = now_ns
        self.traced = 0
        self.first: list[str] = []

    def send(self, value: bytes | None, key: bytes | None, headers: Sequence[Header]) -> None:
        """Take one record."""
        begun, began_ns = self._beginning.of(_given(value)), self._now_ns()
        told = [*headers, (TRACE_HEADER, write_traceparent(begun.said))]
        if not begun.said.is_sampled:
            self._channel.send(value, key, told)
            return

        def arrived() -> None:
            self.traced += 1
            if len(self.first) < _FIRST:
                self.first.append(f"{begun.parent.trace_id:032x}")
            self._take([self._ended(begun, began_ns)])

        self._channel.send(value, key, told, arrived=arrived)

    def _ended(self, begun: Begun, began_ns: int) -> Span:
        return Span(
            f"send {self._topic}",
            Kind.PRODUCER,
            begun.parent,
            begun.said.parent.span_id or 1,
            began_ns,
            max(self._now_ns(), began_ns),
            {
                "messaging.system": "kafka",
                "messaging.operation.name": "send",
                "messaging.operation.type": "send",
                "messaging.destination.name": self._topic,
                "loyaltystream.stage": STAGE,
            },
        )


def _given(value: bytes | None) -> bytes | None:
    """Return the `traceparent` that an event's own `trace` has; what can't be read has none."""
    if value is None or b"traceparent" not in value:
        return None
    try:
        line = _LINES.decode(value)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None  # its dead letter will tell
    text = line.trace.traceparent if line.trace else None
    return None if text is None else text.encode("utf-8", "replace")
