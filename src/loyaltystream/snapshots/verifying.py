"""Every snapshot held against the whole changelog. Does I/O through what it is given."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

from loyaltystream.memory.changelog import Delta
from loyaltystream.memory.digest import Digest, digest
from loyaltystream.memory.manifest import Origin, UnfitSnapshotError
from loyaltystream.memory.recovery import restore
from loyaltystream.memory.relaid import read
from loyaltystream.memory.units import Unit
from loyaltystream.snapshots.inspecting import Directory
from loyaltystream.snapshots.recovering import revive

Done = Callable[[int], None]
"""Told of each changelog record that is read, how many that makes."""


class Log(Protocol):
    """The changelog, as far as it is stable."""

    def settled(self, partition: int, start: int = 0) -> Iterator[bytes]:
        """Yield the committed records of a partition, oldest first."""


class Verified(msgspec.Struct, frozen=True):
    """What one snapshot came to.

    Attributes:
        ids: how many the changelog says are known.
        why: what is wrong; None: with the changelog's end it is what the whole changelog is.
    """

    partition: int
    name: str
    ids: int
    why: str | None


class Verification:
    """Restarts from each snapshot, and compares with a restart from the changelog alone.

    Args:
        directory: where snapshots lie.
        log: the changelog.
        origin: says whose memory a partition's is.
        done: is told how far it is.
    """

    def __init__(
        self, directory: Directory, log: Log, origin: Callable[[int], Origin], done: Done
    ) -> None:
        self._directory = directory
        self._log = log
        self._origin = origin
        self._done = done
        self._read = 0

    def verify(self, partition: int, names: Sequence[str], committed: int) -> Iterator[Verified]:
        """Yield the verdict on each snapshot of a partition.

        Args:
            partition: its number.
            names: the snapshots.
            committed: the group's committed offset, asked for once their names were known.

        Raises:
            StateError: if the changelog itself is wrong.
            BrokerError: if it can't be read.
        """
        origin = self._origin(partition)
        whole = restore(
            self._until(self._log.settled(partition), committed),
            origin.layout,
            committed=committed,
            fresh=lambda: committed,
        )
        expected = digest(whole)
        del whole
        ids = sum(found.ids for found in expected.values())
        for name in names:
            try:
                why = self._compare(origin, name, committed, expected)
            except FileNotFoundError:
                continue  # a worker has written two newer ones meanwhile
            yield Verified(partition, name, ids, why)

    def _compare(
        self, origin: Origin, name: str, committed: int, expected: dict[Unit, Digest]
    ) -> str | None:
        def deltas(start: int) -> Iterator[bytes]:
            return self._until(self._log.settled(origin.partition, start), committed)

        try:
            memory, _ = revive(self._directory, origin, name, committed=committed, deltas=deltas)
        except FileNotFoundError:
            raise
        except (UnfitSnapshotError, OSError) as error:
            return str(error)
        found = digest(memory)
        if found == expected:
            return None
        counts = [sum(unit.ids for unit in one.values()) for one in (found, expected)]
        return f"it leads to {counts[0]} ids that count, the changelog to {counts[1]} or others"

    def _until(self, records: Iterable[bytes], committed: int) -> Iterator[bytes]:
        for record in records:
            entry = read(record)
            if isinstance(entry, Delta) and entry.to_offset > committed:
                return
            self._read += 1
            self._done(self._read)
            yield record
