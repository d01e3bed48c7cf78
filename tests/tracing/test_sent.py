"""Lines that are sent by hand: what their records say, and the spans of those that arrived."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from loyaltystream.events import Header
from loyaltystream.tracing.beginning import Beginning
from loyaltystream.tracing.context import Context, Parent, read_traceparent
from loyaltystream.tracing.opening import open_sending
from loyaltystream.tracing.sent import TracedChannel
from loyaltystream.tracing.settings import TraceSettings
from loyaltystream.tracing.spans import Kind
from tests.core import event, raw
from tests.tracing.town import PRODUCER, TRACED, UNTRACED, Taken

DIALECT: Header = ("dialect", b"canonical")
TOPIC = "behavioral-events"


class Wire:
    """A channel whose broker answers when it is told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes | None, bytes | None, list[Header]]] = []
        self.waiting: list[Callable[[], None]] = []

    def send(
        self,
        value: bytes | None,
        key: bytes | None,
        headers: Sequence[Header],
        *,
        arrived: Callable[[], None] | None = None,
    ) -> None:
        """Keep it."""
        self.sent.append((value, key, [*headers]))
        if arrived is not None:
            self.waiting.append(arrived)

    def answer(self) -> None:
        """Have everything arrive."""
        for arrived in self.waiting:
            arrived()
        self.waiting.clear()

    def said(self) -> list[Context | None]:
        """Return what the records say."""
        found = (dict(headers).get("traceparent") for _, _, headers in self.sent)
        return [None if header is None else read_traceparent(header) for header in found]


class Hand:
    """Who sends."""

    def __init__(self, share: float) -> None:
        self.wire, self.taken = Wire(), Taken()
        drawn, clock = iter(range(0xA0, 0xFFFF)), iter(range(1_000, 9_000, 7))
        self.channel = TracedChannel(
            self.wire,
            topic=TOPIC,
            beginning=Beginning(share, lambda _bits: next(drawn)),
            take=self.taken.take,
            now_ns=lambda: next(clock),
        )

    def send(self, value: bytes) -> None:
        """Send a line."""
        self.channel.send(value, b"key", [DIALECT])


def bringing(trace: object) -> bytes:
    """Return an event that says something of its trace."""
    return raw(event(trace=trace))


def test_a_line_begins_a_trace_that_its_record_says() -> None:
    """Where nothing came along the span is the first of a trace; its record goes on from it."""
    hand = Hand(1.0)
    hand.send(raw(event()))
    assert hand.taken.spans == []
    hand.wire.answer()
    [span] = hand.taken.spans
    assert (span.name, span.kind) == (f"send {TOPIC}", Kind.PRODUCER)
    assert span.parent.span_id is None
    assert span.ended_ns > span.began_ns
    assert span.attributes == {
        "messaging.system": "kafka",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": TOPIC,
        "loyaltystream.stage": "send",
    }
    said = Context(Parent(span.parent.trace_id, span.span_id), is_sampled=True)
    assert hand.wire.said() == [said]


def test_value_key_and_other_headers_stay_as_they_are() -> None:
    """Only a header more tells a traced record from another."""
    hand = Hand(1.0)
    hand.send(b"{broken")
    [(value, key, headers)] = hand.wire.sent
    assert (value, key, headers[0]) == (b"{broken", b"key", DIALECT)
    assert [name for name, _ in headers] == ["dialect", "traceparent"]


def test_a_line_that_brings_a_trace_goes_on_in_it() -> None:
    """The event's own `trace` says whose span it is below, and whether it is recorded at all."""
    hand = Hand(0.0)
    hand.send(bringing({"traceparent": TRACED[1].decode()}))
    hand.wire.answer()
    [span] = hand.taken.spans
    assert span.parent == PRODUCER
    hand.send(bringing({"traceparent": UNTRACED[1].decode()}))
    hand.wire.answer()
    assert len(hand.taken.spans) == 1
    own = Context(Parent(PRODUCER.trace_id, span.span_id), is_sampled=True)
    assert hand.wire.said() == [own, Context(PRODUCER, is_sampled=False)]


@pytest.mark.parametrize(
    "value",
    [
        b'{"trace": {"traceparent": "none"}}',
        b'{"trace": {"traceparent": 7}}',
        b'{"trace": "traceparent"}',
        b'["traceparent"]',
        b"traceparent",
        b'{"trace": {"traceparent": "\xff"}}',
        b'{"trace": {"traceparent": "\\ud800"}}',
        b'{"traceparent": ' + b"[" * 100_000,
    ],
)
def test_what_says_nothing_is_no_trace(value: bytes) -> None:
    """Whatever a line holds instead of a context, it is sent, and begins a trace of its own."""
    hand = Hand(1.0)
    hand.send(value)
    hand.wire.answer()
    [span] = hand.taken.spans
    assert span.parent.span_id is None


def test_a_line_that_was_not_drawn_says_so() -> None:
    """No later stage draws again, and nobody asks when it arrived."""
    hand = Hand(0.0)
    hand.send(raw(event()))
    [said] = hand.wire.said()
    assert said is not None
    assert not said.is_sampled
    assert hand.wire.waiting == []


def test_what_did_not_arrive_has_no_span() -> None:
    """Of many lines only those count that the broker has, and the first five traces are named."""
    hand = Hand(1.0)
    for _ in range(7):
        hand.send(raw(event()))
    hand.wire.answer()
    hand.send(raw(event()))
    assert (len(hand.taken.spans), hand.channel.traced) == (7, 7)
    ids: list[Any] = [f"{span.parent.trace_id:032x}" for span in hand.taken.spans]
    assert hand.channel.first == ids[:5]


def test_without_an_endpoint_nothing_is_added() -> None:
    """Who traces nothing sends through the channel itself: the same bytes, no header."""
    wire = Wire()
    sending = open_sending(TraceSettings(), wire, topic=TOPIC, instance="desk")
    assert sending.channel is wire
    assert sending.traced is None
    sending.channel.send(b"{}", None, [DIALECT])
    assert wire.sent == [(b"{}", None, [DIALECT])]
