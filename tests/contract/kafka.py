"""The real broker as a backend of the contract suite: two topics and a group of its own."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final, Generic, TypeVar

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import BrokerError
from loyaltystream.events import Record
from loyaltystream.kafka.changelog import ChangelogReader
from loyaltystream.kafka.groups import outsider
from loyaltystream.kafka.reading import LogReader
from loyaltystream.kafka.sink import TransactionalSink
from loyaltystream.kafka.source import GroupSource
from loyaltystream.ports import Group, Sink, Source
from loyaltystream.settings import WorkerSettings
from tests.contract.ports import MANY, PARTITIONS, Asked
from tests.shop import eventually

Answer = TypeVar("Answer")

SESSION_MS: Final = 3_000
"""How long a static member is waited for, where the broker allows it; else what it allows."""

POLL_MS: Final = 50
STILL_S: Final = 0.5
"""How long an answer that should not come is listened for."""

ANSWER_S: Final = 30


class KafkaBackend:
    """Two new topics on a broker."""

    def __init__(self, bootstrap_servers: str) -> None:
        name = f"contract-{uuid.uuid4().hex[:8]}"
        self.input, self.output = f"{name}.input", f"{name}.output"
        self.group = name
        self._kafka = KafkaSettings(bootstrap_servers=bootstrap_servers)
        self._reader = LogReader(self._kafka)
        self._threads = ThreadPoolExecutor(1)
        self._clients: list[Source | Sink] = []
        self._plain = Producer(self._address())
        admin = AdminClient(self._address())  # once it is collected, what it was asked fails
        self._session_ms = max(SESSION_MS, _shortest_session_ms(admin))
        topics = [NewTopic(topic, PARTITIONS, 1) for topic in (self.input, self.output)]
        for made in admin.create_topics(topics).values():
            made.result(ANSWER_S)

    def source(self, member: str, batch_records: int = MANY) -> Source:
        worker = WorkerSettings(
            batch_records=batch_records,
            batch_ms=POLL_MS,
            message_timeout_ms=self._session_ms - 2,
            transaction_timeout_ms=self._session_ms - 1,
            session_timeout_ms=self._session_ms,
        )
        source = GroupSource(self._kafka, worker, topic=self.input, group=self.group, member=member)
        self._clients.append(source)
        return source

    def sink(self, name: str) -> Sink:
        sink = TransactionalSink(
            self._kafka,
            WorkerSettings(),
            transactional_id=self.transactional_id(name),
            input_topic=self.input,
            group=outsider(self._kafka, self.group),
        )
        self._clients.append(sink)
        return sink

    def transactional_id(self, name: str) -> str:
        return f"{self.group}.{name}"

    def hold(self, name: str, offsets: Mapping[int, int], group: Group) -> "_Held":
        producer = Producer(self._address() | {"transactional.id": self.transactional_id(name)})
        producer.init_transactions(ANSWER_S)
        producer.begin_transaction()
        producer.produce(self.output, b"held", partition=0)
        producer.flush(ANSWER_S)
        positions = [TopicPartition(self.input, number, at) for number, at in offsets.items()]
        producer.send_offsets_to_transaction(positions, group.metadata, ANSWER_S)
        return _Held(producer)

    def deltas(self, partition: int, start: int = 0) -> Iterator[bytes]:
        return ChangelogReader(self._reader, self.output).deltas(partition, start)

    def changelog_end(self, partition: int) -> int:
        return ChangelogReader(self._reader, self.output).end(partition)

    def append(self, partition: int, *values: bytes) -> None:
        for value in values:
            self._plain.produce(self.input, value, partition=partition)
        self._plain.flush(ANSWER_S)

    def records(self, topic: str, partition: int) -> list[Record]:
        start, end = self._reader.bounds(topic)[partition]
        return list(self._reader.records(topic, partition, start, end))

    def ends(self, topic: str, partition: int) -> tuple[int, int]:
        own = {"group.id": self.group, "isolation.level": "read_uncommitted"}
        consumer = Consumer(self._address() | own)
        _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), ANSWER_S)
        consumer.close()
        return self._reader.bounds(topic)[partition][1], end

    def arrive(self, topic: str, partition: int, end: int) -> None:
        eventually(lambda: self.ends(topic, partition)[1] >= end, f"{topic} reaches {end}")

    def settle(self, topic: str, partition: int) -> None:
        eventually(lambda: len({*self.ends(topic, partition)}) == 1, f"{topic} is stable")

    def committed(self) -> dict[int, int]:
        return self._reader.committed(self.group, self.input)

    def miss(self, member: str) -> None:
        """Do nothing: it is missed once a session has passed, while the others go on polling."""

    def ask(self, question: Callable[[], Answer]) -> Asked[Answer]:
        return _Waiting(self._threads.submit(question))

    def close(self) -> None:
        self._threads.shutdown()
        for client in self._clients:
            try:
                client.close()
            except (BrokerError, KafkaException, RuntimeError):
                continue  # the test has closed or fenced it

    def _address(self) -> dict[str, str | int | float | bool]:
        return {"bootstrap.servers": self._kafka.bootstrap_servers}


def _shortest_session_ms(admin: AdminClient) -> int:
    broker = next(iter(admin.list_topics(timeout=ANSWER_S).brokers))
    asked = ConfigResource(ConfigResource.Type.BROKER, str(broker))
    answer = admin.describe_configs([asked])[asked].result(ANSWER_S)
    return int(answer["group.min.session.timeout.ms"].value)


class _Held:
    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    def commit(self) -> None:
        self._producer.commit_transaction(ANSWER_S)

    def abort(self) -> None:
        self._producer.abort_transaction(ANSWER_S)


class _Waiting(Generic[Answer]):
    """Asked in a thread: the broker's client waits there by itself."""

    def __init__(self, asked: Future[Answer]) -> None:
        self._asked = asked

    def is_open(self) -> bool:
        return not wait([self._asked], STILL_S).done

    def answer(self) -> Answer:
        return self._asked.result(ANSWER_S)
