"""One list in which the ports, the stage and the telemetry write what they did. Does no I/O."""

from collections.abc import Iterable, Mapping, Sequence

from loyaltystream.events import Record
from loyaltystream.pipeline import Plan
from loyaltystream.runner import Stage
from loyaltystream.verdicts import Tally


class Journal:
    """All effects, in the order in which they happened: `send 4`, `submit 0:3`, `remember 0:3`."""

    def __init__(self) -> None:
        self.entries: list[str] = []

    def note(self, did: str, *details: object) -> None:
        """Write down one effect."""
        self.entries.append(" ".join([did, *map(str, details)]))

    def since(self, count: int) -> list[str]:
        """Return what was written down after the first `count` entries."""
        return self.entries[count:]


def places(offsets: Mapping[int, object]) -> str:
    """Return `0:3 1:7`: partitions with an offset each."""
    return " ".join(f"{number}:{offset}" for number, offset in sorted(offsets.items()))


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


def _end(plan: Plan) -> str:
    return f"{plan.partition}:{plan.next_offset}"


def spans(batch: Mapping[int, Iterable[Record]]) -> str:
    """Return `0:0-2 1:5-5`: partitions with the offsets of their first and last record."""
    ends = {number: [record.offset for record in records] for number, records in batch.items()}
    return places({number: f"{found[0]}-{found[-1]}" for number, found in ends.items()})
