"""The lines of a history in, signed records for the ingest topic out, and a journal behind them.

Does I/O through what it is given: files to read, a channel to write to, a journal.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

import msgspec

from loyaltystream import sending
from loyaltystream.backfill.claim import ImportSigner
from loyaltystream.backfill.files import Part, opened
from loyaltystream.backfill.journal import Journal, Mark, Tape
from loyaltystream.errors import ConfigurationError
from loyaltystream.events import Header, Import
from loyaltystream.sending import Keyer, Line, lines
from loyaltystream.topology import Output

MARK_LINES: Final = 1_000
"""So many lines are sent before the broker is waited for and the journal written."""


class Channel(sending.Channel, Protocol):
    """Takes records, and tells when the broker has them, as `kafka.sending.Sender` does."""

    def flush(self) -> None:
        """Wait until the broker has everything."""


class Imported(msgspec.Struct):
    """What became of the lines so far.

    Attributes:
        sent: records that the broker has.
        without_key: records whose key could not be told; they are among the sent ones.
        too_large: lines that no record can hold, by file and number; they were not sent.
        lines: how many were taken.
        interrupted: whether somebody stopped it.
    """

    sent: int = 0
    without_key: int = 0
    too_large: list[str] = msgspec.field(default_factory=list)
    lines: int = 0
    interrupted: bool = False

    def delivered(self) -> None:
        """Count a record that the broker has."""
        self.sent += 1

    def to_json(self) -> dict[str, object]:
        """Return it for programs."""
        return {"sent": self.sent, "withoutKey": self.without_key, "tooLarge": self.too_large}


class Writer:
    """Makes the records of an import.

    Args:
        topic: of ingest.
        keyer: tells each line's key, and the headers of all.
        signer: signs what the import claims.
        claim: that.
    """

    def __init__(self, topic: str, keyer: Keyer, signer: ImportSigner, claim: Import) -> None:
        self._topic = topic
        self._keyer = keyer
        self._signer = signer
        self._claim = claim

    def output(self, value: bytes) -> Output:
        """Return the record of one line."""
        signed: list[Header] = self._signer.headers(self._claim, value)
        headers = [*self._keyer.headers, *signed]
        return Output(self._topic, self._keyer.key(value), value, None, headers)


class Piece(msgspec.Struct, frozen=True):
    """What is left of one file: the stream behind what was sent, and how many lines that was."""

    part: Part
    tape: Tape
    before: int

    def lines(self, max_bytes: int) -> Iterator[Line]:
        """Yield the lines that are left and not blank, by their numbers in the file."""
        for line in lines(self.tape, max_bytes=max_bytes):
            yield msgspec.structs.replace(line, number=self.before + line.number)


def left(parts: Sequence[Part], journal: Journal) -> Iterator[Piece]:
    """Yield what was not sent of a history, file by file; each is open until the next is asked for.

    Raises:
        ConfigurationError: if a file can't be read, or is not what it was.
    """
    for part in parts:
        if journal.has(part):
            continue
        with opened(part) as stream:
            tape, mark = Tape(part, stream), journal.mark_of(part)
            if mark is not None:
                _resume(tape, mark, journal.entry.claim.import_id)
            yield Piece(part, tape, mark.line if mark else 0)


def _resume(tape: Tape, mark: Mark, import_id: str) -> None:
    tape.skip(mark.offset)
    if tape.mark(mark.line) != mark:
        raise ConfigurationError(
            f"{mark.name} is not what it was when import {import_id} stopped behind its line "
            f"{mark.line:,}; --from-start sends all lines again: those that were accepted are "
            f"told by their eventIds"
        )


class Importer:
    """Sends a history, file by file, from where it stopped.

    Args:
        channel: where to; it counts what was delivered.
        writer: makes the records.
        journal: keeps how far it is.
        imported: the counts, changed line by line.
        admit: called before each line: returns once it may go.
    """

    def __init__(
        self,
        channel: Channel,
        writer: Writer,
        *,
        journal: Journal,
        imported: Imported,
        admit: Callable[[], None],
    ) -> None:
        self._channel = channel
        self._writer = writer
        self._journal = journal
        self._imported = imported
        self._admit = admit

    def send(self, parts: Sequence[Part], *, max_bytes: int) -> None:
        """Send every line that a record can hold and that was not sent before, in order.

        Args:
            parts: the files.
            max_bytes: how long a line may be.

        Raises:
            ConfigurationError: if a file can't be read, or is not what it was.
            BrokerError: if the channel fails.
        """
        for piece in left(parts, self._journal):
            last = self._send(piece, max_bytes)
            self._channel.flush()
            if piece.part.path is None:
                # Standard input may be longer the next time.
                self._journal.note(piece.tape.mark(last))
            else:
                self._journal.finish(piece.part, last)

    def _send(self, piece: Piece, max_bytes: int) -> int:
        name, number = piece.part.name, piece.before
        marked = number
        for line in piece.lines(max_bytes):
            # Only what lies behind a line's own end is marked: nothing of the next was read yet.
            number = line.number
            self._admit()
            if line.value is None:
                self._imported.too_large.append(f"{name}:{number}")
            else:
                output = self._writer.output(line.value)
                self._channel.send(line.value, output.key, output.headers)
                self._imported.without_key += output.key is None
            if number - marked >= MARK_LINES:
                self._channel.flush()
                self._journal.note(piece.tape.mark(number))
                marked = number
        return number
