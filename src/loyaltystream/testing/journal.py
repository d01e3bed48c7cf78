"""One list in which the ports, the stage and the telemetry write what they did. Does no I/O."""

from collections.abc import Mapping, Sequence

from loyaltystream.events import Record
from loyaltystream.pipeline import Plan
from loyaltystream.ports import Stage
from loyaltystream.verdicts import Tally


class Journal:
    """All effects, in the order in which they happened: `send 4`, `submit 0:3`, `remember 0:3`."""

    def __init__(self) -> None:
        self._noted: list[tuple[object, ...]] = []

    def note(self, *told: object) -> None:
        """Write down one effect and its details; offsets and batches are told by partition.

        What is given must not change afterwards: it becomes text only when somebody reads.
        """
        self._noted.append(told)

    @property
    def entries(self) -> list[str]:
        """Everything that was written down."""
        return self.since(0)

    def since(self, count: int) -> list[str]:
        """Return what was written down after the first `count` entries."""
        return [" ".join(map(_text, told)) for told in self._noted[count:]]


def _text(detail: object) -> str:
    """Return `0:3 1:7` for offsets by partition, `0:0-2 1:5-5` for records by partition."""
    if not isinstance(detail, Mapping):
        return str(detail)
    return " ".join(f"{number}:{_span(found)}" for number, found in sorted(detail.items()))


def _span(found: object) -> str:
    if isinstance(found, Sequence):
        return f"{found[0].offset}-{found[-1].offset}"
    return str(found)


class MemoryTelemetry:
    """Keeps what the runner tells.

    Attributes:
        tally: all that was told to have committed.
    """

    def __init__(self, journal: Journal) -> None:
        self.tally = Tally()
        self._journal = journal

    def submitted(self) -> None:
        """Note that a commit is under way."""
        self._journal.note("told submitted")

    def committed(self, plans: Sequence[Plan]) -> None:
        """Note a committed transaction."""
        for plan in plans:
            self.tally += plan.tally
        self._journal.note("told committed", sum(plan.tally.consumed for plan in plans))

    def aborted(self, why: str) -> None:
        """Note a transaction that did not commit."""
        self._journal.note("told aborted:", why)

    def renewed(self, why: str) -> None:
        """Note that the producer was replaced."""
        self._journal.note("told renewed:", why)

    def waiting(self, why: str) -> None:
        """Note that the broker is waited for."""
        self._journal.note("told waiting:", why)

    def turned(self) -> None:
        """Note nothing: every turn ends so."""

    def opening(self, partitions: Sequence[int]) -> None:
        """Note nothing: the stage tells what it restores."""

    def owns(self, partitions: Sequence[int]) -> None:
        """Note which partitions are owned now."""
        self._journal.note("owns", *partitions)


class JournalledStage:
    """A stage that writes down what it is asked for.

    Args:
        stage: does the work.
        journal: where it is written down.
    """

    def __init__(self, stage: Stage, journal: Journal) -> None:
        self._stage = stage
        self._journal = journal

    def open(self, partition: int, committed: int | None) -> int:
        """Restore a partition; return the offset to go on from."""
        start = self._stage.open(partition, committed)
        self._journal.note("restore", f"{partition}:{start}")
        return start

    def close(self, partition: int) -> None:
        """Forget a partition."""
        self._journal.note("close", partition)
        self._stage.close(partition)

    def next_offset(self, partition: int) -> int:
        """Return the first offset that is not done."""
        return self._stage.next_offset(partition)

    def begin(self, partition: int) -> Plan | None:
        """Return what writes down where a partition begins."""
        return self._stage.begin(partition)

    def plan(self, partition: int, records: Sequence[Record], generation: int) -> Plan:
        """Return what becomes of the records."""
        self._journal.note("plan", f"{partition}:{records[0].offset}-{records[-1].offset}")
        return self._stage.plan(partition, records, generation)

    def expect(self, plan: Plan) -> None:
        """Plan what follows on top of this."""
        self._journal.note("expect", _end(plan))
        self._stage.expect(plan)

    def remember(self, plan: Plan) -> None:
        """Learn what was planned."""
        self._journal.note("remember", _end(plan))
        self._stage.remember(plan)

    def forget(self, plan: Plan) -> None:
        """Drop what was expected."""
        self._journal.note("forget", _end(plan))
        self._stage.forget(plan)

    def tend(self) -> None:
        """Do a little of what is due; every turn does."""
        self._stage.tend()


def _end(plan: Plan) -> str:
    return f"{plan.partition}:{plan.next_offset}"
