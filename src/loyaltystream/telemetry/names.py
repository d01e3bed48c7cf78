"""Which events have labels of their own: the first that are defined. Pure.

What comes in is what records call themselves, and anybody can call an event anything; what goes out
is from a closed set, which only definitions make longer, up to a limit.
"""

from collections.abc import Iterable
from typing import Final

from loyaltystream.verdicts import EventName

MOST_NAMED: Final = 100
OTHER: Final = "other"


class EventLabels:
    """Gives the labels `org` and `event`.

    Args:
        most: how many events get a name.
    """

    def __init__(self, most: int = MOST_NAMED) -> None:
        self._most = most
        self._known: object = None
        self._named: dict[EventName, tuple[str, str]] = {}
        self._orgs: set[int | None] = set()

    def learn(self, defined: Iterable[tuple[int, str]]) -> list[tuple[str, str]]:
        """Name events that are in force; who has a name keeps it as long as the worker runs.

        Args:
            defined: in force. The same ones as last time cost nothing.

        Returns:
            The labels that there were not before.
        """
        if defined is self._known:
            return []
        self._known, before = defined, len(self._named)
        for org_id, event_name in sorted(defined):
            if len(self._named) < self._most:
                self._named.setdefault((org_id, event_name), (str(org_id), event_name))
        self._orgs = {org_id for org_id, _ in self._named}
        return list(self._named.values())[before:]

    def of(self, name: EventName) -> tuple[str, str]:
        """Return the labels of an event; `other` where nothing in force says so."""
        if (labels := self._named.get(name)) is not None:
            return labels
        return (str(name[0]) if name[0] in self._orgs else OTHER), OTHER
