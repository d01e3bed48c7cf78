"""Reads one topic as a member of a subscriber's group. Does I/O.

A member without a name of its own, cooperative; offsets are committed by whoever has handled the
records. Rebalances happen inside of `poll`.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Final

import msgspec
from confluent_kafka import (
    OFFSET_BEGINNING,
    OFFSET_END,
    Consumer,
    KafkaError,
    Message,
    TopicPartition,
)

from loyaltystream import kit_events
from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import BrokerError, RetryableBrokerError, StateError
from loyaltystream.events import Record
from loyaltystream.feeds import Revoked
from loyaltystream.kafka.connection import MAX_MESSAGE_BYTES, connect, grouped_properties
from loyaltystream.kafka.errors import translate, translated
from loyaltystream.kafka.offsets import committed_offsets
from loyaltystream.kafka.reading import POLL_S, to_record

_TIMEOUT_S: Final = 10.0
_MANY: Final = 2_000
_NOWHERE: Final = KafkaError._AUTO_OFFSET_RESET  # noqa: SLF001 (public, underscored by librdkafka)
_NOTHING: Final = KafkaError._NO_OFFSET  # noqa: SLF001
_LEFT_BEHIND: Final = KafkaError._MAX_POLL_EXCEEDED  # noqa: SLF001


class Pace(msgspec.Struct, frozen=True):
    """How often a member commits, and how long it keeps its partitions unheard, in seconds."""

    commit_s: float
    session_s: float


class GroupFeed:
    """One member of a subscriber's group.

    Args:
        kafka: where the broker is.
        topic: what is read.
        group: whose member it is.
        start: `earliest` or `latest`: where a group begins that has never committed anything.
        pace: how often it commits, and how long it may be silent.
    """

    def __init__(
        self, kafka: KafkaSettings, *, topic: str, group: str, start: str, pace: Pace
    ) -> None:
        self._topic = topic
        self._group = group
        self._start = OFFSET_BEGINNING if start == "earliest" else OFFSET_END
        self._batch: dict[int, list[Record]] = {}
        self._unplaced: set[int] = set()  # nobody has said yet where they begin
        self._owned: set[int] = set()
        self._held: set[int] = set()
        self._consumer = connect(
            Consumer,
            grouped_properties(
                kafka,
                group=group,
                session_timeout_ms=int(pace.session_s * 1000),
                enable_auto_commit=True,
                auto_commit_interval_ms=int(pace.commit_s * 1000),
                fetch_message_max_bytes=MAX_MESSAGE_BYTES,
            )
            | {"on_commit": _note_commit},
        )

    def join(self, revoked: Revoked) -> None:
        """Join the group; partitions come with later polls."""

        def assign(consumer: Consumer, partitions: list[TopicPartition]) -> None:
            consumer.incremental_assign(partitions)
            self._owned.update(found.partition for found in partitions)

        def revoke(consumer: Consumer, partitions: list[TopicPartition]) -> None:
            # Nothing may be raised here: what is not committed comes again, in the next hands.
            with suppress(BrokerError):
                self._store(self._let_go(partitions, revoked))
            consumer.incremental_unassign(partitions)

        def lose(consumer: Consumer, partitions: list[TopicPartition]) -> None:
            self._let_go(partitions, revoked)  # somebody else has them already
            consumer.incremental_unassign(partitions)

        with translated(f"joining group {self._group}"):
            self._consumer.subscribe(
                [self._topic], on_assign=assign, on_revoke=revoke, on_lost=lose
            )

    def poll(self, full: Collection[int]) -> dict[int, list[Record]]:
        """Return new committed records by partition, in offset order; none of full partitions.

        Raises:
            StateError: if the log does not hold the offset to go on from.
            BrokerError: if the broker refuses.
        """
        self._place()
        self._hold(full)
        timeout_s = POLL_S
        # One by one: what was read before a rebalance is known, and dropped with its partition.
        for _ in range(_MANY):
            with translated(f"reading {self._topic}"):
                message = self._consumer.poll(timeout_s)
            if message is None:
                break
            timeout_s = 0.0
            if message.error() is not None:
                self._note(message)
            else:
                record = to_record(message)
                self._batch.setdefault(record.partition, []).append(record)
        # If something was raised above, it is here the next time.
        batch, self._batch = self._batch, {}
        return batch

    def store(self, offsets: Mapping[int, int]) -> None:
        """Have offsets of our partitions committed, soon, and before the partitions go.

        The client commits by itself what is stored: it waits for no answer, and tries again.

        Raises:
            RetryableBrokerError: if one is of a partition that is not ours.
        """
        if strange := sorted(offsets.keys() - self._owned):
            raise RetryableBrokerError(
                f"storing offsets of group {self._group}: partitions {strange} are not ours"
            )
        self._store(offsets)

    def _store(self, offsets: Mapping[int, int]) -> None:
        if offsets:
            positions = [TopicPartition(self._topic, at, offset) for at, offset in offsets.items()]
            with translated(f"storing offsets of group {self._group}"):
                self._consumer.store_offsets(offsets=positions)

    def close(self) -> None:
        """Leave the group, which gives every partition up; may wait for the broker."""
        self._consumer.close()

    def _let_go(self, partitions: list[TopicPartition], revoked: Revoked) -> Mapping[int, int]:
        numbers = {found.partition for found in partitions} & self._owned
        self._owned -= numbers
        self._held -= numbers
        self._unplaced -= numbers
        for number in numbers:
            self._batch.pop(number, None)
        return revoked(numbers)

    def _hold(self, full: Collection[int]) -> None:
        """Fetch nothing of full partitions, and of the others again."""
        wanted = self._owned & {*full}
        if fresh := wanted - self._held:
            self._consumer.pause([TopicPartition(self._topic, number) for number in fresh])
        if over := self._held - wanted:
            self._consumer.resume([TopicPartition(self._topic, number) for number in over])
        self._held = wanted

    def _note(self, message: Message) -> None:
        """Take note of an event that is no record.

        Raises:
            StateError: if the log does not hold the offset to go on from.
            BrokerError: if going on makes no sense.
        """
        error, partition = message.error(), message.partition()
        if error is None or error.code() == _LEFT_BEHIND:
            return  # the group went on without us; the next poll joins it again
        if error.code() == _NOWHERE and partition is not None:
            self._unplaced.add(partition)
            return
        ours = translate(error, f"reading {self._topic}")
        if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise StateError(f"{ours}; there is no such topic, or it was removed")
        raise ours

    def _place(self) -> None:
        """Begin with partitions that the client has no place for.

        Raises:
            StateError: if the log does not hold the committed offset.
            BrokerError: if the broker does not tell it; to be called again.
        """
        doing = f"reading the committed offsets of group {self._group}"
        for number in sorted(self._unplaced & self._owned):
            place = TopicPartition(self._topic, number)
            with translated(doing):
                committed = committed_offsets(self._consumer.committed([place], timeout=_TIMEOUT_S))
            if number in committed:
                raise StateError(
                    f"{self._topic}/{number}: the log does not hold offset {committed[number]}, "
                    f"from which group {self._group} has to go on: retention removed what was "
                    f"never read, or the topic was made anew. Nothing is skipped by itself; set "
                    f"the group's offset to go on"
                )
            self._consumer.incremental_unassign([place])
            self._consumer.incremental_assign([TopicPartition(self._topic, number, self._start)])
            self._unplaced.discard(number)


def _note_commit(error: KafkaError | None, _offsets: list[TopicPartition]) -> None:
    """Tell of a commit that failed; the client tries again at the next one."""
    if error is not None and error.code() != _NOTHING:
        kit_events.offsets_uncommitted(why=error.str())
