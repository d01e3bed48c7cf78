"""Where one program lives: its directory, its port, its process. Does I/O: files, processes."""

from dataclasses import dataclass
from pathlib import Path

from loyaltystream.platform.process import Running, find
from loyaltystream.platform.program import Program
from loyaltystream.platform.record import Record, read_record
from loyaltystream.platform.tail import last_lines

SHOWN_LINES = 12
DISK_FULL = "No space left on device"


@dataclass(frozen=True)
class Site:
    """A program, the directory that is its own, and the port that a setting chose (0: any)."""

    program: Program
    directory: Path
    chosen_port: int

    @property
    def log(self) -> Path:
        """What the program logs, its last 10 to 20 MB; the run before it is in `.log.1`."""
        return self.directory / f"{self.program.name}.log"

    @property
    def output(self) -> Path:
        """What the JVM itself says: hardly ever anything."""
        return self.directory / f"{self.program.name}.out"

    @property
    def record(self) -> Record:
        """What is known from the last start."""
        return read_record(self.directory)

    @property
    def running(self) -> Running | None:
        """The process that runs (also one that SIGSTOP holds); None if none does."""
        return find(self.record.started)

    @property
    def address(self) -> str | None:
        """How clients name it, running or not; None before the first start on a free port."""
        port = self.record.port or self.chosen_port
        return self.program.address(port) if port else None

    def last_words(self, what: str) -> str:
        """Return the message that tells `what` happened to the program, and what it said last."""
        lines = [*last_lines(self.output, SHOWN_LINES), *last_lines(self.log, SHOWN_LINES)]
        if any(DISK_FULL in line for line in lines):
            what = f"{what}: {self.directory} is on a full disk"
        return "\n  ".join([f"{self.program.name} {what}; the end of its log {self.log}:", *lines])
