"""The topics of a deployment as they have to be: made by `init`, demanded by `run`. Does I/O."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)
from msgspec.structs import replace

from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import ConfigurationError, RetryableBrokerError
from loyaltystream.kafka.connection import MAX_MESSAGE_BYTES, connect, properties
from loyaltystream.kafka.errors import translate, translated
from loyaltystream.kafka.reading import REACH_S
from loyaltystream.times import DAY_MS
from loyaltystream.topology import INSYNC, SAFE_COPIES, SAFE_INSYNC

TIMEOUT_S: Final = 30.0
_PAUSE_S: Final = 0.05


class TopicPlan(msgspec.Struct, frozen=True):
    """One topic as it has to be.

    Attributes:
        exact: settings that have these values.
        at_least: numeric settings that are not lower; -1, Kafka's word for no bound, is higher.
        alike: whether it has as many partitions as the ingest topic, event by event in the same
            one; if not, it keeps however many it has.
    """

    name: str
    partitions: int
    replication_factor: int
    exact: Mapping[str, str]
    at_least: Mapping[str, int]
    alike: bool = True

    @property
    def settings(self) -> dict[str, str]:
        """What a new topic is made with.

        How many copies a record has to be in is said only then: a topic that is there keeps what
        somebody chose for it, and workers start all the same. The doctor tells what is too few.
        """
        made = {**self.exact, **{name: str(value) for name, value in self.at_least.items()}}
        if self.replication_factor >= SAFE_COPIES:
            # A broker's own word is 1: what one broker alone has acknowledged is lost with it.
            made[INSYNC] = str(SAFE_INSYNC)
        return made


class Change(msgspec.Struct, frozen=True):
    """What has to be done to a topic: `create`, `alter`, or nothing."""

    plan: TopicPlan
    action: str
    differences: Mapping[str, str] = {}


def routed_topic(name: str, retention_days: int, *, max_bytes: int) -> dict[str, Any]:
    """Return the settings of a topic that subscribers read."""
    return {
        "name": name,
        "exact": {"cleanup.policy": "delete"},
        "at_least": {"max.message.bytes": max_bytes, "retention.ms": retention_days * DAY_MS},
    }


def ingest_topic(name: str, retention_days: int, *, max_bytes: int) -> dict[str, Any]:
    """Return the settings of the ingest topic; the broker's clock is the only one that counts."""
    return {
        "name": name,
        "exact": {
            "cleanup.policy": "delete",
            "message.timestamp.type": "LogAppendTime",
            "max.message.bytes": str(max_bytes),
        },
        "at_least": {"retention.ms": retention_days * DAY_MS},
    }


def letter_topic(name: str, retention_days: int, *, max_bytes: int) -> dict[str, Any]:
    """Return the settings of a topic that keeps events as they came, no longer than that."""
    return {
        "name": name,
        "exact": {"cleanup.policy": "delete", "retention.ms": str(retention_days * DAY_MS)},
        "at_least": {"max.message.bytes": max_bytes},
    }


def changelog_topic(name: str, retention_days: int) -> dict[str, Any]:
    """Return the settings of the memory's log, which is never compacted."""
    return {
        "name": name,
        "exact": {"cleanup.policy": "delete"},
        "at_least": {
            "max.message.bytes": MAX_MESSAGE_BYTES,
            "retention.ms": retention_days * DAY_MS,
        },
    }


def definitions_topic(name: str) -> dict[str, Any]:
    """Return the settings of the topic of definitions: the last word on each event stays."""
    return _last_words(name)


def letter_state_topic(name: str) -> dict[str, Any]:
    """Return the settings of the topic that has the last word on each dead letter."""
    return _last_words(name)


def _last_words(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "exact": {"cleanup.policy": "compact"},
        "at_least": {"max.message.bytes": MAX_MESSAGE_BYTES},
    }


class TopicAdmin:
    """Compares topics with their plans, and makes them so."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._server = kafka.bootstrap_servers
        self._admin = connect(AdminClient, properties(kafka))

    def compare(self, plans: Sequence[TopicPlan]) -> list[Change]:
        """Return what each topic needs.

        Raises:
            ConfigurationError: if one has another number of partitions, which nothing can mend.
            BrokerError: if the broker does not answer.
        """
        with translated(f"asking {self._server} for its topics"):
            found = self._admin.list_topics(timeout=REACH_S).topics
        counts = {name: len(topic.partitions) for name, topic in found.items()}
        demand_counts(plans, counts)
        plans = [
            plan if plan.alike else replace(plan, partitions=counts.get(plan.name, plan.partitions))
            for plan in plans
        ]
        settings = self.settings([plan.name for plan in plans if plan.name in found])
        return [_compare(plan, settings.get(plan.name)) for plan in plans]

    def grow(self, name: str, partitions: int) -> None:
        """Give a topic more partitions, and wait until it has them.

        Raises:
            BrokerError: if the broker refuses, or is not done in time.
        """
        doing = f"giving {name} {partitions} partitions"
        asked = [NewPartitions(name, partitions)]
        answers = self._admin.create_partitions(asked, operation_timeout=TIMEOUT_S)
        with translated(doing):
            answers[name].result()
        deadline = time.monotonic() + TIMEOUT_S
        while (
            len(self._admin.list_topics(name, timeout=REACH_S).topics[name].partitions) < partitions
        ):
            if time.monotonic() > deadline:
                raise RetryableBrokerError(f"{doing}: not done within {TIMEOUT_S:.0f} s")
            time.sleep(_PAUSE_S)

    def apply(self, changes: Sequence[Change]) -> None:
        """Create and alter topics.

        Raises:
            BrokerError: if the broker refuses; what was done stays done, and another try goes on.
        """
        creating = [change.plan for change in changes if change.action == "create"]
        if creating:
            self._create(creating)
        altering = [
            _resource(
                change.plan.name,
                {name: change.plan.settings[name] for name in change.differences},
            )
            for change in changes
            if change.action == "alter"
        ]
        if altering:
            answers = self._admin.incremental_alter_configs(altering, request_timeout=TIMEOUT_S)
            for resource, answer in answers.items():
                with translated(f"changing the settings of topic {resource.name}"):
                    answer.result()

    def settings(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return the effective settings of topics.

        Raises:
            BrokerError: if the broker refuses or does not answer.
        """
        if not names:
            return {}
        asked = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        answers = self._admin.describe_configs(asked, request_timeout=TIMEOUT_S)
        settings = {}
        for resource, answer in answers.items():
            with translated(f"reading the settings of topic {resource.name}"):
                settings[resource.name] = {
                    name: entry.value for name, entry in answer.result().items()
                }
        return settings

    def _create(self, plans: Sequence[TopicPlan]) -> None:
        topics = [
            NewTopic(
                plan.name,
                num_partitions=plan.partitions,
                replication_factor=plan.replication_factor,
                config=plan.settings,
            )
            for plan in plans
        ]
        answers = self._admin.create_topics(topics, operation_timeout=TIMEOUT_S)
        for name, answer in answers.items():
            try:
                answer.result()
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise translate(error, f"creating topic {name}") from error


def demand_counts(plans: Sequence[TopicPlan], counts: Mapping[str, int]) -> None:
    """Refuse topics that have other numbers of partitions than planned.

    Args:
        plans: of all topics.
        counts: how many partitions each topic has that is there.

    Raises:
        ConfigurationError: saying what to do.
    """
    wrong = [
        f"{plan.name} has {counts[plan.name]} partitions, not {plan.partitions}"
        for plan in plans
        if plan.alike and counts.get(plan.name, plan.partitions) != plan.partitions
    ]
    if not wrong:
        return
    most = max(counts[plan.name] for plan in plans if plan.name in counts)
    if most > plans[0].partitions:
        what = f"set topics.partitions to {most} everywhere: Kafka takes no partitions away"
    else:
        what = "stop all workers and run `loyaltystream memory relayout`, which adds partitions"
    raise ConfigurationError(
        f"{'; '.join(wrong)}: all topics have as many as topics.partitions says; {what}"
    )


def _resource(name: str, settings: Mapping[str, str]) -> ConfigResource:
    entries = [
        ConfigEntry(setting, value, incremental_operation=AlterConfigOpType.SET)
        for setting, value in settings.items()
    ]
    return ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)


def _compare(plan: TopicPlan, settings: Mapping[str, str] | None) -> Change:
    if settings is None:
        return Change(plan, "create")
    wanting = differences(plan, settings)
    return Change(plan, "alter" if wanting else "keep", wanting)


def differences(plan: TopicPlan, settings: Mapping[str, str]) -> dict[str, str]:
    """Return each setting that is not as planned, as `is X, needs Y`."""
    wanting = {
        name: f"is {settings[name]}, needs {value}"
        for name, value in plan.exact.items()
        if settings[name] != value
    }
    for name, bound in plan.at_least.items():
        found = int(settings[name])
        if found != -1 and found < bound:
            wanting[name] = f"is {found}, needs at least {bound}"
    return wanting
