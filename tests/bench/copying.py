"""What the bare copy writes: the records that INGEST wrote of the same events, but for their words.

To the same topics and partitions, of the same sizes, under as many and as long headers, and as many
bytes of changelog: what is left between the two loops is the judging.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from loyaltystream.audit.source import source_of
from loyaltystream.events import Header, Record
from tests.shop import Shop

ROLES: Final = ("emf", "ei", "duplicates", "dead_letter")
"""Of the topics that INGEST writes to, its changelog left out."""


class Copies(msgspec.Struct, frozen=True):
    """The records that are due.

    Attributes:
        topics: each with the headers that its records get; those of INGEST differ in their digits.
        due: for each partition and offset the records, each as a topic's place and a size.
        changelog: the topic that is written to once a partition and transaction.
        bytes_an_event: that it grows by.
    """

    topics: list[tuple[str, list[Header]]]
    due: dict[int, list[tuple[tuple[int, int], ...]]]
    changelog: str
    bytes_an_event: int

    @property
    def outputs(self) -> int:
        """How many records of events there are."""
        return sum(len(copies) for partition in self.due.values() for copies in partition)

    def save(self, path: Path) -> None:
        """Write it to a file, for the process that copies."""
        path.write_bytes(msgspec.msgpack.encode(self))


def load_copies(path: Path) -> Copies:
    """Return what was saved; what is due for two events alike is one value, and soon in a cache."""
    copies = msgspec.msgpack.decode(path.read_bytes(), type=Copies)
    alike: dict[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]] = {}
    due = {
        partition: [alike.setdefault(one, one) for one in events]
        for partition, events in copies.due.items()
    }
    return msgspec.structs.replace(copies, due=due)


def copies_of(shop: Shop) -> Copies:
    """Return what INGEST wrote of all events, which it has judged."""
    topics = shop.deployment.topics
    written = {getattr(topics, role): shop.read(getattr(topics, role)) for role in ROLES}
    ends = shop.deployment.reader.settled_bounds(topics.ingest)
    events = {partition: end for partition, (_, end) in ends.items()}
    remembered = sum(len(record.value or b"") for record in shop.read(topics.changelog))
    return arrange(written, events, topics.changelog, remembered // sum(events.values()))


def arrange(
    written: Mapping[str, Sequence[Record]],
    events: Mapping[int, int],
    changelog: str,
    bytes_an_event: int,
) -> Copies:
    """Return what is due for each event.

    Args:
        written: by topic, all records that have a source.
        events: by partition, how many its input has.
        changelog: the topic of that role.
        bytes_an_event: that it grew by.

    Raises:
        ValueError: if a record has no source.
    """
    due: dict[int, list[list[tuple[int, int]]]] = {
        partition: [[] for _ in range(count)] for partition, count in events.items()
    }
    topics = []
    for place, (topic, records) in enumerate(written.items()):
        topics.append((topic, list(records[-1].headers) if records else []))
        for record in records:
            if (source := source_of(record.headers)) is None:
                raise ValueError(f"{topic}/{record.partition}/{record.offset} has no source")
            due[source.partition][source.offset].append((place, len(record.value or b"")))
    tuples = {partition: [tuple(one) for one in events] for partition, events in due.items()}
    return Copies(topics, tuples, changelog, bytes_an_event)
