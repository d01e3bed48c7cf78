"""An id in, those that its event had before a release, or got by one. Does I/O through the log."""

from collections.abc import Iterator, Sequence
from functools import cached_property

import msgspec

from loyaltystream.audit.findings import Place
from loyaltystream.events import Record
from loyaltystream.letters.letter import Letter
from loyaltystream.letters.signing import released_id
from loyaltystream.letters.state import States, Step
from loyaltystream.why.sightings import Searched


class Former(msgspec.Struct, frozen=True):
    """What a released event was called before.

    Attributes:
        event_id: in its letter.
        body_id: in its bytes: the same, but for an event that was released twice.
    """

    event_id: str | None
    body_id: str | None


class Releases:
    """Which events were released, under which ids.

    Args:
        searched: the topics.
        states: what people did with letters.
    """

    def __init__(self, searched: Searched, states: States) -> None:
        self._at = searched
        self._states = states

    def former(self, event_id: str) -> Former | None:
        """Return what an event was called before it was released; None: it never was."""
        place = self._letters.get(event_id)
        letter = self._read(place) if place is not None else None
        if letter is None:
            return None
        arrived = letter.arrived()
        body = None if arrived is None else Record(0, 0, -1, None, arrived.value)
        event = None if body is None else self._at.keyer.read(body)
        return Former(letter.event_id, event.event_id if event else None)

    def later(self, letters: Sequence[Letter]) -> Iterator[str]:
        """Yield the ids under which letters were released."""
        for letter in letters:
            if self._states.of(letter.place).state is Step.RELEASED:
                yield released_id(str(letter.place))

    @cached_property
    def _letters(self) -> dict[str, Place]:
        """Return the place of each released letter by the id that it got."""
        topic = self._at.topics.dead_letter
        places = self._states.places(topic, Step.RELEASED)
        return {released_id(str(place)): place for place in places}

    def _read(self, place: Place) -> Letter | None:
        topic = self._at.topics.dead_letter
        first, end = self._at.log.bounds([topic])[topic].get(place.partition, (0, 0))
        if not first <= place.offset < end:
            return None
        span = topic, place.partition, place.offset, place.offset + 1
        for record in self._at.log.records(*span):
            letter = self._at.letters.read(topic, record)
            return None if isinstance(letter, str) else letter
        return None
