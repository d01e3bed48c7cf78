"""The broker and registry that tests work on, and what that broker is able to do.

Taken in this order: what KAFKA_BOOTSTRAP and SCHEMA_REGISTRY_URL name; containers, if an engine
answers; the local platform. None of them is a failure, never a skip.
"""

import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from loyaltystream.platform import Addresses, LocalPlatform, Variation
from loyaltystream.settings import PlatformSettings, load

REGISTRY_IMAGE = "apicurio/apicurio-registry:3.3.3"
KAFKA_IMAGE = "apache/kafka:4.2.0"


@contextmanager
def obtained(directory: Path) -> Iterator[tuple[str, Addresses]]:
    """Yield where the cluster comes from and its addresses."""
    if bootstrap := os.environ.get("KAFKA_BOOTSTRAP"):
        registry = os.environ.get("SCHEMA_REGISTRY_URL")
        if not registry:
            raise RuntimeError("KAFKA_BOOTSTRAP is set; set SCHEMA_REGISTRY_URL as well")
        yield "the environment", Addresses(bootstrap, registry)
    elif _engine_answers():
        with _containers() as addresses:
            yield "containers", addresses
    else:
        with own_platform(directory) as platform:
            yield "the local platform", platform.start()


@contextmanager
def own_platform(directory: Path, variation: Variation | None = None) -> Iterator[LocalPlatform]:
    """Yield a platform of a test's own, on free ports; whatever of it runs is stopped in the end.

    Args:
        directory: where it lives.
        variation: what its broker and registry have otherwise than everybody.
    """
    settings = PlatformSettings(
        directory=directory, cache=load().platform.cache, kafka_port=0, registry_port=0
    )
    platform = LocalPlatform(settings, variation=variation)
    try:
        yield platform
    finally:
        platform.stop()


def kill_broker(platform: LocalPlatform) -> None:
    """Kill the broker as a power cut does."""
    assert platform.broker.pid is not None
    os.kill(platform.broker.pid, signal.SIGKILL)


def alter(bootstrap: str, resource: tuple[ResourceType, str], setting: str, value: str) -> None:
    """Change one setting of a topic or a broker, as a person with other tools does."""
    entry = ConfigEntry(setting, value, incremental_operation=AlterConfigOpType.SET)
    changed = ConfigResource(*resource, incremental_configs=[entry])
    # Kept until it is answered: what a collected one was asked fails.
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.incremental_alter_configs([changed])[changed].result(10)


def _engine_answers() -> bool:
    import docker  # noqa: PLC0415 (half a second that only this needs)

    try:
        return bool(docker.from_env(timeout=2).ping())
    except docker.errors.DockerException:
        return False


@contextmanager
def _containers() -> Iterator[Addresses]:
    from testcontainers.community.kafka import KafkaContainer  # noqa: PLC0415 (as above)
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415

    with (
        KafkaContainer(KAFKA_IMAGE).with_kraft() as kafka,
        DockerContainer(REGISTRY_IMAGE).with_exposed_ports(8080) as registry,
    ):
        host, port = registry.get_container_host_ip(), registry.get_exposed_port(8080)
        yield Addresses(kafka.get_bootstrap_server(), f"http://{host}:{port}/apis/ccompat/v7")


def conformance(bootstrap: str) -> dict[str, bool]:
    """Return what the broker was seen to do of all that exactly-once rests on."""
    topic = f"conformance-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
    return abilities(bootstrap, topic)


def abilities(bootstrap: str, topic: str) -> dict[str, bool]:
    """Return the same, seen on an empty topic of one partition."""
    producer = _producer(bootstrap, topic)
    producer.begin_transaction()
    producer.produce(topic, b"aborted")
    producer.flush(10)
    producer.abort_transaction(10)
    consumer = _consumer(bootstrap, topic)
    producer.begin_transaction()
    producer.produce(topic, b"committed")
    group = consumer.consumer_group_metadata()
    producer.send_offsets_to_transaction([TopicPartition(topic, 0, 41)], group, 10)
    producer.commit_transaction(10)
    seen = {
        "aborted records are invisible": _read(consumer, topic, 1) == [b"committed"],
        "offsets of a transaction are stored": _committed(consumer, topic) == 41,
        "open records are invisible": _hides_open(bootstrap, producer, topic),
        "a zombie is fenced": _fences(bootstrap, producer, topic),
    }
    consumer.close()
    return seen


def _hides_open(bootstrap: str, producer: Producer, topic: str) -> bool:
    producer.begin_transaction()
    producer.produce(topic, b"open")
    producer.flush(10)
    reader = _consumer(bootstrap, topic)
    hidden = _read(reader, topic, 2) == [b"committed"]
    reader.close()
    return hidden


def _fences(bootstrap: str, zombie: Producer, topic: str) -> bool:
    successor = _producer(bootstrap, topic)
    successor.begin_transaction()
    successor.produce(topic, b"successor")
    successor.commit_transaction(10)
    try:
        zombie.commit_transaction(10)
    except KafkaException as error:
        return bool(error.args[0].code() == KafkaError._FENCED)
    return False


def _producer(bootstrap: str, name: str) -> Producer:
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": name})
    producer.init_transactions(30)
    return producer


def _consumer(bootstrap: str, name: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": name,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
        }
    )


def _read(consumer: Consumer, topic: str, at_most: int) -> list[Any]:
    """Return the values up to the last stable offset, or a few of them."""
    consumer.assign([TopicPartition(topic, 0, 0)])
    values: list[Any] = []
    for _ in range(300):
        message = consumer.poll(0.1)
        if message is None:
            continue
        if message.error() is not None:
            return values
        values.append(message.value())
        if len(values) > at_most:
            return values
    return values


def _committed(consumer: Consumer, topic: str) -> int:
    for _ in range(100):
        answer = consumer.committed([TopicPartition(topic, 0)], 10)[0]
        if answer.error is None:  # else the coordinator is not ready, which is no answer
            return int(answer.offset)
    raise RuntimeError(f"the broker does not tell the committed offset of {topic}")
