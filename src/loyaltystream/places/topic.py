"""Definitions on their topic. Does I/O through the desk."""

from collections.abc import Mapping, Sequence

from loyaltystream.definitions.applying import Applied, Step, apply
from loyaltystream.definitions.changing import Changed, Mark, disable
from loyaltystream.definitions.history import Name
from loyaltystream.definitions.limits import Limits
from loyaltystream.definitions.stored import StoredEvent
from loyaltystream.definitions.written import Written
from loyaltystream.desk import Desk
from loyaltystream.errors import ConfigurationError
from loyaltystream.places.place import Listed, last_body

_FIRST: Mark = Mark(1, 0, "")
"""Of a change that is only looked at."""


class TopicPlace:
    """The topic of a deployment.

    Args:
        name: the topic's.
        desk: reads and changes it.
        who: makes changes.
        limits: of the deployment.
    """

    def __init__(self, name: str, desk: Desk, who: str, limits: Limits) -> None:
        self.name = name
        self._desk = desk
        self._who = who
        self._limits = limits

    def listed(self) -> list[Listed]:
        """Return all events, by org and name."""
        events = self._desk.read().events
        return [
            Listed(*name, stored.state, stored.version, last_body(stored))
            for name, stored in sorted(events.items())
        ]

    def find(self, org_id: int, event_name: str) -> StoredEvent | None:
        """Return everything that is stored of an event, or None."""
        return self._desk.read().events.get((org_id, event_name))

    def preview(self, written: Sequence[Written]) -> list[Step]:
        """Return what applying definitions would change, and what would be refused."""
        events = self._desk.read().events
        return apply(events, written, mark=_FIRST, limits=self._limits).steps

    def apply(self, written: Sequence[Written]) -> list[Step]:
        """Store definitions, all or, if one is refused, none; return what became of each."""
        return apply_all(self._desk, written, who=self._who, limits=self._limits).steps

    def disable(self, org_id: int, event_name: str) -> None:
        """Reject an event from now on, for good."""

        def change(events: Mapping[Name, StoredEvent], mark: Mark) -> Changed:
            return disable(events.get((org_id, event_name)), event_name, mark=mark)

        made = self._desk.change_one(self._who, change)
        if isinstance(made, list):
            raise ConfigurationError(made[0].message)


def apply_all(desk: Desk, written: Sequence[Written], *, who: str, limits: Limits) -> Applied:
    """Store definitions, all or, if one is refused, none; return what became of each."""
    applied = Applied([], [])

    def change(events: Mapping[Name, StoredEvent], mark: Mark) -> Sequence[StoredEvent]:
        nonlocal applied
        applied = apply(events, written, mark=mark, limits=limits)
        return [] if applied.refused else applied.stored

    desk.change(who, change)
    return applied
