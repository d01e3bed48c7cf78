"""The loops that are measured, each in a process of its own: a worker, and a bare copy.

Called as `python -m tests.bench.loops ingest EVENTS`, `... notify EVENTS` or
`... floor EVENTS COPIES`.
"""

import os
import sys
from collections import Counter
from pathlib import Path

from confluent_kafka import Consumer, Message, Producer

from loyaltystream.app import build_worker, fresh_start
from loyaltystream.deployment import Deployment
from loyaltystream.kafka.connection import properties
from loyaltystream.memory.units import KeyKind
from loyaltystream.pipeline import Plan
from loyaltystream.settings import load
from loyaltystream.telemetry.health import health_of
from loyaltystream.telemetry.memory import MemoryWatch
from loyaltystream.telemetry.worker import WorkerTelemetry
from loyaltystream.verdicts import Tally
from loyaltystream.working import tune_allocator, tune_interpreter
from tests.bench.copying import Copies, load_copies
from tests.bench.measuring import Stopwatch


def work(stage: str, events: int) -> str:
    """Run the real worker until that many records are done; return the measure.

    It leaves as a worker does that is told to stop: what a restart wants is on the disk.
    """
    tune_allocator()
    stopwatch = Stopwatch()
    deployment = Deployment(load())
    worker = build_worker(
        deployment,
        stage,
        0,
        start=fresh_start(deployment, stage, "earliest"),
        accept_loss_ms=None,
        health=health_of(deployment.settings),
    )
    observe(stopwatch)
    tune_interpreter()
    worker.runner.run(lambda: stopwatch.events >= events)
    worker.leave()
    return stopwatch.report()


def observe(stopwatch: Stopwatch) -> None:
    """Have the stopwatch told what a worker tells its telemetry."""
    told, heard = WorkerTelemetry.committed, MemoryWatch.restored

    def committed(telemetry: WorkerTelemetry, plans: list[Plan]) -> None:
        tally = sum((plan.tally for plan in plans), Tally())
        counts = {name.value: number for name, number in tally.verdicts.items()}
        counts |= {name.value: number for name, number in tally.outcomes.items()}
        stopwatch.committed(tally.consumed, counts)
        if telemetry._readings.remembered is not None:
            ids = telemetry._readings.remembered().ids.items()
            known = (count for unit, count in ids if unit.kind is KeyKind.EVENT_ID)
            stopwatch.remembered = sum(known)
        told(telemetry, plans)

    def restored(
        watch: MemoryWatch, partition: int, created_ms: int | None, seconds: float
    ) -> None:
        source = "changelog" if created_ms is None else "snapshot"
        stopwatch.restored_s.append((source, seconds))
        heard(watch, partition, created_ms, seconds)

    WorkerTelemetry.committed = committed  # type: ignore[method-assign,assignment]  # to measure it
    MemoryWatch.restored = restored  # type: ignore[method-assign,assignment]  # likewise


def floor(events: int, due: Path) -> str:
    """Copy: the records that INGEST wrote, in transactions, with the words of the events instead.

    Nothing else is done.
    """
    deployment, copies = Deployment(load()), load_copies(due)
    settings, topic = deployment.settings, deployment.topics.ingest
    consumer = Consumer(
        properties(
            settings.kafka,
            group_id=f"{topic}.floor",
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
    )
    producer = Producer(
        properties(
            settings.kafka,
            transactional_id=f"{topic}.floor",
            linger_ms=5,
            compression_type="lz4",
            queue_buffering_max_messages=100_000,
        )
    )
    producer.init_transactions(30)
    consumer.subscribe([topic])
    stopwatch = Stopwatch()
    tune_interpreter()
    while stopwatch.events < events:
        messages = consumer.consume(settings.worker.batch_records, settings.worker.batch_ms / 1000)
        if not messages:
            continue
        producer.begin_transaction()
        copy(messages, copies, producer)
        producer.poll(0)
        producer.send_offsets_to_transaction(
            consumer.position(consumer.assignment()), consumer.consumer_group_metadata(), 30
        )
        producer.commit_transaction(30)
        stopwatch.committed(len(messages))
    consumer.close()
    return stopwatch.report()


def copy(messages: list[Message], copies: Copies, producer: Producer) -> None:
    """Produce what is due for messages, and the changelog's record for each partition of them."""
    produce, due, topics = producer.produce, copies.due, copies.topics
    counts = Counter[int]()
    for message in messages:
        key, raw, partition = message.key(), message.value() or b"", message.partition() or 0
        counts[partition] += 1
        for place, size in due[partition][message.offset() or 0]:
            target, headers = topics[place]
            value = raw[:size] if size <= len(raw) else raw.ljust(size)
            produce(target, value, key, partition, None, None, 0, headers)  # type: ignore[arg-type]  # a list of pairs is one of its types
    for partition, count in counts.items():
        # Ids are random: nothing compresses them.
        value = os.urandom(count * copies.bytes_an_event)
        produce(copies.changelog, value, None, partition)


if __name__ == "__main__":
    loop, count = sys.argv[1], int(sys.argv[2])
    report = floor(count, Path(sys.argv[3])) if loop == "floor" else work(loop, count)
    sys.stdout.write(report + "\n")
