"""One worker for each name on a machine. Does I/O: a directory and a lock in it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from loyaltystream.errors import ConfigurationError


@contextmanager
def occupied(directory: Path) -> Iterator[None]:
    """Hold a worker's state directory for as long as it runs.

    The system lets go of it with the process, however that ends.

    Raises:
        ConfigurationError: if another process has it, or it can't be made.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        handle = (directory / "lock").open("a+")
    except OSError as error:
        raise ConfigurationError(
            f"worker.state_dir: {directory} is not usable ({error}); name a directory that this "
            f"user may write to"
        ) from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            handle.seek(0)
            raise ConfigurationError(
                f"{directory.name} already runs here (process {handle.read().strip() or '?'}); "
                f"stop it, or give this one another worker.instance"
            ) from error
        # A full disk takes no word of who is here; the lock holds all the same.
        with suppress(OSError):
            os.truncate(handle.fileno(), 0)
            os.write(handle.fileno(), str(os.getpid()).encode())
        yield
