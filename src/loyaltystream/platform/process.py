"""Starts processes that outlive us, finds them again, ends them. Does I/O: processes.

A process is known by its id and a mark of its own on its command line. The id alone may belong to
somebody else after a reboot, and a time of creation moves whenever the clock is set.
"""

import subprocess
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from loyaltystream.errors import PlatformError

POLL_S = 0.05
KILLED_S = 10


def new_mark() -> str:
    """Return a Java option that no other command line has."""
    return f"-Dloyaltystream.start={uuid.uuid4().hex}"


@dataclass(frozen=True)
class Command:
    """What to run, where; the environment is exactly the one given, none of ours."""

    argv: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Started:
    """A process that was started; it may have ended since.

    Without an id it was about to start when somebody ended us; its mark alone finds it then.
    """

    mark: str
    pid: int | None = None


@dataclass(frozen=True)
class Running:
    """A process that runs, as it was when it was looked for."""

    pid: int
    memory_bytes: int


def launch(command: Command, mark: str, *, output: Path) -> Started:
    """Start `command`, which has `mark` in its `argv`, in a session of its own.

    What it prints goes to `output`, in place of what was there.

    Raises:
        OSError: if there is no such program.
    """
    with output.open("wb") as sink:
        child = subprocess.Popen(  # noqa: S603 (a command of ours, without a shell)
            command.argv,
            cwd=command.directory,
            env=dict(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # It outlives us; but should it end first, somebody has to take note, or it stays a zombie.
    threading.Thread(target=child.wait, name=f"reaper-{child.pid}", daemon=True).start()
    return Started(mark, child.pid)


def find(started: Started | None) -> Running | None:
    """Return the process if it still runs (stopped by a signal counts), never somebody else's."""
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        if started and (process := _match(started)):
            return Running(process.pid, process.memory_info().rss)
    return None


def port_holder(port: int) -> str:
    """Return who uses the local TCP `port`, as well as the system lets us know."""
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.pid:
                holder = psutil.Process(connection.pid)
                # The directory tells one platform from another.
                return f"{holder.name()} (pid {holder.pid}, in {holder.cwd()})"
    return "a process of another user"


def end(started: Started, *, grace_s: float) -> None:
    """Ask the process to end, and kill it if it has not done so after `grace_s`.

    Raises:
        PlatformError: if not even that ends it.
    """
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        process = _match(started)
        if process is None:
            return
        process.terminate()
        # A process that SIGSTOP holds hears of the SIGTERM when it goes on.
        process.resume()
        if _is_gone(process, within_s=grace_s):
            return
        process.kill()
        if not _is_gone(process, within_s=KILLED_S):
            raise PlatformError(
                f"process {process.pid} did not end within {KILLED_S} s of SIGKILL; the system "
                "holds it, a disk that does not answer for one"
            )


def _match(started: Started) -> psutil.Process | None:
    looked_at = psutil.process_iter() if started.pid is None else [psutil.Process(started.pid)]
    return next((process for process in looked_at if _bears(process, started.mark)), None)


def _bears(process: psutil.Process, mark: str) -> bool:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return mark in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _is_gone(process: psutil.Process, *, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while _holds_anything(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def _holds_anything(process: psutil.Process) -> bool:
    # A JVM's first thread is a zombie while others still hold its sockets and file locks.
    with suppress(psutil.NoSuchProcess):
        is_zombie = process.status() == psutil.STATUS_ZOMBIE
        return process.is_running() and not (is_zombie and process.num_threads() <= 1)
    return False
