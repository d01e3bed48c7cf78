"""What subscribers see who know nothing of us: the client library's consumer and deserializer."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from confluent_kafka import DeserializingConsumer, KafkaError, TopicPartition
from confluent_kafka.error import ConsumeError
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer

from loyaltystream.tailing.decoding import plain, reader_of
from tests.broker.conftest import TRACE
from tests.shop import Shop

pytestmark = pytest.mark.broker

AVRO_ROLES = ("emf", "ei", "notifications", "dead_letter")
QUIET_S = 20.0


class Received(NamedTuple):
    """A record as a stock consumer hands it out, its value already decoded."""

    place: tuple[int, int]
    key: bytes | None
    value: Mapping[str, Any]
    headers: dict[str, bytes]


def subscribe(shop: Shop, topic: str) -> list[Received]:
    """Return all records of a topic as the stock consumer and deserializer read them."""
    settings = shop.settings
    consumer = DeserializingConsumer(
        {
            "bootstrap.servers": settings.kafka.bootstrap_servers,
            "group.id": f"{settings.topics.prefix}crm",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "value.deserializer": AvroDeserializer(
                SchemaRegistryClient({"url": settings.registry.url})
            ),
        }
    )
    partitions = range(settings.topics.partitions)
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    try:
        return list(_until_the_ends(consumer, set(partitions)))
    finally:
        consumer.close()


def _until_the_ends(consumer: Any, reading: set[int]) -> Iterator[Received]:
    while reading:
        try:
            message = consumer.poll(QUIET_S)
        except ConsumeError as end:
            if end.code != KafkaError._PARTITION_EOF or end.kafka_message is None:
                raise
            reading.discard(end.kafka_message.partition())
            continue
        assert message is not None, f"nothing came, and no end of {reading}"
        place = message.partition(), message.offset()
        yield Received(place, message.key(), message.value(), dict(message.headers() or []))


@pytest.fixture(scope="module")
def received(told: Shop) -> dict[str, list[Received]]:
    """Return what a subscriber gets, by the role of the topic."""
    topics = told.deployment.topics
    return {role: subscribe(told, getattr(topics, role)) for role in AVRO_ROLES}


@pytest.mark.parametrize("role", AVRO_ROLES)
def test_a_stock_deserializer_reads_every_record(
    told: Shop, received: dict[str, list[Received]], role: str
) -> None:
    """The registry client's own deserializer reads each record, and reads what we read."""
    deployment = told.deployment
    read = reader_of(role, deployment.registry.writer_schema)
    ours = {
        (record.partition, record.offset): (record.key, read(record.value).value)
        for record in told.read(getattr(deployment.topics, role))
    }
    theirs = {one.place: (one.key, plain(one.value)) for one in received[role]}
    assert len(ours) >= 20
    assert theirs == ours


@pytest.mark.parametrize("role", AVRO_ROLES)
def test_every_output_names_its_source(
    told: Shop, received: dict[str, list[Received]], role: str
) -> None:
    """Each output has one `src` header of its own, with the record that caused it."""
    topics = told.deployment.topics
    sources = [one.headers["src"] for one in received[role]]
    assert len(set(sources)) == len(sources)
    causes = {
        "notifications": {topics.emf},
        "dead_letter": {topics.ingest, topics.emf},
    }
    assert {_cause(one)[0] for one in received[role]} == causes.get(role, {topics.ingest})
    assert all(_cause(one)[1] >= 0 <= _cause(one)[2] for one in received[role])


def test_a_notification_is_a_cloud_event(received: dict[str, list[Received]]) -> None:
    """A notification's headers say in CloudEvents' binary mode what its value says."""
    for one in received["notifications"]:
        value, headers = one.value, one.headers
        assert headers["ce_specversion"] == b"1.0"
        assert headers["content-type"] == b"application/avro"
        assert UUID(headers["ce_id"].decode()).version == 5
        assert headers["ce_id"].decode() == value["eventId"]
        assert headers["ce_type"].decode().endswith(f".{value['eventName']}")
        assert headers["ce_source"].decode() == f"/loyaltystream/{value['orgId']}"
        assert headers["ce_time"].endswith(b"Z")


def test_a_notification_names_its_cause(received: dict[str, list[Received]]) -> None:
    """Event, judged record and rule: in headers as in the envelope, and as the event has them."""
    routed = {_cause_of(one): one.value for one in received["emf"]}
    for one in received["notifications"]:
        value, headers = one.value, one.headers
        source, event = headers["cause-src"].decode(), routed[headers["cause-src"].decode()]
        assert value["causeSource"] == source
        assert headers["cause-id"].decode() == value["causeEventId"] == event["eventId"]
        version, rule = value["causeDefinitionVersion"], value["causeRule"]
        assert version == event["definitionVersion"]
        assert headers["cause-rule"].decode() == f"{event['eventName']}/{version}/{rule}"


def test_routed_topics_do_without_cloud_events(received: dict[str, list[Received]]) -> None:
    """A routed event carries its source, its trace if it has one, and nothing else."""
    for role in ("emf", "ei"):
        assert {name for one in received[role] for name in one.headers} == {"src", "traceparent"}


def test_a_trace_goes_on(told: Shop, received: dict[str, list[Received]]) -> None:
    """An output has the `traceparent` of the record that caused it, and none if that has none."""
    topics = told.deployment.topics
    traces = {
        (topic, record.partition, record.offset): record.header("traceparent")
        for topic in (topics.ingest, topics.emf)
        for record in told.read(topic)
    }
    for role in AVRO_ROLES:
        causes = [traces[_cause(one)] for one in received[role]]
        assert [one.headers.get("traceparent") for one in received[role]] == causes
        assert any(causes), role


def test_both_stages_write_letters(received: dict[str, list[Received]]) -> None:
    """An event that no notification can be made of has a letter of its own, with its trace."""
    (letter,) = [one for one in received["dead_letter"] if one.value["stage"] == "notify"]
    assert letter.headers["reason"] == b"UNMAPPED"
    assert letter.headers["traceparent"] == TRACE[1]
    assert letter.value["eventId"] == "a basket of many"


def _cause(one: Received) -> tuple[str, int, int]:
    topic, partition, offset, *_ = one.headers["src"].decode().split("/")
    return topic, int(partition), int(offset)


def _cause_of(one: Received) -> str:
    return "/".join(map(str, _cause(one)))
