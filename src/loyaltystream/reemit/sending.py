"""Sends notifications again, a few in each transaction, with how far that is. Does I/O by ports.

The notifications and the word on them are one transaction. Whoever comes under the same name fences
who was there, and goes on where that word says: so each is there once, however often it is killed.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import chain
from operator import attrgetter
from typing import Final, NamedTuple

import msgspec

from loyaltystream.events import Record
from loyaltystream.ports import Writer
from loyaltystream.reemit.choosing import Choice, Read, type_of
from loyaltystream.reemit.course import Course
from loyaltystream.reemit.journal import Entry, to_output
from loyaltystream.reemit.marking import Marker
from loyaltystream.relayout.guard import Log
from loyaltystream.tailing.reading import MERGED_PARTITIONS
from loyaltystream.topology import Output

BATCH: Final = 500
"""So many are sent in one transaction at most."""

BATCH_BYTES: Final = 8 * 1024 * 1024
"""Of so many bytes about: a transaction has seconds, not minutes."""

_in_time = attrgetter("timestamp_ms")


class Told(msgspec.Struct):
    """What became of the records that were read.

    Attributes:
        types: of those that are meant, how many of which.
        unread: places of those of which it can't be told whether they are, and why.
        offsets: how far that is.
    """

    types: Counter[str] = msgspec.field(default_factory=Counter)
    unread: list[str] = msgspec.field(default_factory=list)
    offsets: int = 0

    @property
    def meant(self) -> int:
        """How many are meant."""
        return self.types.total()


class Meant(NamedTuple):
    """A record, and whether it is meant."""

    record: Record
    is_meant: bool


class Reemitter:
    """One re-emission.

    Args:
        log: the topics.
        choice: which notifications are meant.
        read: decodes one.
        marker: makes the records.
        told: notes what became of each.
    """

    def __init__(self, log: Log, choice: Choice, *, read: Read, marker: Marker, told: Told) -> None:
        self._log = log
        self._choice = choice
        self._read = read
        self._marker = marker
        self._told = told

    def look(self, course: Course) -> Iterator[Meant]:
        """Yield all records of a course: each partition in order, and in that of time if few.

        Raises:
            BrokerError: if they can't be read.
        """
        at = {number: start for number, (start, _) in course.spans.items()}
        for record in self._records(course):
            taken, number = self._choice.takes(record, self._read), record.partition
            self._told.offsets += record.offset + 1 - at[number]
            at[number] = record.offset + 1
            if isinstance(taken, str):
                self._told.unread.append(f"{number}/{record.offset}: {taken}")
            elif taken:
                self._told.types[type_of(record)] += 1
            yield Meant(record, taken is True)

    def send(
        self, course: Course, entry: Entry, ledger: "Ledger", *, at_once: int = BATCH
    ) -> Iterator[Meant]:
        """Send what is meant; yield each record before it is sent.

        Whoever takes them may pause between two: no transaction is open then.

        Raises:
            BrokerError: if it is not known whether a transaction was committed.
        """
        done = {number: start for number, (start, _) in course.spans.items()}
        waiting: list[Output] = []
        waiting_bytes = 0
        for found in self.look(course):
            yield found
            record = found.record
            done[record.partition] = record.offset + 1
            if found.is_meant:
                waiting.append(self._marker.output(record))
                waiting_bytes += len(record.value or b"")
            if len(waiting) >= at_once or waiting_bytes > BATCH_BYTES:
                entry = ledger.write(waiting, entry, done)
                waiting, waiting_bytes = [], 0
        ends = {number: end for number, (_, end) in course.spans.items()}
        ledger.write(waiting, entry, ends)

    def _records(self, course: Course) -> Iterator[Record]:
        parts = [
            self._log.records(self._marker.source, number, start, end)
            for number, (start, end) in course.spans.items()
            if start < end
        ]
        if len(parts) > MERGED_PARTITIONS:
            return chain.from_iterable(parts)
        return merge(*parts, key=_in_time)


class Ledger(NamedTuple):
    """Writes notifications, and how far that is.

    Attributes:
        topic: that keeps it.
    """

    writer: Writer
    topic: str
    reemit_id: str

    def write(self, outputs: Sequence[Output], entry: Entry, done: dict[int, int]) -> Entry:
        """Write both, or neither; return what is kept then.

        Raises:
            BrokerError: if it is not known whether they are there.
        """
        sent = entry.sent + len(outputs)
        kept = msgspec.structs.replace(entry, sent=sent, done={**entry.done, **done})
        self.writer.write([*outputs, to_output(self.topic, self.reemit_id, kept)])
        return kept
