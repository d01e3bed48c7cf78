"""Where the stages get their definitions from: files that never change, or a topic that goes on.

Does I/O only through its port.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from loyaltystream.definitions.history import History
from loyaltystream.definitions.registry import Definitions
from loyaltystream.errors import RetryableBrokerError
from loyaltystream.events import Record


class Source(Protocol):
    """Gives the view in force; one that was given never changes."""

    def view(self) -> Definitions:
        """Return what is in force, as far as it has been heard of."""

    def at(self, revision: int) -> Definitions:
        """Return what was in force at a revision of the topic; 0: before there was one."""

    def refresh(self) -> None:
        """Hear what came meanwhile; never waits."""

    def catch_up(self) -> bool:
        """Hear everything that is written by now; return whether there is another view.

        Raises:
            RetryableBrokerError: if that can't be done for the moment.
        """


class Fixed:
    """One view for ever: of files, which a worker reads when it starts."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def view(self) -> Definitions:
        """Return the only view."""
        return self._definitions

    def at(self, revision: int) -> Definitions:
        """Return the only view: files do not tell what they once said."""
        del revision
        return self._definitions

    def refresh(self) -> None:
        """Nothing comes."""

    def catch_up(self) -> bool:
        """Nothing was written."""
        return False


class Log(Protocol):
    """The topic of definitions, read once from its beginning on."""

    def news(self) -> Iterable[Record]:
        """Return what has come since the last call; never waits."""

    def rest(self) -> Iterable[Record]:
        """Return what is committed by now and was not returned yet; waits for it."""


class Followed:
    """The view of a topic that is followed.

    Args:
        history: what the topic has said.
        log: the topic.
        heard: told the revision of each new view, and how many events are in force.
    """

    def __init__(
        self,
        history: History,
        log: Log,
        heard: Callable[[int, int], None] = lambda _revision, _events: None,
    ) -> None:
        self._history = history
        self._log = log
        self._heard = heard
        self._view: Definitions = history.view()

    def begin(self) -> None:
        """Read the topic to its end.

        Raises:
            ConfigurationError: if a definition can't be read.
            RetryableBrokerError: if the end can't be reached for the moment, or nothing is defined.
        """
        self.catch_up()
        if not any(stored.versions for stored in self._history.events.values()):
            raise RetryableBrokerError(
                f"{self._history.topic} holds no published definition, and nothing is judged "
                f"before there is one; `loyaltystream definitions apply` writes those of files"
            )

    def view(self) -> Definitions:
        """Return what is in force, as far as it has been heard of."""
        return self._view

    def at(self, revision: int) -> Definitions:
        """Return what was in force at a revision of the topic; 0: before there was one."""
        return self._history.at(revision)

    def refresh(self) -> None:
        """Hear what came meanwhile.

        Raises:
            ConfigurationError: if a definition can't be read.
        """
        self._learn(self._log.news())

    def catch_up(self) -> bool:
        """Hear everything that is written by now; return whether there is another view.

        Raises:
            ConfigurationError: if a definition can't be read.
            RetryableBrokerError: if the end can't be reached for the moment.
        """
        return self._learn(self._log.rest())

    def _learn(self, records: Iterable[Record]) -> bool:
        learnt = self._history.learn(records)
        if learnt:
            self._view = view = self._history.view()
            self._heard(view.revision, len(view))
        return learnt
