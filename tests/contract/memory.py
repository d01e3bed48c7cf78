"""The broker in memory as a backend of the contract suite."""

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from loyaltystream.errors import RetryableBrokerError
from loyaltystream.events import Record
from loyaltystream.ports import Group, Sink, Source
from loyaltystream.testing import (
    MemoryBroker,
    MemoryChangelog,
    MemoryProducer,
    MemorySink,
    MemorySource,
)
from tests.contract.ports import MANY, PARTITIONS, Asked, output

Answer = TypeVar("Answer")

GROUP = "readers"


class MemoryBackend:
    """Two topics in memory."""

    input = "input"
    output = "output"

    def __init__(self) -> None:
        self._broker = MemoryBroker({self.input: PARTITIONS, self.output: PARTITIONS}, now_ms=0)

    def source(self, member: str, batch_records: int = MANY) -> Source:
        return MemorySource(
            self._broker,
            topic=self.input,
            group=GROUP,
            member=member,
            batch_records=batch_records,
        )

    def sink(self, name: str) -> Sink:
        return MemorySink(self._broker, name)

    def hold(self, name: str, offsets: Mapping[int, int], group: Group) -> MemoryProducer:
        producer = MemoryProducer(self._broker, name)
        producer.begin()
        producer.write(output(self, b"held"))
        producer.add_offsets(offsets, group.metadata)
        return producer

    def deltas(self, partition: int, start: int = 0) -> Iterator[bytes]:
        return MemoryChangelog(self._broker, self.output).deltas(partition, start)

    def changelog_end(self, partition: int) -> int:
        return MemoryChangelog(self._broker, self.output).end(partition)

    def append(self, partition: int, *values: bytes) -> None:
        for value in values:
            self._broker.append(self.input, value, partition=partition)

    def records(self, topic: str, partition: int) -> list[Record]:
        return list(self._broker.records(topic, partition))

    def ends(self, topic: str, partition: int) -> tuple[int, int]:
        return self._broker.stable_end(topic, partition), self._broker.end(topic, partition)

    def arrive(self, topic: str, partition: int, end: int) -> None:
        assert self._broker.end(topic, partition) >= end

    def settle(self, topic: str, partition: int) -> None:
        stable, end = self.ends(topic, partition)
        assert stable == end

    def committed(self) -> dict[int, int]:
        return dict(self._broker.group(GROUP, self.input).offsets)

    def miss(self, member: str) -> None:
        self._broker.group(GROUP, self.input).evict(member)

    def ask(self, question: Callable[[], Answer]) -> Asked[Answer]:
        return _Repeated(question)

    def close(self) -> None:
        pass


class _Repeated(Generic[Answer]):
    """Asked anew each time: in memory nothing waits, an answer that is not there yet is refused."""

    def __init__(self, question: Callable[[], Answer]) -> None:
        self._question = question

    def is_open(self) -> bool:
        try:
            self._question()
        except RetryableBrokerError:
            return True
        return False

    def answer(self) -> Answer:
        return self._question()
