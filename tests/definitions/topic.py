"""The topic of definitions as tests write it: changes made by the real rules, in a list."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from loyaltystream.definitions.changing import Changed, Mark, create, disable, replace
from loyaltystream.definitions.history import History
from loyaltystream.definitions.stored import StoredEvent, encode, key_of
from loyaltystream.testing.definitions import MemoryTopic
from tests.core import EVENT_SCHEMA_ID, NOW_MS, define

TOPIC: Final = "event-definitions"


class Topic(MemoryTopic):
    """Records in order, each revision one."""

    def __init__(self) -> None:
        super().__init__()
        self.events: dict[tuple[int, str], StoredEvent] = {}

    @property
    def mark(self) -> Mark:
        """The next change."""
        last = max((stored.revision for stored in self.events.values()), default=0)
        return Mark(last + 1, NOW_MS, "a test")

    def create(self, body: Mapping[str, Any], org_id: int = 1800, **how: bool) -> StoredEvent:
        """Define a new event."""
        return self._change(create, body, org_id, **how)

    def replace(self, body: Mapping[str, Any], org_id: int = 1800, **how: bool) -> StoredEvent:
        """Give an event its next version."""
        return self._change(replace, body, org_id, **how)

    def disable(self, event_name: str, org_id: int = 1800) -> StoredEvent:
        """Disable an event for good."""
        known = self.events.get((org_id, event_name))
        return self.write(disable(known, event_name, mark=self.mark))

    def write(self, made: Changed) -> StoredEvent:
        """Append what is to be stored."""
        assert isinstance(made, StoredEvent), made
        self.events[made.name] = made
        self.append(key_of(*made.name), encode(made))
        return made

    def history(self, upto: int | None = None) -> History:
        """Return what a reader knows who has read so many records."""
        history = History(TOPIC, EVENT_SCHEMA_ID)
        history.learn(self.records[:upto])
        return history

    def _change(
        self, change: Callable[..., Changed], body: Mapping[str, Any], org_id: int, **how: bool
    ) -> StoredEvent:
        definition = define(body, org_id)
        known = self.events.get((org_id, definition.event_name))
        return self.write(change(known, definition, dict(body), mark=self.mark, **how))
