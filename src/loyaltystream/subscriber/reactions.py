"""What a subscriber does about notifications: one function for each type. Pure."""

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from loyaltystream.errors import ConfigurationError
from loyaltystream.events import Record
from loyaltystream.subscriber.records import TYPES, Notification

Kind = TypeVar("Kind", bound=Notification)
Reaction = Callable[[Kind], None]
Calling = Callable[[Reaction[Notification], Notification, Record], None]
"""Calls a reaction with the notification of a record."""


def plainly(reaction: Reaction[Notification], notification: Notification, _record: Record) -> None:
    """Call a reaction, and do nothing else."""
    reaction(notification)


class Reactions:
    """A function for each type of notification that a subscriber wants.

    Types without a function are passed over, and counted.
    """

    def __init__(self) -> None:
        self._of: dict[type[Notification], Reaction[Any]] = {}

    def on(self, kind: type[Kind]) -> Callable[[Reaction[Kind]], Reaction[Kind]]:
        """Return a decorator: the function is called with each notification of that type.

        A notification counts as handled once the function has returned. `Notification` stands for
        every type that has no function of its own.

        Raises:
            ConfigurationError: if it is no type of notification, or has a function already.
        """
        if kind is not Notification and kind not in TYPES.values():
            raise ConfigurationError(f"{kind!r} is no type of notification")
        if kind in self._of:
            raise ConfigurationError(
                f"{kind.__name__} has a reaction already: a notification is done with once one "
                f"function has returned, so call the second from the first"
            )

        def take(reaction: Reaction[Kind]) -> Reaction[Kind]:
            if iscoroutinefunction(reaction):
                raise ConfigurationError(
                    f"the reaction to {kind.__name__} is a coroutine: what it does would never "
                    f"run; call it inside of asyncio.run"
                )
            self._of[kind] = reaction
            return reaction

        return take

    def to(self, kind: type[Notification]) -> Reaction[Any] | None:
        """Return the function for a type, or None: nobody wants it."""
        return self._of.get(kind) or self._of.get(Notification)

    def __bool__(self) -> bool:
        return bool(self._of)
