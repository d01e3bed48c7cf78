"""The letters that nobody has dealt with, counted as they come. Does I/O through the log.

Offsets alone don't tell: markers of transactions lie between letters. So each letter is read once,
and so is each word of what people did; between two counts only what is new is read.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final, Protocol

import msgspec

from loyaltystream.events import Record
from loyaltystream.letters.state import DONE, word_of

_REST_EVERY: Final = 200
_OPEN: Final = 0

Bounds = Mapping[int, tuple[int, int]]


class Log(Protocol):
    """The topics as a read_committed consumer sees them."""

    def bounds(self, topics: Sequence[str]) -> Mapping[str, Bounds]:
        """Return per topic and partition the first retained offset and the last stable one."""

    def records(self, topic: str, partition: int, start: int, end: int) -> Iterator[Record]:
        """Yield the records of one partition with offsets in [start, end)."""


class Waiting(msgspec.Struct, frozen=True):
    """The letters of a partition that nobody has replayed, released or discarded.

    Attributes:
        letters: how many there are.
        oldest_ms: when the first of them was written; None: there is none.
    """

    letters: int
    oldest_ms: int | None


class Pile:
    """All retained letters of one partition, 17 bytes each.

    Attributes:
        read_to: the offset behind what was read of them.
        heard_to: likewise of each partition of the letters' states.
    """

    def __init__(self) -> None:
        self.read_to = 0
        self.heard_to: dict[int, int] = {}
        self._offsets = array("q")
        self._written_ms = array("q")
        self._done = bytearray()

    def add(self, offset: int, written_ms: int) -> None:
        """Put the next letter on it, which nobody has dealt with."""
        self._offsets.append(offset)
        self._written_ms.append(written_ms)
        self._done.append(_OPEN)

    def remove(self, first: int) -> None:
        """Take away what lies before an offset, as retention does."""
        count = bisect_left(self._offsets, first)
        del self._offsets[:count], self._written_ms[:count], self._done[:count]

    def mark(self, offset: int, *, done: bool) -> None:
        """Note whether a letter is dealt with; one that is not there any more is passed over."""
        place = bisect_left(self._offsets, offset)
        if place < len(self._offsets) and self._offsets[place] == offset:
            self._done[place] = done

    def waiting(self) -> Waiting:
        """Return what nobody has dealt with."""
        first = self._done.find(_OPEN)
        oldest_ms = None if first < 0 else self._written_ms[first]
        return Waiting(self._done.count(_OPEN), oldest_ms)


class Backlog:
    """Counts what waits in partitions, again and again.

    Args:
        log: the topics.
        letters: the topic of the letters.
        states: that of what people did with them.
        rest: called every now and then while much is read.
    """

    def __init__(
        self, log: Log, *, letters: str, states: str, rest: Callable[[], None] = lambda: None
    ) -> None:
        self._log = log
        self._letters = letters
        self._states = states
        self._rest = rest
        self._piles: dict[int, Pile] = {}

    def count(self, partitions: Collection[int]) -> dict[int, Waiting]:
        """Return what waits in these partitions; what is known of others is forgotten.

        Raises:
            BrokerError: if it can't be read; the next call goes on where this one was.
        """
        if not partitions:
            self._piles = {}
            return {}
        # In this order: a word of those that are heard then is about a letter that is read before.
        words = self._log.bounds([self._states])[self._states]
        letters = self._log.bounds([self._letters])[self._letters]
        self._piles = {
            number: self._pile(number, letters, words)
            for number in sorted(partitions)
            if number in letters
        }
        for number, pile in self._piles.items():
            self._read(number, pile, *letters[number])
        for number, (_, end) in words.items():
            self._hear(number, end)
        return {number: pile.waiting() for number, pile in self._piles.items()}

    def _pile(self, number: int, letters: Bounds, words: Bounds) -> Pile:
        """Return what is known of a partition: nothing, where a topic was made anew."""
        pile = self._piles.get(number, Pile())
        is_same = pile.read_to <= letters[number][1] and all(
            offset <= words.get(one, (0, 0))[1] for one, offset in pile.heard_to.items()
        )
        return pile if is_same else Pile()

    def _read(self, number: int, pile: Pile, first: int, end: int) -> None:
        pile.remove(first)
        start = max(pile.read_to, first)
        for record in self._paced(self._log.records(self._letters, number, start, end)):
            pile.add(record.offset, record.timestamp_ms)
            pile.read_to = record.offset + 1
        pile.read_to = end

    def _hear(self, number: int, end: int) -> None:
        starts = [pile.heard_to.get(number, 0) for pile in self._piles.values()]
        start = min(starts, default=end)
        for record in self._paced(self._log.records(self._states, number, start, end)):
            self._note(record)
        for pile in self._piles.values():
            pile.heard_to[number] = end

    def _note(self, record: Record) -> None:
        word = word_of(record)
        if word is None:
            return
        partition, _, offset = word.letter.partition("/")
        if not partition.isdecimal() or not offset.isdecimal():
            return
        pile = self._piles.get(int(partition))
        # Heard again for another partition's sake, an older word would be the last if that fails.
        if pile is not None and record.offset >= pile.heard_to.get(record.partition, 0):
            pile.mark(int(offset), done=word.state is not None and word.state.state in DONE)

    def _paced(self, records: Iterator[Record]) -> Iterator[Record]:
        for number, record in enumerate(records, 1):
            yield record
            if number % _REST_EVERY == 0:
                self._rest()
