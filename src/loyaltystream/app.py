"""The composition root: settings in, everything put together out. The only file that knows all.

Does I/O: makes clients, reads definitions, asks the broker and the registry.
"""

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Final

import msgspec

from loyaltystream import __version__
from loyaltystream.audit.audit import Audit
from loyaltystream.audit.log import Groups
from loyaltystream.audit.releases import Releases
from loyaltystream.audit.stage import Deployment as AuditedDeployment
from loyaltystream.audit.stage import Progress
from loyaltystream.avro import schemas
from loyaltystream.avro.dead_letter import ALLOWANCE_BYTES, LetterEncoder
from loyaltystream.avro.registry import Registry
from loyaltystream.avro.schemas import Schema
from loyaltystream.backfill.claim import ImportSigner, either
from loyaltystream.contracts import asyncapi
from loyaltystream.contracts.registering import register_all
from loyaltystream.contracts.servers import servers_of
from loyaltystream.defining import (
    build_desk,
    build_source,
    read_in_force,
    read_sensitive_names,
    windows_of,
)
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.definitions.source import Source
from loyaltystream.desk import Desk
from loyaltystream.errors import ConfigurationError
from loyaltystream.events import Record, WaiverOf, no_resending, no_waiver
from loyaltystream.foresight import Foresight
from loyaltystream.kafka.groups import outsider
from loyaltystream.kafka.reading import LogReader
from loyaltystream.kafka.searching import LogSearcher
from loyaltystream.kafka.sink import TransactionalSink
from loyaltystream.kafka.source import GroupSource
from loyaltystream.kafka.topics import (
    Change,
    TopicAdmin,
    TopicPlan,
    changelog_topic,
    definitions_topic,
    ingest_topic,
    letter_state_topic,
    letter_topic,
    routed_topic,
)
from loyaltystream.keeping import build_keeper, origins
from loyaltystream.keys import key_rule
from loyaltystream.letters.backlog import Backlog
from loyaltystream.letters.letter import LetterReader
from loyaltystream.letters.signing import Signer
from loyaltystream.memory.changelog import Layout
from loyaltystream.memory.identity import Identity
from loyaltystream.notifications.catalog import SCHEMAS
from loyaltystream.notify import Notify
from loyaltystream.pipeline import Ingest
from loyaltystream.ports import Stage
from loyaltystream.proofs import key_for
from loyaltystream.reached import Reached, going_on
from loyaltystream.readable import demand_readable
from loyaltystream.relayout.guard import guarded
from loyaltystream.rules import Rules
from loyaltystream.runner import Runner
from loyaltystream.sealing.ring import NO_KEYS, KeyRing
from loyaltystream.settings import TOPIC_ROLES, Settings
from loyaltystream.stage import FreshStart, IngestStage, NotifyStage, Remembered
from loyaltystream.telemetry import log_events
from loyaltystream.telemetry.definitions import DefinitionWatch
from loyaltystream.telemetry.health import Health, Watched
from loyaltystream.telemetry.letters import LetterWatch, Rest
from loyaltystream.telemetry.memory import MemoryWatch
from loyaltystream.telemetry.metrics import Metrics
from loyaltystream.telemetry.registry import RegistryWatch
from loyaltystream.telemetry.worker import Readings, WorkerTelemetry
from loyaltystream.times import DAY_MS
from loyaltystream.topology import Output, Topics
from loyaltystream.tracing.judged import TraceJudged, untraced
from loyaltystream.tracing.notified import TraceNotified, unnotified
from loyaltystream.tracing.opening import NO_TRACING, Tracing

STAGES: Final = ("ingest", "notify")
MAX_RECORD_BYTES: Final = 1_048_576
"""What `init` lets the ingest topic take, keys and headers included."""

_MARGIN_DAYS: Final = 1


class SchemaPlan(msgspec.Struct, frozen=True):
    """One schema on one topic; `schema_id` is None while it is not registered there."""

    topic: str
    schema: Schema
    schema_id: int | None


class Deployment:
    """Everything that the settings of one deployment name, made when it is first asked for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def topics(self) -> Topics:
        """The names of all topics, prefix included."""
        names = self.settings.topics
        return Topics(**{role: names.prefix + getattr(names, role) for role in TOPIC_ROLES})

    def group(self, stage: str) -> str:
        """Return the name of a stage's consumer group."""
        return f"{self.settings.worker.group_prefix}.{stage}"

    @cached_property
    def reader(self) -> LogReader:
        """Reads any topic."""
        return LogReader(self.settings.kafka)

    @cached_property
    def registry(self) -> Registry:
        """The schema registry."""
        return Registry(self.settings.registry)

    @cached_property
    def admin(self) -> TopicAdmin:
        """Makes and compares topics."""
        return TopicAdmin(self.settings.kafka)

    @cached_property
    def event_definitions(self) -> list[EventDefinition]:
        """The definitions in force, of the source that the settings name."""
        return read_in_force(self.settings, self.topics)

    @cached_property
    def sensitive_names(self) -> frozenset[str]:
        """The names that sensitive values stand under, for screens that hide them.

        Raises:
            ConfigurationError: if definitions can't be read: nothing is shown on a guess.
        """
        try:
            return read_sensitive_names(self.settings, self.topics)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"what is potentially sensitive can't be told without definitions, and --reveal "
                f"shows everything: {error}"
            ) from error

    @cached_property
    def rules(self) -> Rules:
        """What a valid event is."""
        rules, is_signing = self.settings.rules, self.settings.memory.hash_key is not None
        return Rules(
            max_event_bytes=rules.max_event_bytes,
            max_record_bytes=MAX_RECORD_BYTES,
            strict_fields=rules.strict_fields,
            country_codes=rules.country_codes,
            window_days=self.settings.memory.window_days,
            partition_by=rules.partition_by,
            dialects=self.settings.dialects,
            waiver_of=self._waiver_of if is_signing else no_waiver,
            resending_of=self.signer.resending_of if is_signing else no_resending,
        )

    @cached_property
    def identity(self) -> Identity:
        """Makes the memory's ids.

        Raises:
            ConfigurationError: without memory.hash_key.
        """
        return Identity(self._secret())

    @cached_property
    def signer(self) -> Signer:
        """Signs replays of dead letters.

        Raises:
            ConfigurationError: without memory.hash_key.
        """
        return Signer(self._secret())

    @cached_property
    def import_signer(self) -> ImportSigner:
        """Signs what imports of history claim.

        Raises:
            ConfigurationError: without memory.hash_key.
        """
        return ImportSigner(self._secret())

    @property
    def _waiver_of(self) -> WaiverOf:
        return either(self.signer.waiver_of, self.import_signer.waiver_of)

    @cached_property
    def layout(self) -> Layout:
        """What remembered ids mean."""
        partitions = self.reader.partitions(self.topics.ingest)
        return Layout(self.identity.check, key_rule(self.rules.partition_by), partitions)

    def ingest_lag(self) -> int:
        """Return how many offsets of the ingest topic wait to be judged.

        Raises:
            BrokerError: if the broker does not answer.
        """
        committed = self.reader.committed(self.group("ingest"), self.topics.ingest)
        bounds = self.reader.bounds(self.topics.ingest)
        return sum(
            max(end - committed.get(partition, first), 0)
            for partition, (first, end) in bounds.items()
        )

    def key_for(self, use: str) -> bytes:
        """Return a key of its own for one use of the deployment's secret.

        Raises:
            ConfigurationError: without memory.hash_key.
        """
        return key_for(self._secret(), use)

    def _secret(self) -> str:
        secret = self.settings.memory.hash_key
        if secret is None:
            raise ConfigurationError(
                "memory.hash_key is not set: one secret for the whole deployment, which remembered "
                "ids are made with. Make it once and keep it: openssl rand -hex 32"
            )
        return secret.get_secret_value()

    @property
    def letters_kept_days(self) -> int:
        """How long a dead letter is kept at least."""
        return min(self.settings.topics.retention_days, self.settings.memory.window_days)

    def published_plans(self) -> dict[str, TopicPlan]:
        """Return the topics that producers write and subscribers read, by role."""
        names, topics = self.settings.topics, self.topics
        days = names.retention_days
        kept = self.letters_kept_days
        larger = MAX_RECORD_BYTES + ALLOWANCE_BYTES
        made = {
            "ingest": ingest_topic(topics.ingest, days, max_bytes=MAX_RECORD_BYTES),
            "emf": routed_topic(topics.emf, days, max_bytes=larger),
            "ei": routed_topic(topics.ei, days, max_bytes=larger),
            # Keyed by themselves: where it has fewer partitions, a customer's stay where they are.
            "notifications": routed_topic(topics.notifications, days, max_bytes=larger)
            | {"alike": False},
            "duplicates": letter_topic(topics.duplicates, kept, max_bytes=larger),
            "dead-letter": letter_topic(topics.dead_letter, kept, max_bytes=larger),
        }
        return {role: self._plan(names.partitions, plan) for role, plan in made.items()}

    def topic_plans(self) -> list[TopicPlan]:
        """Return all topics as they have to be (design.md section 2)."""
        return self.topic_plans_for(windows_of(self.settings))

    def topic_plans_for(self, windows: Sequence[int]) -> list[TopicPlan]:
        """Return the same where unique keys are remembered for so many days."""
        names, topics = self.settings.topics, self.topics
        longest = max([self.settings.memory.window_days, *windows])
        changelog = changelog_topic(
            topics.changelog, _changelog_days(longest, names.retention_days)
        )
        return [
            *self.published_plans().values(),
            self._plan(names.partitions, changelog),
            # One partition: what people say has one order, and a relayout need not move it.
            self._plan(1, definitions_topic(topics.definitions)),
            self._plan(1, letter_state_topic(topics.letter_state)),
        ]

    def _plan(self, partitions: int, plan: dict[str, Any]) -> TopicPlan:
        copies = self.settings.topics.replication_factor
        return TopicPlan(partitions=partitions, replication_factor=copies, **plan)

    def published(self) -> list[tuple[str, Schema]]:
        """Return each topic of Avro with the schemas that it is written with."""
        topics = self.topics
        event = schemas.load(schemas.BEHAVIORAL_EVENT)
        return [
            (topics.emf, event),
            (topics.ei, event),
            (topics.dead_letter, schemas.load(schemas.DEAD_LETTER)),
            *((topics.notifications, schemas.load(name)) for name in SCHEMAS),
        ]

    def asyncapi(self) -> dict[str, Any]:
        """Return the AsyncAPI document of what producers and subscribers meet."""
        return asyncapi.document(
            version=__version__,
            servers=servers_of(self.settings.kafka, self.settings.registry),
            plans=self.published_plans(),
            ingest_group=self.group("ingest"),
            partition_by=self.rules.partition_by,
        )

    def schema_plans(self) -> list[SchemaPlan]:
        """Return all schemas with the ids that they have."""
        return [
            SchemaPlan(topic, schema, self.registry.find(topic, schema))
            for topic, schema in self.published()
        ]

    def register_schemas(self) -> list[SchemaPlan]:
        """Register all schemas, or none; return them with their ids.

        Raises:
            SchemaError: with a line for everything that does not go with what is there.
            RetryableBrokerError: if the registry does not answer.
        """
        wanted = self.published()
        ids = register_all(self.registry, wanted)
        return [SchemaPlan(*one, found) for one, found in zip(wanted, ids, strict=True)]

    def demand_topics(self) -> None:
        """Refuse to work on topics that are not as they have to be.

        Raises:
            ConfigurationError: naming each difference.
        """
        changes = self.admin.compare(self.topic_plans())
        lines = [f"  - {line}" for change in changes for line in describe(change)]
        if lines:
            head = "topics are not as they have to be; `loyaltystream init` mends this:"
            raise ConfigurationError("\n".join([head, *lines]))

    def demand_readable(self) -> None:
        """Refuse a registry that has other schemas than those that records were written with.

        Raises:
            SchemaError: naming a record that can't be read, and why.
            BrokerError: if the broker or the registry does not answer.
        """
        demand_readable(self.reader, self.topics, self.registry.writer_schema)

    @cached_property
    def ring(self) -> KeyRing:
        """The keys of sealed letters."""
        letters = self.settings.letters
        return KeyRing(letters.secrets(), letters.active_key)

    @cached_property
    def letter_reader(self) -> LetterReader:
        """Reads dead letters, sealed ones as far as there is a key."""
        return LetterReader(self.registry.writer_schema, self.ring)

    def letters(self, stage: str) -> LetterEncoder:
        """Return what encodes a stage's dead letters, sealed if a key is active."""
        return self._letters(stage, self.ring)

    def open_letters(self, stage: str) -> LetterEncoder:
        """Return the same without any seal: for comparing what is in letters."""
        return self._letters(stage, NO_KEYS)

    def _letters(self, stage: str, ring: KeyRing) -> LetterEncoder:
        schema_id = self.registry.demand(self.topics.dead_letter, schemas.load(schemas.DEAD_LETTER))
        return LetterEncoder(stage, schema_id, MAX_RECORD_BYTES, ring=ring)

    def definitions(self, metrics: Metrics) -> Source:
        """Return what gives the compiled definitions; they have been read to their end.

        Args:
            metrics: told what is heard of a topic.

        Raises:
            ConfigurationError: if a definition is not usable.
            BrokerError: if the broker or the registry does not answer.
        """
        watch, schema_id = DefinitionWatch(metrics), self.event_schema_id()
        return build_source(self.settings, self.topics, schema_id, heard=watch.heard)

    @cached_property
    def desk(self) -> Desk:
        """Changes the topic of definitions."""
        return build_desk(self.settings, self.topics)

    @property
    def foresight(self) -> Foresight:
        """Tells what another definition would have done."""
        return Foresight(self.reader, self.letter_reader, self.topics, self.rules)

    def event_schema_id(self) -> int:
        """Return the id that routed records carry."""
        event = schemas.load(schemas.BEHAVIORAL_EVENT)
        ids = {self.registry.demand(topic, event) for topic in (self.topics.emf, self.topics.ei)}
        if len(ids) > 1:
            raise ConfigurationError(
                f"the registry has {event['name']} under two ids, {sorted(ids)}; routed records "
                f"carry one: use a registry that gives the same schema the same id"
            )
        return ids.pop()

    def ingest(self, trace: TraceJudged = untraced) -> Ingest:
        """Return the judge of behavioral events."""
        return Ingest(
            self.topics,
            layout=self.layout,
            identity=self.identity,
            letters=self.letters("ingest"),
            rules=self.rules,
            trace=trace,
        )


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
    watch: Callable[[], None] = lambda: None
    leave: Callable[[], None] = lambda: None


def _changelog_days(window_days: int, ingest_days: int) -> int:
    """Return how long the memory's log is kept.

    An id counts for up to a tenth longer than its window, and an audit judges again whatever the
    ingest topic still holds.
    """
    return math.ceil(window_days * 1.1) + ingest_days + _MARGIN_DAYS


def describe(change: Change) -> list[str]:
    """Return what is to be done to a topic, a line each."""
    if change.action == "create":
        return [f"{change.plan.name} is missing, or our rights do not show it"]
    return [f"{change.plan.name}: {name} {what}" for name, what in change.differences.items()]


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
    deployment.demand_topics()
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
    registry = RegistryWatch(metrics, deployment.registry.ask)

    def watch() -> None:
        registry.begin()
        work.watch()

    return Worker(name, runner, watch, work.leave)


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


def build_audit(settings: Settings, progress: Progress = lambda _what, _offsets: None) -> Audit:
    """Put the audit of a deployment together.

    Raises:
        ConfigurationError: if settings or definitions are not usable.
        SchemaError: if a schema is not registered.
        BrokerError: if the broker or the registry does not answer.
    """
    deployment = Deployment(settings)
    deployment.demand_readable()
    notify = build_notify(deployment, deployment.open_letters("notify"))
    source = build_source(settings, deployment.topics, deployment.event_schema_id())
    definitions = source.view()

    def derive(records: Sequence[Record]) -> list[Output]:
        return notify.plan(records, definitions=definitions, generation=0).outputs

    return Audit(
        deployment.reader,
        AuditedDeployment(
            topics=deployment.topics,
            definitions=definitions,
            rules=deployment.rules,
            identity=deployment.identity,
            layout=deployment.layout,
            letters=deployment.open_letters("ingest"),
            ring=deployment.ring,
            views=source.at,
            is_older=Releases(
                deployment.published(),
                id_of=deployment.registry.find,
                writer_of=deployment.registry.writer_schema,
            ).is_older,
            catch_up=source.catch_up,
        ),
        groups=Groups(deployment.group("ingest"), deployment.group("notify")),
        deriver=derive,
        progress=progress,
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
    letters = _letter_watch(deployment, metrics)
    return _Work(ingest, definitions, ingest.remembered, letters.begin, keeper.leave)


def _letter_watch(deployment: Deployment, metrics: Metrics) -> LetterWatch:
    """Return what counts the letters of both stages: a letter lies in its event's partition."""
    topics = deployment.topics
    backlog = Backlog(
        LogSearcher(deployment.settings.kafka),
        letters=topics.dead_letter,
        states=topics.letter_state,
        rest=Rest().take,
    )
    metrics.letters.retention_s = deployment.letters_kept_days * DAY_MS / 1000
    return LetterWatch(metrics.letters, backlog.count)


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
