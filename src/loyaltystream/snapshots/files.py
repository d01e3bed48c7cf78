"""Snapshots as files: a directory for each group and partition. Does I/O: files.

A snapshot gets its name once all of it is on the disk, so that what has a name was written to its
end. Processes that share a directory write under names of their own, and hold a lock on what they
write: what nobody holds was left by one that died.
"""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final
from uuid import uuid4

from loyaltystream.snapshots.shelf import end_of, name_of, superseded

_NAME: Final = re.compile(r"\d{19}-[0-9a-f]{32}\.snapshot")
_DRAFT: Final = ".draft"
_FLUSH_BYTES: Final = 32 << 20
"""So much is written to the disk at once: the rest of the machine wants to use it too."""


class Files:
    """The snapshots of one group.

    Args:
        directory: has one directory a partition; made when it is needed.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def draft(self, partition: int) -> "FileDraft":
        """Begin a snapshot, and remove what was never finished.

        Raises:
            OSError: if there is no room, or no right to.
        """
        place = self._directory / str(partition)
        place.mkdir(parents=True, exist_ok=True)
        _remove_strays(place)
        return FileDraft(place)

    def partitions(self) -> list[int]:
        """Return the partitions that there is a directory of.

        Raises:
            OSError: if that can't be looked up.
        """
        if not self._directory.exists():
            return []
        return sorted(
            int(place.name) for place in self._directory.iterdir() if place.name.isdecimal()
        )

    def names(self, partition: int) -> list[str]:
        """Return the sealed snapshots of a partition, the furthest first.

        Raises:
            OSError: if they can't be looked up.
        """
        place = self._directory / str(partition)
        return _sealed(place) if place.exists() else []

    def size_bytes(self, partition: int) -> int:
        """Return how large the furthest snapshot of a partition is; 0 if there is none.

        Raises:
            OSError: if that can't be looked up.
        """
        place = self._directory / str(partition)
        return next(((place / name).stat().st_size for name in self.names(partition)), 0)

    def open(self, partition: int, name: str) -> BinaryIO:
        """Return a snapshot's content.

        Raises:
            OSError: if it is gone, or not readable.
        """
        return (self._directory / str(partition) / name).open("rb")


class FileDraft:
    """A snapshot that is being written.

    Args:
        place: the partition's directory.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._unique = uuid4().hex
        self._path = place / f"{self._unique}{_DRAFT}"
        self._file = self._path.open("xb", buffering=0)
        self._unflushed = 0
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def write(self, content: bytes) -> None:
        """Append.

        Raises:
            OSError: if there is no room.
        """
        rest = memoryview(content)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._unflushed += len(content)
        if self._unflushed >= _FLUSH_BYTES:
            os.fdatasync(self._file.fileno())
            self._unflushed = 0

    def seal(self, end_offset: int) -> None:
        """Make it last and be found, and remove what is too old.

        Raises:
            OSError: if the disk refuses.
        """
        name = name_of(end_offset, self._unique)
        os.fsync(self._file.fileno())
        self._path.rename(self._place / name)
        _sync_directory(self._place)
        self._file.close()
        for old in superseded(_sealed(self._place), name):
            (self._place / old).unlink(missing_ok=True)

    def drop(self) -> None:
        """Remove it."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
        with suppress(OSError):
            self._file.close()


def _sealed(place: Path) -> list[str]:
    names = (path.name for path in place.iterdir())
    return sorted((name for name in names if _NAME.fullmatch(name)), key=_order, reverse=True)


def _order(name: str) -> tuple[int, str]:
    return end_of(name), name


def _remove_strays(place: Path) -> None:
    for path in _drafts(place):
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def _drafts(place: Path) -> Iterator[Path]:
    return (path for path in place.iterdir() if path.suffix == _DRAFT)


def _sync_directory(place: Path) -> None:
    """Write a directory down: a new name in it is as lasting as what it names."""
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
