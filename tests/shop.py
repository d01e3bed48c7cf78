"""A deployment on the real broker, run by the real command line."""

import os
import secrets
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from loyaltystream.audit.findings import Findings
from loyaltystream.auditing import build_audit
from loyaltystream.deployment import Deployment
from loyaltystream.events import Record
from loyaltystream.kafka.sending import Sender
from loyaltystream.platform import Addresses
from loyaltystream.settings import Settings, load, variable
from loyaltystream.story import Sent, definitions_folder

DRAIN_S = 120.0
LEAVE_S = 12.0
QUICK = {
    "worker.message_timeout_ms": "3000",
    "worker.transaction_timeout_ms": "4000",
    "worker.session_timeout_ms": "6000",
}
"""The shortest timeouts that a broker takes: groups settle sooner."""


class Shop:
    """One deployment: topics with a prefix of their own, a group, a state directory, a secret."""

    def __init__(
        self, cluster: Addresses, directory: Path, partitions: int, settings: dict[str, str]
    ) -> None:
        name = f"t{uuid.uuid4().hex[:8]}"
        directory.mkdir(parents=True)
        self.directory = directory
        self.environment = {
            variable(setting): value
            for setting, value in {
                "kafka.bootstrap_servers": cluster.bootstrap_servers,
                "registry.url": cluster.registry_url,
                "topics.prefix": f"{name}.",
                "topics.partitions": str(partitions),
                "worker.group_prefix": name,
                "worker.state_dir": str(directory / "state"),
                "memory.hash_key": secrets.token_hex(32),
                "rules.definitions": str(definitions_folder()),
                "telemetry.metrics_port": "0",
                "telemetry.log_format": "json",
                **{key.replace("__", "."): value for key, value in settings.items()},
            }.items()
        }
        self._started: list[subprocess.Popen[bytes]] = []
        self.command("init")

    @property
    def settings(self) -> Settings:
        """The settings, as a worker reads them."""
        before = dict(os.environ)
        os.environ.update(self.environment)
        try:
            return load()
        finally:
            os.environ.clear()
            os.environ.update(before)

    @property
    def deployment(self) -> Deployment:
        """What the settings name."""
        return Deployment(self.settings)

    @contextmanager
    def changed(self, settings: Mapping[str, str | None]) -> Iterator[None]:
        """Work with other settings for a while; None: without that one."""
        before = dict(self.environment)
        self.environment.update({variable(name): value or "" for name, value in settings.items()})
        for name in (name for name, value in settings.items() if value is None):
            del self.environment[variable(name)]
        try:
            yield
        finally:
            self.environment = before

    def command(
        self, *arguments: str, code: int = 0, given: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, with `given` as its standard input."""
        done = subprocess.run(
            self._argv(arguments),
            env={**os.environ, **self.environment},
            cwd=self.directory,
            capture_output=True,
            input=given,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, (
            f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        )
        return done

    def start(self, *arguments: str, log: str = "worker") -> subprocess.Popen[bytes]:
        """Start a command that goes on, its output in a file."""
        with (self.directory / f"{log}.log").open("ab") as output, interruptible():
            process = subprocess.Popen(
                self._argv(arguments),
                env={**os.environ, **self.environment},
                cwd=self.directory,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._started.append(process)
        return process

    def log(self, name: str = "worker") -> str:
        """Return what a started command has said."""
        return (self.directory / f"{name}.log").read_text()

    def send(self, story: Iterable[Sent]) -> int:
        """Send a story to the ingest topic; return how many records it has."""
        deployment = self.deployment
        sender = Sender(deployment.settings.kafka, deployment.topics.ingest)
        count = 0
        for sent in story:
            sender.send(sent.value, sent.key, sent.headers)
            count += 1
        sender.flush()
        return count

    def drain(
        self, stages: Sequence[str] = ("ingest", "notify"), within_s: float = DRAIN_S
    ) -> None:
        """Wait until the groups have committed behind every record there is."""
        deadline = time.monotonic() + within_s
        for stage in stages:
            while self.lag(stage):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{stage} is {self.lag(stage)} behind\n{self._tails()}")
                time.sleep(0.2)

    def lag(self, stage: str) -> int:
        """Return how many committed records of a stage's input it has not committed past."""
        deployment = self.deployment
        topics, reader = deployment.topics, deployment.reader
        topic = topics.ingest if stage == "ingest" else topics.emf
        committed = reader.committed(deployment.group(stage), topic)
        return sum(
            1
            for partition, (first, end) in reader.settled_bounds(topic).items()
            for _ in reader.records(topic, partition, committed.get(partition, first), end)
        )

    def read(self, topic: str) -> list[Record]:
        """Return all committed records of a topic."""
        reader = self.deployment.reader
        return [
            record
            for partition, (first, end) in reader.settled_bounds(topic).items()
            for record in reader.records(topic, partition, first, end)
        ]

    def audit(self) -> Findings:
        """Return what an audit finds."""
        return build_audit(self.settings).run()

    def stop(self, process: subprocess.Popen[bytes]) -> int:
        """End a process as an operator does; return its exit code."""
        process.send_signal(signal.SIGTERM)
        return process.wait(LEAVE_S)

    def close(self) -> None:
        """Kill what still runs."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
                process.wait()

    def _argv(self, arguments: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "loyaltystream", *arguments]

    def _tails(self) -> str:
        logs = sorted(self.directory.glob("*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text()[-1500:]}" for log in logs)


@contextmanager
def opened(
    cluster: Addresses, directory: Path, partitions: int = 4, **settings: str
) -> Iterator[Shop]:
    """Yield a deployment; whatever of it still runs in the end is killed."""
    shop = Shop(cluster, directory, partitions, settings)
    try:
        yield shop
    finally:
        shop.close()


@contextmanager
def interruptible() -> Iterator[None]:
    """Have what is started meanwhile hear SIGINT, though this process may be told to ignore it.

    A shell without a terminal has what it starts in the background ignore ^C, and programs leave
    that as they find it: it is handed down to every child.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def open_transactions(bootstrap: str, prefix: str) -> set[str]:
    """Return the transactional ids under a prefix whose last state is Ongoing.

    Read from the broker's own log of transactions, `__transaction_state`: key version 0 is the id,
    value version 0 or 1 has producer id 8, epoch 2, timeout 4, then one byte of state.
    """
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "transactions", "enable.partition.eof": True}
    )
    topic = "__transaction_state"
    partitions = consumer.list_topics(topic, 10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    states: dict[str, int] = {}
    ended: set[int | None] = set()
    while len(ended) < len(partitions):
        for message in consumer.consume(1000, 0.1):
            if message.error() is not None:
                ended.add(message.partition())
                continue
            _note_state(states, message.key() or b"", message.value())
    consumer.close()
    return {name for name, state in states.items() if state == 1 and name.startswith(prefix)}


def _note_state(states: dict[str, int], key: bytes, value: bytes | None) -> None:
    size = int.from_bytes(key[2:4])
    name = key[4 : 4 + size].decode()
    if value is not None:
        states[name] = value[2 + 8 + 2 + 4]


def eventually(holds: Callable[[], Any], what: str, within_s: float = 30.0) -> None:
    """Wait until something holds; a bound on patience, not a claim about speed."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within_s:.0f} s: {what}")
        time.sleep(0.05)
