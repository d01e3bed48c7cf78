"""Reads what was judged, for a what-if: the last hours' events, and those in older dead letters.

Does I/O: reads topics, through the log. A look is bounded by records and seconds; where it has to
leave something out it takes the newest, and says so.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Protocol

import msgspec

from loyaltystream.definitions.model import EventDefinition
from loyaltystream.events import ORIGIN_HEADER, Record
from loyaltystream.letters.letter import LetterReader
from loyaltystream.rules import Rules
from loyaltystream.sending import Pace
from loyaltystream.topology import Topics
from loyaltystream.whatif import Outlook, WhatIf

HOUR_MS: Final = 3_600_000

Span = tuple[int, int, int]
"""A partition, from an offset up to, not including, another one."""


class Log(Protocol):
    """Topics as a read_committed consumer sees them."""

    def bounds(self, topic: str) -> Mapping[int, tuple[int, int]]:
        """Return per partition the first retained offset and the last stable one."""

    def offset_at(self, topic: str, partition: int, moment_ms: int) -> int:
        """Return the offset of the first record at or after a moment, or the end."""

    def records(self, topic: str, partition: int, start: int, end: int) -> Iterator[Record]:
        """Yield the records of one partition with offsets in [start, end)."""


class Bounds(msgspec.Struct, frozen=True):
    """How much is looked at; None: all of it.

    Attributes:
        per_second: records at most.
        records: of each topic.
        seconds: for the whole look.
    """

    per_second: float
    records: int | None = None
    seconds: float | None = None


class _Meter:
    """Lets records pass at their pace, until the time is up."""

    def __init__(
        self, bounds: Bounds, *, clock: Callable[[], float], pause: Callable[[float], None]
    ) -> None:
        self.is_spent = False
        self._clock = clock
        self._pace = Pace(bounds.per_second, clock=clock, sleep=pause)
        self._end_s = None if bounds.seconds is None else clock() + bounds.seconds

    def passing(self, records: Iterator[Record]) -> Iterator[Record]:
        """Yield records, and none once the time is up."""
        for record in records:
            if self._end_s is not None and self._clock() > self._end_s:
                self.is_spent = True
                return
            yield record
            self._pace.wait()


class Foresight:
    """Holds what was judged against a definition that may come.

    Args:
        log: where events and letters are.
        letters: reads the latter.
        topics: their names.
        rules: what a valid event is.
        clock: seconds that only grow.
        pause: waits so many seconds.

    Attributes:
        rules: likewise.
    """

    def __init__(  # noqa: PLR0913 (a clock and a pause beside what it reads)
        self,
        log: Log,
        letters: LetterReader,
        topics: Topics,
        rules: Rules,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._log = log
        self._letters = letters
        self._topics = topics
        self.rules = rules
        self._clock = clock
        self._pause = pause

    def look(
        self,
        other: EventDefinition,
        current: EventDefinition | None,
        *,
        since_ms: int,
        bounds: Bounds,
    ) -> tuple[Outlook, Outlook]:
        """Return what another definition would have done to its events, and to those in letters.

        An event that was put back into its own partition counts once, where it first lay.

        Args:
            other: the definition that may come.
            current: that is in force; None: there is none.
            since_ms: the first moment whose events are looked at; of letters, older ones are.
            bounds: of the look.

        Raises:
            BrokerError: if a topic can't be read.
        """
        name = other.org_id, other.event_name
        meter = _Meter(bounds, clock=self._clock, pause=self._pause)
        events, letters = (
            WhatIf(other, current, self.rules, topic)
            for topic in (self._topics.ingest, self._topics.dead_letter)
        )
        spans = _newest(self._since(since_ms), bounds.records)
        for record in meter.passing(self._records(self._topics.ingest, spans)):
            if not any(name == ORIGIN_HEADER for name, _ in record.headers):
                events.take(record)
        events.outlook.complete = spans.complete and not meter.is_spent
        spans = _newest(self._all_letters(), bounds.records)
        for record in meter.passing(self._records(self._topics.dead_letter, spans)):
            letter = self._letters.read(self._topics.dead_letter, record)
            # One from later is still on its topic.
            if isinstance(letter, str) or letter.origin_ms >= since_ms:
                continue
            if (event := letter.arrived()) is not None:
                letters.take(event)
            elif letter.original.told and (letter.org_id, letter.event_name) == name:
                letters.outlook.unopened[letter.original.told] += 1
        letters.outlook.complete = spans.complete and not meter.is_spent
        return events.outlook, letters.outlook

    def _since(self, since_ms: int) -> list[Span]:
        topic = self._topics.ingest
        return [
            (partition, self._log.offset_at(topic, partition, since_ms), end)
            for partition, (_, end) in self._log.bounds(topic).items()
        ]

    def _all_letters(self) -> list[Span]:
        bounds = self._log.bounds(self._topics.dead_letter)
        return [(partition, first, end) for partition, (first, end) in bounds.items()]

    def _records(self, topic: str, spans: "_Spans") -> Iterator[Record]:
        for partition, start, end in spans.spans:
            yield from self._log.records(topic, partition, start, end)


class _Spans(msgspec.Struct, frozen=True):
    """What is read of a topic, and whether that is all there is."""

    spans: list[Span]
    complete: bool


def _newest(spans: list[Span], most: int | None) -> _Spans:
    """Return spans within a bound: of each partition the same share, its newest records."""
    total = sum(max(0, end - start) for _, start, end in spans)
    if most is None or total <= most:
        return _Spans(spans, complete=True)
    shares = [max(0, end - start) * most // total for _, start, end in spans]
    bounded = [(one[0], one[2] - share, one[2]) for one, share in zip(spans, shares, strict=True)]
    return _Spans(bounded, complete=False)
