"""A file, a directory or standard input in, streams of lines out. Does I/O: reads files."""

import gzip
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, cast

import msgspec

from loyaltystream.errors import ConfigurationError

STDIN: Final = "-"
ENDINGS: Final = (".ndjson", ".jsonl", ".json")
_ZIPPED: Final = ".gz"
_MAGIC: Final = b"\x1f\x8b"


class Part(msgspec.Struct, frozen=True):
    """One file of a history.

    Attributes:
        name: without its folder.
        path: where it lies; None: it is standard input.
        size: its bytes on the disk.
    """

    name: str
    path: Path | None
    size: int


def parts_of(place: Path) -> list[Part]:
    """Return the files of a history: of a directory all, in the order of their names.

    Raises:
        ConfigurationError: if there is none, or one that is not NDJSON by its name.
    """
    if str(place) == STDIN:
        return [Part(STDIN, None, 0)]
    try:
        if not place.is_dir():
            return [Part(place.name, place, place.stat().st_size)]
        files = sorted(one for one in place.iterdir() if one.is_file() and one.name[0] != ".")
        parts = [Part(one.name, one, one.stat().st_size) for one in files]
    except OSError as error:
        raise ConfigurationError(f"{place}: {error.strerror}") from error
    if strange := [one.name for one in parts if not _is_history(one.name)]:
        raise ConfigurationError(
            f"{place} holds {strange[0]}: a history is of files {', '.join(ENDINGS)}, "
            f"each with {_ZIPPED} or without; name one file, or move the others away"
        )
    if not parts:
        raise ConfigurationError(f"{place} holds no file of a history: {', '.join(ENDINGS)}")
    return parts


def size_of(parts: Sequence[Part]) -> int:
    """Return how many bytes they have on the disk."""
    return sum(part.size for part in parts)


@contextmanager
def opened(part: Part) -> Iterator[BinaryIO]:
    """Yield what is in a file, unzipped if it is zipped, whatever its name is.

    Raises:
        ConfigurationError: if it can't be opened.
    """
    if part.path is None:
        yield _unzipped(sys.stdin.buffer)
        return
    with translated(part):
        stream = part.path.open("rb")
    with stream:
        yield _unzipped(stream)


@contextmanager
def translated(part: Part) -> Iterator[None]:
    """Read a file inside of this.

    Raises:
        ConfigurationError: if it can't be read, or is cut off.
    """
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ConfigurationError(f"{part.name}: {error}; it was not copied to its end") from error
    except OSError as error:
        raise ConfigurationError(f"{part.name}: {error.strerror}") from error


def _unzipped(stream: BinaryIO) -> BinaryIO:
    # Whatever opens a file for reading gives a buffered reader, which can be looked into.
    start = stream.peek(len(_MAGIC))  # type: ignore[attr-defined]  # see above
    if not start.startswith(_MAGIC):
        return stream
    return cast("BinaryIO", gzip.GzipFile(fileobj=stream))


def _is_history(name: str) -> bool:
    return name.lower().removesuffix(_ZIPPED).endswith(ENDINGS)
