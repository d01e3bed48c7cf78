"""Where an accepted event went, and what that caused. Does I/O through the log."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from loyaltystream.audit.findings import Place
from loyaltystream.audit.source import Source, source_of
from loyaltystream.avro.event_reader import EventReader
from loyaltystream.content import unique_texts
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.events import TYPE_HEADER, Record
from loyaltystream.letters.letter import Letter
from loyaltystream.memory.identity import Identity
from loyaltystream.topology import Topics
from loyaltystream.verdicts import NotifyOutcome, Violation
from loyaltystream.why.log import Bounds, Log
from loyaltystream.why.seeking import caused_from
from loyaltystream.why.story import Routed, State

Event = Mapping[str, Any]
Matches = Callable[[Record, Event], bool]
"""Says whether an event of `EMFConsumer` or `EIConsumer` is the one that is looked for."""

NOTIFICATION_ID = "ce_id"


class Found(NamedTuple):
    """An accepted event: the offset that was judged, what is in it, where it was routed."""

    offset: int
    event: Event
    records: list[tuple[str, Record]]


class Routes:
    """Finds accepted events by where they were judged.

    Args:
        log: the topics.
        topics: their names.
        bounds: of all of them.
        reader: decodes events.
        notified_to: tells how far NOTIFY has come, per partition; asked when it is needed.
    """

    def __init__(
        self,
        log: Log,
        topics: Topics,
        *,
        bounds: Mapping[str, Bounds],
        reader: EventReader,
        notified_to: Callable[[], Mapping[int, int]],
    ) -> None:
        self._log = log
        self._topics = topics
        self._bounds = bounds
        self._reader = reader
        self._notified_to = notified_to

    def accepted(
        self, partition: int, start: int, stop: int, *, holding: bytes, matches: Matches
    ) -> list[Found]:
        """Return the accepted events of a range that match, in order.

        Args:
            partition: of the ingest topic.
            start: the first offset that was judged.
            stop: the offset after the last.
            holding: bytes that their keys or values hold; others are not decoded.
            matches: which are meant.
        """
        found: dict[int, Found] = {}
        for topic in (self._topics.emf, self._topics.ei):
            for source, record in self._caused(topic, partition, start, stop):
                if holding not in (record.value or b"") and holding not in (record.key or b""):
                    continue
                event = self._reader.read(record.value or b"")
                if not isinstance(event, Violation) and matches(record, event):
                    found.setdefault(source.offset, Found(source.offset, event, []))
                    found[source.offset].records.append((topic, record))
        return [found[offset] for offset in sorted(found)]

    def notified(self, routed: Place) -> tuple[str, tuple[Routed, ...]]:
        """Return what NOTIFY made of a record of `EMFConsumer`, as far as topics tell."""
        topic = self._topics.notifications
        notified = []
        for partition, span in self._bounds[topic].items():
            caused = caused_from(
                self._log,
                (topic, partition),
                span,
                cause=(routed.topic, routed.partition),
                offset=routed.offset,
            )
            for source, record in caused:
                if source.offset > routed.offset:
                    break
                notified.append((source.ordinal, _notification(topic, record)))
        if notified:
            return NotifyOutcome.NOTIFIED, tuple(one for _, one in sorted(notified, key=_ordinal))
        done = self._notified_to().get(routed.partition, 0) > routed.offset
        return NotifyOutcome.SILENT if done else State.WAITING, ()

    def resent(self, letter: Letter, judged: Place) -> Record | None:
        """Return the record that sent a letter of stage notify again, if it is still there.

        Args:
            letter: which one.
            judged: the record that could not be mapped.
        """
        topic, needle = self._topics.emf, (letter.event_id or "").encode()
        bounds = {**self._bounds[topic]}
        _, end = bounds[judged.partition]
        bounds[judged.partition] = judged.offset + 1, end  # in it, but for a relayout
        spans = [(topic, partition, *span) for partition, span in bounds.items()]
        for _, record in self._log.scan(spans, lambda _topic, value: needle in value):
            source = source_of(record.headers)
            if source is not None and source.place == letter.place:
                return record
        return None

    def _caused(
        self, topic: str, partition: int, start: int, stop: int
    ) -> Iterator[tuple[Source, Record]]:
        span = self._bounds[topic].get(partition, (0, 0))
        cause = self._topics.ingest, partition
        for source, record in caused_from(
            self._log, (topic, partition), span, cause=cause, offset=start
        ):
            if source.offset >= stop:
                return
            yield source, record


def by_id(event_id: str, org_id: int) -> Matches:
    """Return what knows an event by its id."""
    return lambda _record, event: event["eventId"] == event_id and event["orgId"] == org_id


def by_unique_key(definition: EventDefinition, unique_id: bytes, identity: Identity) -> Matches:
    """Return what knows an event by its unique key, as the memory has it."""
    names = [field.name for field in definition.unique_fields]
    of_event = definition.org_id, definition.event_name

    def matches(record: Record, event: Event) -> bool:
        values = [event["fields"].get(name, event["nested"].get(name)) for name in names]
        if (event["orgId"], event["eventName"]) != of_event or None in values:
            return False
        made = identity.unique_key(*of_event, record.key or b"", unique_texts(values))
        return made == unique_id

    return matches


def routed_of(found: Found) -> tuple[Routed, ...]:
    """Return where an accepted event lies now."""
    return tuple(
        Routed(Place(topic, record.partition, record.offset), record.timestamp_ms)
        for topic, record in found.records
    )


def _notification(topic: str, record: Record) -> Routed:
    kind = (record.header(TYPE_HEADER) or b"").decode(errors="replace").rpartition(".")[2]
    made = (record.header(NOTIFICATION_ID) or b"").decode(errors="replace")
    place = Place(topic, record.partition, record.offset)
    return Routed(place, record.timestamp_ms, kind or None, made or None)


def _ordinal(notified: Sequence[Any]) -> int:
    return int(notified[0])
