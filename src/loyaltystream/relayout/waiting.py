"""Which events are not judged yet, and what becomes of them. Does I/O through its log."""

from collections.abc import Mapping
from itertools import islice
from typing import Final

import msgspec

from loyaltystream.events import ORIGIN_HEADER, Origin, Record
from loyaltystream.keys import murmur2, place
from loyaltystream.relayout.survey import Log

_CHUNK: Final = 1_000


class Waiting(msgspec.Struct, frozen=True):
    """Events that were not judged under the old layout.

    Attributes:
        events: how many, by partition.
        sent_back: those that lie where our own workers put them, and belong elsewhere under the
            new layout; an event is put into its partition only once, so these become dead letters.
    """

    events: Mapping[int, int]
    sent_back: int

    @property
    def total(self) -> int:
        """How many there are in all."""
        return sum(self.events.values())


def look_what_waits(
    log: Log, topic: str, committed: Mapping[int, int], *, before: int, after: int
) -> Waiting:
    """Return what waits in the ingest topic.

    Args:
        log: the topics.
        topic: the ingest topic's name.
        committed: the group's offsets.
        before: how many partitions the memory is for.
        after: how many it will be for.
    """
    events: dict[int, int] = {}
    sent_back = 0
    for number, (first, end) in sorted(log.settled_bounds(topic).items()):
        if number >= before:
            continue  # what came there belongs there
        records = log.records(topic, number, committed.get(number, first), end)
        while chunk := list(islice(records, _CHUNK)):
            events[number] = events.get(number, 0) + len(chunk)
            moving = [record.key or b"" for record in chunk if _was_sent_back(record)]
            sent_back += sum(home != number for home in place(murmur2(moving), after).tolist())
    return Waiting(events, sent_back)


def _was_sent_back(record: Record) -> bool:
    origin = Origin.from_header(record.header(ORIGIN_HEADER) or b"")
    here = record.partition, record.offset
    return origin is not None and (origin.partition, origin.offset) != here
