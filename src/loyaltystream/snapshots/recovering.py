"""A partition's memory from its newest usable snapshot and the end of the changelog. Does I/O.

What is wrong with a snapshot is told, and the next older one is tried; behind the oldest comes the
whole changelog. Nothing is taken on trust: every byte of a snapshot is under a checksum, and the
changelog's records have to lead from where it was begun to the committed offset without a gap. A
bound that is wrong, because a worker asked for it that the group had gone on without, shows so too.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, NamedTuple, Protocol

from loyaltystream.memory.loading import load
from loyaltystream.memory.manifest import (
    Extent,
    Manifest,
    Origin,
    UnfitSnapshotError,
    demand_origin,
    read_manifest,
)
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.memory.recovery import OutrunError, restore, resume
from loyaltystream.snapshots.shelf import Shelf


class Changelog(Protocol):
    """The memory's own log."""

    def deltas(self, partition: int, start: int = 0) -> Iterator[bytes]:
        """Yield the committed records of a partition from an offset on, oldest first."""


class Refusals(Protocol):
    """Told why a snapshot is of no use."""

    def refused(self, partition: int, name: str, why: str) -> None:
        """A snapshot is passed over."""


class Openable(Protocol):
    """Where snapshots are read."""

    def open(self, partition: int, name: str) -> BinaryIO:
        """Return a snapshot's content."""


class Recovered(NamedTuple):
    """A memory, and the manifest of the snapshot that it came from; None: the changelog alone."""

    memory: PartitionMemory
    manifest: Manifest | None


class Archive:
    """Snapshots, and the changelog that goes on behind them.

    Args:
        shelf: where snapshots lie.
        changelog: the memory's log.
        refusals: is told what is passed over.
    """

    def __init__(self, shelf: Shelf, changelog: Changelog, refusals: Refusals) -> None:
        self._shelf = shelf
        self._changelog = changelog
        self._refusals = refusals

    def recover(
        self, origin: Origin, *, committed: int | None, fresh: Callable[[], int]
    ) -> Recovered:
        """Return a partition's memory as of the committed offset.

        Args:
            origin: whose memory is wanted.
            committed: the group's stable committed offset; None: it has none, and the changelog
                tells.
            fresh: says where to begin if there is neither an offset nor a changelog.

        Raises:
            StateError: if the log has a gap, is damaged, or was made under another layout.
            LostMemoryError: if it ends before the committed offset.
            BrokerError: if it can't be read.
        """
        since: Extent | None = None
        for name in self._names(origin) if committed is not None else ():
            try:
                return self._revive(origin, name, committed or 0)
            except OutrunError as error:
                self._refusals.refused(origin.partition, name, str(error))
                since = since or error.extent
            except (UnfitSnapshotError, OSError) as error:
                self._refusals.refused(origin.partition, name, str(error))
        memory = restore(
            self._changelog.deltas(origin.partition),
            origin.layout,
            committed=committed,
            fresh=fresh,
            since=since,
        )
        return Recovered(memory, None)

    def _names(self, origin: Origin) -> list[str]:
        try:
            return self._shelf.names(origin.partition)
        except OSError as error:
            self._refusals.refused(origin.partition, "all", str(error))
            return []

    def _revive(self, origin: Origin, name: str, committed: int) -> Recovered:
        return revive(
            self._shelf,
            origin,
            name,
            committed=committed,
            deltas=lambda start: self._changelog.deltas(origin.partition, start),
        )


def revive(
    place: Openable,
    origin: Origin,
    name: str,
    *,
    committed: int,
    deltas: Callable[[int], Iterable[bytes]],
) -> Recovered:
    """Return a memory from one snapshot and what follows it.

    Args:
        place: where the snapshot lies.
        origin: whose memory is wanted.
        name: the snapshot's.
        committed: the group's stable committed offset.
        deltas: returns the changelog's records from an offset on.

    Raises:
        UnfitSnapshotError: if it is damaged, of something else, or beyond the committed offset.
        OSError: if it can't be read.
        StateError: if the log is wrong.
    """
    with place.open(origin.partition, name) as file:
        manifest = read_manifest(file)
        demand_origin(manifest.origin, origin)
        extent = manifest.extent
        if extent.end_offset > committed:
            raise UnfitSnapshotError(
                f"it goes up to {extent.end_offset}, the committed offset is {committed}"
            )
        loaded = load(manifest, file)
    found = deltas(manifest.changelog_offset)
    return Recovered(resume(loaded, extent, found, committed=committed), manifest)
