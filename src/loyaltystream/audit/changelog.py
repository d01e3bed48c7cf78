"""The changelog of one input partition in, its readable records out, the others as findings.

Does I/O through the log. Where topics were given more partitions, the log is of several layouts one
after the other; which one a record has to be of is told by the switches between them.
"""

from collections.abc import Iterator, Mapping

import msgspec

from loyaltystream.audit.findings import Detail, Fault, Ledger, Place
from loyaltystream.audit.log import Log
from loyaltystream.audit.relayouts import Relayouts
from loyaltystream.audit.seen import Entries, SeenKeys, entries_of
from loyaltystream.errors import StateError
from loyaltystream.events import Record, revision_of
from loyaltystream.memory import relaid
from loyaltystream.memory.changelog import Delta, Layout
from loyaltystream.memory.relaid import Moved, Switched


class Entry(msgspec.Struct, frozen=True):
    """One changelog record and where it stands.

    Attributes:
        is_ours: whether it is of the layout that was in force there.
        partitions: how many the ingest topic had then.
        revision: of the definitions that what it covers was judged by; 0: files have none.
    """

    place: Place
    delta: Delta
    is_ours: bool
    partitions: int
    revision: int = 0

    @property
    def start(self) -> int:
        """The first offset that it covers."""
        return self.delta.from_offset

    @property
    def end(self) -> int:
        """The offset behind the last one."""
        return self.delta.to_offset


class Switch(msgspec.Struct, frozen=True):
    """Where another layout comes into force.

    Attributes:
        seen: the keys that were moved here.
    """

    place: Place
    switched: Switched
    seen: SeenKeys

    @property
    def start(self) -> int:
        """The first offset that is judged under it."""
        return self.switched.offset

    end = start

    @property
    def partitions(self) -> int:
        """How many the ingest topic had before."""
        return self.switched.partitions_before


class Changelog:
    """Reads the changelog of one input partition.

    Args:
        topic: its name.
        bounds: per partition the first retained offset and the end.
        layout: what its ids have to be made with in the end.
        ledger: takes what can't be read.

    Attributes:
        partitions: how many the ingest topic has now.
        relayouts: what was to be moved, and was.
    """

    def __init__(
        self,
        log: Log,
        topic: str,
        *,
        bounds: Mapping[int, tuple[int, int]],
        layout: Layout,
        ledger: Ledger,
    ) -> None:
        self._log = log
        self._topic = topic
        self._bounds = bounds
        self._layout = layout
        self._ledger = ledger
        self.partitions = layout.partitions
        self.relayouts = Relayouts(topic, ledger)

    def entries(self, partition: int) -> Iterator[Entry | Switch]:
        """Yield the records that can be read, in order of the log."""
        # The layouts in force, one after the other: the first is that of the next record.
        stages = self._stages(partition)
        seen: dict[Layout, SeenKeys] = {}
        for place, found, revision in self._read(partition):
            if isinstance(found, Moved):
                keys = seen.setdefault(found.layout, SeenKeys())
                keys.learn(entries_of(found), found.clock_ms)
                self._note_moved(partition, found, stages)
            elif isinstance(found, Switched):
                stages = stages[1:] or stages
                self.relayouts.switch(place, found, next(iter(stages[1:]), None))
                yield Switch(place, found, seen.pop(found.layout, SeenKeys()))
            else:
                is_ours = self._is_ours(found, stages[0], place)
                if is_ours and len(stages) > 1:
                    self.relayouts.keep(partition, found, stages[1])
                yield Entry(place, found, is_ours, stages[0].partitions, revision)

    def _note_moved(self, partition: int, moved: Moved, stages: list[Layout]) -> None:
        self.relayouts.move(partition, moved)
        if moved.layout in stages[:-1]:  # and moved on by another relayout
            self.relayouts.keep(partition, moved, stages[stages.index(moved.layout) + 1])

    def _stages(self, partition: int) -> list[Layout]:
        """Return the layouts that were in force, as switches tell; the last has to be ours."""
        first = next(self._read(partition, silent=True), None)
        if first is None or (isinstance(first[1], Delta) and first[1].layout == self._layout):
            return [self._layout]  # as usual: there was no other
        found = [one for _, one, _ in self._read(partition, silent=True)]
        before = [
            msgspec.structs.replace(self._layout, partitions=one.partitions_before)
            for one in found
            if isinstance(one, Switched)
        ]
        return [*before, self._layout]

    def _read(
        self, partition: int, *, silent: bool = False
    ) -> Iterator[tuple[Place, relaid.Entry, int]]:
        """Yield what can be read, where it stands, and by which definitions it was judged."""
        first, end = self._bounds.get(partition, (0, 0))
        for record in self._log.records(self._topic, partition, first, end):
            place = Place(self._topic, partition, record.offset)
            found = self._decode(record, place, silent=silent)
            if found is not None:
                yield place, found, revision_of(record)

    def is_cut(self, partition: int) -> bool:
        """Say whether retention has removed records."""
        return self._bounds.get(partition, (0, 0))[0] > 0

    def _decode(self, record: Record, place: Place, *, silent: bool) -> relaid.Entry | None:
        try:
            return relaid.read(record.value or b"")
        except (StateError, ValueError) as error:
            # The record says nothing then; what it covered shows as a gap.
            if not silent:
                self._ledger.report(Detail(Fault.CHANGELOG_DAMAGED, place, str(error)))
            return None

    def _is_ours(self, delta: Delta, needed: Layout, place: Place) -> bool:
        if delta.layout == needed:
            return True
        text = "made with another hash key, key rule or partition count"
        self._ledger.report(Detail(Fault.CHANGELOG_LAYOUT, place, text))
        return False


def difference(judged: Entries, written: Entries) -> str:
    """Return how the changelog's keys differ from those of the accepted events, or nothing."""
    lacking, surplus = judged.keys() - written.keys(), written.keys() - judged.keys()
    other = sum(judged[key] != written[key] for key in judged.keys() & written.keys())
    parts = [
        (len(lacking), "of accepted events are not in it"),
        (len(surplus), "are of no accepted event"),
        (other, "have another fingerprint, generation or key hash"),
    ]
    return "; ".join(f"{count} keys {what}" for count, what in parts if count)
