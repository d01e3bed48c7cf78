"""A topic of notifications with its registry, and subscribers to it in processes of their own."""

import json
import os
import signal
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from loyaltystream.avro import schemas
from loyaltystream.avro.registry import Registry
from loyaltystream.avro.schemas import Schema
from loyaltystream.avro.wire import frame
from loyaltystream.clients import KafkaSettings, RegistrySettings
from loyaltystream.events import Record
from loyaltystream.kafka.reading import LogReader
from loyaltystream.platform import Addresses
from loyaltystream.subscriber import Notification, Subscription
from loyaltystream.subscriber.records import PointsIssued
from loyaltystream.subscriber.testing import example
from tests.shop import eventually

PARTITIONS: Final = 4
ANSWER_S: Final = 30


class Town:
    """Two topics, a group, and the subscribers that were started."""

    def __init__(self, cluster: Addresses, folder: Path) -> None:
        name = f"town-{uuid.uuid4().hex[:8]}"
        self.topic, self.letters_topic, self.group = name, f"{name}.dead-letter", name
        self.cluster, self._folder = cluster, folder
        self._kafka = KafkaSettings(bootstrap_servers=cluster.bootstrap_servers)
        self._registry = Registry(RegistrySettings(url=cluster.registry_url))
        self._reader = LogReader(self._kafka)
        self._producer = Producer(
            {"bootstrap.servers": cluster.bootstrap_servers, "partitioner": "murmur2_random"}
        )
        self._schema_ids: dict[str, int] = {}
        self._started: list[subprocess.Popen[bytes]] = []
        admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers})
        made = admin.create_topics(
            [NewTopic(self.topic, PARTITIONS, 1), NewTopic(self.letters_topic, 1, 1)]
        )
        for topic in made.values():
            topic.result(ANSWER_S)

    def told(self, **settings: Any) -> dict[str, Any]:
        """Return the settings of a subscriber here."""
        return {
            "group": self.group,
            "bootstrap_servers": self.cluster.bootstrap_servers,
            "registry_url": self.cluster.registry_url,
            "topic": self.topic,
            "dead_letter_topic": self.letters_topic,
            "backoff_s": 0.1,
            "session_s": 6,
            "leave_s": 5,
            **settings,
        }

    def subscription(self, **settings: Any) -> Subscription:
        """Return what a subscriber here has to be told."""
        return Subscription(**self.told(**settings))

    def send(self, notifications: Iterable[Notification]) -> list[str]:
        """Write notifications, each under its apiRequestId as its key; return their ids."""
        ids = []
        for notification in notifications:
            schema = schemas.load(f"{schemas.NOTIFICATION_NAMESPACE}.{type(notification).__name__}")
            told = f"{schemas.NOTIFICATION_NAMESPACE}.{notification.eventName}"
            self._producer.produce(
                self.topic,
                frame(self._schema_id(schema)) + schemas.encode(schema, asdict(notification)),
                (notification.apiRequestId or "").encode(),
                headers=[("ce_type", told.encode()), ("ce_id", notification.eventId.encode())],
            )
            ids.append(notification.eventId)
        self._producer.flush(ANSWER_S)
        return ids

    def _schema_id(self, schema: Schema) -> int:
        name = schema["name"]
        if name not in self._schema_ids:
            self._schema_ids[name] = self._registry.register(self.topic, schema)
        return self._schema_ids[name]

    def records(self) -> list[Record]:
        """Return what lies on the topic."""
        return self._read(self.topic)

    def places(self) -> dict[str, tuple[int, int]]:
        """Return where each notification lies, by its id."""
        return {
            (record.header("ce_id") or b"").decode(): (record.partition, record.offset)
            for record in self.records()
        }

    def remove(self, partition: int, offset: int) -> None:
        """Remove what lies before an offset, as retention does."""
        admin = AdminClient({"bootstrap.servers": self.cluster.bootstrap_servers})
        place = TopicPartition(self.topic, partition, offset)
        admin.delete_records([place])[place].result(ANSWER_S)

    def letters(self) -> list[Record]:
        """Return the dead letters."""
        return self._read(self.letters_topic)

    def committed(self) -> dict[int, int]:
        """Return the group's offsets."""
        return self._reader.committed(self.group, self.topic)

    def is_done(self) -> bool:
        """Say whether the group has committed behind every record."""
        committed = self.committed()
        ends = {record.partition: record.offset + 1 for record in self.records()}
        return all(committed.get(partition) == end for partition, end in ends.items())

    def start(self, *, store: bool = False, **settings: Any) -> subprocess.Popen[bytes]:
        """Start a subscriber in a process of its own."""
        with (self._folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.broker.subscribing",
                    json.dumps(self.told(**settings)),
                    str(self._folder / "journal"),
                    str(self._folder / "store") if store else "none",
                ],
                env=dict(os.environ),
                cwd=Path(__file__).parents[2],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._started.append(process)
        return process

    def log(self) -> str:
        """Return what subscribers have said."""
        log = self._folder / "log"
        return log.read_text() if log.exists() else ""

    def lines(self, word: str) -> list[str]:
        """Return what stands behind that word in the journal."""
        journal = self._folder / "journal"
        lines = journal.read_text().splitlines() if journal.exists() else []
        return [line.partition(" ")[2] for line in lines if line.startswith(f"{word} ")]

    def done(self) -> Counter[str]:
        """Return how often the reaction to each notification has returned."""
        return Counter(self.lines("done"))

    def await_done(self, count: int) -> None:
        """Wait until reactions have returned so often."""
        eventually(lambda: len(self.lines("done")) >= count, f"{count} are done", 60)

    def drain(self) -> None:
        """Wait until everything is committed."""
        eventually(self.is_done, f"everything is committed\n{self.log()[-2000:]}", 60)

    def close(self) -> None:
        """Kill what still runs."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
                process.wait()

    def _read(self, topic: str) -> list[Record]:
        return [
            record
            for partition, (first, end) in self._reader.settled_bounds(topic).items()
            for record in self._reader.records(topic, partition, first, end)
        ]


def issued(customer: int, order: str = "0") -> PointsIssued:
    """Return a notification about a customer, whose reaction is to do that."""
    return example(PointsIssued, apiRequestId=f"1800|{customer}", refId=order)


def leave(process: subprocess.Popen[bytes], within_s: float = 15) -> int:
    """End a subscriber as an operator does; return its exit code."""
    process.send_signal(signal.SIGTERM)
    return process.wait(within_s)
