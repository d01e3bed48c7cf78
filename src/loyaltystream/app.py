"""The composition root: a deployment in, its workers put together out.

Does I/O: asks the broker and the registry whether they are as they have to be.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from loyaltystream import __version__
from loyaltystream.avro import schemas
from loyaltystream.avro.dead_letter import LetterEncoder
from loyaltystream.contracts import asyncapi
from loyaltystream.contracts.servers import servers_of
from loyaltystream.definitions.source import Source
from loyaltystream.deployment import Deployment
from loyaltystream.errors import ConfigurationError
from loyaltystream.kafka.groups import outsider
from loyaltystream.kafka.sink import TransactionalSink
from loyaltystream.kafka.source import GroupSource
from loyaltystream.keeping import build_keeper, origins
from loyaltystream.notifications.catalog import SCHEMAS
from loyaltystream.notify import Notify
from loyaltystream.plans import describe, published_plans
from loyaltystream.ports import Stage
from loyaltystream.reached import Reached, going_on
from loyaltystream.relayout.guard import guarded
from loyaltystream.runner import Runner
from loyaltystream.settings import Settings
from loyaltystream.stage import FreshStart, IngestStage, NotifyStage, Remembered
from loyaltystream.telemetry import log_events
from loyaltystream.telemetry.health import Health, Watched
from loyaltystream.telemetry.memory import MemoryWatch
from loyaltystream.telemetry.metrics import Metrics
from loyaltystream.telemetry.registry import RegistryWatch
from loyaltystream.telemetry.worker import Readings, WorkerTelemetry
from loyaltystream.tracing.notified import TraceNotified, unnotified
from loyaltystream.tracing.opening import NO_TRACING, Tracing

STAGES: Final = ("ingest", "notify")


class Worker(msgspec.Struct, frozen=True):
    """One stage's runner.

    Attributes:
        watch: begins to look after what its loop does not, beside it.
        leave: waits, for seconds at most, until all that a restart wants is on the disk.
    """

    name: str
    runner: Runner
    watch: Callable[[], None]
    leave: Callable[[], None]


class _Work(msgspec.Struct, frozen=True):
    """A stage, and what else a worker asks of it."""

    stage: Stage
    definitions: Source
    remembered: Callable[[], Remembered] | None = None
    leave: Callable[[], None] = lambda: None


def member_name(settings: Settings, stage: str, slot: int) -> str:
    """Return the name of a worker, as its transactional id and its place in the group have it."""
    worker = settings.worker
    return f"{worker.group_prefix}.{stage}.{worker.instance}.{slot}"


def build_worker(  # noqa: PLR0913 (what, who, where from, and whom to tell)
    deployment: Deployment,
    stage: str,
    slot: int,
    *,
    start: FreshStart,
    accept_loss_ms: int | None,
    health: Health,
    tracing: Tracing = NO_TRACING,
) -> Worker:
    """Put a worker together; nothing is read or written yet.

    Args:
        deployment: what it works on.
        stage: `ingest` or `notify`.
        slot: its number among the workers of this instance and stage.
        start: where to begin in a partition that was never read.
        accept_loss_ms: an operator's word that a lost memory may start empty.
        health: told how it is.
        tracing: traces records, or none.

    Raises:
        ConfigurationError: if settings, topics or definitions are not usable.
        SchemaError: if a schema is not registered, or is not what records were written with.
        BrokerError: if the broker or the registry does not answer.
    """
    _demand_topics(deployment)
    deployment.demand_readable()
    settings, name = deployment.settings, member_name(deployment.settings, stage, slot)
    topic = deployment.topics.ingest if stage == "ingest" else deployment.topics.emf
    source = GroupSource(
        settings.kafka,
        settings.worker,
        topic=topic,
        group=deployment.group(stage),
        member=name,
        away=lambda why: telemetry.waiting(why),  # noqa: PLW0108 (it is made below)
    )
    sink = TransactionalSink(
        settings.kafka,
        settings.worker,
        transactional_id=name,
        input_topic=topic,
        group=outsider(settings.kafka, deployment.group(stage)),
    )
    metrics = Metrics()
    metrics.topic_partitions.set(settings.topics.partitions)  # as was just demanded
    if stage == "ingest":
        work = _build_ingest(deployment, metrics, tracing, start, accept_loss_ms)
    else:
        work = _build_notify(deployment, metrics, tracing, start)
    told = WorkerTelemetry(metrics, _readings(source, sink, work))
    telemetry = Watched(tracing.around(told), health)
    health.built(metrics.registry)
    runner = Runner(source, sink, work.stage, telemetry=telemetry)
    watch = RegistryWatch(metrics, deployment.registry.ask)
    return Worker(name, runner, watch.begin, work.leave)


def _demand_topics(deployment: Deployment) -> None:
    """Refuse to work on topics that are not as they have to be.

    Raises:
        ConfigurationError: naming each difference.
    """
    changes = deployment.admin.compare(deployment.topic_plans())
    lines = [f"  - {line}" for change in changes for line in describe(change)]
    if lines:
        head = "topics are not as they have to be; `loyaltystream init` mends this:"
        raise ConfigurationError("\n".join([head, *lines]))


def _readings(source: GroupSource, sink: TransactionalSink, work: _Work) -> Readings:
    return Readings(
        lags=source.lag,
        held_s=source.held_s,
        poll_gap_s=source.poll_gap_s,
        queued=sink.queued,
        defined=lambda: work.definitions.view().by_name,
        remembered=work.remembered,
    )


def build_notify(
    deployment: Deployment, letters: LetterEncoder, trace: TraceNotified = unnotified
) -> Notify:
    """Return what turns accepted events into notifications.

    Args:
        deployment: whose events they are.
        letters: encodes what can't be mapped.
        trace: traces records.

    Raises:
        SchemaError: if a schema is not registered.
        BrokerError: if the registry does not answer.
    """
    registry, topics = deployment.registry, deployment.topics
    return Notify(
        topics,
        letters=letters,
        schema_ids={
            name: registry.demand(topics.notifications, schemas.load(name)) for name in SCHEMAS
        },
        writer_schema=registry.writer_schema,
        rules=deployment.rules,
        trace=trace,
    )


def _build_ingest(
    deployment: Deployment,
    metrics: Metrics,
    tracing: Tracing,
    start: FreshStart,
    accept_loss_ms: int | None,
) -> _Work:
    group, reader, layout = deployment.group("ingest"), deployment.reader, deployment.layout
    keeper = build_keeper(
        deployment.settings,
        reader,
        deployment.topics.changelog,
        group=group,
        origin=origins(reader, deployment.topics, group=group, layout=layout),
        watch=MemoryWatch(metrics),
    )
    definitions = deployment.definitions(metrics)
    ingest = IngestStage(
        deployment.ingest(tracing.judged),
        definitions=definitions,
        layout=layout,
        keeper=keeper,
        fresh=guarded(start, reader, deployment.topics.changelog, layout),
        accept_loss_ms=accept_loss_ms,
    )
    return _Work(ingest, definitions, ingest.remembered, keeper.leave)


def _build_notify(
    deployment: Deployment, metrics: Metrics, tracing: Tracing, start: FreshStart
) -> _Work:
    notify = build_notify(deployment, deployment.letters("notify"), tracing.notified)
    definitions = deployment.definitions(metrics)
    reached = Reached(deployment.reader, deployment.topics)
    fresh = going_on(
        reached,
        start,
        lambda partition, offset: log_events.offsets_forgotten(partition=partition, offset=offset),
    )
    return _Work(NotifyStage(notify, definitions=definitions, fresh=fresh), definitions)


def fresh_start(deployment: Deployment, stage: str, choice: str | int | None) -> FreshStart:
    """Return where a group begins that never committed an offset.

    Args:
        deployment: whose topics are meant.
        stage: whose input.
        choice: `earliest`, `latest`, or epoch milliseconds; None: nobody chose.
    """
    topic = deployment.topics.ingest if stage == "ingest" else deployment.topics.emf
    reader = deployment.reader
    beginnings: dict[str, Callable[[int], int]] = {
        "earliest": lambda partition: reader.bounds(topic)[partition][0],
        "latest": lambda partition: reader.bounds(topic)[partition][1],
    }

    def start(partition: int) -> int:
        if choice is None:
            raise ConfigurationError(
                f"group {deployment.group(stage)} has never read {topic}/{partition}, and nobody "
                f"said where to begin. Choose: --from earliest (all that is retained), "
                f"--from latest (only what comes from now on), "
                f"or --from 2026-01-31T08:00:00Z (from a moment on)"
            )
        if isinstance(choice, int):
            return reader.offset_at(topic, partition, choice)
        return beginnings[choice](partition)

    return start


def asyncapi_of(deployment: Deployment) -> dict[str, Any]:
    """Return the AsyncAPI document of what producers and subscribers meet."""
    settings = deployment.settings
    return asyncapi.document(
        version=__version__,
        servers=servers_of(settings.kafka, settings.registry),
        plans=published_plans(settings, deployment.topics),
        ingest_group=deployment.group("ingest"),
        partition_by=deployment.rules.partition_by,
    )
