"""Poll, plan, send, submit the commit, learn the outcome, remember: the order of all effects.

Does I/O only through its ports. While the commit of batch N is open, batch N+1 is polled and judged
on top of it. Not before N's outcome is known: begin, produce, change or copy a table, count a
metric, release or seek a partition. If N did not commit, the verdicts on N+1 die with it, and both
are read again from the stable committed offsets (design.md section 2).
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Final

from msgspec.structs import replace

from loyaltystream.errors import (
    AbortableTransactionError,
    BrokerError,
    FatalBrokerError,
    RetryableBrokerError,
    StateError,
)
from loyaltystream.events import Record
from loyaltystream.pipeline import Plan
from loyaltystream.ports import Fate, Group, Sink, Source, Stage, Telemetry

MAX_RENEWALS: Final = 5
"""How many times in a row a producer is replaced without a commit in between."""


class Runner:
    """Runs one stage until it is told to stop."""

    def __init__(self, source: Source, sink: Sink, stage: Stage, *, telemetry: Telemetry) -> None:
        self._source = source
        self._sink = sink
        self._stage = stage
        self._telemetry = telemetry
        self._joined = False
        self._owned: set[int] = set()
        self._open: list[Plan] = []  # submitted, outcome not learnt
        self._unknown: str | None = None  # why the open transaction's outcome has to be looked up
        self._broken: str | None = None  # why the producer has to be replaced
        self._rewinding = False
        self._renewals = 0

    def run(self, stopping: Callable[[], bool]) -> None:
        """Judge and send until `stopping` says so; then learn the last outcome and leave.

        A broker that is away is waited for.

        Raises:
            BrokerError: if the broker refuses what is needed.
            StateError: if what is remembered does not fit the log.
        """
        try:
            while not stopping():
                self.step()
            self._settle()
        finally:
            self._source.close()
            self._sink.close()

    def step(self) -> None:
        """Join if that is not done yet, and take one turn; if the broker is away, note that."""
        try:
            if not self._joined:
                self._sink.open()
                self._source.join(self)
                self._joined = True
            self.turn()
        except RetryableBrokerError as error:
            # What was polled is not sent yet: it has to be read again.
            self._rewinding = True
            self._telemetry.waiting(str(error))

    def turn(self) -> None:
        """Take one batch as far as its submitted commit."""
        if self._rewinding:
            self._recover()
        batch = self._source.poll()
        if self._rewinding:
            # A rebalance inside the poll found that the last transaction was lost; or it had to be
            # polled before the rewind can be done.
            return
        group = self._source.group()
        plans = []
        for partition, records in batch.items():
            plans.append(self._stage.plan(partition, records, group.generation))
            self._sink.tend()
        plans += self._beginnings(batch)
        self._settle()
        self._stage.tend()
        if plans and not self._rewinding:
            self._send(plans, group)
        self._telemetry.turned()

    def _recover(self) -> None:
        """Learn what became of the open transaction, and read again.

        Raises:
            RetryableBrokerError: if that can't be done yet. If it is committed offsets that are
                waited for, the group was polled all the same: nobody else gives a member's
                rebalances a turn, and one that has none for long is left behind.
        """
        try:
            self._settle()
            self._rewind()
        except RetryableBrokerError:
            if self._broken is None:  # else the broker is away, and there is nothing to hear
                self._source.poll()  # what came is read again
            raise

    def _beginnings(self, batch: Mapping[int, list[Record]]) -> list[Plan]:
        """Return where partitions begin that the log knows nothing of, and that nothing came from.

        Until that is written, a restart would ask the operator again, and begin where he then says.
        """
        busy = batch.keys() | {plan.partition for plan in self._open}
        begun = map(self._stage.begin, sorted(self._owned - busy))
        return [plan for plan in begun if plan is not None]

    def assigned(self, committed: Mapping[int, int | None]) -> Mapping[int, int]:
        """Open partitions that became ours; all of them or none."""
        self._sink.tend(hurry=True)  # restoring may outlast the open transaction
        self._telemetry.opening(sorted(committed))
        starts: dict[int, int] = {}
        try:
            for number, offset in committed.items():
                starts[number] = self._stage.open(number, offset)
        except BrokerError:
            for number in starts:
                self._stage.close(number)
            raise
        self._owned |= starts.keys()
        self._telemetry.owns(sorted(self._owned))
        return starts

    def revoked(self, partitions: Sequence[int]) -> None:
        """Learn what became of the open transaction, then give partitions away."""
        try:
            self._settle()
        except RetryableBrokerError as error:
            # What is given away is forgotten either way; the rest is looked up later.
            self._telemetry.waiting(str(error))
            self._open = [plan for plan in self._open if plan.partition not in partitions]
        for partition in partitions:
            self._owned.discard(partition)
            self._stage.close(partition)
        self._telemetry.owns(sorted(self._owned))

    def meanwhile(self) -> None:
        """Go on with the open commit while nothing comes."""
        self._sink.tend()

    def _send(self, plans: Sequence[Plan], group: Group) -> None:
        try:
            self._sink.send(chain.from_iterable(plan.outputs for plan in plans))
        except (AbortableTransactionError, RetryableBrokerError) as error:
            self._abort(str(error))
        except FatalBrokerError as error:
            self._lose(str(error))
            self._renew(str(error))
        else:
            self._sink.submit({plan.partition: plan.next_offset for plan in plans}, group)
            self._telemetry.submitted()
            # What was sent is let go of: the next batch finds its memory in the processor's cache.
            self._open = [replace(plan, outputs=[]) for plan in plans]
            for plan in self._open:
                self._stage.expect(plan)

    def _abort(self, why: str) -> None:
        self._lose(why)
        try:
            self._sink.abort()
        except FatalBrokerError as error:
            self._renew(str(error))

    def _settle(self) -> None:
        """Learn what became of the open transaction, if there is one.

        Raises:
            RetryableBrokerError: if that can't be told yet; to be called again.
        """
        if self._broken is not None:
            # Even if all that was open was given away: its next owner waits for the transaction.
            self._renew(self._broken)
        if not self._open:
            self._unknown = None
            return
        if self._unknown is None:
            outcome = self._sink.outcome()
            if outcome.fate is not Fate.UNKNOWN:
                committed = outcome.fate is Fate.COMMITTED
                self._learn(self._open if committed else [], outcome.why)
                return
            self._unknown = outcome.why
            self._renew(outcome.why)
        # The new producer settled the transaction; the offsets tell what became of it.
        offsets = self._source.committed([plan.partition for plan in self._open])
        moved = [plan for plan in self._open if offsets.get(plan.partition) == plan.next_offset]
        self._learn(moved, self._unknown)
        self._unknown = None

    def _learn(self, committed: Sequence[Plan], why: str) -> None:
        plans, self._open = self._open, []
        for plan in committed:
            self._stage.remember(plan)
        if committed:
            self._renewals = 0
            self._telemetry.committed(committed)
        if len(committed) < len(plans):
            for plan in plans:
                self._stage.forget(plan)  # those that committed have nothing to forget
            self._lose(why)

    def _lose(self, why: str) -> None:
        self._rewinding = True
        self._telemetry.aborted(why)

    def _renew(self, why: str) -> None:
        """Replace the producer.

        Raises:
            FatalBrokerError: after too many without a commit in between.
            RetryableBrokerError: if the broker is away; the next settling tries again.
        """
        self._broken = why
        if self._renewals == MAX_RENEWALS:
            raise FatalBrokerError(
                f"{MAX_RENEWALS} producers in a row were lost without a commit in between; "
                f"does another worker have the same worker.instance? The last: {why}"
            )
        self._sink.open()
        self._broken = None
        self._renewals += 1
        self._telemetry.renewed(why)

    def _rewind(self) -> None:
        """Read again from the stable committed offsets, where the memory stands as well.

        Not done, and left to the next turn, while another worker goes on with one of them.

        Raises:
            StateError: if what is remembered does not fit the log.
        """
        committed = self._source.committed(sorted(self._owned))
        starts = {}
        for partition in self._owned:
            expected = self._stage.next_offset(partition)
            found = committed.get(partition, expected)
            if found != expected:
                # Somebody else went on with it: what is known is read from the log anew. Until that
                # has succeeded the old stays, or a broker that is away would leave nothing.
                try:
                    found = self._stage.open(partition, found)
                except StateError:
                    if self._source.committed([partition]).get(partition) == found:
                        raise
                    return  # and still goes on: the coming poll tells that it is no longer ours
            starts[partition] = found
        self._source.seek(starts)
        self._rewinding = False
