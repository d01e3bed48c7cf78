"""Which notifications were handled already, by their ids: the last so many of one process. Pure.

A subscriber that has to know more than that brings a store of its own (`Seen`).
"""

from typing import Protocol

from loyaltystream.errors import ConfigurationError


class Seen(Protocol):
    """Knows the ids of handled notifications.

    Called from one thread. What it raises is waited out: the notification is asked for, or
    remembered, again.
    """

    def has(self, notification_id: str) -> bool:
        """Say whether a notification of that id was handled."""

    def remember(self, notification_id: str) -> None:
        """Note that it was; called once its reaction has returned."""


class Window:
    """The last so many ids, in memory.

    Args:
        ids: how many; about 150 bytes each.

    Raises:
        ConfigurationError: if it would hold none.
    """

    def __init__(self, ids: int = 100_000) -> None:
        if ids < 1:
            raise ConfigurationError(f"a window of {ids} ids remembers nothing")
        self._ids = ids
        self._seen: dict[str, None] = {}

    def has(self, notification_id: str) -> bool:
        """Say whether that id is among them."""
        return notification_id in self._seen

    def remember(self, notification_id: str) -> None:
        """Put an id in front; the one that is at the end falls out."""
        self._seen.pop(notification_id, None)
        self._seen[notification_id] = None
        if len(self._seen) > self._ids:
            del self._seen[next(iter(self._seen))]
