"""The independent judge: what was read in, one verdict a record out, in the order of the log.

Pure. It states the rules of design.md section 3 once more, without batches, tables or overlays.
"""

from typing import Final

import msgspec

from loyaltystream.audit.reading import Read
from loyaltystream.audit.seen import Entries, Key, SeenKeys, Sighting, generation
from loyaltystream.events import SOURCE_HEADER, Check, ValidEvent
from loyaltystream.memory.identity import Identity
from loyaltystream.memory.units import GENERATION_CODES, KeyKind, Unit
from loyaltystream.rules import Rules
from loyaltystream.steps.stages import HEADER_ALLOWANCE, Rejected
from loyaltystream.times import SKEW_MS
from loyaltystream.verdicts import Reason, Verdict, Violation

_ASTRAY_TWICE: Final = "sent back once, and not in the partition of its key again"
_OTHER_CONTENT: Final = "seen before with different content"
_OTHER_EVENT: Final = "another event has this unique key and different content"
_FRAME: Final = 10  # what a header takes in a record beyond its name and value
_TOO_LATE: Final = "older than the memory reaches"


class Resend(msgspec.Struct, frozen=True):
    """Which key of a duplicate was known."""

    reason: Reason
    key_kind: str
    key_text: str


class Judgement(msgspec.Struct, frozen=True):
    """What a record is.

    Attributes:
        rejected: the letter's content, for the verdicts that have one.
        resend: what a duplicate's headers say.
        late: whether an accepted event is older than the memory reaches.
        keys: what an accepted event is remembered by.
        sighting: what was known of its eventId.
    """

    read: Read
    verdict: Verdict
    rejected: Rejected | None = None
    resend: Resend | None = None
    late: bool = False
    keys: tuple[Key, ...] = ()
    sighting: Sighting | None = None

    @property
    def reasons(self) -> frozenset[Reason]:
        """Why it was not simply accepted."""
        if self.resend is not None:
            return frozenset({self.resend.reason})
        violations = self.rejected.violations if self.rejected else ()
        return frozenset(violation.reason for violation in violations)


class Judge:
    """Judges one partition's records one after the other.

    Args:
        identity: makes the memory's ids.
        rules: windows and sizes.
    """

    def __init__(self, identity: Identity, rules: Rules) -> None:
        self.seen = SeenKeys()
        self._identity = identity
        self._rules = rules

    def judge(self, read: Read, *, covers_from_ms: int) -> Judgement:
        """Return the verdict; nothing is remembered yet."""
        match read.subject:
            case None:
                return Judgement(read, Verdict.TOMBSTONE)
            case ValidEvent() as event if read.home == event.record.partition:
                return self._judge_placed(read, event, covers_from_ms)
            case ValidEvent() as event:
                return self._judge_astray(read, event)
            case rejected:
                return Judgement(read, rejected.verdict, rejected)

    def remember(self, judgement: Judgement, *, proven: bool) -> Entries:
        """Remember an accepted event; return its keys as the changelog has them."""
        read, event = judgement.read, judgement.read.subject
        entries: Entries = {}
        if isinstance(event, ValidEvent):
            for key in judgement.keys:
                born = generation(key[0], read.clock_ms)
                self.seen.remember(key, event.fingerprint, born=born, proven=proven)
                entries[key] = event.fingerprint, born % GENERATION_CODES, read.key_hash
        return entries

    def _judge_astray(self, read: Read, event: ValidEvent) -> Judgement:
        size = _size(event)
        if _was_sent_back(event):
            return _refuse(read, event, Violation(Reason.ASTRAY_TWICE, "", _ASTRAY_TWICE))
        if size > self._rules.max_record_bytes - HEADER_ALLOWANCE:
            detail = f"in the wrong partition, and its {size} bytes are too many to be sent back"
            return _refuse(read, event, Violation(Reason.TOO_LARGE, "", detail))
        return Judgement(read, Verdict.REKEYED)

    def _judge_placed(self, read: Read, event: ValidEvent, covers_from_ms: int) -> Judgement:
        keys = self._keys(event)
        sighting = self.seen.find(keys[0], read.clock_ms)
        if sighting:
            return _judge_resend(read, event, sighting)
        spared = _spared(read, event, covers_from_ms)
        if (
            len(keys) > 1
            and Check.UNIQUE_KEY not in spared
            and (other := self.seen.find(keys[1], read.clock_ms))
        ):
            return _judge_unique_key(read, event, other, keys[1][1])
        known_from = max(read.clock_ms - self._rules.window_ms, covers_from_ms)
        late = known_from > 0 and event.occurred_at_ms < known_from + SKEW_MS
        if late and not (event.definition.accepts_late or Check.LATE in spared):
            violation = Violation(Reason.TOO_LATE, "occurredAt", _TOO_LATE)
            return _refuse(read, event, violation, verdict=Verdict.LATE)
        return Judgement(read, Verdict.ACCEPTED, late=late, keys=keys)

    def _keys(self, event: ValidEvent) -> tuple[Key, ...]:
        """Return the eventId's key, and the unique key's where the event has one."""
        by_id = Unit(KeyKind.EVENT_ID, self._rules.window_days)
        first = by_id, self._identity.event_id(event.org_id, event.event_id)
        if event.unique_values is None:
            return (first,)
        unit = Unit(KeyKind.UNIQUE_KEY, event.definition.uniqueness_window_days)
        name, values = event.event_name, event.unique_values
        return first, (unit, self._identity.unique_key(event.org_id, name, event.key, values))


def _judge_resend(read: Read, event: ValidEvent, sighting: Sighting) -> Judgement:
    if sighting.fingerprint == event.fingerprint:
        resend = Resend(Reason.DUPLICATE_EVENT_ID, "event-id", event.event_id)
        return Judgement(read, Verdict.DUPLICATE, resend=resend, sighting=sighting)
    violation = Violation(Reason.CONFLICT, "eventId", _OTHER_CONTENT)
    conflict = _refuse(read, event, violation, verdict=Verdict.CONFLICT)
    return msgspec.structs.replace(conflict, sighting=sighting)


def _judge_unique_key(read: Read, event: ValidEvent, other: Sighting, key: bytes) -> Judgement:
    if other.fingerprint != event.fingerprint and event.definition.unique_key_conflicts:
        violation = Violation(Reason.CONFLICT, "fields", _OTHER_EVENT)
        return _refuse(read, event, violation, verdict=Verdict.CONFLICT)
    resend = Resend(Reason.DUPLICATE_UNIQUE_KEY, "unique-key", key.hex())
    return Judgement(read, Verdict.DUPLICATE, resend=resend)


def _refuse(
    read: Read, event: ValidEvent, violation: Violation, *, verdict: Verdict = Verdict.REJECTED
) -> Judgement:
    return Judgement(read, verdict, Rejected.of(event, violation, verdict=verdict))


def _spared(read: Read, event: ValidEvent, covers_from_ms: int) -> frozenset[Check]:
    """Return the checks that headers of ours spare an event, at this clock."""
    waiver = event.waiver
    if waiver is None:
        return frozenset()
    if (claim := waiver.imported) is None:
        return waiver.checks
    # History: older than was claimed, not claimed too long ago, and nothing was lost meanwhile.
    holds = event.occurred_at_ms < claim.until_ms and read.clock_ms < claim.before_ms
    if covers_from_ms > 0:
        holds = holds and covers_from_ms <= claim.begun_ms - SKEW_MS
    return waiver.checks if holds else frozenset()


def _was_sent_back(event: ValidEvent) -> bool:
    """Say whether it lay in another partition: a signed record has its origin from the start."""
    if event.waiver is not None:
        return any(name == SOURCE_HEADER for name, _ in event.record.headers)
    here = event.record.partition, event.record.offset
    return here != (event.origin.partition, event.origin.offset)


def _size(event: ValidEvent) -> int:
    """Return about how many bytes the record would take under its own key."""
    named = [len(name.encode()) + len(content or b"") for name, content in event.record.headers]
    return len(event.record.value or b"") + len(event.key) + sum(named) + _FRAME * len(named)
