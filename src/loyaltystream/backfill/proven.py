"""What a memory knows of its own beginning in, up to when history can't be doubled out. Pure.

An old event that the memory does not know may still have been accepted: so long ago that it was
forgotten. That can't be in two cases.

- Nothing has been forgotten yet: the first accepted id still counts. Any old event may come.
- The event was late already when the first event was judged: it can't have been accepted since.

Either way what the import itself brings has to be remembered, or a second import would double it:
so the proof ends with the first id that is forgotten.
"""

from collections.abc import Sequence

import msgspec

from loyaltystream.memory.units import GENERATIONS, KeyKind, Unit
from loyaltystream.times import DAY_MS, SKEW_MS


class Beginning(msgspec.Struct, frozen=True):
    """What is known of the beginning of one partition's memory.

    Attributes:
        is_whole: whether its log is there from its first record on, and was never lost.
        generation: of the first accepted id that the log tells of; None: it tells of none.
    """

    is_whole: bool
    generation: int | None = None


class Proven(msgspec.Struct, frozen=True):
    """What an import may claim.

    Attributes:
        until_ms: events that occurred before are new if the memory does not know them.
        before_ms: the clock until which that holds.
        is_all_remembered: whether it holds because nothing was forgotten yet.
    """

    until_ms: int
    before_ms: int
    is_all_remembered: bool


def prove(
    beginnings: Sequence[Beginning], *, window_days: int, now_ms: int, live_since_ms: int | None
) -> Proven | None:
    """Return what an import that begins now may claim; None: nobody knows.

    Args:
        beginnings: of all partitions.
        window_days: how long an eventId is remembered.
        now_ms: the broker's time may be off by `SKEW_MS`.
        live_since_ms: an operator's word that no event was judged before; None: nobody gave it.
    """
    unit = Unit(KeyKind.EVENT_ID, window_days)
    began = unit.generation(now_ms - SKEW_MS)
    is_known = all(beginning.is_whole for beginning in beginnings)
    first = min([began, *(one.generation for one in beginnings if one.generation is not None)])
    if is_known and now_ms + SKEW_MS < (forgotten_ms := _forgotten_ms(unit, first)):
        return Proven(now_ms, forgotten_ms, is_all_remembered=True)
    if not is_known and live_since_ms is None:
        return None
    # The log knows better than somebody who says that it all began later.
    since_ms = min(unit.begins_ms(first), live_since_ms or now_ms)
    until_ms = since_ms - window_days * DAY_MS + SKEW_MS
    return Proven(until_ms, _forgotten_ms(unit, began), is_all_remembered=False)


def _forgotten_ms(unit: Unit, generation: int) -> int:
    """Return the first clock at which an id of that generation does not count any more."""
    return unit.begins_ms(generation + GENERATIONS + 1)
