"""The log in, what it tells of each memory's beginning out. Does I/O through it."""

from collections.abc import Iterator

from loyaltystream.backfill.proven import Beginning
from loyaltystream.memory.changelog import Delta
from loyaltystream.memory.relaid import Entry, Moved, Switched, read
from loyaltystream.memory.units import KeyKind, Section, Unit
from loyaltystream.relayout.guard import Log, last_entry
from loyaltystream.topology import Topics


def beginnings(log: Log, topics: Topics, *, window_days: int) -> list[Beginning]:
    """Return how the memory of every partition began.

    Args:
        log: the topics.
        topics: their names.
        window_days: how long an eventId is remembered.

    Raises:
        BrokerError: if they can't be read.
        StateError: if a record of it is damaged.
    """
    unit = Unit(KeyKind.EVENT_ID, window_days)
    found = [
        _beginning(log, (topics.changelog, number), span, unit)
        for number, span in sorted(log.settled_bounds(topics.changelog).items())
    ]
    if any(one.generation is None for one in found):
        found += _waiting(log, topics.ingest, unit)
    return found


def _waiting(log: Log, topic: str, unit: Unit) -> Iterator[Beginning]:
    """Yield how memories may yet begin that have accepted nothing: with what waits for them."""
    for number, span in log.settled_bounds(topic).items():
        first = next(log.records(topic, number, *span), None)
        if first is not None:
            yield Beginning(is_whole=True, generation=unit.generation(first.timestamp_ms))


def _beginning(log: Log, place: tuple[str, int], span: tuple[int, int], unit: Unit) -> Beginning:
    last = last_entry(log, *place, span)
    is_whole, generation = span[0] == 0 and not _was_lost(last), None
    for record in log.records(*place, *span):
        entry = read(record.value or b"")
        is_whole = is_whole and not _was_lost(entry)
        if isinstance(entry, Switched) or not (by_id := _by_id(entry)):
            continue
        # Ids that were remembered for another window are not asked for under this one.
        is_whole = is_whole and all(section.unit == unit for section in by_id)
        generation = min(
            # In its own window, then in this one: the earliest moment that it can have been.
            unit.generation(_earliest_ms(section, entry.clock_ms))
            for section in by_id
        )
        break
    return Beginning(is_whole, generation)


def _by_id(entry: Delta | Moved) -> list[Section]:
    return [section for section in entry.sections if section.unit.kind is KeyKind.EVENT_ID]


def _earliest_ms(section: Section, clock_ms: int) -> int:
    generation = section.unit.generation_of(section.code, clock_ms)
    return section.unit.begins_ms(generation)


def _was_lost(entry: Entry | None) -> bool:
    return isinstance(entry, Delta | Switched) and entry.covers_from_ms > 0
