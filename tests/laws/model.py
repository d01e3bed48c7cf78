"""What the memory means, said with a dictionary: one entry a key, generations counted in full."""

from loyaltystream.events import ValidEvent
from loyaltystream.times import DAY_MS, SKEW_MS

_PER_WINDOW = 10
_WINDOW_DAYS = 30


class Model:
    """Judges valid events of one partition, one after the other."""

    def __init__(self) -> None:
        self._seen: dict[tuple[object, ...], tuple[int, int]] = {}

    def judge(self, event: ValidEvent) -> str:
        """Return the verdict; an accepted event is remembered at once."""
        days = event.definition.uniqueness_window_days
        by_id = ("id", event.org_id, event.event_id)
        by_key = ("key", event.org_id, event.event_name, event.key, event.unique_values)
        known = self._known(by_id, event, _WINDOW_DAYS)
        if known is not None:
            return "duplicate" if known == event.fingerprint else "conflict"
        if event.unique_values is not None and self._known(by_key, event, days) is not None:
            return "duplicate"
        known_from = event.clock_ms - _WINDOW_DAYS * DAY_MS
        late = event.occurred_at_ms < known_from + SKEW_MS
        if late and not event.definition.accepts_late:
            return "late"
        self._seen[by_id] = _generation(event.clock_ms, _WINDOW_DAYS), event.fingerprint
        if event.unique_values is not None:
            self._seen[by_key] = _generation(event.clock_ms, days), event.fingerprint
        return "accepted"

    def _known(self, key: tuple[object, ...], event: ValidEvent, days: int) -> int | None:
        born, fingerprint = self._seen.get(key, (-_PER_WINDOW - 1, 0))
        age = _generation(event.clock_ms, days) - born
        return fingerprint if age <= _PER_WINDOW else None


def _generation(clock_ms: int, days: int) -> int:
    return clock_ms * _PER_WINDOW // (days * DAY_MS)
