"""Snapshots in memory, and a hand that waits for nothing. Does no I/O."""

from collections.abc import Callable
from io import BytesIO
from typing import BinaryIO

from loyaltystream.snapshots.shelf import name_of, superseded
from loyaltystream.testing.fates import CALM, Fates


class MemoryDisk:
    """What outlives the processes of a machine.

    Attributes:
        sealed: the content of every sealed snapshot, by partition and name.
    """

    def __init__(self) -> None:
        self.sealed: dict[int, dict[str, bytes]] = {}
        self._drafts = 0

    def unique(self) -> str:
        """Return what no other draft has in its name."""
        self._drafts += 1
        return f"{self._drafts:032x}"


class MemoryShelf:
    """One process's access to a disk.

    Args:
        disk: what it shares with others.
        fates: what goes wrong, before each thing that it does.
    """

    def __init__(self, disk: MemoryDisk, fates: Fates = CALM) -> None:
        self._disk = disk
        self._fates = fates

    def draft(self, partition: int) -> "MemoryDraft":
        """Begin a snapshot."""
        self._fates.at("snapshot")
        return MemoryDraft(self._disk, partition, self._fates)

    def names(self, partition: int) -> list[str]:
        """Return the sealed snapshots of a partition, the furthest first."""
        return sorted(self._disk.sealed.get(partition, {}), reverse=True)

    def open(self, partition: int, name: str) -> BinaryIO:
        """Return a snapshot's content.

        Raises:
            OSError: if it is gone.
        """
        try:
            return BytesIO(self._disk.sealed[partition][name])
        except KeyError as error:
            raise FileNotFoundError(name) from error


class MemoryDraft:
    """A snapshot that is being written; gone with whoever writes it, until it is sealed."""

    def __init__(self, disk: MemoryDisk, partition: int, fates: Fates) -> None:
        self._disk = disk
        self._partition = partition
        self._fates = fates
        self._written: list[bytes] = []

    def write(self, content: bytes) -> None:
        """Append."""
        self._fates.at("snapshot")
        self._written.append(content)

    def seal(self, end_offset: int) -> None:
        """Make it last and be found, and remove what is too old."""
        self._fates.at("snapshot")
        sealed = self._disk.sealed.setdefault(self._partition, {})
        name = name_of(end_offset, self._disk.unique())
        sealed[name] = b"".join(self._written)
        for old in superseded(list(sealed), name):
            del sealed[old]

    def drop(self) -> None:
        """Remove it."""
        self._written.clear()


class ImmediateHand:
    """Does each task while it is asked for."""

    backlog = 0

    def do(self, task: Callable[[], None]) -> None:
        """Do a task."""
        task()

    def wait(self, backlog: int, timeout_s: float) -> bool:
        """Wait for nothing: all is done."""
        return backlog >= 0 and timeout_s >= 0
