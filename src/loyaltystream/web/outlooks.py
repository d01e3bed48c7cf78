"""A what-if over HTTP: a draft, or a definition in the body, held against what was judged.

Does I/O: reads topics. One at a time for each org, bounded in hours, records and seconds. An answer
tells of the org's own event only, not even how many others there are.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from loyaltystream.definitions import changing
from loyaltystream.definitions.additive import changes_beyond
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.definitions.problem import Problem
from loyaltystream.foresight import HOUR_MS, Bounds, Foresight
from loyaltystream.web.answers import RefusedError
from loyaltystream.web.book import Book
from loyaltystream.web.tokens import Token
from loyaltystream.web.turnstile import Turnstile

MOST_HOURS: Final = 168
BOUNDS: Final = Bounds(per_second=50_000, records=500_000, seconds=20.0)
ORGS_AT_ONCE: Final = 4
REST_S: Final = 10.0


class Told(msgspec.Struct, frozen=True):
    """What is answered: counts and samples of events and of letters, and what stands against it."""

    content: Mapping[str, Any]
    warnings: list[str]


class Outlooks:
    """Tells what definitions that may come would have done.

    Args:
        book: everybody's definitions.
        foresight: reads what was judged.
        clock_ms: the time.
        turnstile: lets orgs pass.
    """

    def __init__(
        self,
        book: Book,
        foresight: Foresight,
        clock_ms: Callable[[], int],
        turnstile: Turnstile,
    ) -> None:
        self._book = book
        self._foresight = foresight
        self._clock_ms = clock_ms
        self._turnstile = turnstile

    def tell(
        self, token: Token, event_name: str, body: Mapping[str, Any] | None, hours: float
    ) -> Told:
        """Return what a definition would have done to the last hours' events and older letters.

        Args:
            token: of the org whose event it is.
            event_name: which one.
            body: the definition; None: the event's draft.
            hours: how far back events are looked at.

        Raises:
            RefusedError: if there is no such definition, or the org has to wait.
            BrokerError: if a topic can't be read.
        """
        current = self._book.in_force(token, event_name)
        other = self._other(token, event_name, body)
        with self._turnstile.passing(token.org):
            since_ms = int(self._clock_ms() - hours * HOUR_MS)
            events, letters = self._foresight.look(other, current, since_ms=since_ms, bounds=BOUNDS)
        content = {
            "definition": "draft" if body is None else "body",
            "version": current.version if current else 0,
            "hours": hours,
            "events": events.of_the_event(),
            "letters": letters.of_the_event(),
        }
        beyond = changes_beyond(current, other) if current else []
        return Told(content, [f"{changing.NOT_ADDITIVE} {text}" for text in beyond])

    def _other(
        self, token: Token, event_name: str, body: Mapping[str, Any] | None
    ) -> EventDefinition:
        if body is None:
            return self._book.definition(token, event_name, draft=True)
        other = self._book.read_inline(token, body)
        if other.event_name != event_name:
            text = f"the body defines {other.event_name}, and the path names {event_name}"
            raise RefusedError([Problem("PARAMETER", text)])
        return other
