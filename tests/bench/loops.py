"""The loops that are measured, each in a process of its own: a worker, and a bare copy.

Called as `python -m tests.bench.loops ingest EVENTS`, `... notify EVENTS` or
`... floor EVENTS OUTPUTS BYTES`.
"""

import sys

from confluent_kafka import Consumer, Producer

from loyaltystream.app import Deployment, build_worker, fresh_start
from loyaltystream.kafka.connection import properties
from loyaltystream.memory.units import KeyKind
from loyaltystream.pipeline import Plan
from loyaltystream.settings import load
from loyaltystream.telemetry.health import health_of
from loyaltystream.telemetry.memory import MemoryWatch
from loyaltystream.telemetry.worker import WorkerTelemetry
from loyaltystream.verdicts import Tally
from loyaltystream.working import tune_allocator, tune_interpreter
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
        if telemetry._remembered is not None:
            ids = telemetry._remembered().ids.items()
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


def floor(events: int, outputs: int, output_bytes: int) -> str:
    """Copy: as many records of that size, with one header, to the same two topics, in transactions.

    An event's first copy goes to one topic, its second to the other; nothing else is done.
    """
    stopwatch = Stopwatch()
    deployment = Deployment(load())
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
    topics, produce = deployment.topics, producer.produce
    targets, owed = (topics.emf, topics.ei), 0
    while stopwatch.events < events:
        messages = consumer.consume(settings.worker.batch_records, settings.worker.batch_ms / 1000)
        if not messages:
            continue
        producer.begin_transaction()
        for message in messages:
            key, partition = message.key(), message.partition() or 0
            value = (message.value() or b"")[:output_bytes].ljust(output_bytes, b" ")
            owed += outputs
            while owed >= events:
                owed -= events
                target = targets[owed >= events]
                produce(target, value, key, partition, None, None, 0, [("src", b"x/0/100000/0/17")])
        producer.poll(0)
        producer.send_offsets_to_transaction(
            consumer.position(consumer.assignment()), consumer.consumer_group_metadata(), 30
        )
        producer.commit_transaction(30)
        stopwatch.committed(len(messages))
    consumer.close()
    return stopwatch.report()


if __name__ == "__main__":
    loop, numbers = sys.argv[1], [int(number) for number in sys.argv[2:]]
    report = floor(*numbers) if loop == "floor" else work(loop, numbers[0])
    sys.stdout.write(report + "\n")
