"""What was accepted before, under the same unique key. Does I/O through the log.

A second reading of one partition's changelog: the key is known only from the repetition itself.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from loyaltystream.audit.findings import Place
from loyaltystream.audit.source import source_of
from loyaltystream.content import unique_texts
from loyaltystream.definitions.checking import check_fields
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.events import Record
from loyaltystream.letters.letter import Letter
from loyaltystream.memory.lookup import Wanted
from loyaltystream.memory.units import KeyKind
from loyaltystream.why.routes import Event, Found, Matches, Routes, by_unique_key
from loyaltystream.why.sightings import Search, Searched
from loyaltystream.why.story import First


class Key(msgspec.Struct, frozen=True):
    """A unique key: whose definition, under which partition key, and as the memory has it."""

    definition: EventDefinition
    partition_key: bytes
    unique_id: bytes


class Firsts:
    """Finds the event that was accepted under a unique key.

    Args:
        searched: the topics.
        search: reads changelog records.
        routes: finds accepted events.
    """

    def __init__(
        self,
        searched: Searched,
        *,
        search: Search,
        routes: Routes,
    ) -> None:
        self._at = searched
        self._search = search
        self._routes = routes

    def of_duplicate(self, record: Record, judged: Place) -> First:
        """Return what a duplicate by its unique key repeats."""
        return self._first(self._key(record), judged)

    def of_letter(self, letter: Letter, judged: Place) -> First:
        """Return what a conflict by its unique key conflicts with."""
        original = letter.original
        if original.value is None or original.truncated:
            return First(text="its unique key can't be told: the letter does not hold all of it")
        record = Record(judged.partition, 0, -1, original.key, original.value)
        return self._first(self._key(record), judged)

    def find(self, key: Key, judged: Place | None = None) -> tuple[int, Found] | None:
        """Return the last acceptance of a unique key, and its partition.

        Args:
            key: which.
            judged: what is judged there or later is not meant.
        """
        matches = self._matches(key)
        for partition, start, stop in self._ranges(key, judged):
            found = self._routes.accepted(
                partition, start, stop, holding=key.partition_key, matches=matches
            )
            if found:
                return partition, found[-1]
        return None

    def _matches(self, key: Key) -> Matches:
        """Return what knows the event of a unique key; where that is hidden, by its own record."""
        if not any(field.psi for field in key.definition.unique_fields):
            return by_unique_key(key.definition, key.unique_id, self._at.identity)

        def matches(record: Record, _event: Event) -> bool:
            source = source_of(record.headers)
            original = None if source is None else self._original(source.place)
            made = None if original is None else self._key(original)
            return made is not None and made.unique_id == key.unique_id

        return matches

    def _original(self, place: Place) -> Record | None:
        start = place.offset
        return next(self._at.log.records(place.topic, place.partition, start, start + 1), None)

    def _ranges(self, key: Key, judged: Place | None) -> list[tuple[int, int, int]]:
        """Return the partitions and offsets among which it was accepted, the latest first."""
        wanted = Wanted(KeyKind.UNIQUE_KEY, [key.unique_id])
        ranges: list[tuple[int, int, int]] = []
        for partition, deltas in self._search.homes(key.partition_key):
            before = 2**63 - 1
            if judged is not None and partition == judged.partition:
                before = judged.offset
                ranges.clear()  # where the key lay later
            found = [
                (partition, delta.from_offset, min(delta.to_offset, before))
                for delta in deltas
                if delta.from_offset < before and wanted.within(delta)
            ]
            ranges += reversed(found)
        return ranges

    def key(
        self, definition: EventDefinition, partition_key: bytes, values: Mapping[str, Any]
    ) -> Key | None:
        """Return the unique key that those values make, or None if they can't."""
        typed = check_fields(definition, values, strict=False)
        known = typed.scalars.keys() | typed.nested.keys()
        if any(field.name not in known for field in definition.unique_fields):
            return None
        texts = unique_texts(typed.value(field.name) for field in definition.unique_fields)
        names = definition.org_id, definition.event_name
        unique_id = self._at.identity.unique_key(*names, partition_key, texts)
        return Key(definition, partition_key, unique_id)

    def _key(self, record: Record) -> Key | None:
        keyer = self._at.keyer
        event, partition_key = keyer.read(record), keyer.key(record.value or b"", record.headers)
        if event is None or partition_key is None:
            return None
        definition = self._at.definitions.get((event.org_id, event.event_name))
        return None if definition is None else self.key(definition, partition_key, event.fields)

    def _first(self, key: Key | None, judged: Place) -> First:
        if key is None:
            return First(text="its unique key can't be told by the definitions in force")
        found = self.find(key, judged)
        if found is None:
            return First(text="no longer retained")
        partition, one = found
        place = Place(self._at.topics.ingest, partition, one.offset)
        return First(place, one.event["ingestedAt"], one.event["eventId"])
