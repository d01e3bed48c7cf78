"""How far an import has come, from one run to the next. Does I/O: one small file.

It is written behind what the broker has acknowledged, so it never says too much. If it says too
little, lines are sent again, and told by their eventIds.
"""

from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from loyaltystream.backfill.files import Part, translated
from loyaltystream.errors import ConfigurationError
from loyaltystream.events import Import
from loyaltystream.platform import disk

_PIECE_BYTES: Final = 1 << 20


class Done(msgspec.Struct, frozen=True):
    """A file of which every line was sent: it is told by its name and its size on the disk."""

    name: str
    size: int
    lines: int


class Mark(msgspec.Struct, frozen=True):
    """A place in a file up to which every line was sent.

    Attributes:
        offset: its bytes, unzipped.
        line: how many lines these are.
        digest: of these bytes.
    """

    name: str
    offset: int
    line: int
    digest: str


class Entry(msgspec.Struct, frozen=True):
    """What is kept of an import.

    Attributes:
        claim: what its records claim.
        topic_id: of the topic that it went to: one that was made anew has nothing of it.
        done: whole files.
        mark: in the file behind these.
    """

    claim: Import
    topic_id: str
    done: tuple[Done, ...] = ()
    mark: Mark | None = None

    @property
    def lines(self) -> int:
        """How many lines were sent."""
        return sum(one.lines for one in self.done) + (self.mark.line if self.mark else 0)


class Journal:
    """Keeps one import's entry.

    Args:
        directory: where.
        entry: what is known, or where to begin.
    """

    def __init__(self, directory: Path, entry: Entry) -> None:
        self._file = file_of(directory, entry.claim.import_id)
        self.entry = entry

    def forget(self) -> None:
        """Begin at the start again; what was kept stays until the next line is."""
        self.entry = Entry(self.entry.claim, self.entry.topic_id)

    def has(self, part: Part) -> bool:
        """Say whether every line of a file was sent."""
        return any((one.name, one.size) == (part.name, part.size) for one in self.entry.done)

    def mark_of(self, part: Part) -> Mark | None:
        """Return up to where a file was sent."""
        mark = self.entry.mark
        return mark if mark is not None and mark.name == part.name else None

    def note(self, mark: Mark) -> None:
        """Keep that the broker has all lines up to there."""
        self._write(msgspec.structs.replace(self.entry, mark=mark))

    def finish(self, part: Part, lines: int) -> None:
        """Keep that the broker has all lines of a file."""
        done = (*self.entry.done, Done(part.name, part.size, lines))
        self._write(msgspec.structs.replace(self.entry, done=done, mark=None))

    def _write(self, entry: Entry) -> None:
        self.entry = entry
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            disk.write_whole(self._file, msgspec.json.encode(entry).decode())
        except OSError as error:
            raise ConfigurationError(
                f"{self._file}: {error.strerror}; worker.state_dir says where it lies"
            ) from error


def file_of(directory: Path, import_id: str) -> Path:
    """Return where an import's entry lies."""
    return directory / "backfill" / f"{import_id}.json"


def journal_of(directory: Path, claim: Import, topic_id: str) -> Journal:
    """Return the journal of an import: it goes on if it went to the same topic.

    Raises:
        ConfigurationError: if it can't be read.
    """
    entry = _kept(directory, claim.import_id)
    if entry is None or (entry.claim, entry.topic_id) != (claim, topic_id):
        entry = Entry(claim, topic_id)
    return Journal(directory, entry)


def _kept(directory: Path, import_id: str) -> Entry | None:
    """Return what is kept of an import, if anything is.

    Raises:
        ConfigurationError: if it can't be read.
    """
    file = file_of(directory, import_id)
    try:
        return msgspec.json.decode(file.read_bytes(), type=Entry)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigurationError(
            f"{file} can't be read ({error}); remove it: the import begins anew, and what was "
            f"accepted is told by its eventId"
        ) from error


class Tape:
    """A stream that knows how much of it was read, and what.

    Args:
        part: whose it is.
        stream: that is read.
    """

    def __init__(self, part: Part, stream: BinaryIO) -> None:
        self._part = part
        self._stream = stream
        self._digest = blake2b(digest_size=16)
        self.offset = 0

    def readline(self, limit: int = -1, /) -> bytes:
        """Return the next line, as the stream does."""
        with translated(self._part):
            return self._note(self._stream.readline(limit))

    def skip(self, size: int) -> None:
        """Read over so many bytes, or to the end."""
        with translated(self._part):
            while self.offset < size and self._note(
                self._stream.read(min(_PIECE_BYTES, size - self.offset))
            ):
                pass

    def mark(self, line: int) -> Mark:
        """Return the place that was read up to."""
        return Mark(self._part.name, self.offset, line, self._digest.hexdigest())

    def _note(self, content: bytes) -> bytes:
        self._digest.update(content)
        self.offset += len(content)
        return content
