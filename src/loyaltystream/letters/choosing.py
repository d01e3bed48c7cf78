"""Which letters are meant: by reason, event, org, stage, verdict, id and time.

Does I/O through the log.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from loyaltystream.audit.findings import Place
from loyaltystream.errors import ConfigurationError
from loyaltystream.events import Record
from loyaltystream.letters.letter import Letter, LetterReader


class Log(Protocol):
    """The dead-letter topic as a read_committed consumer sees it."""

    def bounds(self, topics: Sequence[str]) -> Mapping[str, Mapping[int, tuple[int, int]]]:
        """Return per topic and partition the first retained offset and the last stable one."""

    def scan(
        self, spans: Sequence[tuple[str, int, int, int]], wants: Callable[[str, bytes], bool]
    ) -> Iterator[tuple[str, Record]]:
        """Yield the records whose topic and value are wanted, each partition in order."""

    def records(self, topic: str, partition: int, start: int, end: int) -> Iterator[Record]:
        """Yield the records of one partition with offsets in [start, end)."""


class Choice(msgspec.Struct, frozen=True):
    """Which letters are meant; what is None or empty chooses nothing.

    Attributes:
        reasons: at least one of them.
        since_ms: written at that moment or later.
        until_ms: written before that moment.
    """

    reasons: frozenset[str] = frozenset()
    event_name: str | None = None
    event_id: str | None = None
    org_id: int | None = None
    stage: str | None = None
    verdict: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    def takes(self, letter: Letter) -> bool:
        """Say whether a letter is meant."""
        same = (
            self.event_name in {None, letter.event_name}
            and self.event_id in {None, letter.event_id}
            and self.org_id in {None, letter.org_id}
            and self.stage in {None, letter.stage}
            and self.verdict in {None, letter.verdict}
        )
        if not same or (self.reasons and not self.reasons & {*letter.reasons}):
            return False
        after = self.since_ms is None or letter.written_ms >= self.since_ms
        return after and (self.until_ms is None or letter.written_ms < self.until_ms)

    def may_take(self, value: bytes) -> bool:
        """Say whether a letter of those bytes can be meant: most are told apart unread."""
        texts = [text for text in (self.event_name, self.event_id) if text is not None]
        return all(text.encode() in value for text in texts)


class Shelf:
    """All letters of a deployment.

    Args:
        log: the topics.
        topic: of the letters.
        reader: reads one.
    """

    def __init__(self, log: Log, topic: str, reader: LetterReader) -> None:
        self.log = log
        self.topic = topic
        self._reader = reader
        self.unreadable: list[str] = []
        """Letters that could not be read, and why."""

    def find(self, choice: Choice) -> list[Letter]:
        """Return the letters that are meant, the oldest first.

        Raises:
            BrokerError: if they can't be read.
        """
        spans = [
            (self.topic, partition, *span)
            for partition, span in self.log.bounds([self.topic])[self.topic].items()
        ]
        found = []
        for _, record in self.log.scan(spans, lambda _topic, value: choice.may_take(value)):
            letter = self._reader.read(self.topic, record)
            if isinstance(letter, str):
                self.unreadable.append(f"{record.partition}/{record.offset}: {letter}")
            elif choice.takes(letter):
                found.append(letter)
        return sorted(found, key=lambda letter: (letter.written_ms, letter.place))

    def get(self, place: Place) -> Letter | None:
        """Return the letter at a place, or None.

        Raises:
            ConfigurationError: if what is there can't be read.
            BrokerError: if it can't be fetched.
        """
        spans = self.log.bounds([self.topic])[self.topic]
        first, end = spans.get(place.partition, (0, 0))
        if not first <= place.offset < end:
            return None
        for record in self.log.records(self.topic, place.partition, place.offset, place.offset + 1):
            letter = self._reader.read(self.topic, record)
            if isinstance(letter, str):
                raise ConfigurationError(f"letter {place.partition}/{place.offset}: {letter}")
            return letter
        return None


def place_of(text: str, topic: str) -> Place:
    """Return the place of a letter as it is typed: PARTITION/OFFSET, the topic before it or not.

    Raises:
        ConfigurationError: if it is none.
    """
    partition, slash, offset = text.removeprefix(f"{topic}/").partition("/")
    if not slash or not partition.isdecimal() or not offset.isdecimal():
        raise ConfigurationError(f"a letter is PARTITION/OFFSET of {topic}, not {text}")
    return Place(topic, int(partition), int(offset))
