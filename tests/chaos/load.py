"""Sends a story at an even rate while it is told to, and knows where each record came to lie.

Does I/O: one producer, in a thread; it writes to the broker straight, past the proxy.
"""

import threading
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Final

import msgspec
from confluent_kafka import KafkaError, Message, Producer

from loyaltystream.story import Intent, Sent

_TICK_S: Final = 0.02
_FLUSH_S: Final = 120.0
_CROSSING: Final = 0.02
_EDGE: Final = 0.05
_KEPT: Final = 400
_WINDOW_MS: Final = 30 * 86_400_000
_SKEW_MS: Final = 300_000
_NEAR_MS: Final = 1_500

Place = tuple[int, int]
"""Partition and offset."""


class Told(msgspec.Struct, frozen=True):
    """One record that was sent, in which epoch: each injection begins one.

    Attributes:
        edge_ms: when it happened, in epoch milliseconds, where that decides whether it is late.
    """

    sent: Sent
    epoch: int
    edge_ms: int | None = None


def mixed(story: Iterator[Sent], random: Random, now_ms: Callable[[], int]) -> Iterator[Told]:
    """Yield a story with resends from far back in it, and events on the edge of the window.

    The edge is the one of the moment of sending; which side an event fell on, the broker's clock
    tells later.
    """
    kept: list[Sent] = []
    for sent in story:
        yield Told(sent, 0)
        if sent.intent is Intent.NEW:
            kept.append(sent)
            if random.random() < _EDGE and b'"eventName":"appOpened"' in (sent.value or b""):
                moment = now_ms() - _WINDOW_MS + _SKEW_MS + random.randint(-_NEAR_MS, _NEAR_MS)
                yield _on_the_edge(sent, random, moment)
        if kept and random.random() < _CROSSING:
            old = kept[random.randrange(len(kept))]
            yield Told(Sent(old.key, old.value, (), Intent.RESEND), 0)
        if len(kept) > _KEPT:
            kept[random.randrange(_KEPT)] = kept.pop()


def _on_the_edge(sent: Sent, random: Random, moment_ms: int) -> Told:
    event = msgspec.json.decode(sent.value or b"")
    event["eventId"] = f"edge-{random.getrandbits(64):016x}"
    event["occurredAt"] = moment_ms
    return Told(Sent(sent.key, msgspec.json.encode(event), (), Intent.NEW), 0, moment_ms)


class Load:
    """Sends from a thread of its own.

    Args:
        bootstrap: the broker, past the proxy.
        topic: where to.
        story: what; never ends before we do.
        rate: records a second.
    """

    def __init__(self, bootstrap: str, topic: str, story: Iterator[Told], *, rate: int) -> None:
        self.told: list[Told] = []
        self.places: dict[Place, int] = {}
        self.epoch = 0
        self._topic = topic
        self._story = story
        self._rate = rate
        self._failure: KafkaError | None = None
        self._going, self._ended, self._idle = (threading.Event() for _ in range(3))
        self._idle.set()
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "message.timeout.ms": 300_000,
                "log_level": 0,
            }
        )
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self._thread.start()

    def go(self) -> None:
        """Begin, or go on."""
        self._idle.clear()
        self._going.set()

    def pause(self) -> None:
        """Stop, and return once the broker has everything.

        Raises:
            RuntimeError: if it has not.
        """
        self._going.clear()
        self._idle.wait(_FLUSH_S)
        left = self._producer.flush(_FLUSH_S)
        if left or self._failure is not None or len(self.places) != len(self.told):
            raise RuntimeError(f"the load is not written: {left} left, {self._failure}")

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        self._going.set()
        self._thread.join(10)

    def _run(self) -> None:
        due, last_s = 0.0, time.monotonic()
        while not self._ended.is_set():
            if not self._going.is_set():
                self._idle.set()
                self._going.wait(_TICK_S)
                due, last_s = 0.0, time.monotonic()
                continue
            now_s = time.monotonic()
            # What a stall of this machine made us miss is not made up for in one go.
            due, last_s = min(due + (now_s - last_s) * self._rate, self._rate / 2), now_s
            while due >= 1:
                due -= 1
                self._send(next(self._story))
            self._producer.poll(_TICK_S)

    def _send(self, told: Told) -> None:
        serial, sent = len(self.told), told.sent
        self.told.append(msgspec.structs.replace(told, epoch=self.epoch))

        def note(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                self._failure = error
            else:
                self.places[message.partition() or 0, message.offset() or 0] = serial

        while True:
            try:
                self._producer.produce(
                    self._topic, sent.value, sent.key, on_delivery=note, headers=list(sent.headers)
                )
            except BufferError:
                self._producer.poll(_TICK_S)
            else:
                return
