"""For how long a transaction has held up each partition, of the client's statistics. Does no I/O.

A reader of what is committed gets no further than the last stable offset: the first record of the
oldest open transaction. It moves on as transactions end; if it stands still below the end, whoever
opened that transaction neither ends it nor has its time run out.
"""

import time
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

_READ: Final = "active"


class _Partition(msgspec.Struct):
    ls_offset: int = -1
    hi_offset: int = -1
    fetch_state: str = ""


class _Topic(msgspec.Struct):
    partitions: dict[str, _Partition] = {}


class _Statistics(msgspec.Struct):
    topics: dict[str, _Topic] = {}


_decode = msgspec.json.Decoder(_Statistics).decode


class Holding:
    """What holds up the partitions of one topic.

    Args:
        topic: whose partitions are read.
        now_s: a clock that only rises.
    """

    def __init__(self, topic: str, now_s: Callable[[], float] = time.monotonic) -> None:
        self._topic = topic
        self._now_s = now_s
        self._stood: dict[int, tuple[int, float]] = {}  # the last stable offset, and since when

    def note(self, statistics: str) -> None:
        """Take what the client tells of itself."""
        found = _decode(statistics).topics.get(self._topic, _Topic())
        now_s, stood = self._now_s(), dict[int, tuple[int, float]]()
        for name, partition in found.partitions.items():
            # What the client has once read it tells of for ever, as it was then.
            is_read = partition.fetch_state == _READ
            if is_read and 0 <= partition.ls_offset < partition.hi_offset:
                offset, since_s = self._stood.get(int(name), (-1, now_s))
                is_same = offset == partition.ls_offset
                stood[int(name)] = partition.ls_offset, since_s if is_same else now_s
        self._stood = stood

    def held_s(self, numbers: Iterable[int]) -> dict[int, float]:
        """Return for how long each partition has been held up at one offset; 0: it is not."""
        now_s = self._now_s()
        return {number: now_s - self._stood.get(number, (0, now_s))[1] for number in numbers}
