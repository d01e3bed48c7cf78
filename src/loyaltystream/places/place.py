"""What can be done with definitions that many share, wherever they are kept. Pure."""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from loyaltystream.definitions.applying import Step
from loyaltystream.definitions.stored import StoredEvent
from loyaltystream.definitions.written import Written


class Listed(msgspec.Struct, frozen=True):
    """What is listed of an event: the body is of its last version, or else of its draft."""

    org_id: int
    event_name: str
    state: str
    version: int
    body: dict[str, Any]


class Place(Protocol):
    """A topic, or a service before it.

    All calls raise a ConfigurationError where what is asked for can't be done, and a BrokerError
    where the place can't be reached.
    """

    @property
    def name(self) -> str:
        """What the place is called in messages."""

    def listed(self) -> list[Listed]:
        """Return all events, by org and name."""

    def find(self, org_id: int, event_name: str) -> StoredEvent | None:
        """Return everything that is stored of an event, or None."""

    def preview(self, written: Sequence[Written]) -> list[Step]:
        """Return what applying definitions would change, and what would be refused."""

    def apply(self, written: Sequence[Written]) -> list[Step]:
        """Store definitions, all or, if one is refused, none; return what became of each."""

    def disable(self, org_id: int, event_name: str) -> None:
        """Reject an event from now on, for good."""


def last_body(stored: StoredEvent) -> dict[str, Any]:
    """Return the body of an event's last version, or else of its draft."""
    if stored.versions:
        return stored.versions[-1].body | {"version": stored.version}
    return stored.draft.body if stored.draft is not None else {"actions": []}
