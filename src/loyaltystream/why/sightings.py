"""An event's id in, every place that knows of it out. Does I/O through the log.

The changelog is the index: it tells by id in which range of offsets an event was accepted. What was
not accepted is in no index, so duplicates and letters are read through; only values that hold the
id's bytes are looked at more closely. Last come the records that are not judged yet.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from loyaltystream.backfill.claim import ImportSigner
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.errors import StateError
from loyaltystream.events import RawEvent, Record
from loyaltystream.keys import murmur2, place
from loyaltystream.letters.letter import Letter, LetterReader
from loyaltystream.letters.signing import Signer
from loyaltystream.memory import relaid
from loyaltystream.memory.changelog import Delta, Layout
from loyaltystream.memory.identity import Identity
from loyaltystream.memory.lookup import Wanted
from loyaltystream.memory.relaid import Entry, Moved, Switched
from loyaltystream.memory.units import KeyKind
from loyaltystream.sealing.originals import AES_GCM
from loyaltystream.sending import Keyer
from loyaltystream.topology import Topics
from loyaltystream.why.log import Bounds, Log

_ESCAPE: Final = b"\\"
_ID_KEY: Final = b'"eventId"'
_SEALED: Final = AES_GCM.encode()
BY_ID: Final = b"event-id"


Named = Mapping[tuple[int, str], EventDefinition]
"""Definitions by org and event name."""


class Accepted(msgspec.Struct, frozen=True):
    """Offsets of one partition, in [start, stop), among which an id was accepted.

    Attributes:
        partitions: how many there were then.
    """

    partition: int
    partitions: int
    start: int
    stop: int
    clock_ms: int
    org_id: int


class Waiting(msgspec.Struct, frozen=True):
    """A record of the ingest topic that is not judged yet, or left nothing."""

    record: Record
    event: RawEvent


class Sightings(msgspec.Struct):
    """All that knows of an id."""

    accepted: list[Accepted] = []
    duplicates: list[Record] = []
    letters: list[Letter] = []
    mentions: list[Letter] = []
    waiting: list[Waiting] = []
    notes: list[str] = []


class Searched(msgspec.Struct, frozen=True):
    """What a search goes through, and what its records mean.

    Attributes:
        layout: what remembered ids depend on.
        identity: makes them.
        letters: reads dead letters.
        definitions: by org and event name; their orgs are tried where nobody names one.
        keyer: reads events, and tells their partition keys.
        signer: tells replays from claims.
        imports: tells what an import brought from claims.
    """

    log: Log
    topics: Topics
    layout: Layout
    identity: Identity
    letters: LetterReader
    definitions: Named
    keyer: Keyer
    signer: Signer
    imports: ImportSigner


class Search:
    """Looks for one event.

    Args:
        searched: the topics.
        bounds: of all of them.
    """

    def __init__(self, searched: Searched, bounds: Mapping[str, Bounds]) -> None:
        self._at = searched
        self._bounds = bounds
        self._judged: dict[int, int] = {}
        self._damaged = self._foreign = 0

    def find(self, event_id: str, org_id: int | None, body_id: str | None = None) -> Sightings:
        """Return what is known of an id, in one org or in all.

        Args:
            event_id: what the event goes by.
            org_id: whose it is.
            body_id: what its bytes say instead, where it was released.

        Raises:
            BrokerError: if the topics can't be read.
        """
        topics, found = self._at.topics, Sightings()
        needle, body = event_id.encode(), (body_id or event_id).encode()
        known = {org for org, _ in self._at.definitions}
        orgs = sorted(known) if org_id is None else [org_id]
        ids = {self._at.identity.event_id(org, event_id): org for org in orgs}
        wanted = Wanted(KeyKind.EVENT_ID, list(ids))

        def wants(topic: str, value: bytes) -> bool:
            named = needle in value or body in value or _may_hide(topics, topic, value)
            return named or topic == topics.changelog

        spans = [
            (topic, partition, *span)
            for topic in (topics.changelog, topics.duplicates, topics.dead_letter)
            for partition, span in self._bounds[topic].items()
        ]
        for topic, record in self._at.log.scan(spans, wants):
            if topic == topics.changelog:
                if isinstance(delta := self.read(record), Delta):
                    found.accepted += [
                        _range(record, delta, ids[one]) for one in wanted.within(delta)
                    ]
            elif topic == topics.duplicates:
                if self._repeats(record, event_id, org_id):
                    found.duplicates.append(record)
            else:
                self._sort_letter(found, record, event_id, org_id)
        found.waiting = list(self._find_waiting(event_id, org_id, body))
        found.notes += self._tell_changelog()
        return found

    def homes(self, partition_key: bytes) -> Iterator[tuple[int, Iterator[Delta]]]:
        """Yield the partitions in which a key was judged, and what was accepted there.

        The latest comes first; before a relayout a key may have lain elsewhere. A partition's
        deltas have to be read to their end before the next one is asked for.
        """
        hashed, counts = murmur2([partition_key]), [self._at.layout.partitions]
        read = set[int]()
        for count in counts:
            home = int(place(hashed, count)[0])
            if home not in read:
                read.add(home)
                yield home, self._deltas(home, counts)

    def _deltas(self, partition: int, counts: list[int]) -> Iterator[Delta]:
        """Yield a partition's deltas; note how many partitions there were before."""
        topic = self._at.topics.changelog
        span = topic, partition, *self._bounds[topic].get(partition, (0, 0))
        for _, record in self._at.log.scan([span], lambda _topic, _value: True):
            match self.read(record):
                case Delta() as delta:
                    yield delta
                case Switched(partitions_before=before) if before not in counts:
                    counts.append(before)

    def read(self, record: Record) -> Entry | None:
        """Return what a changelog record says, if it can be read and its ids are ours.

        What was accepted under another count of partitions is still where it was.
        """
        try:
            entry = relaid.read(record.value or b"")
        except (StateError, ValueError):
            self._damaged += 1
            return None
        if not isinstance(entry, Moved):
            judged = entry.offset if isinstance(entry, Switched) else entry.to_offset
            self._judged[record.partition] = max(self._judged.get(record.partition, 0), judged)
        if not entry.layout.makes_same_ids(self._at.layout):
            self._foreign += 1
            return None
        return entry

    def is_judged(self, partition: int, offset: int) -> bool:
        """Say whether a record was judged by what the changelog said when it was read."""
        return offset < self._judged_to(partition)

    def _judged_to(self, partition: int) -> int:
        """Return the first offset that is not judged; without a changelog left, none waits."""
        first, _ = self._bounds[self._at.topics.changelog].get(partition, (0, 0))
        return self._judged.get(partition, 2**63 - 1 if first else 0)

    def _sort_letter(
        self, found: Sightings, record: Record, event_id: str, org_id: int | None
    ) -> None:
        letter = self._at.letters.read(self._at.topics.dead_letter, record)
        if isinstance(letter, str):
            found.notes.append(f"a letter can't be read: {letter}")
        elif letter.event_id == event_id and org_id in {None, letter.org_id}:
            found.letters.append(letter)
        elif letter.event_id:
            return
        elif letter.original.told is not None:
            found.notes.append(f"not every letter could be opened: {letter.original.told}")
        elif f'"{event_id}"'.encode() in (letter.original.value or b""):
            found.mentions.append(letter)

    def _find_waiting(self, event_id: str, org_id: int | None, needle: bytes) -> Iterator[Waiting]:
        topic = self._at.topics.ingest
        spans = [
            (topic, partition, max(first, self._judged_to(partition)), end)
            for partition, (first, end) in self._bounds[topic].items()
        ]
        for _, record in self._at.log.scan(
            spans, lambda _topic, value: needle in value or _hides_id(value)
        ):
            if (event := self._named(record, event_id, org_id)) is not None:
                yield Waiting(record, event)

    def _named(self, record: Record, event_id: str, org_id: int | None) -> RawEvent | None:
        """Return the event in a record if it is the one that is meant."""
        event = self._at.keyer.read(record)
        if event is None or event.event_id != event_id or org_id not in {None, event.org_id}:
            return None
        return event

    def _repeats(self, record: Record, event_id: str, org_id: int | None) -> bool:
        """Say whether a duplicate is the one that is meant: its headers have its id, if it told."""
        if record.header("key-kind") != BY_ID:
            return self._named(record, event_id, org_id) is not None
        event = self._at.keyer.read(record)
        same_org = event is None or org_id in {None, event.org_id}
        return same_org and record.header("key") == event_id.encode()

    def _tell_changelog(self) -> Iterator[str]:
        if self._damaged:
            yield f"{self._damaged} changelog records can't be read; `loyaltystream audit` tells"
        if self._foreign:
            yield (
                f"{self._foreign} changelog records were made with another hash key or key rule: "
                f"what they accepted is not found by its id"
            )


def _may_hide(topics: Topics, topic: str, value: bytes) -> bool:
    """Say whether an id may stand in other bytes than its own, sealed, or not in the value."""
    if topic == topics.dead_letter:
        return _SEALED in value
    return topic == topics.duplicates and _hides_id(value)


def _hides_id(value: bytes) -> bool:
    return _ESCAPE in value or _ID_KEY not in value


def _range(record: Record, delta: Delta, org_id: int) -> Accepted:
    return Accepted(
        record.partition,
        delta.layout.partitions,
        delta.from_offset,
        delta.to_offset,
        delta.clock_ms,
        org_id,
    )
