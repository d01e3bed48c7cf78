"""Events in, first sightings out: the memory is asked, nothing is remembered yet. Pure.

The tables answer only what was seen before this batch; then the events are taken one by one, in
offset order, with what the batch itself has accepted. Both keys of an event enter together or not
at all, and only accepted events are remembered (design.md section 3).
"""

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from loyaltystream.events import Check, ValidEvent
from loyaltystream.memory.identity import Identity
from loyaltystream.memory.units import KeyKind, Overlay, Seen, Unit
from loyaltystream.rules import Rules
from loyaltystream.steps.stages import Deduped, Duplicate, Rejected, Rekeyed
from loyaltystream.times import SKEW_MS
from loyaltystream.verdicts import Reason, Verdict, Violation

UNSEEN: Final = -1


class Memory(Protocol):
    """What a partition's memory answers."""

    @property
    def covers_from_ms(self) -> int:
        """Events before this time are not known to be new; 0: all are."""

    def find(self, unit: Unit, ids: Sequence[bytes], clocks_ms: Sequence[int]) -> list[int]:
        """Return each id's fingerprint, or `UNSEEN`, at the clock of its event."""


class _Key(msgspec.Struct, frozen=True, gc=False):
    """The unique key of one event, and the fingerprint that the memory has for it."""

    unit: Unit
    id: bytes
    known: int


def dedup(rekeyed: Rekeyed, *, memory: Memory, identity: Identity, rules: Rules) -> Deduped:
    """Return the verdicts on the events that were kept, all of one partition, in offset order."""
    events = rekeyed.kept
    unit = Unit(KeyKind.EVENT_ID, rules.window_days)
    ids = identity.event_ids(
        [event.org_id for event in events], [event.event_id for event in events]
    )
    answers = memory.find(unit, ids, [event.clock_ms for event in events])
    unique_keys = _ask_unique_keys(events, memory, identity)
    own: dict[bytes, Seen] = {}
    overlay: Overlay = {unit: own}
    deduped = Deduped([], set(), [], [], overlay)
    clock_ms, generation, late_before_ms = UNSEEN, 0, 0
    for row, (event, id_, known) in enumerate(zip(events, ids, answers, strict=True)):
        if event.clock_ms != clock_ms:
            clock_ms, generation = event.clock_ms, unit.generation(event.clock_ms)
            late_before_ms = _late_before_ms(clock_ms, memory.covers_from_ms, rules)
        if id_ in own:
            known = _known(own[id_], unit, event, known)  # noqa: PLW2901 (the batch knows better)
        if known != UNSEEN:
            _judge_resend(deduped, event, known)
            continue
        unique = unique_keys.get(row)
        if unique and _is_known(deduped, unique, event):
            continue
        if event.occurred_at_ms < late_before_ms and not _takes_late(
            deduped, event, memory.covers_from_ms
        ):
            continue
        deduped.accepted.append(event)
        key_hash = rekeyed.key_hashes[row]
        own[id_] = Seen(event.fingerprint, generation, key_hash)
        if unique:
            seen = Seen(event.fingerprint, unique.unit.generation(clock_ms), key_hash)
            overlay.setdefault(unique.unit, {})[unique.id] = seen
    return deduped


def _late_before_ms(clock_ms: int, covers_from_ms: int, rules: Rules) -> int:
    """Return the time before which events are late at that clock; 0: none is."""
    known_from_ms = max(clock_ms - rules.window_ms, covers_from_ms)
    return known_from_ms + SKEW_MS if known_from_ms > 0 else 0


def _ask_unique_keys(
    events: Sequence[ValidEvent], memory: Memory, identity: Identity
) -> dict[int, _Key]:
    """Return the unique keys by row, for the rows that have one."""
    rows: dict[Unit, list[int]] = {}
    for row, event in enumerate(events):
        if event.unique_values is not None:
            unit = Unit(KeyKind.UNIQUE_KEY, event.definition.uniqueness_window_days)
            rows.setdefault(unit, []).append(row)
    keys: dict[int, _Key] = {}
    for unit, asking in rows.items():
        found = [events[row] for row in asking]
        ids = [
            identity.unique_key(
                event.org_id, event.event_name, event.key, event.unique_values or ()
            )
            for event in found
        ]
        answers = memory.find(unit, ids, [event.clock_ms for event in found])
        for row, id_, answer in zip(asking, ids, answers, strict=True):
            keys[row] = _Key(unit, id_, answer)
    return keys


def _takes_late(deduped: Deduped, event: ValidEvent, covers_from_ms: int) -> bool:
    """Judge an event that is older than the memory reaches; say whether it is accepted."""
    if event.definition.accepts_late or event.is_spared(Check.LATE, covers_from_ms):
        deduped.late.add(event.record.offset)
        return True
    violation = Violation(Reason.TOO_LATE, "occurredAt", "older than the memory reaches")
    deduped.rejected.append(Rejected.of(event, violation, verdict=Verdict.LATE))
    return False


def _known(seen: Seen, unit: Unit, event: ValidEvent, answer: int) -> int:
    """Return the fingerprint that the batch itself has accepted, if it counts, or the memory's."""
    return seen.fingerprint if unit.knows(seen.generation, event.clock_ms) else answer


def _judge_resend(deduped: Deduped, event: ValidEvent, known: int) -> None:
    if known == event.fingerprint:
        duplicate = Duplicate(event, Reason.DUPLICATE_EVENT_ID, "event-id", event.event_id)
        deduped.duplicates.append(duplicate)
    else:
        violation = Violation(Reason.CONFLICT, "eventId", "seen before with different content")
        deduped.rejected.append(Rejected.of(event, violation, verdict=Verdict.CONFLICT))


def _is_known(deduped: Deduped, key: _Key, event: ValidEvent) -> bool:
    """Judge an event whose unique key is known; say whether it is."""
    known = key.known
    if (own := deduped.overlay.get(key.unit)) and (seen := own.get(key.id)):
        known = _known(seen, key.unit, event, known)
    if known == UNSEEN or event.is_spared(Check.UNIQUE_KEY):
        return False
    if known != event.fingerprint and event.definition.unique_key_conflicts:
        detail = "another event has this unique key and different content"
        violation = Violation(Reason.CONFLICT, "fields", detail)
        deduped.rejected.append(Rejected.of(event, violation, verdict=Verdict.CONFLICT))
    else:
        reason = Reason.DUPLICATE_UNIQUE_KEY
        deduped.duplicates.append(Duplicate(event, reason, "unique-key", key.id.hex()))
    return True
