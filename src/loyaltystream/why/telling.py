"""Sightings of an event in, its whole story out. Does I/O through the log."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from loyaltystream.audit.findings import Place
from loyaltystream.events import Check, Record
from loyaltystream.letters.letter import INGEST, Letter
from loyaltystream.letters.signing import released_id
from loyaltystream.letters.state import States, Step
from loyaltystream.memory.relaid import sources
from loyaltystream.sending import Keyer
from loyaltystream.topology import Topics
from loyaltystream.verdicts import NotifyOutcome, Reason, Verdict
from loyaltystream.why.arrivals import Arrivals, judged_of
from loyaltystream.why.firsts import Firsts
from loyaltystream.why.log import Log
from loyaltystream.why.routes import Routes, by_id
from loyaltystream.why.sightings import Accepted, Searched, Sightings
from loyaltystream.why.story import Arrival, First

UNIQUE_KEY: Final = b"unique-key"
_REPEATS: Final = frozenset({Reason.DUPLICATE_EVENT_ID.value, Reason.CONFLICT.value})
_IN_ITS_BYTES: Final = "the id was found in its bytes, which could not be read as an event"


class Teller:
    """Makes the story of what was found.

    Args:
        searched: the topics, and what their records mean.
        arrivals: reads single records.
        routes: finds what accepted events caused.
        firsts: finds what was accepted before.
        states: what people did with letters.
    """

    def __init__(
        self,
        searched: Searched,
        arrivals: Arrivals,
        *,
        routes: Routes,
        firsts: Firsts,
        states: States,
    ) -> None:
        self._log: Log = searched.log
        self._topics: Topics = searched.topics
        self._keyer: Keyer = searched.keyer
        self._partitions = searched.layout.partitions
        self._arrivals = arrivals
        self._routes = routes
        self._firsts = firsts
        self._states = states

    def tell(self, sightings: Sightings, event_id: str) -> tuple[Arrival, ...]:
        """Return every arrival of an event, in order.

        Raises:
            BrokerError: if the topics can't be read.
        """
        accepted = [
            (arrival, found.partitions)
            for found in sightings.accepted
            for arrival in self._accepted(found, event_id, sightings.letters)
        ]
        told = [
            *(arrival for arrival, _ in accepted),
            *(self._duplicate(record) for record in sightings.duplicates),
            *(self._letter(letter) for letter in sightings.letters if letter.stage == INGEST),
            *(
                msgspec.structs.replace(self._arrivals.letter(letter), text=_IN_ITS_BYTES)
                for letter in sightings.mentions
            ),
        ]
        now = self._partitions
        told = [_with_first(arrival, accepted, now) for arrival in map(self._with_state, told)]
        known = {(arrival.judged.partition, arrival.judged.offset) for arrival in told}
        told += [
            self._arrivals.waiting(waiting)
            for waiting in sightings.waiting
            if (waiting.record.partition, waiting.record.offset) not in known
        ]
        return tuple(sorted(told, key=in_time))

    def _accepted(
        self, accepted: Accepted, event_id: str, letters: Sequence[Letter]
    ) -> Iterator[Arrival]:
        partition = accepted.partition
        found = self._routes.accepted(
            partition,
            accepted.start,
            accepted.stop,
            holding=event_id.encode(),
            matches=by_id(event_id, accepted.org_id),
        )
        if not found:
            yield self._unrouted(accepted, event_id)
        for one in found:
            arrival = self._arrivals.routed(partition, one)
            arrival = self._arrivals.received(arrival, self._read(arrival.judged))
            yield self._notified(arrival, letters)

    def _notified(self, arrival: Arrival, letters: Sequence[Letter]) -> Arrival:
        emf = [one.place for one in arrival.routed if one.place.topic == self._topics.emf]
        if not emf:
            return arrival
        refused = {judged_of(letter): letter for letter in letters if letter.stage != INGEST}
        place: Place | None = emf[0]
        while place is not None and (letter := refused.pop(place, None)) is not None:
            state = self._states.of(letter.place)
            arrival = msgspec.structs.replace(
                arrival,
                notify=NotifyOutcome.UNMAPPED.value,
                notify_letter=letter.place,
                notify_handled=None if state.state is Step.OPEN else state.told(),
                refused=letter.complaints,
            )
            sent = self._routes.resent(letter, place) if state.state is Step.REPLAYED else None
            again = self._arrivals.resent(self._topics.emf, sent) if sent else None
            place = again.place if again else None
            routed = (*arrival.routed, *([again] if again else []))
            arrival = msgspec.structs.replace(arrival, routed=routed)
        if place is None:
            return arrival
        outcome, notified = self._routes.notified(place)
        return msgspec.structs.replace(arrival, notify=outcome, notified=notified)

    def _unrouted(self, accepted: Accepted, event_id: str) -> Arrival:
        """Return an acceptance whose routed records are no longer there."""
        topic, partition = self._topics.ingest, accepted.partition
        last = accepted.stop - 1
        text = f"accepted among offsets {accepted.start} to {last} of {topic}/{partition}"
        place, record = Place(topic, partition, accepted.start), None
        for one in self._log.records(topic, partition, accepted.start, accepted.stop):
            event = self._keyer.read(one)
            if event and (event.event_id, event.org_id) == (event_id, accepted.org_id):
                place, record = Place(topic, partition, one.offset), one
                break
        arrival = Arrival(
            judged=place,
            received=place,
            verdict=Verdict.ACCEPTED,
            judged_ms=accepted.clock_ms,
            org_id=accepted.org_id,
            event_id=event_id,
            text=f"{text}; its routed records are no longer retained",
        )
        return self._arrivals.received(arrival, record)

    def _duplicate(self, record: Record) -> Arrival:
        arrival = self._arrivals.duplicate(record)
        arrival = self._arrivals.received(arrival, self._read(arrival.judged))
        if record.header("key-kind") != UNIQUE_KEY:
            return arrival
        first = self._firsts.of_duplicate(record, arrival.judged)
        return msgspec.structs.replace(arrival, first=first)

    def _letter(self, letter: Letter) -> Arrival:
        arrival = self._arrivals.letter(letter)
        if letter.held_by is not Check.UNIQUE_KEY:
            return arrival
        first = self._firsts.of_letter(letter, arrival.judged)
        return msgspec.structs.replace(arrival, first=first)

    def _with_state(self, arrival: Arrival) -> Arrival:
        """Return an arrival with what people did with its letter."""
        if arrival.kept is None or arrival.kept.topic != self._topics.dead_letter:
            return arrival
        state = self._states.of(arrival.kept)
        if state.state is Step.OPEN:
            return arrival
        told = state.told()
        if state.state is Step.RELEASED:
            told = f"{told}; as event {released_id(str(arrival.kept))}"
        return msgspec.structs.replace(arrival, handled=told, handled_ms=state.at_ms)

    def _read(self, place: Place) -> Record | None:
        found = self._log.records(place.topic, place.partition, place.offset, place.offset + 1)
        return next(found, None)


def in_time(arrival: Arrival) -> tuple[int, int, Place]:
    """Return what arrivals are sorted by: a replay was received when its event was."""
    moment = arrival.received_ms if arrival.received_ms is not None else arrival.judged_ms
    return moment or 0, arrival.judged_ms or 2**63, arrival.judged


def _with_first(
    arrival: Arrival, accepted: Sequence[tuple[Arrival, int]], partitions: int
) -> Arrival:
    """Return a repetition of an id with the acceptance that it repeats.

    Args:
        arrival: what may be one.
        accepted: all acceptances of the id, each with how many partitions there were then.
        partitions: how many there are now.
    """
    if not _REPEATS & {*arrival.reasons} or arrival.first is not None:
        return arrival
    here = arrival.judged.partition
    earlier = [
        one
        for one, before in accepted
        if one.org_id == arrival.org_id
        and one.judged.partition in {here, *sources(here, before, partitions)}
        and _precedes(one, arrival)
    ]
    first = First(text="no longer retained")
    if earlier:
        last = max(earlier, key=lambda one: (one.judged.partition == here, one.judged.offset))
        first = First(last.judged, last.received_ms, last.event_id, last.text)
    return msgspec.structs.replace(arrival, first=first)


def _precedes(one: Arrival, other: Arrival) -> bool:
    """Say whether one was judged before the other: offsets tell, or between partitions the time."""
    if one.judged.partition == other.judged.partition:
        return one.judged.offset < other.judged.offset
    return (one.judged_ms or 0) <= (other.judged_ms or 2**63)
