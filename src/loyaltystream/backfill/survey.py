"""Lines in, how many there are and of when out: what is told before an import begins. Pure."""

import msgspec

from loyaltystream.events import Record
from loyaltystream.sending import Keyer
from loyaltystream.times import occurred_at_ms


class _Timed(msgspec.Struct, gc=False):
    """The one key of an event that a survey wants."""

    occurredAt: int | str | None = None  # noqa: N815 (the event's own spelling)


_decode = msgspec.json.Decoder(_Timed).decode


class Outlook(msgspec.Struct):
    """What a history holds.

    Attributes:
        lines: that are not blank.
        before: events that occurred before the import's `until`.
        after: those that did not, or whose time nobody can tell: judged like live ones.
        first_ms: when the earliest event occurred.
        last_ms: the same of the latest.
    """

    lines: int = 0
    before: int = 0
    after: int = 0
    first_ms: int | None = None
    last_ms: int | None = None

    def take(self, moment_ms: int | None, until_ms: int) -> None:
        """Count an event of that time."""
        self.lines += 1
        if moment_ms is None or moment_ms >= until_ms:
            self.after += 1
        else:
            self.before += 1
        if moment_ms is not None:
            self.first_ms = min(moment_ms, self.first_ms or moment_ms)
            self.last_ms = max(moment_ms, self.last_ms or moment_ms)


def moment_of(value: bytes | None, keyer: Keyer) -> int | None:
    """Return when the event of a line occurred; None: it does not say, or can't be read.

    Args:
        value: the line's bytes; None: there were too many.
        keyer: reads events of any dialect.
    """
    if value is None:
        return None
    if not keyer.headers and (said := _said(value)) is not None:
        return said
    event = keyer.read(Record(0, 0, -1, None, value, keyer.headers))
    return None if event is None else event.occurred_at_ms


def _said(value: bytes) -> int | None:
    """Return what our own spelling says, at the cost of a glance."""
    try:
        moment = occurred_at_ms(_decode(value).occurredAt)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return moment if isinstance(moment, int) else None
