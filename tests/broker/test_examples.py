"""The examples for subscribers in other languages, built and run as their pages say.

What Maven and npm fetch goes to the user's ordinary caches. Each program reads all notification
types, one of them twice, and passes by a record whose transaction was aborted.
"""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from confluent_kafka import Producer

from loyaltystream.avro import schemas
from loyaltystream.avro.wire import FRAME_BYTES
from loyaltystream.events import Record
from loyaltystream.platform import Addresses
from tests.broker.standard import caused, judged_cases, without_arrival
from tests.registry import Answer, serving
from tests.shop import Shop, eventually
from tests.toolchain import demand

pytestmark = pytest.mark.broker

EXAMPLES: Final = Path(__file__).parent.parent.parent / "examples"
BUILD_S: Final = 110
HUGE: Final = 2**53 + 1
"""A number of Avro's that JavaScript's own can't hold; written as text where it is none."""
LEFT: Final = {0, 143}
"""How a program ends that was told to stop; Java has the signal's number in it, always."""
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


class Example(NamedTuple):
    """How a program is built and run; what it needs are the first words of both."""

    folder: str
    build: Sequence[str]
    run: Sequence[str]


JAVA: Final = Example(
    "java",
    ("mvn", "-q", "-B", "compile"),
    ("java", "-cp", "target/classes:target/lib/*", "example.Subscriber"),
)
NODE: Final = Example("node", ("npm", "install", "--no-package-lock"), ("node", "subscriber.js"))


@pytest.fixture(scope="module")
def shop(proven_cluster: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Return a deployment that has notified of everything; some of it once more, some in vain."""
    with judged_cases(proven_cluster, tmp_path_factory.mktemp("examples")) as shop:
        for record in {record.partition: record for record in notifications(shop)}.values():
            abort(shop, record, altered(shop, record, "aborted"))
            write(shop, record, altered(shop, record, f"huge-{record.partition}", HUGE))
            write(shop, record, record.value or b"")
        yield shop


def altered(shop: Shop, record: Record, event_id: str, event_log_id: int = 1) -> bytes:
    """Return a notification under another id, of that entry of the engine's log."""
    value = record.value or b""
    schema = shop.deployment.registry.writer_schema(int.from_bytes(value[1:FRAME_BYTES]))
    assert schema is not None
    content = schemas.decode(schema, None, value[FRAME_BYTES:])
    changed = content | {"eventId": event_id, "eventLogId": event_log_id}
    return value[:FRAME_BYTES] + schemas.encode(schema, changed)


def abort(shop: Shop, record: Record, value: bytes) -> None:
    """Write a value beside a record, and abort the transaction."""
    name = f"{shop.settings.topics.prefix}gives.up"
    producer = Producer(_producer(shop) | {"transactional.id": name})
    producer.init_transactions(30)
    producer.begin_transaction()
    _write(shop, producer, record, value)
    producer.abort_transaction(30)


def write(shop: Shop, record: Record, value: bytes) -> None:
    """Write a value beside a record."""
    _write(shop, Producer(_producer(shop)), record, value)


def _producer(shop: Shop) -> dict[str, str]:
    return {"bootstrap.servers": shop.settings.kafka.bootstrap_servers, "compression.type": "lz4"}


def _write(shop: Shop, producer: Producer, record: Record, value: bytes) -> None:
    topic = shop.deployment.topics.notifications
    producer.produce(topic, value, record.key, record.partition)
    assert producer.flush(30) == 0


class Built(NamedTuple):
    """A program, where it lies, and the consumer group that it reads as."""

    example: Example
    folder: Path
    group: str


@pytest.fixture(scope="module", params=[JAVA, NODE], ids=["java", "node"])
def built(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Example, Path]:
    """Return a program that was built by stock tools, as its page says."""
    example: Example = request.param
    demand(example.build[0], example.run[0])
    folder = tmp_path_factory.mktemp("built") / example.folder
    left = shutil.ignore_patterns("node_modules", "target")
    shutil.copytree(EXAMPLES / example.folder, folder, ignore=left)
    made = subprocess.run(
        example.build, cwd=folder, capture_output=True, text=True, timeout=BUILD_S, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return example, folder


def test_an_example_handles_each_notification_once(shop: Shop, built: tuple[Example, Path]) -> None:
    """A program prints what the golden files say, each once, and nothing that was aborted."""
    program = Built(*built, f"{shop.settings.topics.prefix}{built[0].folder}")
    with running(shop, program, shop.settings.registry.url) as process:
        finish(shop, program, process)
    check_printed(shop, program)


def test_an_example_passes_over_nothing_while_the_registry_fails(
    shop: Shop, built: tuple[Example, Path]
) -> None:
    """It asks again, or ends and is started again: what it could not read it has not committed."""
    program = Built(*built, f"{shop.settings.topics.prefix}{built[0].folder}-patient")
    with serving() as stub:
        for schema_id in {int.from_bytes((one.value or b"")[1:5]) for one in notifications(shop)}:
            schema = shop.deployment.registry.writer_schema(schema_id)
            assert schema is not None
            stub.keep(schema_id, schemas.text(schema))
        stub.instead = lambda _path: Answer(503)
        with running(shop, program, stub.url) as process:
            if program.example is JAVA:
                assert process.wait(60) == 1
                told = (program.folder / "err").read_text()
                assert f"{shop.deployment.topics.notifications}-" in told  # and the partition
            else:
                eventually(lambda: len(stub.asked) > 8, "it asks again", 60)
            assert not shop.deployment.reader.committed(
                program.group, shop.deployment.topics.notifications
            )
            stub.instead = lambda _path: None
            if program.example is NODE:
                finish(shop, program, process)
        if program.example is JAVA:
            with running(shop, program, stub.url) as process:
                finish(shop, program, process)
    check_printed(shop, program)


def finish(shop: Shop, program: Built, process: "subprocess.Popen[bytes]") -> None:
    """Wait until all is handled and committed, then tell the program to stop."""
    eventually(lambda: has_committed(shop, program.group), "all is handled and committed", 60)
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) in LEFT, (program.folder / "err").read_text()


def check_printed(shop: Shop, program: Built) -> None:
    """Hold what was printed against the golden files, and what was written beside them."""
    read = [printed(line) for line in (program.folder / "out").read_text().splitlines()]
    golden = [(each["key"], counted(each["notification"])) for each in caused()]
    assert sorted((one for one in read if not _is_huge(one)), key=_id) == sorted(golden, key=_id)
    huge = [notification["eventId"] for _, notification in filter(_is_huge, read)]
    partitions = {one.partition for one in notifications(shop)}
    assert sorted(huge) == [f"huge-{partition}" for partition in sorted(partitions)]


def notifications(shop: Shop) -> list[Record]:
    """Return all notifications that were committed."""
    return shop.read(shop.deployment.topics.notifications)


@contextmanager
def running(shop: Shop, program: Built, registry_url: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Yield the program at work; it is killed if it is still there in the end."""
    environment = {
        "KAFKA_BOOTSTRAP": shop.settings.kafka.bootstrap_servers,
        "SCHEMA_REGISTRY_URL": registry_url,
        "TOPIC": shop.deployment.topics.notifications,
        "GROUP": program.group,
    }
    folder = program.folder
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen(
            program.example.run, cwd=folder, env=os.environ | environment, stdout=out, stderr=err
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def has_committed(shop: Shop, group: str) -> bool:
    """Say whether a group has committed behind every record there is."""
    committed = shop.deployment.reader.committed(group, shop.deployment.topics.notifications)
    return all(committed.get(one.partition, 0) > one.offset for one in notifications(shop))


def printed(line: str) -> tuple[str, dict[str, Any]]:
    """Return key and notification of a line that a program printed."""
    key, _, notification = line.partition("\t")
    return key, counted(json.loads(notification))


def counted(notification: dict[str, Any]) -> dict[str, Any]:
    """Return a notification with times in epoch milliseconds, as Avro has them."""
    made: dict[str, Any] = _counted(without_arrival(notification))
    return made


def _counted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _counted(child) for name, child in value.items()}
    if isinstance(value, list):
        return [_counted(child) for child in value]
    if value == HUGE:
        return str(value)
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return round(datetime.fromisoformat(value).timestamp() * 1000)
    return value


def _is_huge(read: tuple[str, dict[str, Any]]) -> bool:
    return bool(read[1]["eventLogId"] == str(HUGE))


def _id(read: tuple[str, dict[str, Any]]) -> str:
    return str(read[1]["eventId"])
