"""The topic of definitions: what its readers and writers do, in memory and on the real broker."""

import threading
import uuid
from collections.abc import Callable, Sequence
from typing import Protocol

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from loyaltystream.clients import KafkaSettings
from loyaltystream.definitions.changing import Mark, create
from loyaltystream.definitions.history import History
from loyaltystream.definitions.source import Log
from loyaltystream.desk import Desk
from loyaltystream.errors import BrokerError
from loyaltystream.events import Record
from loyaltystream.kafka.following import TopicFollower
from loyaltystream.kafka.writing import TransactionalWriter
from loyaltystream.ports import Writer
from loyaltystream.settings import WorkerSettings
from loyaltystream.testing.definitions import MemoryLog, MemoryTopic, MemoryWriter
from loyaltystream.topology import Output
from tests.contract.both import on_both
from tests.core import EVENT_SCHEMA_ID, ORDERED, define
from tests.shop import eventually

WRITERS = 3
CHANGES = 5


class Backend(Protocol):
    """One topic."""

    name: str

    def log(self) -> Log:
        """Return a new reader."""

    def writer(self) -> Writer:
        """Return a new writer."""

    def fetch(self, log: Log) -> None:
        """Let a reader's client fetch what is there, if it does not by itself."""


class InMemory:
    def __init__(self) -> None:
        self.name = "definitions"
        self._topic = MemoryTopic()

    def log(self) -> MemoryLog:
        return MemoryLog(self._topic)

    def writer(self) -> MemoryWriter:
        return MemoryWriter(self._topic)

    def fetch(self, log: Log) -> None:
        assert isinstance(log, MemoryLog)
        log.fetch()


class OnKafka:
    def __init__(self, bootstrap_servers: str) -> None:
        self.name = f"contract-{uuid.uuid4().hex[:8]}.definitions"
        self._kafka = KafkaSettings(bootstrap_servers=bootstrap_servers)
        self._clients: list[TopicFollower | TransactionalWriter] = []
        admin = AdminClient({"bootstrap.servers": bootstrap_servers})
        compacted = NewTopic(self.name, 1, 1, config={"cleanup.policy": "compact"})
        admin.create_topics([compacted])[self.name].result(30)

    def log(self) -> TopicFollower:
        log = TopicFollower(self._kafka, self.name)
        self._clients.append(log)
        return log

    def writer(self) -> TransactionalWriter:
        writer = TransactionalWriter(
            self._kafka, WorkerSettings(), transactional_id=f"{self.name}.desk"
        )
        self._clients.append(writer)
        return writer

    def fetch(self, log: Log) -> None:
        del log

    def close(self) -> None:
        for client in self._clients:
            client.close()


topic = on_both(InMemory, OnKafka)


def pairs(records: Sequence[Record] | object) -> list[tuple[bytes | None, bytes | None]]:
    """Return keys and values."""
    assert isinstance(records, list)
    return [(record.key, record.value) for record in records]


def outputs(topic: Backend, *records: tuple[bytes, bytes]) -> list[Output]:
    """Return keys and values as records for the topic."""
    return [Output(topic.name, key, value, 0, []) for key, value in records]


def write(topic: Backend, *records: tuple[bytes, bytes]) -> None:
    """Write as the only one."""
    writer = topic.writer()
    writer.open()
    writer.write(outputs(topic, *records))


def read_until(read: Callable[[], object], count: int) -> list[tuple[bytes | None, bytes | None]]:
    """Read until so many records came."""
    came: list[tuple[bytes | None, bytes | None]] = []

    def arrived() -> bool:
        came.extend(pairs(read()))
        return len(came) >= count

    eventually(arrived, f"{count} records")
    return came


def test_an_empty_topic_is_read_to_its_end(topic: Backend) -> None:
    """There is nothing to wait for."""
    assert pairs(topic.log().rest()) == []


def test_the_rest_is_all_that_is_there_and_comes_once(topic: Backend) -> None:
    """A reader is given every record in order, then only what came since."""
    write(topic, (b"a", b"1"), (b"b", b"1"))
    log = topic.log()
    came = read_until(log.rest, 2)
    assert came == [(b"a", b"1"), (b"b", b"1")]
    assert pairs(log.rest()) == []
    write(topic, (b"a", b"2"))
    assert read_until(log.rest, 1) == [(b"a", b"2")]


def test_news_come_without_being_asked_for(topic: Backend) -> None:
    """What is written later reaches a reader that only looks at what its client has fetched."""
    log = topic.log()
    assert pairs(log.rest()) == []
    write(topic, (b"a", b"1"))
    topic.fetch(log)
    assert read_until(log.news, 1) == [(b"a", b"1")]
    assert pairs(log.news()) == pairs(log.rest()) == []


def test_without_opening_nothing_is_written(topic: Backend) -> None:
    """Who has not taken the topic over can't write."""
    with pytest.raises(BrokerError):
        topic.writer().write(outputs(topic, (b"a", b"1")))
    assert pairs(topic.log().rest()) == []


def test_opening_takes_the_right_to_write_from_others(topic: Backend) -> None:
    """What somebody read before another one took it over is nothing to decide by any more."""
    first, second = topic.writer(), topic.writer()
    first.open()
    second.open()
    with pytest.raises(BrokerError):
        first.write(outputs(topic, (b"a", b"first")))
    second.write(outputs(topic, (b"a", b"second")))
    assert read_until(topic.log().rest, 1) == [(b"a", b"second")]


def test_no_change_is_lost_however_many_make_them(topic: Backend) -> None:
    """Writers at the same time each store what they decide, on revisions that follow each other."""
    failures: list[Exception] = []

    def work(writer: int) -> None:
        desk = Desk(History(topic.name, EVENT_SCHEMA_ID), topic.log(), topic.writer())
        for number in range(CHANGES):
            body = ORDERED | {"eventName": f"order{writer}x{number}"}

            def change(events: object, mark: Mark, body: object = body) -> object:
                del events
                assert isinstance(body, dict)
                return [create(None, define(body), body, mark=mark)]

            try:
                desk.change("a test", change)  # type: ignore[arg-type]  # a body that is right
            except Exception as error:  # noqa: BLE001 (told by the test)
                failures.append(error)

    threads = [threading.Thread(target=work, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    history = History("definitions", EVENT_SCHEMA_ID)
    history.learn(topic.log().rest())
    revisions = sorted(stored.revision for stored in history.events.values())
    assert revisions == list(range(1, WRITERS * CHANGES + 1))
