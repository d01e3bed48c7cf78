"""Reads one topic as a member of a consumer group. Does I/O.

Rebalances happen inside `poll`. Partitions are assigned with an explicit offset, which their owner
names once it has restored what it knows of them; nothing is fetched before.
"""

import struct
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import BrokerError, FatalBrokerError, RetryableBrokerError, StateError
from loyaltystream.events import Record
from loyaltystream.kafka.claim import Claim, taken_in
from loyaltystream.kafka.committed import Committed
from loyaltystream.kafka.connection import Properties, connect, member_properties
from loyaltystream.kafka.ends import Ends
from loyaltystream.kafka.errors import translate, translated
from loyaltystream.kafka.gap import PollGap
from loyaltystream.kafka.holding import Holding
from loyaltystream.kafka.reading import to_record
from loyaltystream.kafka.vigil import Nameless, Vigil, owned_in
from loyaltystream.ports import Group, Ownership
from loyaltystream.settings import WorkerSettings

_METADATA_HEAD: Final = struct.Struct("<7si")
"""How librdkafka writes group metadata down: a mark of seven characters, then the generation."""

_GLANCE_S: Final = 0.01
_END: Final = KafkaError._PARTITION_EOF  # noqa: SLF001 (public, underscored by librdkafka)
_LEFT_BEHIND: Final = KafkaError._MAX_POLL_EXCEEDED  # noqa: SLF001
_FATAL: Final = KafkaError._FATAL  # noqa: SLF001
_NO_BROKER: Final = KafkaError._ALL_BROKERS_DOWN  # noqa: SLF001
_OUT_OF_RANGE: Final = KafkaError._AUTO_OFFSET_RESET  # noqa: SLF001


class GroupSource:
    """One member of a consumer group, static and cooperative.

    Args:
        kafka: where the broker is.
        worker: how much is taken at a time.
        topic: what is read.
        group: the group's name.
        member: this member's name, stable over restarts.
        away: told, inside of a poll, that no broker answers; what to do about it is not ours.
        make: makes a consumer of its properties.
    """

    def __init__(  # noqa: PLR0913 (where, what, who, and whom to tell)
        self,
        kafka: KafkaSettings,
        worker: WorkerSettings,
        *,
        topic: str,
        group: str,
        member: str,
        away: Callable[[str], None] = lambda _why: None,
        make: Callable[[Properties], Consumer] = Consumer,
    ) -> None:
        self._make = make
        self._committed = Committed(kafka, topic=topic, group=group)
        self._away = away
        self._topic = topic
        self._batch_records = worker.batch_records
        self._batch_s = worker.batch_ms / 1000
        self._ownership: Ownership | None = None
        self._owned: set[int] = set()
        self._untaken: set[int] = set()  # assigned, but their owner could not begin yet
        self._ends, self._holding, self._gap = Ends(topic), Holding(topic), PollGap()
        self._disturbed = False  # a rebalance inside of this poll took something away
        self._claim = Claim(
            member,
            session_s=worker.session_timeout_ms / 1000,
            is_taken=taken_in(kafka, group=group, member=member),
        )
        self._vigil = Vigil(
            owned_in(kafka, topic=topic, group=group),
            lambda: Nameless(kafka, worker, topic=topic, group=group),
            patience_s=worker.session_timeout_ms / 1000,
        )
        self._properties = member_properties(kafka, worker, group=group, member=member)
        self._properties |= {"error_cb": self._note_outage, "stats_cb": self._holding.note}
        self._consumer = connect(self._make, self._properties)

    def join(self, ownership: Ownership) -> None:
        """Join the group; partitions come with later polls."""
        self._ownership = ownership

        def assign(consumer: Consumer, partitions: list[TopicPartition]) -> None:
            numbers = [found.partition for found in partitions]
            try:
                starts = self._take(numbers)
            except RetryableBrokerError:
                # Unassigned, they would be fetched from wherever the client thinks.
                waiting = self._positions(dict.fromkeys(numbers, 0))
                consumer.incremental_assign(waiting)
                consumer.pause(waiting)
                self._untaken.update(numbers)
                raise
            consumer.incremental_assign(self._positions(starts))
            self._owned |= starts.keys()

        def revoke(consumer: Consumer, partitions: list[TopicPartition]) -> None:
            known = self._owned | self._untaken
            numbers = [found.partition for found in partitions if found.partition in known]
            self._disturbed = True
            self._owned.difference_update(numbers)
            self._untaken.difference_update(numbers)
            self._ends.leave(numbers)
            with self._gap.widened():
                ownership.revoked(numbers)
            consumer.incremental_unassign(partitions)

        with translated(f"joining the group on {self._topic}"):
            self._consumer.subscribe(
                [self._topic], on_assign=assign, on_revoke=revoke, on_lost=revoke
            )
        self._vigil.begin()

    def poll(self) -> dict[int, list[Record]]:
        """Return what came in a batch's time, of partitions that are ours, in offset order.

        Raises:
            StateError: if the log does not hold the offset to go on from.
            BrokerError: if the broker refuses, or another member has our name.
        """
        if self._claim.is_refused:
            self._join_again()
        if self._untaken:
            self._take_again()
        self._vigil.tend()
        messages = self._fetch()
        batch: dict[int, list[Record]] = {}
        for message in messages:
            if message.error() is not None:
                self._note(message)
                continue
            record = to_record(message)
            if (records := batch.get(record.partition)) is None:
                records = batch[record.partition] = []
            records.append(record)
        if self._claim.is_refused:
            self._let_go()
            return {}
        self._ends.leave(batch)
        # A rebalance inside the call may have taken away what was fetched before it.
        return {number: records for number, records in batch.items() if number in self._owned}

    def _fetch(self) -> list[Message]:
        """Return what comes in a batch's time, in which our owner does what else is due."""
        messages: list[Message] = []
        self._disturbed = False
        deadline = time.monotonic() + self._batch_s
        while (left_s := deadline - time.monotonic()) > 0:
            wanted = self._batch_records - len(messages)
            with translated(f"reading {self._topic}"), self._gap.ended():
                messages += self._consumer.consume(wanted, min(left_s, _GLANCE_S))
            # What was taken away may come back, from its committed offset on: in another poll.
            if len(messages) >= self._batch_records or self._disturbed:
                break
            if self._ownership is not None:
                self._ownership.meanwhile()
        return messages

    def group(self) -> Group:
        """Return the group's state as of the last poll."""
        metadata = self._consumer.consumer_group_metadata()
        _, generation = _METADATA_HEAD.unpack_from(metadata)
        return Group(generation, metadata)

    def committed(self, partitions: Sequence[int]) -> dict[int, int]:
        """Return stable committed offsets, where there are any.

        Raises:
            BrokerError: if the broker does not answer, or a transaction stays open.
        """
        return self._committed.read(self._consumer, partitions) if partitions else {}

    def seek(self, offsets: Mapping[int, int]) -> None:
        """Go on from these offsets; what was fetched already is dropped.

        Raises:
            BrokerError: if the client refuses.
        """
        self._ends.leave(offsets)
        try:
            with translated(f"seeking on {self._topic}"):
                for position in self._positions(offsets):
                    self._consumer.seek(position)
        except BrokerError:
            # A member that the group has refused has nothing to seek in; the reason waits for us.
            while (message := self._consumer.poll(0)) is not None:
                if message.error() is not None:
                    self._note(message)
            if not self._claim.is_refused:
                raise
            self._let_go()

    def lag(self) -> dict[int, int]:
        """Return how many offsets each of our partitions is behind its end, as last heard."""
        return self._ends.lag(self._consumer, self._owned)

    def poll_gap_s(self) -> float:
        """Return for how long the group was not polled at most, in the last minute or two."""
        return self._gap.longest_s()

    def held_s(self) -> dict[int, float]:
        """Return for how long a transaction has held up each of our partitions."""
        return self._holding.held_s(self._owned)

    def close(self) -> None:
        """Leave; as a static member's, our partitions wait a session timeout for our return."""
        self._vigil.end()
        self._consumer.close()

    def _positions(self, offsets: Mapping[int, int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, number, offset) for number, offset in offsets.items()]

    def _let_go(self) -> None:
        """Give everything away: the group refuses us, and others may have it already."""
        ours = sorted(self._owned)
        for kept in (self._owned, self._untaken):
            kept.clear()
        self._ends.leave(ours)
        if self._ownership is not None:
            self._ownership.revoked(ours)
        with suppress(KafkaException):
            self._consumer.close()
        self._consumer = connect(self._make, self._properties)

    def _join_again(self) -> None:
        """Join under our name, unless another worker has it.

        Raises:
            RetryableBrokerError: if that can't be told yet; the next poll tries again.
            FatalBrokerError: if another worker has it.
        """
        self._consumer.poll(self._batch_s)  # there is nothing to come but word of an outage
        self._claim.renew()
        if self._ownership is not None:
            self.join(self._ownership)

    def _take(self, numbers: Sequence[int]) -> Mapping[int, int]:
        """Have partitions taken by their owner; return where to begin."""
        if self._ownership is None:
            raise FatalBrokerError("partitions came before the group was joined")
        with self._gap.widened():
            offsets = self.committed(numbers)
            return self._ownership.assigned({number: offsets.get(number) for number in numbers})

    def _take_again(self) -> None:
        """Take what could not be taken when it was assigned.

        Raises:
            RetryableBrokerError: if that can't be done yet either.
        """
        starts = self._take(sorted(self._untaken))
        positions = self._positions(starts)
        with translated(f"taking partitions of {self._topic}"):
            self._consumer.incremental_unassign(positions)
            self._consumer.incremental_assign(positions)
            self._consumer.resume(positions)
        self._owned |= starts.keys()
        self._untaken.clear()

    def _note_outage(self, error: KafkaError) -> None:
        if error.code() == _NO_BROKER:
            self._claim.note_outage()
            self._away(f"reading {self._topic}: {error.str()}")

    def _note(self, message: Message) -> None:
        """Take note of an event that is no record.

        Raises:
            StateError: if the log does not hold the offset to go on from.
            BrokerError: if going on makes no sense.
        """
        error = message.error()
        partition = message.partition()
        if error is None or error.code() == _LEFT_BEHIND:
            return  # the group went on without us; the next poll joins it again
        if error.code() == _END:
            self._ends.reach(self._consumer, partition or 0)
        elif error.code() == _OUT_OF_RANGE and partition not in self._untaken:
            raise StateError(
                f"{self._topic}/{partition}: the committed offset {message.offset()} is not in the "
                f"log (OFFSET_LOST): retention removed what was never judged, or the topic was "
                f"made anew. Nothing is skipped by itself; set the group's offset by hand to go on"
            )
        elif error.code() in {KafkaError.FENCED_INSTANCE_ID, _FATAL}:
            self._claim.note_refusal(error.str())
        elif error.code() != _OUT_OF_RANGE:
            raise translate(error, f"reading {self._topic}/{partition}")
