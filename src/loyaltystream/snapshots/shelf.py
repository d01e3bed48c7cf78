"""Where snapshots lie: ports for directories and their stand-in in memory. Pure."""

from typing import BinaryIO, Final, Protocol

KEPT: Final = 2
"""How many snapshots of a partition stay."""


class Draft(Protocol):
    """A snapshot that is being written; nobody finds it before it is sealed."""

    def write(self, content: bytes) -> None:
        """Append.

        Raises:
            OSError: if there is no room, or no right to.
        """

    def seal(self, end_offset: int) -> None:
        """Make it last and be found, as the one that ends there, and remove what is too old.

        Raises:
            OSError: likewise.
        """

    def drop(self) -> None:
        """Remove it; what goes wrong with that is passed over."""


class Shelf(Protocol):
    """Snapshots by partition; several processes may use it at once."""

    def draft(self, partition: int) -> Draft:
        """Begin a snapshot.

        Raises:
            OSError: if there is no room, or no right to.
        """

    def names(self, partition: int) -> list[str]:
        """Return the sealed snapshots of a partition, the furthest first.

        Raises:
            OSError: if they can't be looked up.
        """

    def open(self, partition: int, name: str) -> BinaryIO:
        """Return a snapshot's content.

        Raises:
            OSError: if it is gone, or not readable.
        """


def name_of(end_offset: int, unique: str) -> str:
    """Return the name of a snapshot: names in order are snapshots in order."""
    return f"{end_offset:019d}-{unique}.snapshot"


def end_of(name: str) -> int:
    """Return the offset at which a snapshot ends."""
    return int(name.partition("-")[0])


def superseded(names: list[str], sealed: str) -> list[str]:
    """Return which snapshots are not needed any more once another is sealed.

    Those that end later are another process's, or of another log; of them as many stay.
    """
    others = sorted(name for name in names if name != sealed)
    before = [name for name in others if end_of(name) <= end_of(sealed)]
    behind = [name for name in others if end_of(name) > end_of(sealed)]
    return before[: len(before) - (KEPT - 1)] + behind[: len(behind) - KEPT]
