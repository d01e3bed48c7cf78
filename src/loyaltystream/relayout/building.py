"""Puts a relayout together. Does I/O: makes clients."""

from collections.abc import Mapping

from loyaltystream.deployment import Deployment
from loyaltystream.kafka.groups import GroupAdmin, outsider
from loyaltystream.kafka.reading import LogReader
from loyaltystream.kafka.sink import TransactionalSink
from loyaltystream.kafka.topics import TopicAdmin
from loyaltystream.keys import key_rule
from loyaltystream.memory.changelog import Layout
from loyaltystream.relayout.run import Groups, Relayout


class KafkaCluster:
    """The real cluster."""

    def __init__(self, reader: LogReader, admin: TopicAdmin, groups: GroupAdmin) -> None:
        self._reader = reader
        self._admin = admin
        self._groups = groups

    def partitions(self, topic: str) -> int:
        """Return how many partitions a topic has."""
        return self._reader.partitions(topic)

    def grow(self, topic: str, partitions: int) -> None:
        """Give a topic more partitions."""
        self._admin.grow(topic, partitions)

    def members(self, group: str) -> list[str]:
        """Return who is in a group."""
        return self._groups.members(group)

    def begin(self, group: str, topic: str, offsets: Mapping[int, int]) -> None:
        """Commit where a group begins in partitions that it has never read."""
        self._groups.begin(group, topic, offsets)


def build_relayout(deployment: Deployment) -> Relayout:
    """Return what moves a deployment's memory to the layout that its settings ask for.

    Raises:
        ConfigurationError: without memory.hash_key.
    """
    settings = deployment.settings
    groups = Groups(deployment.group("ingest"), deployment.group("notify"))
    nobody = outsider(settings.kafka, groups.ingest)
    sink = TransactionalSink(
        settings.kafka,
        settings.worker,
        # One for all machines: whoever runs this last goes on, and whoever ran it before is fenced.
        transactional_id=f"{settings.worker.group_prefix}.relayout",
        input_topic=deployment.topics.ingest,
        group=nobody,
    )
    return Relayout(
        deployment.reader,
        KafkaCluster(deployment.reader, deployment.admin, GroupAdmin(settings.kafka)),
        sink,
        topics=deployment.topics,
        groups=groups,
        after=Layout(
            deployment.identity.check,
            key_rule(settings.rules.partition_by),
            settings.topics.partitions,
        ),
        outsider=nobody,
    )
