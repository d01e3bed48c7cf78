"""Reads the ends of log files, and what they get later. Does I/O: files."""

from collections import deque
from pathlib import Path


def last_lines(file: Path, lines: int) -> list[str]:
    """Return the last lines of a log, without line ends; none if there is no log."""
    try:
        with file.open(encoding="utf-8", errors="replace") as log:
            return [line.rstrip("\n") for line in deque(log, maxlen=lines)]
    except FileNotFoundError:
        return []


class Tail:
    """The end of one log as it grows, also past the day when another file takes its name."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._inode, self._read_bytes = self._look()

    def new_lines(self) -> list[str]:
        """Return the whole lines that came since the last call, or since the beginning of this."""
        inode, size_bytes = self._look()
        if inode != self._inode or size_bytes < self._read_bytes:
            self._inode, self._read_bytes = inode, 0
        if size_bytes == self._read_bytes:
            return []
        with self._file.open("rb") as log:
            log.seek(self._read_bytes)
            whole, newline, _ = log.read().rpartition(b"\n")
        self._read_bytes += len(whole) + len(newline)
        return whole.decode("utf-8", "replace").splitlines() if newline else []

    def _look(self) -> tuple[int, int]:
        try:
            stat = self._file.stat()
        except FileNotFoundError:
            return 0, 0
        return stat.st_ino, stat.st_size
