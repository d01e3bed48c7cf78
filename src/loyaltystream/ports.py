"""What the runner needs of the world: sources of records, sinks of transactions, who is told.

Pure: protocols, and the values that pass through them. A commit is submitted through a port that
tells its outcome later, so that a simulation can order both at will.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from loyaltystream.events import Record
from loyaltystream.pipeline import Plan
from loyaltystream.topology import Output


class Group(msgspec.Struct, frozen=True):
    """The consumer group's state as a transaction has to name it."""

    generation: int
    metadata: Any


class Fate(StrEnum):
    """What became of a transaction."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    UNKNOWN = "unknown"


class Outcome(msgspec.Struct, frozen=True):
    """What became of a transaction, and why if it did not commit for sure."""

    fate: Fate
    why: str = ""


class Ownership(Protocol):
    """Told, inside of a poll, which partitions come and go."""

    def assigned(self, committed: Mapping[int, int | None]) -> Mapping[int, int]:
        """Take partitions with their committed offsets; return where each is to be read from."""

    def revoked(self, partitions: Sequence[int]) -> None:
        """Finish with these partitions: somebody else has them next."""

    def meanwhile(self) -> None:
        """Do what is due while nothing comes; called every few milliseconds."""


class Source(Protocol):
    """Where records come from."""

    def join(self, ownership: Ownership) -> None:
        """Join the group; partitions come with later polls."""

    def poll(self) -> dict[int, list[Record]]:
        """Return new records of partitions that are ours, in offset order."""

    def group(self) -> Group:
        """Return the group's state as of the last poll."""

    def committed(self, partitions: Sequence[int]) -> dict[int, int]:
        """Return stable committed offsets, where there are any."""

    def seek(self, offsets: Mapping[int, int]) -> None:
        """Go on from these offsets."""

    def close(self) -> None:
        """Leave the group's partitions to others."""


class Sink(Protocol):
    """Where a transaction is written."""

    def open(self) -> None:
        """Fence whoever had the transactional id, and settle its transaction."""

    def send(self, outputs: Iterable[Output]) -> None:
        """Begin a transaction and write the outputs into it."""

    def submit(self, offsets: Mapping[int, int], group: Group) -> None:
        """Commit, as soon as everything is delivered, with the input's next offsets."""

    def tend(self, *, hurry: bool = False) -> None:
        """Take what the broker has told, and go on with what was submitted; never waits.

        In a hurry the commit begins although not everything is delivered: what follows takes long.
        """

    def outcome(self) -> Outcome:
        """Wait for what became of it."""

    def abort(self) -> None:
        """Abort what was sent and not submitted."""

    def close(self) -> None:
        """Let go of the connection."""


class Stage(Protocol):
    """What is done with the records of each partition, and what is known of it."""

    def open(self, partition: int, committed: int | None) -> int:
        """Restore what is known of a partition; return the offset to go on from."""

    def close(self, partition: int) -> None:
        """Forget a partition."""

    def next_offset(self, partition: int) -> int:
        """Return the first offset that is not done."""

    def begin(self, partition: int) -> Plan | None:
        """Return what writes down where the partition begins, or None if the log has it."""

    def plan(self, partition: int, records: Sequence[Record], generation: int) -> Plan:
        """Return what becomes of the records; changes nothing."""

    def expect(self, plan: Plan) -> None:
        """Plan what follows on top of this, which was sent."""

    def remember(self, plan: Plan) -> None:
        """Learn what was planned: it committed."""

    def forget(self, plan: Plan) -> None:
        """Drop what was expected: it did not commit."""

    def tend(self) -> None:
        """Do a little of what is due now and then; no commit is open."""


class Telemetry(Protocol):
    """Told what happened, once it is known."""

    def submitted(self) -> None:
        """Note that a commit is under way."""

    def committed(self, plans: Sequence[Plan]) -> None:
        """Count a committed transaction."""

    def aborted(self, why: str) -> None:
        """Count a transaction that did not commit."""

    def renewed(self, why: str) -> None:
        """Note that the producer was replaced."""

    def waiting(self, why: str) -> None:
        """Note that the broker is away and waited for."""

    def turned(self) -> None:
        """Note that the loop came round."""

    def opening(self, partitions: Sequence[int]) -> None:
        """Note which partitions are restored now; `owns` follows, or `waiting`."""

    def owns(self, partitions: Sequence[int]) -> None:
        """Note which partitions this worker has now."""


class Writer(Protocol):
    """Writes records in transactions that read nothing, as the only one under its name."""

    def open(self) -> None:
        """Fence whoever wrote before, and settle what that left open."""

    def write(self, outputs: Sequence[Output]) -> None:
        """Return once the records are committed, all of them; raise if another one has opened."""
