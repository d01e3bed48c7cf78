"""The topic of definitions as tests write it: changes made by the real rules, in a list."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from loyaltystream.definitions.changing import Changed, Mark, create, disable, replace
from loyaltystream.definitions.history import History
from loyaltystream.definitions.stored import StoredEvent, encode, key_of
from loyaltystream.events import Record
from tests.core import EVENT_SCHEMA_ID, NOW_MS, define

TOPIC: Final = "event-definitions"


class Topic:
    """Records in order, each revision one."""

    def __init__(self) -> None:
        self.records: list[Record] = []
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

    def append(self, key: bytes | None, value: bytes | None) -> None:
        """Append any record."""
        self.records.append(Record(0, len(self.records), NOW_MS, key, value))

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


class ListedLog:
    """A topic that a reader has read up to somewhere; `away` has the broker not answer."""

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.heard = 0
        self.read = 0
        self.away: Exception | None = None

    def hear(self) -> None:
        """Have the client fetch what is there, so that it is news."""
        self.heard = len(self.topic.records)

    def news(self) -> list[Record]:
        return self._take(self.heard)

    def rest(self) -> list[Record]:
        if self.away is not None:
            raise self.away
        return self._take(len(self.topic.records))

    def _take(self, end: int) -> list[Record]:
        taken = self.topic.records[self.read : end]
        self.read = max(self.read, end)
        return taken
