"""Lets no partition begin empty whose topic was given more of them. Does I/O through its log.

A new partition has neither a memory nor an offset, as in a deployment that begins; but customers
who are known elsewhere lie in it from now on.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from loyaltystream.errors import StateError
from loyaltystream.events import Record
from loyaltystream.memory.changelog import Layout
from loyaltystream.memory.partition import explain_layout
from loyaltystream.memory.rebuilding import UNFINISHED
from loyaltystream.memory.relaid import Entry, Moved, read
from loyaltystream.tailing.reading import last_of


class Log(Protocol):
    """Topics as a read_committed consumer sees them."""

    def settled_bounds(self, topic: str) -> Mapping[int, tuple[int, int]]:
        """Return per partition the first retained offset and the end, once that is stable."""

    def records(self, topic: str, partition: int, start: int, end: int) -> Iterator[Record]:
        """Yield the committed records from `start` up to, not including, `end`."""


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
        demand_layout(log, topic, layout)
        return fresh(partition)

    return start


def demand_layout(log: Log, topic: str, layout: Layout) -> None:
    """Demand that what is remembered is remembered under the layout in force.

    Raises:
        StateError: if it is not, or a relayout was begun and not finished.
    """
    last = newest_entry(log, topic)
    if isinstance(last, Moved):
        raise StateError(UNFINISHED)
    if last is not None and last.layout != layout:
        raise StateError(explain_layout(last.layout, layout))


def newest_entry(log: Log, topic: str) -> Entry | None:
    """Return the last record of a partition that has any: a layout changes in all at once."""
    for number, span in sorted(log.settled_bounds(topic).items()):
        if (last := last_entry(log, topic, number, span)) is not None:
            return last
    return None


def last_entry(log: Log, topic: str, number: int, span: tuple[int, int]) -> Entry | None:
    """Return the last record of one partition of the changelog, if it has any."""
    found = last_of(log, topic, number, span=span, count=1)
    return read(found[0].value or b"") if found else None
