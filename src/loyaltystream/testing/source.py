"""The runner's source on the broker in memory, and the memory's own log there. Does no I/O."""

from collections.abc import Iterator, Mapping, Sequence

from loyaltystream.errors import FatalBrokerError, RetryableBrokerError
from loyaltystream.events import Record
from loyaltystream.ports import Group, Ownership
from loyaltystream.testing.broker import MemoryBroker
from loyaltystream.testing.fates import CALM, Fates
from loyaltystream.testing.journal import Journal


class MemorySource:
    """One member of a consumer group.

    Args:
        broker: where records are.
        topic: what is read.
        group: the group's name.
        member: this member's name, stable over restarts.
        batch_records: how many records a poll returns at most.
    """

    def __init__(  # noqa: PLR0913 (who it is, and how much it takes: as the real one)
        self,
        broker: MemoryBroker,
        *,
        topic: str,
        group: str,
        member: str,
        batch_records: int = 500,
        fates: Fates = CALM,
        journal: Journal | None = None,
    ) -> None:
        self._broker = broker
        self._topic = topic
        self._group = broker.group(group, topic)
        self._member = member
        self._batch_records = batch_records
        self._fates = fates
        self._journal = journal or Journal()
        self._incarnation = 0
        self._ownership: Ownership | None = None
        self._positions: dict[int, int] = {}

    def join(self, ownership: Ownership) -> None:
        """Join the group; partitions come with later polls."""
        self._ownership = ownership
        self._incarnation = self._group.join(self._member)

    def poll(self) -> dict[int, list[Record]]:
        """Return committed records of partitions that are ours, in offset order.

        Raises:
            FatalBrokerError: if another process joined under our name.
            RetryableBrokerError: if partitions can't be taken yet; the next poll tries again.
        """
        self._fates.at("poll")
        if not self._fates.is_deaf():
            self._rebalance()
        batch = self._fetch()
        if not batch and self._ownership is not None:
            self._ownership.meanwhile()
        self._journal.note("poll", batch)
        self._fates.at("polled")
        return batch

    def group(self) -> Group:
        """Return the group's state as of the last poll."""
        metadata = self._group.metadata(self._member, self._incarnation)
        return Group(metadata.generation, metadata)

    def committed(self, partitions: Sequence[int]) -> dict[int, int]:
        """Return stable committed offsets, where there are any.

        Raises:
            RetryableBrokerError: if one lies in an open transaction.
        """
        self._fates.at("committed")
        pending = [number for number in partitions if self._broker.is_pending(self._group, number)]
        if pending:
            raise RetryableBrokerError(f"offsets of partitions {pending} are not stable yet")
        found = self._group.offsets
        return {number: found[number] for number in partitions if number in found}

    def seek(self, offsets: Mapping[int, int]) -> None:
        """Go on from these offsets.

        Raises:
            FatalBrokerError: if one is of a partition that is not ours.
        """
        self._fates.at("seek")
        self._journal.note("seek", offsets)
        if strange := offsets.keys() - self._positions.keys():
            raise FatalBrokerError(f"seeking in partitions {sorted(strange)}: not assigned")
        self._positions.update(offsets)

    def close(self) -> None:
        """Let go of our partitions; they wait for our return until the member is evicted."""
        ours = sorted(self._positions)
        self._positions.clear()
        if self._ownership is not None:
            self._ownership.revoked(ours)
        self._journal.note("leave")

    def _rebalance(self) -> None:
        change = self._group.sync(self._member, self._incarnation, self._positions.keys())
        if change.lost:
            self._revoke(sorted(self._positions))
            self._incarnation = self._group.join(self._member)
            return
        if change.revoked:
            self._revoke(change.revoked)
            self._group.release(self._member, self._incarnation, change.revoked)
        if change.assigned:
            self._assign(change.assigned)

    def _revoke(self, partitions: list[int]) -> None:
        for partition in partitions:
            self._positions.pop(partition, None)
        self._fates.at("revoke")
        self._get_ownership().revoked(partitions)

    def _assign(self, partitions: list[int]) -> None:
        offsets = self.committed(partitions)
        asked = {number: offsets.get(number) for number in partitions}
        self._positions.update(self._get_ownership().assigned(asked))

    def _fetch(self) -> dict[int, list[Record]]:
        batch: dict[int, list[Record]] = {}
        room = self._batch_records
        for partition, position in sorted(self._positions.items()):
            if position >= self._broker.end(self._topic, partition):
                continue
            records = self._broker.records(self._topic, partition, position)
            if taken := records[:room]:
                batch[partition] = taken
                self._positions[partition] = taken[-1].offset + 1
                room -= len(taken)
        return batch

    def _get_ownership(self) -> Ownership:
        if self._ownership is None:
            raise FatalBrokerError("the source did not join")
        return self._ownership


class MemoryChangelog:
    """The changelog on the broker in memory."""

    def __init__(self, broker: MemoryBroker, topic: str, fates: Fates = CALM) -> None:
        self._broker = broker
        self._topic = topic
        self._fates = fates

    def deltas(self, partition: int, start: int = 0) -> Iterator[bytes]:
        """Yield the committed records of a partition from an offset on, oldest first.

        Raises:
            RetryableBrokerError: if a transaction is open there: what it hides may be committed.
        """
        self._fates.at("restore")
        if self._broker.stable_end(self._topic, partition) < self._broker.end(
            self._topic, partition
        ):
            raise RetryableBrokerError(f"{self._topic}/{partition}: a transaction is open")
        for record in self._broker.records(self._topic, partition, start):
            yield record.value or b""

    def end(self, partition: int) -> int:
        """Return an offset that no record written from now on lies before."""
        return self._broker.end(self._topic, partition)
