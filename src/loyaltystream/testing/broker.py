"""Topics and transactions of a broker in memory. Does no I/O.

Offsets are Kafka's: an aborted record and a transaction's marker take one each. A reader sees what
is committed and lies before the first open transaction, the last stable offset.
"""

from bisect import bisect_left
from collections.abc import Mapping

import msgspec

from loyaltystream.events import Record
from loyaltystream.keys import murmur2, place
from loyaltystream.testing.group import MemoryGroup
from loyaltystream.topology import Output

Slot = tuple[str, int]


class Transaction(msgspec.Struct, eq=False):
    """What a producer has written since it began.

    Attributes:
        firsts: the first offset in each partition that it wrote to.
        offsets: the groups' offsets that it will commit.
        state: `open`, `committed` or `aborted`.
    """

    firsts: dict[Slot, int]
    offsets: list[tuple[MemoryGroup, dict[int, int]]]
    state: str = "open"


_Entry = tuple[Record | None, Transaction | None]
"""One offset of a log: a record, or the marker of a transaction."""


class _Log:
    """One partition's log, and the records of it that any reader sees, with their offsets."""

    def __init__(self) -> None:
        self.entries: list[_Entry] = []
        self._records: list[Record] = []
        self._offsets: list[int] = []
        self._settled = 0

    def read(self, start: int, stable_end: int) -> list[Record]:
        """Return committed records between two offsets; what is settled once is so for good.

        Raises:
            ValueError: if there is no such offset.
        """
        if start < 0:
            raise ValueError(f"no log has an offset {start}")
        if stable_end > self._settled:
            for record, transaction in self.entries[self._settled : stable_end]:
                if record is not None and (transaction is None or transaction.state == "committed"):
                    self._records.append(record)
                    self._offsets.append(record.offset)
            self._settled = stable_end
        return self._records[bisect_left(self._offsets, start) :]


class MemoryBroker:
    """All logs, transactional ids and groups.

    Args:
        topics: their names, and how many partitions each has.
        now_ms: the broker's clock, which stamps records and moves by one with each.

    Attributes:
        epochs: the producer's epoch that counts, by transactional id.
        transactions: those that are open, by transactional id.
        on_the_way: commits that were asked for and have not arrived, with their producer's epoch.
    """

    def __init__(self, topics: Mapping[str, int], *, now_ms: int) -> None:
        self.now_ms = now_ms
        self.epochs: dict[str, int] = {}
        self.transactions: dict[str, Transaction] = {}
        self.on_the_way: list[tuple[str, int]] = []
        self._logs = {
            (topic, number): _Log() for topic, count in topics.items() for number in range(count)
        }
        self._counts = dict(topics)
        self._groups: dict[tuple[str, str], MemoryGroup] = {}

    def partitions(self, topic: str) -> int:
        """Return how many partitions a topic has."""
        return self._counts[topic]

    def group(self, name: str, topic: str) -> MemoryGroup:
        """Return a consumer group on a topic; it begins to exist when asked for."""
        return self._groups.setdefault((name, topic), MemoryGroup(name, self._counts[topic]))

    def append(self, topic: str, value: bytes | None, *, partition: int) -> Record:
        """Write a record without a key that no transaction guards."""
        return self.write(Output(topic, None, value, partition, []), None)

    def write(self, output: Output, transaction: Transaction | None) -> Record:
        """Give what is written the next offset of its partition, and the broker's time."""
        topic, key = output.topic, output.key
        slot = topic, self._place(topic, key) if output.partition is None else output.partition
        log = self._logs[slot].entries
        self.now_ms += 1
        record = Record(slot[1], len(log), self.now_ms, key, output.value, output.headers)
        log.append((record, transaction))
        if transaction is not None:
            transaction.firsts.setdefault(slot, record.offset)
        return record

    def end(self, topic: str, partition: int) -> int:
        """Return the offset after the last one, whatever lies there."""
        return len(self._logs[topic, partition].entries)

    def stable_end(self, topic: str, partition: int) -> int:
        """Return the last stable offset: where the first open transaction began, or the end."""
        if not self.transactions:
            return self.end(topic, partition)
        slot = topic, partition
        end = len(self._logs[slot].entries)
        return min([found.firsts.get(slot, end) for found in self.transactions.values()])

    def records(self, topic: str, partition: int, start: int = 0) -> list[Record]:
        """Return committed records from an offset up to the last stable one."""
        log = self._logs[topic, partition]
        end = self.stable_end(topic, partition) if self.transactions else len(log.entries)
        return log.read(start, end)

    def is_pending(self, group: MemoryGroup, partition: int) -> bool:
        """Say whether an open transaction will commit an offset of that partition."""
        return any(
            owner is group and partition in offsets
            for transaction in self.transactions.values()
            for owner, offsets in transaction.offsets
        )

    def settle(self, transactional_id: str, state: str) -> None:
        """End the open transaction of an id, if it has one, as `committed` or `aborted`."""
        transaction = self.transactions.pop(transactional_id, None)
        if transaction is None:
            return
        transaction.state = state
        for slot in transaction.firsts:
            self._logs[slot].entries.append((None, transaction))
        if state == "committed":
            for group, offsets in transaction.offsets:
                group.offsets.update(offsets)

    def expire(self, transactional_id: str) -> bool:
        """Abort a transaction that was open for too long, which fences its producer.

        Returns:
            Whether there was one.
        """
        if transactional_id not in self.transactions:
            return False
        self.epochs[transactional_id] += 1
        self.settle(transactional_id, "aborted")
        return True

    def arrive(self) -> None:
        """Let the oldest commit on the way arrive; a fenced producer's is refused."""
        transactional_id, epoch = self.on_the_way.pop(0)
        if self.epochs[transactional_id] == epoch:
            self.settle(transactional_id, "committed")

    def _place(self, topic: str, key: bytes | None) -> int:
        """Return the partition of a record, as Java clients place it; without a key: the first."""
        return 0 if key is None else int(place(murmur2([key]), self._counts[topic])[0])
