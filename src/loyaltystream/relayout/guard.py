"""Lets no partition begin empty whose topic was given more of them. Does I/O through its log.

A new partition has neither a memory nor an offset, as in a deployment that begins; but customers
who are known elsewhere lie in it from now on.
"""

from collections.abc import Callable
from typing import Final

from loyaltystream.errors import StateError
from loyaltystream.memory.changelog import Layout
from loyaltystream.memory.partition import explain_layout
from loyaltystream.memory.rebuilding import UNFINISHED
from loyaltystream.memory.relaid import Entry, Moved, read
from loyaltystream.relayout.survey import Log

_FIRST_LOOK: Final = 64


def guarded(
    fresh: Callable[[int], int], log: Log, topic: str, layout: Layout
) -> Callable[[int], int]:
    """Return what says where a partition begins that was never read, once it may begin at all.

    Args:
        fresh: says where.
        log: the topics.
        topic: the changelog's name.
        layout: what ids mean now.
    """

    def start(partition: int) -> int:
        last = _last(log, topic)
        if isinstance(last, Moved):
            raise StateError(UNFINISHED)
        if last is not None and last.layout != layout:
            raise StateError(explain_layout(last.layout, layout))
        return fresh(partition)

    return start


def _last(log: Log, topic: str) -> Entry | None:
    """Return the last record of a partition that has any: a layout changes in all at once."""
    for number, (first, end) in sorted(log.settled_bounds(topic).items()):
        looked = _FIRST_LOOK
        while first < end:
            start = max(first, end - looked)
            records = list(log.records(topic, number, start, end))
            if records:
                return read(records[-1].value or b"")
            if start == first:
                break
            looked *= 8
    return None
