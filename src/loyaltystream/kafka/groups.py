"""Who is in a consumer group, and where one begins in partitions that are new. Does I/O."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ConsumerGroupDescription

from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import RetryableBrokerError
from loyaltystream.kafka.connection import connect, properties
from loyaltystream.kafka.errors import translate, translated
from loyaltystream.ports import Group

TIMEOUT_S: Final = 30.0
_PAUSE_S: Final = 0.5


class GroupAdmin:
    """Looks at consumer groups from outside."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._admin = connect(AdminClient, properties(kafka))

    def members(self, group: str) -> list[str]:
        """Return the names of who is in the group, or was until a session ago.

        Raises:
            BrokerError: if the broker does not answer.
        """
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            try:
                return self._members(group)
            except RetryableBrokerError:
                # The group's coordinator may be moving, or not be there before its first use.
                if time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE_S)

    def _members(self, group: str) -> list[str]:
        doing = f"looking who is in group {group}"
        asked = self._admin.describe_consumer_groups([group], request_timeout=TIMEOUT_S)
        try:
            found = asked[group].result()
        except KafkaException as error:
            if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                return []  # it has never read
            raise translate(error, doing) from error
        return sorted(
            f"{member.group_instance_id or member.client_id} at {member.host}"
            for member in found.members
        )

    def await_empty(self, group: str, within_s: float, waiting: Callable[[str], None]) -> list[str]:
        """Wait until nobody is in the group, or for so long; return who still is.

        A worker that was stopped counts for a session more.

        Args:
            group: its name.
            within_s: how long.
            waiting: told who is waited for.
        """
        deadline = time.monotonic() + within_s
        while (members := self.members(group)) and time.monotonic() < deadline:
            waiting(", ".join(members))
            time.sleep(_PAUSE_S)
        return members

    def begin(self, group: str, topic: str, offsets: Mapping[int, int]) -> None:
        """Commit where a group that nobody is in begins.

        Raises:
            BrokerError: if the broker refuses.
        """
        if not offsets:
            return
        places = [TopicPartition(topic, number, offset) for number, offset in offsets.items()]
        asked = [ConsumerGroupTopicPartitions(group, places)]
        with translated(f"committing where group {group} begins in {topic}"):
            answers = self._admin.alter_consumer_group_offsets(asked, request_timeout=TIMEOUT_S)
            for place in answers[group].result().topic_partitions:
                if place.error is not None:
                    raise translate(place.error, f"committing {topic}/{place.partition}")


def outsider(kafka: KafkaSettings, group: str) -> Group:
    """Return a group's state as somebody names it who is not in it; asks no broker."""
    consumer = connect(Consumer, properties(kafka, group_id=group))
    try:
        return Group(-1, consumer.consumer_group_metadata())
    finally:
        consumer.close()


def owned_of(found: ConsumerGroupDescription, topic: str) -> frozenset[int]:
    """Return the partitions of a topic that the members of a group have."""
    return frozenset(
        place.partition
        for member in found.members
        for place in member.assignment.topic_partitions
        if place.topic == topic
    )


def describe(admin: AdminClient, group: str, timeout_s: float) -> ConsumerGroupDescription:
    """Return a group's state and members.

    Raises:
        BrokerError: if the broker does not answer in time.
    """
    doing = f"asking who is in group {group}"
    try:
        with translated(doing):
            # The request's own timeout does not count while there is nobody to send it to.
            asked = admin.describe_consumer_groups([group])[group]
            found: ConsumerGroupDescription = asked.result(timeout_s)
            return found
    except TimeoutError as error:
        raise RetryableBrokerError(f"{doing}: no answer in {timeout_s:.0f} s") from error
