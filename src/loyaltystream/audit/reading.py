"""Records in, what they say out: always the careful reading, one record at a time. Pure.

None of the quick paths of the pipeline is taken here, so a fault in one of them shows.
"""

from collections.abc import Callable, Sequence

import msgspec

from loyaltystream.definitions.registry import Definitions
from loyaltystream.dialects import reading
from loyaltystream.events import ORIGIN_HEADER, Decoded, Origin, RawEvent, Record, ValidEvent
from loyaltystream.keys import murmur2, place
from loyaltystream.partitioning import PartitionBy
from loyaltystream.rules import Rules
from loyaltystream.steps.stages import Rejected
from loyaltystream.times import SKEW_MS
from loyaltystream.validation.careful import validate
from loyaltystream.verdicts import Violation

Views = Callable[[int], Definitions]
"""Gives the definitions that were in force at a revision; 0: those of files."""


class Read(msgspec.Struct, frozen=True):
    """One record after reading and validation; `subject` None is a tombstone.

    Attributes:
        clock_ms: the partition's clock at this record.
        event: the event as far as it could be read, for naming it.
        home: the partition of a valid event's key.
        key_hash: the key's murmur2.
        replayed: whether it is a letter that somebody sent again, as we signed.
    """

    record: Record
    clock_ms: int
    subject: ValidEvent | Rejected | None
    event: RawEvent | None = None
    home: int = -1
    key_hash: int = 0
    replayed: bool = False


class Reader:
    """Reads the records of one input partition.

    Args:
        topic: the ingest topic's name.
        definitions: gives the view of a revision, which records are held against.
        rules: what a valid event is.
    """

    def __init__(self, topic: str, *, definitions: Views, rules: Rules) -> None:
        self._topic = topic
        self._definitions = definitions
        self._rules = rules

    def read(
        self, records: Sequence[Record], clock_ms: int, *, partitions: int, revision: int
    ) -> list[Read]:
        """Return what each record says, in order.

        Args:
            records: of one partition.
            clock_ms: its clock before the first.
            partitions: how many the topic had when they were judged.
            revision: of the definitions that they were judged by.
        """
        definitions = self._definitions(revision)
        read = []
        for record in records:
            clock_ms = max(clock_ms, record.timestamp_ms)
            read.append(self._read(record, clock_ms, definitions))
        valid = [one for one in read if isinstance(one.subject, ValidEvent)]
        hashes = murmur2([one.subject.key for one in valid if isinstance(one.subject, ValidEvent)])
        homes = place(hashes, partitions)
        placed = {
            one.record.offset: (home, key_hash)
            for one, home, key_hash in zip(valid, homes.tolist(), hashes.tolist(), strict=True)
        }
        return [
            msgspec.structs.replace(one, home=found[0], key_hash=found[1])
            if (found := placed.get(one.record.offset))
            else one
            for one in read
        ]

    def _read(self, record: Record, clock_ms: int, definitions: Definitions) -> Read:
        if record.value is None:
            return Read(record, clock_ms, None)
        origin = self._origin(record, clock_ms)
        read = reading.read(record, origin, find=definitions.find, rules=self._rules)
        if isinstance(read, Violation):
            return Read(record, clock_ms, Rejected(record, origin, clock_ms, (read,)))
        waiver = self._rules.waiver_of(record)
        event = read[0] if waiver is None else waiver.named(read[0])
        decoded = Decoded(record, origin, clock_ms, event, read[1])
        subject = validate(decoded, definitions=definitions, rules=self._rules)
        if waiver is not None and isinstance(subject, ValidEvent):
            subject = msgspec.structs.replace(subject, waiver=waiver)
        if self._rules.partition_by is PartitionBy.EVENT_ID and isinstance(subject, ValidEvent):
            key = f"{subject.org_id}|{subject.event_id}".encode()
            subject = msgspec.structs.replace(subject, key=key)
        replayed = self._rules.resending_of(record) is not None
        return Read(record, clock_ms, subject, event, replayed=replayed)

    def _origin(self, record: Record, clock_ms: int) -> Origin:
        """Return where the event first arrived: as a re-keyed record says, if it may be ours."""
        written = record.header(ORIGIN_HEADER) or b""
        kept = Origin.from_header(written)
        if kept is not None and kept.to_header()[1] == written and self._is_ours(kept, clock_ms):
            return kept
        arrived_ms = record.timestamp_ms if record.timestamp_ms > 0 else clock_ms
        return Origin(self._topic, record.partition, record.offset, arrived_ms)

    def _is_ours(self, origin: Origin, clock_ms: int) -> bool:
        return (
            origin.topic == self._topic
            and 0 <= origin.partition < 2**31
            and 0 <= origin.offset < 2**63
            and 0 <= origin.timestamp_ms <= clock_ms + SKEW_MS
        )
