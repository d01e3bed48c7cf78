"""What a subscriber needs of Kafka: records of its partitions, and a place for dead letters.

Pure: protocols. `kafka/feed.py` and `kafka/letterbox.py` are the real ones, `testing` has both in
memory; one contract suite holds them to the same.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Protocol

from loyaltystream.events import Record
from loyaltystream.topology import Output

Revoked = Callable[[Collection[int]], Mapping[int, int]]
"""Told, inside of a poll, which partitions go; returns the offsets to commit before they do."""


class Feed(Protocol):
    """Records of the partitions that a member of a group has."""

    def join(self, revoked: Revoked) -> None:
        """Join the group; partitions come with later polls."""

    def poll(self, full: Collection[int]) -> dict[int, list[Record]]:
        """Return new committed records by partition, in offset order; none of full partitions."""

    def store(self, offsets: Mapping[int, int]) -> None:
        """Have offsets of our partitions committed, soon, and before the partitions go.

        Never waits for the broker: a commit that fails is tried again as long as they are ours.

        Raises:
            RetryableBrokerError: if one is of a partition that is not ours.
        """

    def close(self) -> None:
        """Leave the group, which gives every partition up; may wait for the broker."""


class Letterbox(Protocol):
    """A topic for dead letters."""

    def open(self) -> None:
        """Make sure that the topic is there.

        Raises:
            ConfigurationError: if it is not.
            RetryableBrokerError: if the broker does not answer.
        """

    def post(self, letter: Output) -> None:
        """Write a letter; return once the broker has it.

        Raises:
            RetryableBrokerError: if that is not known; it may be there, and is written again.
        """

    def close(self) -> None:
        """Let go of the broker."""
