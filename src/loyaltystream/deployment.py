"""What the settings of a deployment name: its topics, clients, rules and secrets.

Does I/O: makes clients, reads definitions, asks the broker and the registry.
"""

from functools import cached_property

import msgspec

from loyaltystream.avro import schemas
from loyaltystream.avro.dead_letter import LetterEncoder
from loyaltystream.avro.registry import Registry
from loyaltystream.avro.schemas import Schema
from loyaltystream.backfill.claim import ImportSigner, either
from loyaltystream.contracts.registering import register_all
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
from loyaltystream.events import WaiverOf, no_resending, no_waiver
from loyaltystream.foresight import Foresight
from loyaltystream.kafka.reading import LogReader
from loyaltystream.kafka.topics import TopicAdmin, TopicPlan
from loyaltystream.keys import key_rule
from loyaltystream.letters.letter import LetterReader
from loyaltystream.letters.signing import Signer
from loyaltystream.memory.changelog import Layout
from loyaltystream.memory.identity import Identity
from loyaltystream.pipeline import Ingest
from loyaltystream.plans import (
    MAX_RECORD_BYTES,
    published_schemas,
    topic_plans,
)
from loyaltystream.proofs import key_for
from loyaltystream.readable import demand_readable
from loyaltystream.rules import Rules
from loyaltystream.sealing.ring import NO_KEYS, KeyRing
from loyaltystream.settings import TOPIC_ROLES, Settings
from loyaltystream.telemetry.definitions import DefinitionWatch
from loyaltystream.telemetry.metrics import Metrics
from loyaltystream.topology import Topics
from loyaltystream.tracing.judged import TraceJudged, untraced


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

    def topic_plans(self) -> list[TopicPlan]:
        """Return all topics as they have to be."""
        return topic_plans(self.settings, self.topics, windows_of(self.settings))

    def schema_plans(self) -> list[SchemaPlan]:
        """Return all schemas with the ids that they have."""
        return [
            SchemaPlan(topic, schema, self.registry.find(topic, schema))
            for topic, schema in published_schemas(self.topics)
        ]

    def register_schemas(self) -> list[SchemaPlan]:
        """Register all schemas, or none; return them with their ids.

        Raises:
            SchemaError: with a line for everything that does not go with what is there.
            RetryableBrokerError: if the registry does not answer.
        """
        wanted = published_schemas(self.topics)
        ids = register_all(self.registry, wanted)
        return [SchemaPlan(*one, found) for one, found in zip(wanted, ids, strict=True)]

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
