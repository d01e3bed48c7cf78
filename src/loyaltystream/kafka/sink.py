"""Writes outputs and the input's offsets in one transaction. Does I/O.

The commit runs in a thread and tells its outcome later, so that the next batch is judged meanwhile;
a broker takes 20 ms and more for it (hot-path.md section 0). It begins only when everything is
delivered: the client takes the interpreter's lock for each record that it hears of, and a thread
that has to wrest it from a busy one each time would not be done before that one waits for it.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Final

from confluent_kafka import KafkaException, Producer, TopicPartition

from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import (
    AbortableTransactionError,
    BrokerError,
    FatalBrokerError,
    RetryableBrokerError,
)
from loyaltystream.kafka.connection import Properties, connect
from loyaltystream.kafka.errors import translate, translated
from loyaltystream.kafka.patience import PAUSE_S, repeat
from loyaltystream.kafka.transactions import beside, let_go, transactional_properties
from loyaltystream.ports import Fate, Group, Outcome
from loyaltystream.settings import WorkerSettings
from loyaltystream.topology import Output

_QUEUE_S: Final = 10.0
_PENDING_PER_BATCH: Final = 8
_OVERTIME_S: Final = 1.0
_SWEEPING: Final = "ending what a predecessor left pending"


class TransactionalSink:
    """One transactional producer; after an outcome that nobody knows, a new one under its id.

    Args:
        kafka: where the broker is.
        worker: its timeouts.
        transactional_id: stable over restarts, so that a successor fences this one.
        input_topic: whose offsets the transactions hold.
        group: the group that they are committed for, as an outsider names it.
        make: makes a producer of its properties.
    """

    def __init__(  # noqa: PLR0913 (where, how, under which name, for whom)
        self,
        kafka: KafkaSettings,
        worker: WorkerSettings,
        *,
        transactional_id: str,
        input_topic: str,
        group: Group,
        make: Callable[[Properties], Producer] = Producer,
    ) -> None:
        self._make = make
        self._input_topic = input_topic
        self._group = group
        self._timeout_s = worker.transaction_timeout_ms / 1000
        self._properties = transactional_properties(
            kafka,
            worker,
            transactional_id=transactional_id,
            queue_buffering_max_messages=max(100_000, _PENDING_PER_BATCH * worker.batch_records),
        )
        self._producer: Producer | None = None
        self._stuck = False
        self._open: Future[Outcome] | None = None
        # What was submitted and is not delivered yet: producer, offsets, the group's metadata.
        self._due: tuple[Producer, list[TopicPartition], Any] | None = None

    def open(self) -> None:
        """Take over the transactional id: whoever had it is fenced, and its transaction settled.

        Raises:
            BrokerError: if the broker cannot be reached, or refuses.
        """
        self._drop()
        self._producer = connect(self._make, self._properties)
        self._repeat(self._producer.init_transactions, "taking over the transactional id")
        self._sweep(self._producer)

    def send(self, outputs: Iterable[Output]) -> None:
        """Begin a transaction and hand all outputs to the producer.

        Raises:
            AbortableTransactionError: if the transaction is to be aborted.
            FatalBrokerError: if the producer is of no more use.
        """
        producer = self._get_producer()
        try:
            producer.begin_transaction()
            produce = producer.produce
            for output in outputs:
                partition = -1 if output.partition is None else output.partition
                try:
                    produce(
                        output.topic,
                        output.value,
                        output.key,
                        partition,
                        None,
                        None,
                        0,
                        output.headers,  # type: ignore[arg-type]  # a list of pairs is one of its types
                    )
                except BufferError:
                    self._produce_when_there_is_room(output, partition)
            producer.poll(0)
        except KafkaException as error:
            raise translate(error, "sending a transaction's records") from error

    def submit(self, offsets: Mapping[int, int], group: Group) -> None:
        """Have what was sent committed, with the offsets of the input; `outcome` tells the rest.

        Args:
            offsets: the next offset of every partition that the transaction moves.
            group: who reads the input, taken on the polling thread.
        """
        positions = [
            TopicPartition(self._input_topic, partition, offset)
            for partition, offset in offsets.items()
        ]
        self._due = (self._get_producer(), positions, group.metadata)

    def tend(self, *, hurry: bool = False) -> None:
        """Hear what was delivered; once that is everything, or in a hurry, begin the commit."""
        if self._due is None:
            return
        producer, _, _ = self._due
        try:
            producer.poll(0)
        except KafkaException:
            hurry = True  # nothing more will be delivered; the commit is refused, and tells why
        if hurry or not len(producer):
            self._begin_commit()

    def outcome(self) -> Outcome:
        """Wait until it is known what became of the submitted transaction, or for too long."""
        self._begin_commit()
        if self._open is None:
            return Outcome(Fate.ABORTED)
        outcome, self._open = self._open, None
        try:
            return outcome.result(self._timeout_s + _OVERTIME_S)
        except TimeoutError:
            # After an outage librdkafka may wait without end (seen in send_offsets_to_transaction).
            self._stuck = True
            return Outcome(
                Fate.UNKNOWN,
                f"a commit did not return within {self._timeout_s + _OVERTIME_S:.0f} s",
            )

    def queued(self) -> int:
        """Return how many records no broker has confirmed yet."""
        return 0 if self._producer is None else len(self._producer)

    def abort(self) -> None:
        """Abort what was sent and not submitted.

        Raises:
            FatalBrokerError: if that is impossible; `open` settles it.
        """
        try:
            self._repeat(self._get_producer().abort_transaction, "aborting a transaction")
        except BrokerError as error:
            raise FatalBrokerError(str(error)) from error

    def close(self) -> None:
        """Let go of the producer; the broker or a successor aborts an open transaction."""
        self.outcome()
        self._drop()

    def _sweep(self, producer: Producer) -> None:
        """End offsets that a predecessor left pending: a transaction that is always aborted.

        A broker that stood still may take up a request for offsets behind the abort of its
        transaction; they are pending then until their producer ends another one in that group, and
        taking over the id does not count as that (seen with Kafka 4.2.0, verification off).
        """
        try:
            beside(lambda: self._end_pending(producer)).result(self._timeout_s + _OVERTIME_S)
        except TimeoutError as error:
            self._stuck = True  # as in `outcome`
            raise RetryableBrokerError(
                f"{_SWEEPING} did not return within {self._timeout_s + _OVERTIME_S:.0f} s"
            ) from error

    def _end_pending(self, producer: Producer) -> None:
        somewhere, group = [TopicPartition(self._input_topic, 0, 0)], self._group.metadata
        with suppress(FatalBrokerError):  # lost again already: whatever is sent next tells
            with suppress(AbortableTransactionError):  # the marker is written all the same
                with translated(_SWEEPING):
                    producer.begin_transaction()
                self._repeat(
                    lambda timeout_s: producer.send_offsets_to_transaction(
                        somewhere, group, timeout_s
                    ),
                    _SWEEPING,
                )
            self._repeat(producer.abort_transaction, _SWEEPING)

    def _drop(self) -> None:
        self._due = None
        if self._stuck:
            # Closing would wait for the call that does not return; a new producer fences this one.
            self._producer, self._stuck = None, False
        producer, self._producer = self._producer, None
        if producer is not None:
            let_go(producer)

    def _get_producer(self) -> Producer:
        if self._producer is None:
            raise FatalBrokerError("the sink is not open")
        return self._producer

    def _begin_commit(self) -> None:
        if self._due is not None:
            due, self._due = self._due, None
            self._open = beside(lambda: self._try_commit(*due))

    def _try_commit(
        self,
        producer: Producer,
        positions: list[TopicPartition],
        group: Any,  # noqa: ANN401 (opaque)
    ) -> Outcome:
        deadline = time.monotonic() + self._timeout_s
        try:
            repeat(
                lambda timeout_s: producer.send_offsets_to_transaction(positions, group, timeout_s),
                "adding offsets to a transaction",
                deadline,
            )
            repeat(producer.commit_transaction, "committing a transaction", deadline)
        except AbortableTransactionError as error:
            try:
                repeat(producer.abort_transaction, "aborting a transaction", deadline)
            except BrokerError as stuck:
                return Outcome(Fate.UNKNOWN, f"{error}; then {stuck}")
            return Outcome(Fate.ABORTED, str(error))
        except BrokerError as error:
            return Outcome(Fate.UNKNOWN, str(error))
        return Outcome(Fate.COMMITTED)

    def _repeat(self, call: Callable[[float], object], doing: str) -> None:
        repeat(call, doing, time.monotonic() + self._timeout_s)

    def _produce_when_there_is_room(self, output: Output, partition: int) -> None:
        deadline = time.monotonic() + _QUEUE_S
        while time.monotonic() < deadline:
            self._get_producer().poll(PAUSE_S)
            try:
                self._get_producer().produce(
                    output.topic,
                    output.value,
                    output.key,
                    partition,
                    headers=output.headers,  # type: ignore[arg-type]  # as above
                )
            except BufferError:
                continue
            return
        raise AbortableTransactionError(
            f"the producer's queue stayed full for {_QUEUE_S:.0f} s; the broker takes too little"
        )
