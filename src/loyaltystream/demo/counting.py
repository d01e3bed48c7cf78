"""One committed record in, what it counts as out: the demo's numbers, from the topics alone. Pure.

Nothing that a worker says of itself enters: what is counted survives its death.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from loyaltystream.events import ORIGIN_HEADER, SOURCE_HEADER, Record
from loyaltystream.story import Intent
from loyaltystream.topology import Topics
from loyaltystream.verdicts import Verdict

WINDOW_S: Final = 3.0


class Seen(StrEnum):
    """What a record in some topic shows."""

    ARRIVED = "arrived"
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    LATE = "late"
    REJECTED = "rejected"
    REKEYED = "rekeyed"
    NOTIFICATION = "notification"
    UNMAPPED = "unmapped"


JUDGED: Final = (Seen.ACCEPTED, Seen.DUPLICATE, Seen.CONFLICT, Seen.LATE, Seen.REJECTED)
"""The final verdicts; each event but a tombstone ends up with exactly one."""


def look(topics: Topics, topic: str, record: Record) -> Seen | None:
    """Return what the record shows, or None for a further output of an event that was counted."""
    if topic == topics.ingest:
        return Seen.ARRIVED if record.header(ORIGIN_HEADER) is None else Seen.REKEYED
    if topic == topics.notifications:
        return Seen.NOTIFICATION
    if topic == topics.duplicates:
        return Seen.DUPLICATE
    source = _Source.read(record)
    if topic == topics.dead_letter:
        if source is None or source.topic != topics.ingest:
            return Seen.UNMAPPED
        return Seen((record.header("verdict") or Verdict.REJECTED.encode()).decode())
    # An event with two actions has two outputs and is one event.
    return Seen.ACCEPTED if source is not None and source.index == 0 else None


class _Source(msgspec.Struct, frozen=True):
    """The part of a `src` header that counting needs."""

    topic: str
    index: int

    @classmethod
    def read(cls, record: Record) -> "_Source | None":
        try:
            header = (record.header(SOURCE_HEADER) or b"").decode()
            topic, _, _, index, _ = header.rsplit("/", 4)
            return cls(topic, int(index))
        except ValueError:
            return None


def judged(seen: Mapping[Seen, int]) -> int:
    """Return how many events have their final verdict."""
    return sum(seen.get(verdict, 0) for verdict in JUDGED)


def due(sent: Iterable[Intent]) -> Counter[Verdict]:
    """Return the verdicts that records with these intents must get."""
    return Counter(intent.verdict for intent in sent)


class Meter:
    """Tells how fast a count grows, over the last seconds."""

    def __init__(self) -> None:
        self._readings: deque[tuple[float, int]] = deque()

    def rate(self, count: int, *, now_s: float) -> float:
        """Note the count at this moment, and return its growth a second."""
        self._readings.append((now_s, count))
        while now_s - self._readings[0][0] > WINDOW_S:
            self._readings.popleft()
        then_s, before = self._readings[0]
        return (count - before) / (now_s - then_s) if now_s > then_s else 0.0
