"""Looks at the cluster: brokers, topics, copies, transactions. Does I/O: asks, and rehearses.

One transaction is begun and thrown away; nothing else is written.
"""

import uuid
from collections.abc import Iterator

from loyaltystream.access import INTERNAL
from loyaltystream.doctor import brokers, timeouts, topics
from loyaltystream.doctor.findings import Unseen
from loyaltystream.examining.look import Check, Findings, Look
from loyaltystream.kafka.rehearsing import rehearse
from loyaltystream.kafka.topics import TopicPlan


class Cluster:
    """Looks at what brokers tell of themselves and of topics."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._settings = look.settings

    def checks(self) -> Iterator[Check]:
        """Yield what is asked of a broker that answers."""
        yield "advertised addresses", self._of_advertised
        yield "the brokers' settings", self._of_broker_settings
        yield "topics", self._of_topics
        yield "copies", self._of_copies
        yield "transactions and clock", self._of_transactions

    def of_addresses(self) -> Findings:
        """Yield what is wrong with the addresses that the settings name."""
        named = self._settings.kafka.bootstrap_servers.split(",")
        yield from brokers.of_addresses([self._look.examiner.reach(one.strip()) for one in named])

    def _of_advertised(self) -> Findings:
        told = list(map(self._look.examiner.reach, self._look.brokers.values()))
        yield from brokers.of_advertised(told)

    def _of_broker_settings(self) -> Findings:
        for number, address in self._look.brokers.items():
            found = self._look.examiner.broker_settings(number)
            yield from brokers.of_settings(found, address)
            yield from timeouts.of_broker(self._look.timeouts, found)

    def _of_topics(self) -> Findings:
        for topic in self._look.topics.values():
            yield from topics.of_topic(topic)

    def _of_copies(self) -> Findings:
        wanted, count = self._settings.topics.replication_factor, len(self._look.brokers)
        for topic in [*self._look.topics.values(), *map(self._internal, INTERNAL)]:
            if topic.exists and topic.refused is None:
                yield from topics.of_copies(topic, wanted=wanted, brokers=count)

    def _internal(self, name: str) -> topics.TopicFacts:
        plan = TopicPlan(name, 0, 0, {}, {}, alike=False)
        return self._look.examiner.topic(plan, needs=())

    def _of_transactions(self) -> Findings:
        settings, ingest = self._settings, self._look.deployment.topics.ingest
        name = f"{settings.worker.group_prefix}.doctor.{uuid.uuid4().hex[:8]}"
        facts = self._look.topics[ingest]
        may_write = facts.exists and facts.refused is None and "WRITE" in facts.may
        trial = rehearse(
            settings.kafka,
            settings.worker,
            transactional_id=name,
            topic=ingest if may_write else None,
        )
        yield from brokers.of_trial(trial, name)
        if trial.skew_ms is None:
            why = (
                f"only a record that we write into {ingest}, with LogAppendTime, tells the "
                f"broker's time; nothing stays of it"
            )
            self._look.unseen.append(Unseen("clock skew", why))
