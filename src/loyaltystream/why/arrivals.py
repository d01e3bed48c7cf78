"""One record that tells of an event in, the arrival that it tells of out. Pure."""

from collections.abc import Callable, Sequence

import msgspec

from loyaltystream.audit.findings import Place
from loyaltystream.audit.source import source_of
from loyaltystream.backfill.claim import ImportSigner
from loyaltystream.events import IMPORT_HEADER, ORIGIN_HEADER, Header, Origin, RawEvent, Record
from loyaltystream.letters.letter import Letter
from loyaltystream.letters.signing import Signer
from loyaltystream.masking import mask_key
from loyaltystream.sending import Keyer
from loyaltystream.topology import Topics
from loyaltystream.verdicts import Verdict
from loyaltystream.why.routes import Found, routed_of
from loyaltystream.why.sightings import BY_ID, Waiting
from loyaltystream.why.story import Arrival, Replay, Routed, State

ShowKey = Callable[[bytes | None], str | None]
"""What is shown of a record's key."""


def reveal_key(key: bytes | None) -> str | None:
    """Return all of a key."""
    return None if key is None else key.decode(errors="backslashreplace")


class Arrivals:
    """Reads arrivals out of records.

    Args:
        topics: names of all topics.
        keyer: reads events.
        signer: tells replays from records that only claim to be one.
        imports: the same of records that an import brought.
        show_key: what is shown of a key; by default not whose it is.
    """

    def __init__(
        self,
        topics: Topics,
        keyer: Keyer,
        *,
        signer: Signer,
        imports: ImportSigner,
        show_key: ShowKey = mask_key,
    ) -> None:
        self._topics = topics
        self._keyer = keyer
        self._signer = signer
        self._imports = imports
        self._show_key = show_key

    def letter(self, letter: Letter) -> Arrival:
        """Return the arrival that ended as a letter of stage ingest."""
        return Arrival(
            judged=judged_of(letter),
            received=letter.origin,
            verdict=letter.verdict,
            received_ms=letter.origin_ms,
            judged_ms=letter.written_ms,
            org_id=letter.org_id,
            event_name=letter.event_name,
            event_id=letter.event_id,
            key=self._show_key(letter.original.key),
            size=letter.original.size,
            version=letter.version,
            reasons=letter.reasons,
            complaints=letter.complaints,
            complaint_count=letter.complaint_count,
            kept=letter.place,
            replay=self._replay(letter.original.headers, letter.original.value),
            import_id=self._import_of(letter.original.headers, letter.original.value),
        )

    def duplicate(self, record: Record) -> Arrival:
        """Return the arrival that ended among the duplicates."""
        source, event = source_of(record.headers), self._keyer.read(record)
        kept = Place(self._topics.duplicates, record.partition, record.offset)
        judged = source.place if source else kept
        return Arrival(
            judged=judged,
            received=judged,
            verdict=Verdict.DUPLICATE,
            judged_ms=record.timestamp_ms,
            org_id=event.org_id if event else None,
            event_name=event.event_name if event else None,
            event_id=_id_of(record, event),
            key=self._show_key(record.key),
            size=len(record.value or b""),
            reasons=((record.header("reason") or b"").decode(errors="replace"),),
            kept=kept,
        )

    def routed(self, partition: int, found: Found) -> Arrival:
        """Return the arrival of an accepted event, as far as its routed records tell."""
        event, record = found.event, found.records[0][1]
        judged = Place(self._topics.ingest, partition, found.offset)
        return Arrival(
            judged=judged,
            received=judged,
            verdict=Verdict.ACCEPTED,
            received_ms=event["ingestedAt"],
            judged_ms=record.timestamp_ms,
            org_id=event["orgId"],
            event_name=event["eventName"],
            event_id=event["eventId"],
            key=self._show_key(record.key),
            version=event["definitionVersion"],
            late=record.header("late") is not None,
            import_id=_import_id(record),
            routed=routed_of(found),
        )

    def waiting(self, waiting: Waiting) -> Arrival:
        """Return an arrival that nobody has judged."""
        record, event = waiting.record, waiting.event
        judged = Place(self._topics.ingest, record.partition, record.offset)
        arrival = Arrival(
            judged=judged,
            received=judged,
            verdict=State.WAITING,
            org_id=event.org_id or None,
            event_name=event.event_name or None,
            event_id=event.event_id or None,
        )
        return self.received(arrival, record)

    def received(self, arrival: Arrival, record: Record | None) -> Arrival:
        """Return the arrival with what its own record tells, if that is still there."""
        if record is None:
            return arrival
        origin = Origin.from_header(record.header(ORIGIN_HEADER) or b"")
        received, received_ms = arrival.judged, record.timestamp_ms
        if origin is not None and origin.topic == self._topics.ingest:
            received = Place(origin.topic, origin.partition, origin.offset)
            received_ms = origin.timestamp_ms
        return msgspec.structs.replace(
            arrival,
            received=received,
            received_ms=received_ms,
            key=arrival.key or self._show_key(record.key),
            size=len(record.value or b""),
            replay=self._replay(record.headers, record.value, record.timestamp_ms),
            event_id=self._released(record) or arrival.event_id,
            import_id=self._import_of(record.headers, record.value) or arrival.import_id,
        )

    def resent(self, topic: str, record: Record) -> Routed:
        """Return a record of `EMFConsumer` that was sent again."""
        place, at_ms = Place(topic, record.partition, record.offset), record.timestamp_ms
        return Routed(place, at_ms, replay=self._replay(record.headers, record.value))

    def _released(self, record: Record) -> str | None:
        """Return the id that a released event goes by: among the duplicates only its body is."""
        waiver = self._signer.waiver_of(record)
        return waiver.event_id if waiver else None

    def _import_of(self, headers: Sequence[Header], value: bytes | None) -> str | None:
        claim = self._imports.import_of(headers, value)
        return claim.import_id if claim else None

    def _replay(
        self, headers: Sequence[Header], value: bytes | None, at_ms: int | None = None
    ) -> Replay | None:
        found = self._signer.replay_of(headers, value)
        if found is None:
            return None
        spared = tuple(sorted(found.release.checks)) if found.release else ()
        return Replay(found.letter, found.attempt, at_ms, spared)


def _id_of(record: Record, event: RawEvent | None) -> str | None:
    """Return a duplicate's id: from its headers if that told, since not every dialect has one."""
    if record.header("key-kind") == BY_ID:
        return (record.header("key") or b"").decode(errors="replace")
    return event.event_id if event else None


def _import_id(record: Record) -> str | None:
    """Return the import that a routed record says: what INGEST wrote needs no proof."""
    written = record.header(IMPORT_HEADER)
    return written.decode(errors="replace") if written else None


def judged_of(letter: Letter) -> Place:
    """Return the record that became a letter; where it does not say, the first arrival."""
    return letter.source.place if letter.source else letter.origin
