"""What a worker knows of each of its partitions, for either stage. Does I/O through its ports.

INGEST has a memory a partition, restored from the changelog; NOTIFY needs none, since its input is
unique and its transactions are exactly once (design.md section 3).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from loyaltystream.definitions.registry import Definitions
from loyaltystream.definitions.source import Source
from loyaltystream.errors import StateError
from loyaltystream.events import Record
from loyaltystream.memory.changelog import Layout
from loyaltystream.memory.partition import PartitionMemory, Pending
from loyaltystream.memory.recovery import LostMemoryError
from loyaltystream.memory.units import Unit
from loyaltystream.pipeline import Ingest, Plan
from loyaltystream.verdicts import Reason, Tally

FreshStart = Callable[[int], int]
"""Says where to begin in a partition that the group never committed an offset of."""


class Remembered(NamedTuple):
    """What a worker remembers, all its partitions together.

    Attributes:
        ids: how many, the expired and not yet swept included.
        windows_ms: how far back from its clock the partition knows that knows least.
        used_bytes: what they take.
    """

    ids: Mapping[Unit, int]
    windows_ms: Mapping[Unit, int]
    used_bytes: int


class Keeper(Protocol):
    """Keeps memories beyond the process."""

    def recover(
        self, partition: int, *, committed: int | None, fresh: Callable[[], int]
    ) -> PartitionMemory:
        """Return a partition's memory as of the committed offset."""

    def opened(self, partition: int, memory: PartitionMemory) -> None:
        """Keep a memory that begins anew."""

    def tend(self, memories: Mapping[int, PartitionMemory]) -> None:
        """Do a little for them, which must not take long."""

    def release(self, partition: int, memory: PartitionMemory) -> None:
        """Keep what a partition that is given away has learnt."""


class Deriver(Protocol):
    """Derives notifications from routed events."""

    def plan(self, records: Sequence[Record], *, definitions: Definitions, generation: int) -> Plan:
        """Return what becomes of records of one partition."""


class IngestStage:
    """Judges each partition's records with its memory.

    Args:
        ingest: the pure judge.
        definitions: gives the view that a batch is held against.
        layout: what remembered ids mean.
        keeper: where memories are restored from.
        fresh: where to begin in a partition that was never read.
        accept_loss_ms: an operator's word that a lost memory may start empty, said at that moment
            in epoch milliseconds; None: it may not.
    """

    def __init__(  # noqa: PLR0913 (the parts of a stage, put together in one place)
        self,
        ingest: Ingest,
        *,
        definitions: Source,
        layout: Layout,
        keeper: Keeper,
        fresh: FreshStart,
        accept_loss_ms: int | None = None,
    ) -> None:
        self._ingest = ingest
        self._definitions = definitions
        self._layout = layout
        self._keeper = keeper
        self._fresh = fresh
        self._accept_loss_ms = accept_loss_ms
        self._memories: dict[int, PartitionMemory] = {}

    def open(self, partition: int, committed: int | None) -> int:
        """Restore a partition's memory; return the offset to go on from.

        Raises:
            StateError: if what is remembered does not fit the log.
        """
        try:
            memory = self._restore(partition, committed)
        except StateError as error:
            raise StateError(f"partition {partition}: {error}") from error
        self._memories[partition] = memory
        return memory.next_offset

    def close(self, partition: int) -> None:
        """Forget a partition; its log has everything."""
        if (memory := self._memories.pop(partition, None)) is not None:
            self._keeper.release(partition, memory)

    def next_offset(self, partition: int) -> int:
        """Return the first offset that is not judged."""
        return self._memories[partition].next_offset

    def begin(self, partition: int) -> Plan | None:
        """Return what writes down where the partition begins, or None if the log has it."""
        memory = self._memories[partition]
        return self._ingest.begin(partition, memory) if memory.untouched else None

    def plan(self, partition: int, records: Sequence[Record], generation: int) -> Plan:
        """Return the verdicts on records of one partition, all by the same definitions.

        Raises:
            RetryableBrokerError: if an event is of no known name, and whether it has just been
                defined can't be told for the moment.
        """
        memory = self._memories[partition]

        def judge(definitions: Definitions) -> Plan:
            return self._ingest.judge(
                records, memory=memory, definitions=definitions, generation=generation
            )

        return _by_all_that_is_defined(self._definitions, judge)

    def expect(self, plan: Plan) -> None:
        """Judge what follows on top of this."""
        if plan.delta is not None:
            self._memories[plan.partition].expect(Pending(plan.overlay, plan.delta))

    def remember(self, plan: Plan) -> None:
        """Enter what was accepted into the tables."""
        if (memory := self._memories.get(plan.partition)) is not None:
            memory.remember()

    def forget(self, plan: Plan) -> None:
        """Drop what was accepted by a transaction that did not commit."""
        if (memory := self._memories.get(plan.partition)) is not None:
            memory.forget()

    def tend(self) -> None:
        """Hear of new definitions, and do a little for what has to be found after a restart."""
        self._definitions.refresh()
        self._keeper.tend(self._memories)

    def remembered(self) -> Remembered:
        """Return how much is remembered, and how far back.

        Of eventIds that is told before there is one: a memory that was lost knows none for long.
        """
        ids: dict[Unit, int] = {}
        windows_ms: dict[Unit, int] = {}
        for memory in self._memories.values():
            for unit, count in ({self._ingest.unit: 0} | memory.remembered()).items():
                ids[unit] = ids.get(unit, 0) + count
                window_ms = memory.window_ms(unit)
                windows_ms[unit] = min(windows_ms.get(unit, window_ms), window_ms)
        used_bytes = sum(memory.used_bytes for memory in self._memories.values())
        return Remembered(ids, windows_ms, used_bytes)

    def _restore(self, partition: int, committed: int | None) -> PartitionMemory:
        try:
            return self._keeper.recover(
                partition, committed=committed, fresh=lambda: self._fresh(partition)
            )
        except LostMemoryError:
            if self._accept_loss_ms is None or committed is None:
                raise
            memory = PartitionMemory(self._layout, committed)
            memory.covers_from_ms = self._accept_loss_ms
            self._keeper.opened(partition, memory)
            return memory


class NotifyStage:
    """Derives each partition's notifications; knows only how far it is.

    Args:
        notify: the pure deriver.
        definitions: gives the view that holds the rules.
        fresh: where to begin in a partition that was never read.
    """

    def __init__(self, notify: Deriver, *, definitions: Source, fresh: FreshStart) -> None:
        self._notify = notify
        self._definitions = definitions
        self._fresh = fresh
        self._next: dict[int, int] = {}
        self._unwritten: set[int] = set()

    def open(self, partition: int, committed: int | None) -> int:
        """Return the offset to go on from."""
        if committed is None:
            self._unwritten.add(partition)
        self._next[partition] = self._fresh(partition) if committed is None else committed
        return self._next[partition]

    def close(self, partition: int) -> None:
        """Forget a partition."""
        self._next.pop(partition, None)
        self._unwritten.discard(partition)

    def next_offset(self, partition: int) -> int:
        """Return the first offset that is not done."""
        return self._next[partition]

    def begin(self, partition: int) -> Plan | None:
        """Return what commits where the partition begins, or None if that is done."""
        if partition not in self._unwritten:
            return None
        return Plan(partition, self._next[partition], [], Tally())

    def plan(self, partition: int, records: Sequence[Record], generation: int) -> Plan:
        """Return the notifications that records of one partition cause.

        Raises:
            RetryableBrokerError: if an event is of no known version, and whether there is one can't
                be told for the moment.
        """
        del partition  # each record names it

        def derive(definitions: Definitions) -> Plan:
            return self._notify.plan(records, definitions=definitions, generation=generation)

        return _by_all_that_is_defined(self._definitions, derive)

    def expect(self, plan: Plan) -> None:
        """Nothing depends on a plan before it has committed."""

    def remember(self, plan: Plan) -> None:
        """Note how far the partition is."""
        if plan.partition in self._next:
            self._unwritten.discard(plan.partition)
            self._next[plan.partition] = plan.next_offset

    def forget(self, plan: Plan) -> None:
        """Nothing was noted before the commit was known."""

    def tend(self) -> None:
        """Hear of new definitions; the group's offsets have everything else."""
        self._definitions.refresh()


def _by_all_that_is_defined(source: Source, plan: Callable[[Definitions], Plan]) -> Plan:
    """Return the plan by the view in force; by the newest there is before an event is condemned.

    Whoever defined an event and then sent one has done so before it was read, so the topic tells.
    """
    made = plan(source.view())
    if made.tally.reasons[Reason.UNKNOWN_EVENT] and source.catch_up():
        made = plan(source.view())
    return made
