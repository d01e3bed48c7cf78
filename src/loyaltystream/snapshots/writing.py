"""One snapshot on its way to the disk. Does I/O through its shelf."""

import zlib
from collections.abc import Callable

from loyaltystream.errors import LoyaltyStreamError
from loyaltystream.memory.capture import Capture, Copied
from loyaltystream.memory.manifest import Block, Extent, Manifest, Origin, ending
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.snapshots.shelf import Draft, Shelf

Bound = Callable[[], int]
"""Returns an offset of the changelog that no record written from then on lies before."""


class Writing:
    """A capture of a memory, and what a hand does with it.

    The loop asks `copy`; everything else is for the hand, which never touches the memory.

    Args:
        memory: what is copied.
        origin: whose memory it is.
        shelf: where the snapshot goes.
        bound: asked once, before the copying begins.

    Attributes:
        is_copied: whether all of the memory is with the hand.
        failure: why nothing will come of it; None: nothing is known against it.
        sealed: the manifest, once the snapshot is on the disk to its end.
        size_bytes: what was written so far.
    """

    def __init__(
        self, memory: PartitionMemory, origin: Origin, shelf: Shelf, *, bound: Bound
    ) -> None:
        self.memory = memory
        self.partition = origin.partition
        self.is_copied = False
        self.failure: str | None = None
        self.sealed: Manifest | None = None
        self.size_bytes = 0
        self._origin = origin
        self._shelf = shelf
        self._bound = bound
        self._changelog_offset: int | None = None
        self._capture: Capture | None = None
        self._draft: Draft | None = None
        self._blocks: list[Block] = []

    @property
    def is_prepared(self) -> bool:
        """Whether copying may begin."""
        return self._changelog_offset is not None

    @property
    def is_over(self) -> bool:
        """Whether it came to an end, good or bad."""
        return self.failure is not None or self.sealed is not None

    def copy(self, most: int, last: int) -> tuple[list[Copied], Extent | None]:
        """Copy some of the memory, which has to be settled; as `Capture.copy`."""
        if self._capture is None:
            # Only now, behind the question for the bound: what its owner accepts from here on is
            # written to the changelog behind it.
            self._capture = Capture(self.memory)
        copied, extent = self._capture.copy(most, last)
        self.is_copied = extent is not None
        return copied, extent

    def prepare(self) -> None:
        """Begin the file, and ask for the bound."""

        def begin() -> None:
            self._draft = self._shelf.draft(self.partition)
            self._changelog_offset = self._bound()

        self._attempt(begin)

    def write(self, copied: list[Copied]) -> None:
        """Append copies."""

        def append() -> None:
            for table, shard, slots, entries, generation, content in copied:
                crc = zlib.crc32(content)
                self._blocks.append(Block(table, shard, slots, entries, generation, crc))
                self._append(content)

        self._attempt(append)

    def seal(self, extent: Extent, created_ms: int) -> None:
        """End the file, and give it its name."""

        def end() -> None:
            manifest = Manifest(
                self._origin, extent, self._changelog_offset or 0, created_ms, self._blocks
            )
            self._append(ending(manifest))
            if self._draft is not None:
                self._draft.seal(extent.end_offset)
            self.sealed = manifest

        self._attempt(end)

    def drop(self) -> None:
        """Give it up."""
        if self.sealed is None and self._draft is not None:
            self._draft.drop()
        self.failure = self.failure or "given up"

    def _append(self, content: bytes) -> None:
        if self._draft is not None:
            self._draft.write(content)
            self.size_bytes += len(content)

    def _attempt(self, task: Callable[[], None]) -> None:
        if self.failure is not None:
            return
        try:
            task()
        except (OSError, LoyaltyStreamError) as error:
            if self._draft is not None:
                self._draft.drop()
            self.failure = str(error)
