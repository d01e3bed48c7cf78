"""Room on a disk, whole files, and who may write. Does I/O: files, and one lock a directory."""

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from loyaltystream.errors import PlatformError

MIB = 1024 * 1024
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def free_bytes(path: Path) -> int:
    """Return the room left to us where `path` is, or will be."""
    there = next(place for place in (path, *path.parents) if place.exists())
    return shutil.disk_usage(there).free


def demand_room(
    path: Path, needed_bytes: int, *, setting: str, free: Callable[[Path], int] = free_bytes
) -> None:
    """Refuse to begin what the disk cannot hold.

    Raises:
        PlatformError: with the room that is needed, the room there is, and the setting that moves
            `path` elsewhere.
    """
    room_bytes = free(path)
    if room_bytes < needed_bytes:
        raise PlatformError(
            f"disk too full: {path} needs {_mib(needed_bytes)}, {_mib(room_bytes)} are free; "
            f"make room, or set {setting} to a directory on another disk"
        )


@contextmanager
def translated(path: Path, *, setting: str) -> Iterator[None]:
    """Say what the system refused under `path` in our words.

    Raises:
        PlatformError: in place of any OSError; a full disk is named as one.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise PlatformError(
                f"disk full: {path} has {_mib(free_bytes(path))} left; make room, or set "
                f"{setting} to a directory on another disk, and start again"
            ) from error
        raise PlatformError(f"{path} is not usable: {error}; {setting} names it") from error


@contextmanager
def locked(file: Path, *, waiting: Callable[[], None]) -> Iterator[None]:
    """Keep every other holder of `file` out, in this process and in any; tell before waiting.

    The system lets go of the lock with its process, however that ends.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def write_whole(file: Path, text: str) -> None:
    """Put `text` in `file` so that a reader, or a crash, meets the old or the new and no half."""
    fresh = file.with_name(f"{file.name}.new")
    with fresh.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    fresh.replace(file)


def remove(directory: Path) -> None:
    """Remove a directory with all that is in it, if it is there."""
    if directory.exists():
        shutil.rmtree(directory)


def sha256(file: Path) -> str:
    """Return the file's SHA-256 in hex; 44 MB take 0.1 s."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / MIB:,.0f} MiB"
