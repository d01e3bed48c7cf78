"""What the audit's small deployment has judged, as a what-if reads it."""

from collections.abc import Callable, Iterator, Mapping

from loyaltystream.events import Record
from loyaltystream.foresight import Foresight
from loyaltystream.letters.letter import LetterReader
from loyaltystream.sealing.ring import NO_KEYS, KeyRing
from tests.audit.world import MemoryLog, World
from tests.core import TOPICS
from tests.why.world import writer_schema


class JudgedLog:
    """A log in memory, as a what-if reads it.

    Attributes:
        away: raised instead of an answer, as while no broker is there.
    """

    def __init__(self, log: MemoryLog) -> None:
        self.away: Exception | None = None
        self._log = log

    def bounds(self, topic: str) -> Mapping[int, tuple[int, int]]:
        if self.away is not None:
            raise self.away
        return self._log.settled_bounds(topic)

    def offset_at(self, topic: str, partition: int, moment_ms: int) -> int:
        first, end = self.bounds(topic)[partition]
        records = self._log.records(topic, partition, first, end)
        return next((one.offset for one in records if one.timestamp_ms >= moment_ms), end)

    def records(self, topic: str, partition: int, start: int, end: int) -> Iterator[Record]:
        yield from self._log.records(topic, partition, start, end)


def foresight_of(
    world: World,
    *,
    clock: Callable[[], float] = lambda: 0.0,
    log: JudgedLog | None = None,
    ring: KeyRing = NO_KEYS,
) -> Foresight:
    """Return a look at what a deployment has judged, in which no time passes by itself."""
    return Foresight(
        log or JudgedLog(world.log),
        LetterReader(writer_schema, ring),
        TOPICS,
        world.rules,
        clock=clock,
        pause=lambda _seconds: None,
    )
