"""Placed events in, first sightings out: the memory is asked, nothing is remembered yet. Pure.

The tables answer only what was seen before this batch; then the events are taken one by one, in
offset order, with what the batch itself has accepted. Both keys of an event enter together or not
at all, and only accepted events are remembered (design.md section 3).
"""

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from loyaltystream.events import ValidEvent
from loyaltystream.memory.identity import Identity
from loyaltystream.memory.units import KeyKind, Overlay, Seen, Unit
from loyaltystream.rules import Rules
from loyaltystream.steps.stages import Accepted, Deduped, Duplicate, Placed, Rejected
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


def dedup(placed: Sequence[Placed], *, memory: Memory, identity: Identity, rules: Rules) -> Deduped:
    """Return the verdicts on events of one partition, in offset order."""
    unit = Unit(KeyKind.EVENT_ID, rules.window_days)
    ids = identity.event_ids([(found.event.org_id, found.event.event_id) for found in placed])
    answers = memory.find(unit, ids, [found.event.clock_ms for found in placed])
    unique_keys = _ask_unique_keys(placed, memory, identity)
    window_ms, covers_from_ms = rules.window_ms, memory.covers_from_ms
    overlay: Overlay = {}
    deduped = Deduped([], [], [], overlay)
    for row, (found, id_, answer) in enumerate(zip(placed, ids, answers, strict=True)):
        event, unique = found.event, unique_keys.get(row)
        known = _known(overlay, unit, id_, answer, event)
        if known != UNSEEN:
            _judge_resend(deduped, event, known)
            continue
        if unique:
            known = _known(overlay, unique.unit, unique.id, unique.known, event)
            if known != UNSEEN:
                _judge_unique_key(deduped, event, unique, known)
                continue
        known_from = max(event.clock_ms - window_ms, covers_from_ms)
        late = event.occurred_at_ms < known_from + SKEW_MS and known_from > 0
        if late and not event.definition.accepts_late:
            violation = Violation(Reason.TOO_LATE, "occurredAt", "older than the memory reaches")
            deduped.rejected.append(Rejected.of(event, violation, verdict=Verdict.LATE))
            continue
        deduped.accepted.append(Accepted(event, late))
        _remember(overlay, unit, id_, found)
        if unique:
            _remember(overlay, unique.unit, unique.id, found)
    return deduped


def _ask_unique_keys(
    placed: Sequence[Placed], memory: Memory, identity: Identity
) -> dict[int, _Key]:
    """Return the unique keys by row, for the rows that have one."""
    rows: dict[Unit, list[int]] = {}
    for row, found in enumerate(placed):
        if found.event.unique_values is not None:
            window_days = found.event.definition.uniqueness_window_days
            rows.setdefault(Unit(KeyKind.UNIQUE_KEY, window_days), []).append(row)
    keys: dict[int, _Key] = {}
    for unit, asking in rows.items():
        events = [placed[row].event for row in asking]
        ids = [
            identity.unique_key(
                event.org_id, event.event_name, event.key, event.unique_values or ()
            )
            for event in events
        ]
        answers = memory.find(unit, ids, [event.clock_ms for event in events])
        for row, id_, answer in zip(asking, ids, answers, strict=True):
            keys[row] = _Key(unit, id_, answer)
    return keys


def _known(overlay: Overlay, unit: Unit, id_: bytes, answer: int, event: ValidEvent) -> int:
    """Return the fingerprint under this key, the batch's own acceptances included, or `UNSEEN`."""
    own = overlay.get(unit)
    if own and (seen := own.get(id_)) and unit.knows(seen.generation, event.clock_ms):
        return seen.fingerprint
    return answer


def _judge_resend(deduped: Deduped, event: ValidEvent, known: int) -> None:
    if known == event.fingerprint:
        duplicate = Duplicate(event, Reason.DUPLICATE_EVENT_ID, "event-id", event.event_id)
        deduped.duplicates.append(duplicate)
    else:
        violation = Violation(Reason.CONFLICT, "eventId", "seen before with different content")
        deduped.rejected.append(Rejected.of(event, violation, verdict=Verdict.CONFLICT))


def _judge_unique_key(deduped: Deduped, event: ValidEvent, key: _Key, known: int) -> None:
    if known != event.fingerprint and event.definition.unique_key_conflicts:
        detail = "another event has this unique key and different content"
        violation = Violation(Reason.CONFLICT, "fields", detail)
        deduped.rejected.append(Rejected.of(event, violation, verdict=Verdict.CONFLICT))
    else:
        reason = Reason.DUPLICATE_UNIQUE_KEY
        deduped.duplicates.append(Duplicate(event, reason, "unique-key", key.id.hex()))


def _remember(overlay: Overlay, unit: Unit, id_: bytes, found: Placed) -> None:
    event = found.event
    seen = Seen(event.fingerprint, unit.generation(event.clock_ms), found.key_hash)
    if (own := overlay.get(unit)) is None:
        own = overlay[unit] = {}
    own[id_] = seen
