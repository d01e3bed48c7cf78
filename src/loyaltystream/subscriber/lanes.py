"""Records in, one at a time out: in order in each partition, and no partition holds up another.

Pure: the time is told. A lane is a partition's records; its first one is worked on until it is
settled, so no record ever overtakes another of its key.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from loyaltystream.events import Record
from loyaltystream.subscriber.outcomes import Delayed, Settled, Work

FULL: Final = 500
"""So many records of a partition are enough to work on."""


class _Lane:
    """What is left of one partition, and from when on it may be worked on."""

    def __init__(self) -> None:
        self.records: deque[Record] = deque()
        self.work: Work | None = None
        self.due_s = 0.0
        self.behind: int | None = None  # the offset behind everything that is settled


class Lanes:
    """The partitions that a subscriber has, each with its records."""

    def __init__(self) -> None:
        self._lanes: dict[int, _Lane] = {}
        self._stored: dict[int, int] = {}

    def take(self, records: Mapping[int, Iterable[Record]]) -> None:
        """Take records of any partitions, in offset order."""
        for partition, arrived in records.items():
            self._lanes.setdefault(partition, _Lane()).records.extend(arrived)

    def drop(self, partitions: Collection[int]) -> None:
        """Forget partitions: somebody else has them next."""
        for partition in partitions:
            self._lanes.pop(partition, None)
            self._stored.pop(partition, None)

    def shorten(self, partitions: Collection[int]) -> None:
        """Forget all records of partitions but the first of each, which may be worked on."""
        for lane in (self._lanes[number] for number in partitions if number in self._lanes):
            while len(lane.records) > 1:
                lane.records.pop()

    def next(self, now_s: float) -> Work | None:
        """Return the work that is due, from the partition whose turn it is."""
        for partition, lane in self._lanes.items():
            if lane.records and lane.due_s <= now_s:
                # To the end of the line: partitions take turns.
                self._lanes[partition] = self._lanes.pop(partition)
                return lane.work or Work(lane.records[0])
        return None

    def due_s(self) -> float | None:
        """Return when the next work is due, or None if there is none."""
        return min((lane.due_s for lane in self._lanes.values() if lane.records), default=None)

    def ready(self, now_s: float) -> int:
        """Return how many records may be worked on without waiting."""
        return sum(len(lane.records) for lane in self._lanes.values() if lane.due_s <= now_s)

    def full(self) -> set[int]:
        """Return the partitions that need no more records for now."""
        return {number for number, lane in self._lanes.items() if len(lane.records) >= FULL}

    def settle(self, work: Work, result: Settled | Delayed, now_s: float) -> bool:
        """Note what became of work; return whether it still was ours."""
        lane = self._lanes.get(work.record.partition)
        if lane is None or not lane.records or lane.records[0] is not work.record:
            return False
        if isinstance(result, Delayed):
            lane.work, lane.due_s = result.work, now_s + result.after_s
        else:
            lane.records.popleft()
            lane.work, lane.due_s = None, 0.0
            lane.behind = work.record.offset + 1
        return True

    def unstored(self, partitions: Collection[int] | None = None) -> dict[int, int]:
        """Return the offsets that are to be committed, and were not stored for it yet."""
        return {
            number: lane.behind
            for number, lane in self._lanes.items()
            if lane.behind is not None
            and lane.behind != self._stored.get(number)
            and (partitions is None or number in partitions)
        }

    def note_stored(self, offsets: Mapping[int, int]) -> None:
        """Note that these offsets are stored."""
        self._stored.update({number: at for number, at in offsets.items() if number in self._lanes})
