"""What an event is, from the bytes on the ingest topic to what is routed. Pure.

One type a stage: `Record` (as read) -> `Decoded` (a dialect understood it) -> `ValidEvent` (its
definition accepts it, its place is known). A stage never changes what an earlier one made.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec

from loyaltystream.definitions.model import EventDefinition
from loyaltystream.times import SKEW_MS
from loyaltystream.verdicts import Violation

Header = tuple[str, bytes]

MAX_ID_CHARACTERS: Final = 255
ORIGIN_HEADER: Final = "origin"
SOURCE_HEADER: Final = "src"
REVISION_HEADER: Final = "definitions"
IMPORT_HEADER: Final = "import-id"
QUIET_HEADER: Final = "import-quiet"
TRACE_HEADER: Final = "traceparent"
TYPE_HEADER: Final = "ce_type"


class Record(msgspec.Struct, frozen=True, gc=False):
    """One Kafka record as it was read; `timestamp_ms` is the broker's append time, or -1."""

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header] = ()

    def header(self, name: str) -> bytes | None:
        """Return the last header of that name, or None."""
        return dict(self.headers).get(name) if self.headers else None


def revision_header(revision: int) -> Header:
    """Return the header that tells by which revision of the definitions a batch was judged."""
    return REVISION_HEADER, str(revision).encode()


def revision_of(record: Record) -> int:
    """Return what `revision_header` wrote; 0: definitions of files, which have no revision."""
    written = record.header(REVISION_HEADER) or b""
    return int(written) if written.isdigit() and len(written) < 19 else 0


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where and when an event first arrived, before it was put into its right partition."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int

    def to_header(self) -> Header:
        """Return the header that keeps this on a re-keyed record."""
        text = f"{self.topic}/{self.partition}/{self.offset}/{self.timestamp_ms}"
        return ORIGIN_HEADER, text.encode()

    @classmethod
    def from_header(cls, value: bytes) -> "Origin | None":
        """Return what `to_header` wrote, or None for anything else."""
        try:
            topic, partition, offset, timestamp_ms = value.decode("ascii").rsplit("/", 3)
            return cls(topic, int(partition), int(offset), int(timestamp_ms))
        except ValueError:
            return None


class Identifier(msgspec.Struct, frozen=True, gc=False):
    """One way to name the customer; the value is as sent until validation normalises it."""

    type: str
    value: str
    source: str = "INSTORE"
    accountId: str | None = None  # noqa: N815 (the event's own spelling)


class RawEvent(msgspec.Struct, frozen=True):
    """The canonical event that every dialect reads into (domain.md 4.4).

    `paths` says where its dialect has what stands at a path of ours: violations name theirs.
    """

    event_id: str
    org_id: int
    event_name: str
    identifiers: tuple[Identifier, ...]
    fields: dict[str, Any]
    occurred_at_ms: int | None = None
    dialect: str = "canonical"
    event_id_origin: str = "SUPPLIED"
    profile: dict[str, Any] = {}
    till_code: str | None = None
    webhook_id: str | None = None
    referral_code: str | None = None
    referrer_id: str | None = None
    loyalty_card: str | None = None
    create_customer: bool | None = None
    trace: dict[str, str] = {}
    extensions: dict[str, Any] = {}
    paths: dict[str, str] = {}

    def place(self, path: str) -> str:
        """Return where the producer wrote what stands at a path of ours."""
        known = path
        while known and known not in self.paths:
            known = known.rpartition(".")[0]
        return (self.paths[known] + path[len(known) :]).lstrip(".") if known else path

    def placed(self, found: Violation) -> Violation:
        """Return a violation under the path that the producer knows."""
        return (
            Violation(found.reason, self.place(found.path), found.detail) if self.paths else found
        )


class PlainIdentifier(msgspec.Struct, frozen=True, gc=False):
    """An identifier of a `PlainEvent`: what was left out and what was sent can be told apart."""

    type: str
    value: str
    source: str | None = None
    accountId: str | None = None  # noqa: N815


class PlainCustomer(msgspec.Struct, frozen=True, gc=False):
    """The customer of a `PlainEvent`."""

    identifiers: Annotated[tuple[PlainIdentifier, ...], msgspec.Meta(min_length=1)]


class PlainEvent(msgspec.Struct, frozen=True, gc=False):
    """A canonical event of the usual kind, decoded without touching its customer and fields.

    Attributes are spelled as on the topic. What does not fit here exactly is read as `RawEvent`.
    """

    eventId: Annotated[str, msgspec.Meta(max_length=MAX_ID_CHARACTERS)]  # noqa: N815
    eventName: str  # noqa: N815
    orgId: int  # noqa: N815
    customer: msgspec.Raw
    fields: msgspec.Raw
    occurredAt: int | str | None = None  # noqa: N815
    tillCode: str | None = None  # noqa: N815


class Check(StrEnum):
    """What holds an event that is right in itself, and what a person may spare it."""

    EVENT_ID = "event-id"
    UNIQUE_KEY = "unique-key"
    LATE = "late"


class Import(msgspec.Struct, frozen=True, gc=False):
    """What the records of one import of history claim.

    Attributes:
        import_id: which one.
        until_ms: of its events that occurred before, none was accepted and then forgotten.
        before_ms: the clock until which that holds: beyond, what it brought is forgotten itself.
        begun_ms: when that was proven: a memory that was lost since proves nothing.
        quiet: whether its events shall cause no notifications.
    """

    import_id: str
    until_ms: int
    before_ms: int
    begun_ms: int
    quiet: bool = False

    def spares(self, occurred_at_ms: int, clock_ms: int, covers_from_ms: int) -> bool:
        """Say whether an event is known to be new if the memory does not know it.

        Args:
            occurred_at_ms: when it did.
            clock_ms: the partition's clock.
            covers_from_ms: since when its memory knows everything; 0: it was never lost.
        """
        holds = occurred_at_ms < self.until_ms and clock_ms < self.before_ms
        return holds and covers_from_ms + SKEW_MS <= max(self.begun_ms, SKEW_MS)


class Waiver(msgspec.Struct, frozen=True, gc=False):
    """What one record is spared, by headers that we signed.

    Attributes:
        checks: that are not asked of it; all others are.
        event_id: what its event goes by, whatever its body says; None: as the body says.
        imported: by which import it is spared that, and when; None: by a release, at any time.
    """

    checks: frozenset[Check]
    event_id: str | None = None
    imported: Import | None = None

    def named(self, event: RawEvent) -> RawEvent:
        """Return an event under the id that it goes by."""
        if self.event_id is None:
            return event
        return msgspec.structs.replace(event, event_id=self.event_id, event_id_origin="DERIVED")


WaiverOf = Callable[[Record], Waiver | None]
"""Tells what a record is spared; None: nothing, as almost every record is."""


def no_waiver(_record: Record) -> Waiver | None:
    """Spare no record anything: where no secret of ours tells signed headers from claims."""
    return None


class Resending(msgspec.Struct, frozen=True, gc=False):
    """That a record of `EMFConsumer` is a letter of stage `notify`, sent again.

    Attributes:
        letter: as topic/partition/offset.
        attempt: the how-manieth it is.
        version: of the definition that maps it where the version that it was judged by can't.
    """

    letter: str
    attempt: int
    version: int | None


ResendingOf = Callable[[Record], Resending | None]
"""Tells whether a record of `EMFConsumer` is one that was sent again; None: it is not."""


def no_resending(_record: Record) -> Resending | None:
    """Take no record for one that was sent again: no secret of ours tells."""
    return None


class Decoded(msgspec.Struct, frozen=True, gc=False):
    """An event that a dialect understood, and what is wrong in it.

    `clock_ms` is the partition's clock at this record: the running maximum of append times.
    """

    record: Record
    origin: Origin
    clock_ms: int
    event: RawEvent
    violations: tuple[Violation, ...] = ()


class ValidEvent(msgspec.Struct, frozen=True, gc=False):
    """An event that its definition accepts, with everything that decides its fate.

    Attributes:
        key: the partition key, UTF-8.
        fingerprint: 4 bytes over event name, key and fields, for telling resends from conflicts.
        unique_values: canonical text of the unique-key fields, or None where there are none.
        definition: that it was held against.
        value: the framed Avro `BehavioralEvent`. Made at once, while all of the event is in the
            processor's cache: making it later cost twice as much.
        masked: the same with what is sensitive hidden, for topics that may not have it; None where
            `value` is for all.
        waiver: what it is spared; None: nothing.
    """

    record: Record
    origin: Origin
    clock_ms: int
    org_id: int
    event_name: str
    event_id: str
    occurred_at_ms: int
    key: bytes
    fingerprint: int
    unique_values: tuple[str, ...] | None
    definition: EventDefinition
    value: bytes
    masked: bytes | None = None
    waiver: Waiver | None = None

    def is_spared(self, check: Check, covers_from_ms: int = 0) -> bool:
        """Say whether that check is not asked of it, by a memory that covers all since then."""
        waiver = self.waiver
        if waiver is None or check not in waiver.checks:
            return False
        claim = waiver.imported
        return claim is None or claim.spares(self.occurred_at_ms, self.clock_ms, covers_from_ms)
