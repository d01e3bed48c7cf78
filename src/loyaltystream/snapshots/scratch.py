"""Files for what does not fit into the memory. Does I/O: files that nobody else sees."""

import os
from pathlib import Path
from tempfile import TemporaryFile


class Scratch:
    """Gives files without a name in a directory: they end with the process, however that ends.

    Args:
        directory: where; made when it is needed.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def file(self, size_bytes: int) -> "ScratchFile":
        """Return a file of zeros, its blocks all there.

        Raises:
            OSError: if there is no room.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        file = ScratchFile(self._directory)
        file.extend(size_bytes)
        return file


class ScratchFile:
    """A file without a name.

    Args:
        directory: whose disk it takes room of.
    """

    def __init__(self, directory: Path) -> None:
        self._file = TemporaryFile(dir=directory)  # noqa: SIM115 (it is held as long as it is used)

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._file.fileno()

    def extend(self, size_bytes: int) -> None:
        """Make it as long as that, its blocks all there.

        Raises:
            OSError: if there is no room.
        """
        os.posix_fallocate(self._file.fileno(), 0, size_bytes)
