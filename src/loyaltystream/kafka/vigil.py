"""Partitions that no member of a group owns, found and shared out anew. Does I/O.

A static member that dies when it has given partitions away and not yet joined again, and comes back
within its session, gets what it had been left with, and nobody else is asked. What it gave away
belongs to nobody then, until a member comes or goes: for ever, if none does (seen with Kafka 4.2.0
and the cooperative protocol). So each member looks after its own join until all have an owner, and
if some have none for a session it has a guest join the group and leave: whoever comes has all
partitions shared out.
"""

import math
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from confluent_kafka import Consumer, ConsumerGroupState, TopicPartition
from confluent_kafka.admin import AdminClient

from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import RetryableBrokerError
from loyaltystream.kafka.connection import connect, member_properties, properties
from loyaltystream.kafka.errors import translated
from loyaltystream.kafka.groups import describe, owned_of
from loyaltystream.settings import WorkerSettings

LOOK_EVERY_S: Final = 2.0
_ANSWER_S: Final = 5.0

AreOwned = Callable[[], bool]


class Guest(Protocol):
    """A member that joins only to leave again."""

    def is_in(self) -> bool:
        """Say whether it has got its share; to be asked again and again."""

    def leave(self) -> None:
        """Leave at once."""


class Vigil:
    """Looks whether every partition has an owner, until that is so once.

    Args:
        are_owned: asks the group; raises BrokerError if it can't be asked.
        invite: has a guest join.
        patience_s: for so long a partition may have none: it is being handed over.
        now_s: a clock that only rises.
    """

    def __init__(
        self,
        are_owned: AreOwned,
        invite: Callable[[], Guest],
        *,
        patience_s: float,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._are_owned = are_owned
        self._invite = invite
        self._patience_s = patience_s
        self._now_s = now_s
        self._guest: Guest | None = None
        self._due_s = math.inf
        self._since_s = self._invited_s = -math.inf

    def begin(self) -> None:
        """Begin to look, behind a join of our own."""
        self._since_s = self._now_s()
        self._due_s = self._since_s + LOOK_EVERY_S

    def tend(self) -> None:
        """Look, if it is time to; called by whoever polls the group.

        Raises:
            BrokerError: if the broker refuses to tell.
        """
        now_s = self._now_s()
        if self._guest is not None:
            if self._guest.is_in() or now_s - self._invited_s > self._patience_s:
                self.end()
                self.begin()
        elif now_s >= self._due_s:
            self._due_s = now_s + LOOK_EVERY_S
            with suppress(RetryableBrokerError):  # a broker that is away shares nothing out
                self._look(now_s)

    def end(self) -> None:
        """Have the guest leave, if there is one."""
        guest, self._guest = self._guest, None
        if guest is not None:
            guest.leave()

    def _look(self, now_s: float) -> None:
        if self._are_owned():
            self._due_s = math.inf
        elif now_s - self._since_s > self._patience_s:
            self._guest, self._invited_s = self._invite(), now_s


class Nameless:
    """A member without a name: its coming and its going make the group share out anew.

    Args:
        kafka: where the broker is.
        worker: its timeouts.
        topic: what the group reads.
        group: its name.
    """

    def __init__(
        self, kafka: KafkaSettings, worker: WorkerSettings, *, topic: str, group: str
    ) -> None:
        self._is_in = False
        self._consumer = connect(
            Consumer, member_properties(kafka, worker, group=group, member=None)
        )
        self._consumer.subscribe([topic], on_assign=self._note)

    def is_in(self) -> bool:
        """Say whether it has got its share; to be asked again and again."""
        self._consumer.poll(0)
        return self._is_in

    def leave(self) -> None:
        """Leave at once."""
        self._consumer.close()

    def _note(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_assign(partitions)
        consumer.pause(partitions)
        self._is_in = True


def owned_in(kafka: KafkaSettings, *, topic: str, group: str) -> AreOwned:
    """Return what asks a group at rest whether all partitions of its topic have an owner.

    What it returns raises BrokerError if the group can't be asked, or is not at rest.
    """

    def are_owned() -> bool:
        admin = connect(AdminClient, properties(kafka))
        with translated(f"asking for the partitions of {topic}"):
            partitions = admin.list_topics(topic, timeout=_ANSWER_S).topics[topic].partitions
        found = describe(admin, group, _ANSWER_S)
        if found.state is not ConsumerGroupState.STABLE:
            raise RetryableBrokerError(f"group {group} is sharing out its partitions")
        return owned_of(found, topic) >= partitions.keys()

    return are_owned
