"""What a record caused, found in a topic of millions by halving. Does I/O through the log.

A partition is judged by one owner at a time, in order: so the outputs that one input partition left
in one output partition stand there in the order of their causes. Between them may lie those of
others, which are passed over.
"""

from collections.abc import Iterator
from typing import Final

from loyaltystream.audit.source import Source, source_of
from loyaltystream.events import Record
from loyaltystream.why.log import Log

_NEAR: Final = 512
"""So few offsets are read rather than halved once more: a step costs as much as some hundreds."""

Slot = tuple[str, int]
"""A topic and a partition."""


def caused_from(
    log: Log, output: Slot, span: tuple[int, int], *, cause: Slot, offset: int
) -> Iterator[tuple[Source, Record]]:
    """Yield what the records of a partition caused in another, in order.

    Args:
        log: the topics.
        output: where to look.
        span: the offsets that it holds.
        cause: whose outputs are meant.
        offset: the first record of that which counts.
    """
    low, high = span
    while high - low > _NEAR:
        middle = (low + high) // 2
        found = next(_of(log, output, (middle, high), cause), None)
        if found is not None and found[0].offset < offset:
            low = found[1].offset + 1
        else:
            high = middle
    for source, record in _of(log, output, (low, span[1]), cause):
        if source.offset >= offset:
            yield source, record


def _of(
    log: Log, output: Slot, span: tuple[int, int], cause: Slot
) -> Iterator[tuple[Source, Record]]:
    for record in log.records(*output, *span):
        source = source_of(record.headers)
        if source is not None and (source.topic, source.partition) == cause:
            yield source, record
