"""The changelog of one input partition in, its readable records out, the others as findings.

Does I/O through the log.
"""

from collections.abc import Iterator, Mapping

import msgspec

from loyaltystream.audit.findings import Detail, Fault, Ledger, Place
from loyaltystream.audit.log import Log
from loyaltystream.audit.seen import Entries
from loyaltystream.errors import StateError
from loyaltystream.events import Record, revision_of
from loyaltystream.memory import changelog
from loyaltystream.memory.changelog import Delta, Layout


class Entry(msgspec.Struct, frozen=True):
    """One changelog record and where it stands.

    Attributes:
        revision: of the definitions that what it covers was judged by; 0: files have none.
    """

    place: Place
    delta: Delta
    is_ours: bool
    revision: int = 0


class Changelog:
    """Reads the changelog of one input partition.

    Args:
        topic: its name.
        bounds: per partition the first retained offset and the end.
        layout: what its ids have to be made with.
        ledger: takes what can't be read.
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

    def entries(self, partition: int) -> Iterator[Entry]:
        """Yield the records that can be read, in order of the log."""
        first, end = self._bounds.get(partition, (0, 0))
        for record in self._log.records(self._topic, partition, first, end):
            place = Place(self._topic, partition, record.offset)
            delta = self._decode(record, place)
            if delta is not None:
                yield Entry(place, delta, self._is_ours(delta, place), revision_of(record))

    def is_cut(self, partition: int) -> bool:
        """Say whether retention has removed records."""
        return self._bounds.get(partition, (0, 0))[0] > 0

    def _decode(self, record: Record, place: Place) -> Delta | None:
        try:
            return changelog.decode(record.value or b"")
        except (StateError, ValueError) as error:
            # The record says nothing then; what it covered shows as a gap.
            self._ledger.report(Detail(Fault.CHANGELOG_DAMAGED, place, str(error)))
            return None

    def _is_ours(self, delta: Delta, place: Place) -> bool:
        if delta.layout == self._layout:
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
