"""START HERE for the relayout: the order of its effects. Does I/O through its ports.

It may be killed anywhere: whatever was committed stands in the changelog, and the next run goes on
behind it. Until the last transaction the memory is the old one, and no worker starts on it, since
the ingest topic has the new count; behind it the memory is the new one. There is nothing between.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from loyaltystream.errors import ConfigurationError, RetryableBrokerError
from loyaltystream.memory.changelog import Layout
from loyaltystream.ports import Fate, Group, Sink
from loyaltystream.relayout.moving import Transaction, switch, transactions
from loyaltystream.relayout.survey import Advance, Log, Survey, Surveyor
from loyaltystream.relayout.waiting import Waiting, look_what_waits
from loyaltystream.topology import Topics


class Cluster(Protocol):
    """What a relayout changes beside the memory's log."""

    def partitions(self, topic: str) -> int:
        """Return how many partitions a topic has."""

    def grow(self, topic: str, partitions: int) -> None:
        """Give a topic more partitions."""

    def members(self, group: str) -> Sequence[str]:
        """Return who is in a group."""

    def begin(self, group: str, topic: str, offsets: Mapping[int, int]) -> None:
        """Commit where a group begins in partitions that it has never read."""


class Groups(msgspec.Struct, frozen=True):
    """The names of the consumer groups."""

    ingest: str
    notify: str


class Relayout:
    """Moves a memory to the layout that the settings ask for.

    Args:
        log: the topics.
        cluster: their counts, and the groups.
        sink: writes transactions.
        topics: their names.
        groups: theirs.
        after: the layout to come.
        outsider: the group's state as somebody names it who is not in it.
    """

    def __init__(  # noqa: PLR0913 (what it works on, put together in one place)
        self,
        log: Log,
        cluster: Cluster,
        sink: Sink,
        *,
        topics: Topics,
        groups: Groups,
        after: Layout,
        outsider: Group,
    ) -> None:
        self._log = log
        self._cluster = cluster
        self._sink = sink
        self._topics = topics
        self._groups = groups
        self._after = after
        self._outsider = outsider

    def growing(self) -> dict[str, int]:
        """Return how many partitions each topic has that needs more; the ingest topic is last.

        Raises:
            ConfigurationError: if one has more than the layout to come.
        """
        topics, wanted = self._topics, self._after.partitions
        alike = (topics.changelog, topics.emf, topics.ei, topics.duplicates, topics.dead_letter)
        counts = {name: self._cluster.partitions(name) for name in (*alike, topics.ingest)}
        if (most := max(counts.values())) > wanted:
            raise ConfigurationError(
                f"topics.partitions is {wanted}, and there are topics with {most} partitions: set "
                f"it to {most} or more everywhere; Kafka takes no partitions away"
            )
        return {name: count for name, count in counts.items() if count < wanted}

    def survey(self, advance: Advance) -> Survey:
        """Return what is remembered, and what of it was moved already.

        Raises:
            StateError: if the log is wrong, or can't be moved.
            BrokerError: if it can't be read.
        """
        committed = self._log.committed(self._groups.ingest, self._topics.ingest)
        return Surveyor(self._log, self._topics.changelog, self._after).survey(committed, advance)

    def waiting(self, survey: Survey) -> Waiting:
        """Return which events are not judged yet."""
        committed = self._log.committed(self._groups.ingest, self._topics.ingest)
        before = survey.before or self._after
        return look_what_waits(
            self._log,
            self._topics.ingest,
            committed,
            before=before.partitions,
            after=self._after.partitions,
        )

    def move(self, survey: Survey, advance: Advance) -> None:
        """Add partitions and copy what is not copied yet; the memory stays the old one.

        Args:
            survey: of the memory as it is.
            advance: is told how many ids are moved.

        Raises:
            ConfigurationError: if a worker runs.
            BrokerError: if the broker refuses; another run goes on.
        """
        for topic in self.growing():
            self._cluster.grow(topic, self._after.partitions)
        self.demand_nobody()
        self._begin_notify()
        if survey.is_done:
            return
        self._sink.open()
        moved = sum(survey.moved.values())
        for transaction in transactions(self._log, self._topics.changelog, survey):
            self._commit(transaction)
            moved += transaction.ids
            advance(moved, moved)

    def switch(self, survey: Survey, advance: Advance) -> None:
        """Hold all that was moved against what had to be, and bring it into force.

        Args:
            survey: that was moved by.
            advance: is told how far reading the changelog once more is.

        Raises:
            ConfigurationError: if a worker ran meanwhile.
            StateError: if the log is wrong.
            BrokerError: if the broker refuses; another run goes on.
        """
        if survey.is_done:
            return
        moved = self.survey(advance)
        self.demand_nobody()
        known = {number: found.next_offset for number, found in survey.standings.items()}
        if any(moved.standings[number].next_offset != offset for number, offset in known.items()):
            raise ConfigurationError(
                "a worker has judged events meanwhile: stop all of them and run this again; it "
                "goes on where it stopped"
            )
        self._commit(switch(self._topics.changelog, moved, self._starts()))
        self._sink.close()

    def demand_nobody(self) -> None:
        """Refuse to go on while workers run.

        Raises:
            ConfigurationError: naming them.
        """
        groups = self._groups.ingest, self._groups.notify
        members = [name for group in groups for name in self._cluster.members(group)]
        if members:
            raise ConfigurationError(
                f"workers run: {', '.join(members)}. Stop all of them, on every machine, and run "
                f"this again; one that was killed counts until its session is over"
            )

    def _begin_notify(self) -> None:
        """Have stage notify begin at the beginning of partitions that are new."""
        topic, group = self._topics.emf, self._groups.notify
        committed = self._log.committed(group, topic)
        if not committed:
            return  # it has never read, and its operator says where it begins
        new = range(max(committed) + 1, self._after.partitions)
        self._cluster.begin(group, topic, dict.fromkeys(new, 0))

    def _starts(self) -> dict[int, int]:
        bounds = self._log.settled_bounds(self._topics.ingest)
        return {number: first for number, (first, _) in bounds.items()}

    def _commit(self, transaction: Transaction) -> None:
        self._sink.send(transaction)
        self._sink.submit({}, self._outsider)
        outcome = self._sink.outcome()
        if outcome.fate is not Fate.COMMITTED:
            raise RetryableBrokerError(
                f"a transaction on {self._topics.changelog} did not commit for sure: "
                f"{outcome.why}; run this again, it goes on where it stopped"
            )
