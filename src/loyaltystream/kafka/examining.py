"""What can be told of brokers, topics and groups from outside, refusals included. Does I/O.

Nothing is changed. What the broker does not tell is said as it said it, and never taken for a no.
"""

import socket
import ssl
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from confluent_kafka import (
    ConsumerGroupState,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    ConfigResource,
    ConsumerGroupDescription,
    OffsetSpec,
    ResourceType,
    TopicDescription,
)

from loyaltystream.access import Operation
from loyaltystream.clients import KafkaSettings
from loyaltystream.doctor.brokers import Reached
from loyaltystream.doctor.topics import ALL, TopicFacts
from loyaltystream.errors import BrokerError
from loyaltystream.kafka.connection import connect, properties
from loyaltystream.kafka.errors import translated
from loyaltystream.kafka.groups import owned_of
from loyaltystream.kafka.offsets import list_offsets
from loyaltystream.kafka.topics import TopicPlan, differences

ANSWER_S: Final = 5.0
_DENIED: Final = frozenset(
    {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED}
)

Settings = Mapping[str, str | None]


class Members(msgspec.Struct, frozen=True):
    """Who is in a group, and what they have of its topic; as it stands here, nobody ever was."""

    settled: bool = True
    members: int = 0
    owned: frozenset[int] = frozenset()
    may_read: bool = True


class Examiner:
    """Looks at a cluster.

    Args:
        kafka: where the broker is.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._admin = connect(AdminClient, properties(kafka))

    def reach(self, address: str) -> Reached:
        """Return whether a broker answers at one address alone."""
        said: list[KafkaError] = []
        asked = properties(self._kafka, bootstrap_servers=address)
        admin = connect(AdminClient, asked | {"error_cb": said.append})
        try:
            admin.list_topics(timeout=ANSWER_S)
        except KafkaException as error:
            while admin.poll(0):
                continue
            # How many are down says less than why one is.
            why = [one.str() for one in said if one.code() != KafkaError._ALL_BROKERS_DOWN]  # noqa: SLF001 (public, underscored by librdkafka)
            if not why and "security.protocol" not in self._kafka.client and _speaks_tls(address):
                why.append("it speaks TLS, and kafka.client sets no security.protocol")
            return Reached(address, why[0] if why else error.args[0].str())
        return Reached(address, None)

    def brokers(self) -> dict[int, str]:
        """Return every broker's id, and the address that it tells clients.

        Raises:
            BrokerError: if none answers.
        """
        with translated(f"asking {self._kafka.bootstrap_servers} for the brokers"):
            found = self._admin.list_topics(timeout=ANSWER_S).brokers
        return {number: f"{one.host}:{one.port}" for number, one in sorted(found.items())}

    def broker_settings(self, broker: int) -> Settings:
        """Return the settings of a broker.

        Raises:
            BrokerError: if it does not tell.
        """
        return self._settings(ResourceType.BROKER, str(broker))

    def topic(self, plan: TopicPlan, needs: tuple[Operation, ...]) -> TopicFacts:
        """Return a topic as it is, beside what is planned of it, and what we may and need to do.

        Raises:
            BrokerError: if the broker does not answer.
        """
        planned = plan.partitions if plan.alike else None
        try:
            found = self._describe(plan.name)
        except KafkaException as error:
            cause = error.args[0]
            if cause.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return TopicFacts(plan.name, planned, exists=False)
            if cause.code() in _DENIED:
                return TopicFacts(plan.name, planned, refused=cause.str(), needs=needs)
            with translated(f"looking at topic {plan.name}"):
                raise
        settings = self._topic_settings(plan.name)
        return TopicFacts(
            plan.name,
            planned,
            partitions=len(found.partitions),
            may=_operations(found.authorized_operations),
            needs=needs,
            copies=min(len(one.replicas) for one in found.partitions),
            insync=min(len(one.isr) for one in found.partitions),
            settings=settings,
            differences=differences(plan, settings) if settings is not None else {},
        )

    def group(self, group: str, topic: str) -> Members:
        """Return who is in a group.

        Raises:
            BrokerError: if the broker does not tell.
        """
        with translated(f"asking who is in group {group}"):
            asked = self._admin.describe_consumer_groups(
                [group], include_authorized_operations=True, request_timeout=ANSWER_S
            )
            try:
                found: ConsumerGroupDescription = asked[group].result()
            except KafkaException as error:
                if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                    return Members()
                if error.args[0].code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
                    return Members(may_read=False)
                raise
        return Members(
            found.state is ConsumerGroupState.STABLE,
            len(found.members),
            owned_of(found, topic),
            "READ" in _operations(found.authorized_operations),
        )

    def ends(self, partitions: Mapping[str, int]) -> dict[tuple[str, int], tuple[int, int]]:
        """Return the last stable offset of each partition, and its end.

        Args:
            partitions: how many each topic has.

        Raises:
            BrokerError: if the broker does not tell.
        """
        places = [
            TopicPartition(topic, number)
            for topic, count in partitions.items()
            for number in range(count)
        ]
        stable = self._list(places, IsolationLevel.READ_COMMITTED)
        written = self._list(places, IsolationLevel.READ_UNCOMMITTED)
        return {slot: (offset, written[slot]) for slot, offset in stable.items()}

    def _describe(self, topic: str) -> TopicDescription:
        asked = self._admin.describe_topics(
            TopicCollection([topic]), include_authorized_operations=True, request_timeout=ANSWER_S
        )
        found: TopicDescription = asked[topic].result()
        return found

    def _topic_settings(self, topic: str) -> dict[str, str] | None:
        try:
            found = self._settings(ResourceType.TOPIC, topic)
        except BrokerError:  # the missing right to it is told by the topic's own operations
            return None
        return {name: value for name, value in found.items() if value is not None}

    def _settings(self, kind: ResourceType, name: str) -> Settings:
        with translated(f"reading the settings of {kind.name.lower()} {name}"):
            asked = [ConfigResource(kind, name)]
            answers = self._admin.describe_configs(asked, request_timeout=ANSWER_S)
            found = next(iter(answers.values())).result()
            return {setting: entry.value for setting, entry in found.items()}

    def _list(
        self, places: Sequence[TopicPartition], isolation: IsolationLevel
    ) -> dict[tuple[str, int], int]:
        return list_offsets(self._admin, places, OffsetSpec.latest(), isolation, ANSWER_S)


def _speaks_tls(address: str) -> bool:
    """Say whether a TLS handshake succeeds there, with whomever it is."""
    host, _, port = address.rpartition(":")
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, int(port)), timeout=ANSWER_S) as plain,
            anybody.wrap_socket(plain),
        ):
            return True
    except (OSError, ValueError):
        return False


def _operations(told: Sequence[object] | None) -> frozenset[str]:
    """Return the names of operations; a broker that tells none allows all."""
    if told is None:
        return frozenset(ALL)
    return frozenset(str(getattr(one, "name", one)) for one in told)
