"""A subscriber's feed and letterbox on the broker in memory. Does no I/O."""

from collections.abc import Collection, Mapping

from loyaltystream.errors import ConfigurationError, LoyaltyStreamError, RetryableBrokerError
from loyaltystream.events import Record
from loyaltystream.feeds import Revoked
from loyaltystream.testing.broker import MemoryBroker
from loyaltystream.topology import Output

_MANY = 500


class MemoryFeed:
    """One member of a subscriber's group.

    Args:
        broker: where records are.
        topic: what is read.
        group: the group's name.
        member: what the broker calls this member.
        start: `earliest` or `latest`, where the group never committed.
    """

    def __init__(
        self, broker: MemoryBroker, *, topic: str, group: str, member: str, start: str = "earliest"
    ) -> None:
        self._broker = broker
        self._topic = topic
        self._group = broker.group(group, topic)
        self._member = member
        self._start = start
        self._incarnation = 0
        self._revoked: Revoked | None = None
        self._positions: dict[int, int] = {}

    def join(self, revoked: Revoked) -> None:
        """Join the group; partitions come with later polls."""
        self._revoked = revoked
        self._incarnation = self._group.join(self._member)

    def poll(self, full: Collection[int]) -> dict[int, list[Record]]:
        """Return new committed records by partition, in offset order; none of full partitions."""
        self._rebalance()
        batch = {}
        for number, start in self._positions.items():
            if number in full:
                continue
            if records := self._broker.records(self._topic, number, start)[:_MANY]:
                batch[number] = records
                self._positions[number] = records[-1].offset + 1
        return batch

    def store(self, offsets: Mapping[int, int]) -> None:
        """Commit offsets of our partitions, at once.

        Raises:
            RetryableBrokerError: if one is of a partition that is not.
        """
        if strange := sorted(offsets.keys() - self._positions.keys()):
            raise RetryableBrokerError(f"storing offsets of partitions {strange}: not assigned")
        self._group.offsets.update(offsets)

    def close(self) -> None:
        """Leave the group."""
        self._let_go(sorted(self._positions))
        self._group.evict(self._member)

    def _rebalance(self) -> None:
        change = self._group.sync(self._member, self._incarnation, self._positions.keys())
        self._let_go(change.revoked)
        for number in change.assigned:
            begin = 0 if self._start == "earliest" else self._broker.end(self._topic, number)
            self._positions[number] = self._group.offsets.get(number, begin)

    def _let_go(self, partitions: list[int]) -> None:
        if partitions and self._revoked is not None:
            self.store(self._revoked(partitions))
        for number in partitions:
            del self._positions[number]
        self._group.release(self._member, self._incarnation, partitions)


class MemoryLetterbox:
    """A topic for dead letters in memory.

    Args:
        broker: where letters go.
        topic: its name.

    Attributes:
        away: raised instead of writing, as while no broker is there.
    """

    def __init__(self, broker: MemoryBroker, topic: str) -> None:
        self._broker = broker
        self._topic = topic
        self.away: LoyaltyStreamError | None = None

    def open(self) -> None:
        """Make sure that the topic is there.

        Raises:
            ConfigurationError: if it is not.
        """
        try:
            self._broker.partitions(self._topic)
        except KeyError as error:
            raise ConfigurationError(f"dead_letter_topic: no topic {self._topic}") from error

    def post(self, letter: Output) -> None:
        """Write a letter.

        Raises:
            LoyaltyStreamError: what `away` is.
        """
        if self.away is not None:
            raise self.away
        self._broker.write(letter, None)

    def close(self) -> None:
        """Let go of nothing."""
