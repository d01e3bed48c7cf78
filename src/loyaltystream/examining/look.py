"""What all looks at one deployment share: what was asked already, and what could not be. Does I/O.

Each answer is asked for once, when it is first needed.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Final

from loyaltystream.access import Names, worker_grants
from loyaltystream.clients import poll_interval_ms
from loyaltystream.defining import windows_of
from loyaltystream.deployment import Deployment
from loyaltystream.doctor import timeouts, topics
from loyaltystream.doctor.findings import Finding, Unseen
from loyaltystream.errors import ConfigurationError
from loyaltystream.events import Record
from loyaltystream.kafka.examining import Examiner
from loyaltystream.kafka.reading import Bounds
from loyaltystream.kafka.topics import TopicPlan
from loyaltystream.plans import topic_plans

SAMPLE: Final = 2_000
"""So many records of a topic are looked at, the last ones of all partitions together."""

Doing = Callable[[str], None]
Findings = Iterator[Finding]
Check = tuple[str, Callable[[], Findings]]


class Look:
    """One look at a deployment.

    Args:
        deployment: that is looked at.
        doing: told what is looked at.

    Attributes:
        unseen: what could not be looked at.
    """

    def __init__(self, deployment: Deployment, doing: Doing) -> None:
        self.deployment = deployment
        self.settings = deployment.settings
        self.doing = doing
        self.unseen: list[Unseen] = []

    @cached_property
    def examiner(self) -> Examiner:
        """Looks at the cluster."""
        return Examiner(self.settings.kafka)

    @cached_property
    def brokers(self) -> dict[int, str]:
        """Every broker's id and advertised address."""
        return self.examiner.brokers()

    @cached_property
    def topics(self) -> Mapping[str, topics.TopicFacts]:
        """All topics as they are."""
        names = Names(self.deployment.topics, self.settings.worker.group_prefix)
        needs = {one.name: one.operations for one in worker_grants(names)}
        return {
            plan.name: self.examiner.topic(plan, needs=needs[plan.name]) for plan in self._plans()
        }

    @cached_property
    def timeouts(self) -> timeouts.Timeouts:
        """What workers are set to."""
        worker = self.settings.worker
        return timeouts.Timeouts(
            worker.transaction_timeout_ms,
            worker.session_timeout_ms,
            poll_interval_ms(self.settings.kafka),
        )

    def last_records(self, topic: str) -> Iterator[Record]:
        """Yield a topic's last committed records."""
        reader = self.deployment.reader
        bounds = reader.bounds(topic)
        each = _share(bounds)
        for number, (first, end) in bounds.items():
            yield from reader.records(topic, number, max(first, end - each), end)

    def is_short(self, topic: str) -> bool:
        """Say whether these are all that the topic has."""
        bounds = self.deployment.reader.bounds(topic)
        return all(end - first <= _share(bounds) for first, end in bounds.values())

    def _plans(self) -> list[TopicPlan]:
        try:
            windows = windows_of(self.settings)
        except ConfigurationError:  # told where definitions are looked at
            windows = []
        return topic_plans(self.deployment.settings, self.deployment.topics, windows)


def _share(bounds: Bounds) -> int:
    return max(SAMPLE // len(bounds), 1)
