"""Records of `EMFConsumer` that people sent again, told from what stage ingest wrote. Pure."""

from loyaltystream.audit.findings import Detail, Fault, Ledger, Place
from loyaltystream.audit.source import Source
from loyaltystream.events import Record, ResendingOf


class Resendings:
    """Takes the letters of stage notify that came back: each may come once.

    Args:
        topic: `EMFConsumer`.
        resending_of: tells what we signed.
        ledger: takes a letter that came twice.
    """

    def __init__(self, topic: str, *, resending_of: ResendingOf, ledger: Ledger) -> None:
        self._topic = topic
        self._resending_of = resending_of
        self._ledger = ledger
        self._taken: set[Place] = set()

    def take(self, topic: str, record: Record, source: Source) -> bool:
        """Say whether a record is such a letter, and report it if that came before."""
        if topic != self._topic or source.topic == topic:
            return False
        resending = self._resending_of(record)
        if resending is None or resending.letter != str(source.place):
            return False
        if source.place in self._taken:
            text = "this letter was sent to stage notify before"
            place = Place(topic, record.partition, record.offset)
            self._ledger.report(Detail(Fault.REPEATED, source.place, text, place))
        self._taken.add(source.place)
        return True
