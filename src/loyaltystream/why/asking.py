"""What a person asks for in, the answer out: by id, place, unique key or customer.

Does I/O through the log.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from loyaltystream.audit.findings import Place
from loyaltystream.audit.source import source_of
from loyaltystream.avro.event_reader import EventReader
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.errors import ConfigurationError
from loyaltystream.events import RawEvent, Record
from loyaltystream.keys import murmur2
from loyaltystream.letters.letter import INGEST
from loyaltystream.letters.state import read_states
from loyaltystream.masking import mask_key
from loyaltystream.memory.lookup import holds_customer
from loyaltystream.topology import Topics
from loyaltystream.verdicts import Verdict
from loyaltystream.why.arrivals import Arrivals, ShowKey
from loyaltystream.why.firsts import Firsts
from loyaltystream.why.log import Bounds, Log
from loyaltystream.why.releases import Releases
from loyaltystream.why.routes import Routes
from loyaltystream.why.seeking import caused_from
from loyaltystream.why.sightings import Search, Searched, Waiting
from loyaltystream.why.story import Answer, Arrival, Reach, State
from loyaltystream.why.telling import Teller, in_time


class Why:
    """Answers from one look at where all topics begin and end.

    Args:
        searched: the topics, and what their records mean.
        reader: decodes accepted events.
        notified_to: tells how far NOTIFY has come.
        show_key: what is shown of a key; by default not whose it is.

    Raises:
        BrokerError: if the topics can't be read.
    """

    def __init__(
        self,
        searched: Searched,
        *,
        reader: EventReader,
        notified_to: Callable[[], Mapping[int, int]],
        show_key: ShowKey = mask_key,
    ) -> None:
        self._at = searched
        self._log: Log = searched.log
        self._topics: Topics = searched.topics
        names: Sequence[str] = msgspec.structs.astuple(searched.topics)
        self._bounds: Mapping[str, Bounds] = self._log.bounds(names)
        self._search = Search(searched, self._bounds)
        self._arrivals = Arrivals(
            self._topics,
            searched.keyer,
            signer=searched.signer,
            imports=searched.imports,
            show_key=show_key,
        )
        self._routes = Routes(
            self._log,
            self._topics,
            bounds=self._bounds,
            reader=reader,
            notified_to=notified_to,
        )
        self._firsts = Firsts(searched, search=self._search, routes=self._routes)
        topic = self._topics.letter_state
        states = read_states(self._log, topic, self._bounds[topic])
        self._releases = Releases(searched, states)
        self._teller = Teller(
            searched,
            self._arrivals,
            routes=self._routes,
            firsts=self._firsts,
            states=states,
        )

    def of_id(self, event_id: str, org_id: int | None = None) -> Answer:
        """Return everything that became of an event, before and after a release of it."""
        arrivals: dict[Place, Arrival] = {}
        notes: list[str] = []
        ids = [event_id]
        for one in ids:  # grows: each id may lead to others
            former = self._releases.former(one)
            sightings = self._search.find(one, org_id, former.body_id if former else None)
            told = self._teller.tell(sightings, one)
            arrivals |= {arrival.judged: arrival for arrival in told}
            notes += sightings.notes
            others = [former.event_id] if former and former.event_id else []
            others += self._releases.later(sightings.letters)
            ids += [other for other in others if other not in ids]
        found = tuple(sorted(arrivals.values(), key=in_time))
        return self._answer(f"event {event_id}", found, notes)

    def of_place(self, place: Place) -> Answer:
        """Return what became of the record at a place, and of its event.

        Raises:
            ConfigurationError: if the topic is none of the deployment's.
        """
        asked, source = f"record {place}", self._source(place)
        record = self._read(source) if source is not None else None
        if source is None or record is None:
            return self._answer(asked, (), [])
        event = self._at.keyer.read(record)
        if event is not None and event.event_id:
            answer = self.of_id(event.event_id, event.org_id or None)
            if any(source in {one.judged, one.received} for one in answer.arrivals):
                return msgspec.structs.replace(answer, asked=asked)
        return self._answer(asked, (self._trace(source, record, event),), [])

    def of_unique_key(
        self, definition: EventDefinition, partition_key: bytes, values: Mapping[str, str]
    ) -> Answer:
        """Return what became of the event that was accepted under a unique key.

        Raises:
            ConfigurationError: if the values make no unique key.
        """
        names = [field.name for field in definition.unique_fields]
        key = self._firsts.key(definition, partition_key, values)
        if not names or key is None:
            needed = ", ".join(names) or "no field: it has no unique key"
            raise ConfigurationError(f"the unique key of {definition.event_name} needs {needed}")
        asked, found = f"unique key of {definition.event_name}", self._firsts.find(key)
        if found is None:
            return self._answer(asked, (), [])
        answer = self.of_id(found[1].event["eventId"], definition.org_id)
        return msgspec.structs.replace(answer, asked=asked)

    def of_customer(self, partition_key: bytes) -> Answer:
        """Return every event of a customer; what accepted ones caused is left to their ids."""
        key_hash = int(murmur2([partition_key])[0])
        notes: list[str] = []
        arrivals: list[Arrival] = []
        topics, homes = self._topics, []
        for partition, deltas in self._search.homes(partition_key):
            homes.append(partition)
            ranges = [
                (delta.from_offset, delta.to_offset)
                for delta in deltas
                if holds_customer(delta, key_hash)
            ]
            arrivals += self._accepted_of(partition, partition_key, ranges)
        spans = [
            (topics.duplicates, home, *self._bounds[topics.duplicates][home]) for home in homes
        ]
        spans += [
            (topics.dead_letter, number, *span)
            for number, span in self._bounds[topics.dead_letter].items()
        ]
        for topic, record in self._log.scan(spans, lambda _topic, _value: True):
            if topic == topics.duplicates:
                if self._is_of(record, partition_key):
                    arrival = self._arrivals.duplicate(record)
                    judged = self._read(arrival.judged)
                    arrivals.append(self._arrivals.received(arrival, judged))
                continue
            letter = self._at.letters.read(topic, record)
            if isinstance(letter, str):
                notes.append(f"a letter can't be read: {letter}")
            elif letter.original.told is not None:
                notes.append(f"not every letter could be opened: {letter.original.told}")
            elif letter.stage == INGEST and self._is_of(
                Record(0, 0, -1, letter.original.key, letter.original.value), partition_key
            ):
                arrivals.append(self._arrivals.letter(letter))
        return self._answer("customer", tuple(sorted(arrivals, key=in_time)), notes)

    def _accepted_of(
        self, partition: int, partition_key: bytes, ranges: Sequence[tuple[int, int]]
    ) -> Iterator[Arrival]:
        for start, stop in ranges:
            for found in self._routes.accepted(
                partition,
                start,
                stop,
                holding=partition_key,
                matches=lambda record, _event: record.key == partition_key,
            ):
                yield self._arrivals.routed(partition, found)

    def _is_of(self, record: Record, partition_key: bytes) -> bool:
        said = self._at.keyer.key(record.value or b"", record.headers)
        return partition_key in {record.key, said}

    def _source(self, place: Place) -> Place | None:
        """Return the record of the ingest topic that a record of any topic comes from."""
        topics: Sequence[str] = msgspec.structs.astuple(self._topics)
        if place.topic not in topics:
            raise ConfigurationError(
                f"{place.topic} is no topic of this deployment: {', '.join(topics)}"
            )
        for _ in range(len(topics)):
            if place.topic == self._topics.ingest:
                return place
            record = self._read(place)
            source = source_of(record.headers) if record else None
            if source is None:
                return None
            place = source.place
        return None

    def _trace(self, place: Place, record: Record, event: RawEvent | None) -> Arrival:
        """Return the arrival of a record that no id leads to."""
        topic, partition = self._topics.dead_letter, place.partition
        span = self._bounds[topic].get(partition, (0, 0))
        caused = caused_from(
            self._log,
            (topic, partition),
            span,
            cause=(place.topic, partition),
            offset=place.offset,
        )
        for source, found in caused:
            if source.offset > place.offset:
                break
            letter = self._at.letters.read(topic, found)
            if not isinstance(letter, str):
                return self._arrivals.letter(letter)
        if record.value is None:
            return Arrival(place, place, Verdict.TOMBSTONE, received_ms=record.timestamp_ms)
        empty = RawEvent("", 0, "", (), {})
        arrival = self._arrivals.waiting(Waiting(record, event or empty))
        if not self._is_judged(place):
            return arrival
        return msgspec.structs.replace(
            arrival, verdict=State.UNKNOWN, text="neither an output nor a letter of it is retained"
        )

    def _is_judged(self, place: Place) -> bool:
        topic = self._topics.changelog
        span = topic, place.partition, *self._bounds[topic].get(place.partition, (0, 0))
        for _, record in self._log.scan([span], lambda _topic, _value: True):
            self._search.read(record)
        return self._search.is_judged(place.partition, place.offset)

    def _read(self, place: Place) -> Record | None:
        first, end = self._bounds[place.topic].get(place.partition, (0, 0))
        if not first <= place.offset < end:
            return None
        found = self._log.records(place.topic, place.partition, place.offset, place.offset + 1)
        return next(found, None)

    def _answer(self, asked: str, arrivals: tuple[Arrival, ...], notes: Sequence[str]) -> Answer:
        reach = () if arrivals else tuple(self._reach())
        return Answer(asked, bool(arrivals), arrivals, tuple(dict.fromkeys(notes)), reach)

    def _reach(self) -> Iterator[Reach]:
        topics = self._topics
        for topic in (topics.changelog, topics.duplicates, topics.dead_letter, topics.ingest):
            # A partition that lost its beginning tells least.
            cut = {number: span for number, span in self._bounds[topic].items() if span[0] > 0}
            heads = [next(self._log.records(topic, *one), None) for one in _ranges(cut)]
            moments = [record.timestamp_ms for record in heads if record is not None]
            since_ms = max(moments) if moments and len(moments) == len(cut) else None
            yield Reach(topic, since_ms, whole=not cut)


def _ranges(bounds: Bounds) -> Iterator[tuple[int, int, int]]:
    return ((partition, first, end) for partition, (first, end) in bounds.items())
