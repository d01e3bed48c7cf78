"""T12, T15, T16, T19: what is decided before anything runs, and can't be decided otherwise."""

import ast
import logging
import re
from collections.abc import Sequence
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from loyaltystream.clients import OWNED_CLIENT_PROPERTIES, KafkaSettings
from loyaltystream.definitions.source import Fixed
from loyaltystream.errors import FatalBrokerError
from loyaltystream.events import Record
from loyaltystream.kafka.connection import member_properties
from loyaltystream.kafka.sink import TransactionalSink
from loyaltystream.pipeline import Plan
from loyaltystream.runner import MAX_RENEWALS, Runner
from loyaltystream.settings import WorkerSettings
from loyaltystream.stage import NotifyStage
from loyaltystream.testing import (
    Ending,
    Fates,
    Journal,
    Lag,
    MemoryBroker,
    MemorySink,
    MemorySource,
    MemoryTelemetry,
)
from loyaltystream.topology import Output
from loyaltystream.verdicts import Tally
from tests.core import DEFINITIONS, NOW_MS, TOPICS
from tests.test_house import SOURCE, imported, modules, name_of, parsed
from tests.traps.answers import GROUP

STRAY = {
    "auto.offset.reset": "latest",
    "enable.auto.commit": "true",
    "enable.auto.offset.store": "true",
    "group.id": "another",
    "group.instance.id": "another",
    "isolation.level": "read_uncommitted",
    "message.timeout.ms": "900000",
    "partition.assignment.strategy": "range",
    "partitioner": "consistent",
    "transaction.timeout.ms": "900000",
    "transactional.id": "another",
}
OF_A_CONSUMER = {
    "auto.offset.reset": "error",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "group.id": "group",
    "group.instance.id": "one",
    "isolation.level": "read_committed",
    "partition.assignment.strategy": "cooperative-sticky",
}
OF_A_PRODUCER = {
    "message.timeout.ms": 7_000,
    "partitioner": "murmur2_random",
    "transaction.timeout.ms": 8_000,
    "transactional.id": "one",
}
ALIASES = ("auto.commit.enable", "delivery.timeout.ms", "group.protocol", "metadata.broker.list")
LONGEST_MS = 300_000
"""The client's own bound of a session: longer than it no member may be silent."""

BROKERS_MOST_MS = 900_000
"""What a broker allows a transaction, if nobody has told it otherwise."""

milliseconds = st.one_of(st.integers(1, 3_000), st.integers(1, 2 * LONGEST_MS))


def stray() -> KafkaSettings:
    """Return settings that got past their own check with what is not theirs to decide."""
    client = {name: SecretStr(value) for name, value in STRAY.items()}
    return KafkaSettings.model_construct(bootstrap_servers="127.0.0.1:9", client=client)


def producer_properties(kafka: KafkaSettings, worker: WorkerSettings) -> dict[str, Any]:
    """Return what a sink makes its producer of."""
    made: list[dict[str, Any]] = []

    def make(properties: dict[str, Any]) -> Producer:
        made.append(properties)
        raise InterruptedError

    sink = TransactionalSink(
        kafka, worker, transactional_id="one", input_topic="in", group=GROUP, make=make
    )
    with pytest.raises(InterruptedError):
        sink.open()
    return made[0]


def test_no_stray_property_reaches_a_consumer() -> None:
    """Offsets are never committed, stored or reset by the client itself, whatever it is told."""
    found = member_properties(stray(), WorkerSettings(), group="group", member="one")
    assert {name: found[name] for name in OF_A_CONSUMER} == OF_A_CONSUMER


def test_no_stray_property_reaches_a_producer() -> None:
    """Neither the transaction's id and times nor the placing of keys comes from outside."""
    found = producer_properties(stray(), WorkerSettings())
    assert {name: found[name] for name in OF_A_PRODUCER} == OF_A_PRODUCER


@pytest.mark.parametrize("name", sorted({*STRAY, *ALIASES}))
def test_a_stray_property_is_refused_by_name(name: str) -> None:
    """What is not for setting is told as such, under its other names too, and before the start."""
    assert name in OWNED_CLIENT_PROPERTIES
    with pytest.raises(ValidationError, match=name):
        KafkaSettings(client={name: SecretStr("x")})


@given(batch=milliseconds, message=milliseconds, transaction=milliseconds, session=milliseconds)
def test_only_timeouts_in_order_are_accepted(
    batch: int, message: int, transaction: int, session: int
) -> None:
    """Usable are exactly those that rise from batch to session, and that a broker takes."""
    in_order = 3 * batch < message < transaction < session
    in_bounds = message >= 100 and transaction >= 1_000 and session <= LONGEST_MS
    try:
        WorkerSettings(
            batch_ms=batch,
            message_timeout_ms=message,
            transaction_timeout_ms=transaction,
            session_timeout_ms=session,
        )
    except ValidationError:
        assert not (in_order and in_bounds)
    else:
        assert in_order
        assert in_bounds
        assert transaction < BROKERS_MOST_MS


@settings(max_examples=20, deadline=None)
@given(
    batch=st.integers(1, 50_000),
    steps=st.tuples(st.integers(1, 50_000), st.integers(1, 50_000), st.integers(1, 49_000)),
)
def test_the_client_takes_every_accepted_timeout(batch: int, steps: tuple[int, int, int]) -> None:
    """No order of timeouts that the settings take is one that the library refuses."""
    message = max(3 * batch + steps[0], 100)
    transaction = max(message + steps[1], 1_000)
    worker = WorkerSettings(
        batch_ms=batch,
        message_timeout_ms=message,
        transaction_timeout_ms=transaction,
        session_timeout_ms=transaction + steps[2],
    )
    quiet = {"logger": logging.getLogger("quiet"), "log_level": 0}
    kafka = KafkaSettings(bootstrap_servers="127.0.0.1:9")
    Consumer(member_properties(kafka, worker, group="group", member="one") | quiet).close()
    Producer(producer_properties(kafka, worker) | quiet).close()


class Sends:
    """A deriver that sends each record on."""

    def plan(self, records: Sequence[Record], *, definitions: object, generation: int) -> Plan:
        """Return a plan with an output for each record."""
        del definitions, generation
        sent = [Output(TOPICS.emf, None, record.value, 0, []) for record in records]
        return Plan(records[0].partition, records[-1].offset + 1, sent, Tally())


class SlowCommits(Fates):
    """A commit takes until its outcome is asked for."""

    def ending(self) -> Ending:
        """Return a commit that the broker has not got yet."""
        return Ending(lag=Lag.ALL)


class Twins:
    """Two members with a partition each, under one transactional id.

    Attributes:
        at_work: who had the last turn.
    """

    def __init__(self) -> None:
        self.broker = MemoryBroker({TOPICS.ingest: 2, TOPICS.emf: 1}, now_ms=NOW_MS)
        self.workers = [self._worker("one"), self._worker("two")]
        self.at_work = self.workers[0]
        for worker in self.workers * 3:
            worker.step()

    def work(self, turns: int) -> None:
        """Let each take its turns, while there is always something to do."""
        for worker in self.workers * turns:
            self.at_work = worker
            for number in range(2):
                self.broker.append(TOPICS.ingest, b"one more", partition=number)
            worker.step()

    def sent(self) -> int:
        """Return how many records were committed."""
        return len(list(self.broker.records(TOPICS.emf, 0)))

    def _worker(self, member: str) -> Runner:
        return Runner(
            MemorySource(self.broker, topic=TOPICS.ingest, group="group", member=member),
            MemorySink(self.broker, "one id for both", fates=SlowCommits()),
            NotifyStage(Sends(), definitions=Fixed(DEFINITIONS), fresh=lambda _partition: 0),
            telemetry=MemoryTelemetry(Journal()),
        )


def test_two_that_fence_each_other_do_not_go_on_for_ever() -> None:
    """Of two workers under one transactional id one ends and says why, and the other works on."""
    twins = Twins()
    with pytest.raises(FatalBrokerError, match=r"worker\.instance"):
        twins.work(4 * MAX_RENEWALS)
    assert twins.sent() == 0
    twins.workers.remove(twins.at_work)
    twins.work(4)
    assert twins.sent() > 0


def test_workers_are_new_programs() -> None:
    """No process is forked with a client in it: its threads would be missing."""
    for path in modules(SOURCE):
        names = set(imported(parsed(path)))
        assert not {name for name in names if name.startswith("multiprocessing")}, name_of(path)
        assert "concurrent.futures.ProcessPoolExecutor" not in names, name_of(path)
        forks = [
            node.attr
            for node in ast.walk(parsed(path))
            if isinstance(node, ast.Attribute) and node.attr in {"fork", "forkpty"}
        ]
        assert forks == [], name_of(path)


def test_nobody_waits_for_a_client_without_end() -> None:
    """Every poll, flush or question of a client has its time, so that a signal is soon heard."""
    waits = {"poll", "consume", "flush", "committed", "list_topics", "get_watermark_offsets"}
    found = 0
    for path in modules(SOURCE / "kafka"):
        for node in ast.walk(parsed(path)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            owner = ast.unparse(node.func.value)
            if node.func.attr in waits and re.search("consumer|producer|admin", owner):
                found += 1
                said = [ast.unparse(one) for one in (*node.args, *node.keywords)]
                assert said, f"{name_of(path)}:{node.lineno}"
                assert not [one for one in said if "-1" in one], f"{name_of(path)}:{node.lineno}"
    assert found > 10
