"""The named points of a worker's work at which it can be killed, and the trap that kills it there.

Does I/O: reads its order, writes one line before a death, so that deaths are facts.
"""

import os
import signal
import time
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

BOTH: Final = ("ingest", "notify")


class Way(StrEnum):
    """What has to happen before a worker comes to a point."""

    WORKING = "working"
    STARTING = "starting"
    ABORTING = "aborting"
    UNKNOWN = "unknown"
    REBALANCING = "rebalancing"


class Point(msgspec.Struct, frozen=True):
    """One point: how it is come to, by which passing of it at the latest, in which stages."""

    name: str
    way: Way = Way.WORKING
    most: int = 1
    stages: tuple[str, ...] = BOTH


POINTS: Final = (
    Point("before poll", most=4),
    Point("after poll", most=4),
    Point("before begin", most=4),
    Point("after begin", most=4),
    Point("after the k-th produce", most=60),
    Point("after the last produce", most=4),
    Point("before send-offsets", most=4),
    Point("after send-offsets", most=4),
    Point("before commit", most=4),
    Point("after commit, before it is told", most=4),
    Point("after commit, before remembering", most=4),
    Point("while remembering", most=4),
    Point("before abort", Way.ABORTING),
    Point("after abort", Way.ABORTING),
    Point("before seek on rewind", Way.ABORTING),
    Point("after seek on rewind", Way.ABORTING),
    Point("before taking over the transactional id", Way.UNKNOWN),
    Point("after taking over the transactional id", Way.UNKNOWN),
    Point("before joining", Way.STARTING),
    Point("inside assigned", Way.STARTING),
    Point("while restoring", Way.STARTING, most=12, stages=("ingest",)),
    Point("between two restored partitions", Way.STARTING),
    Point("inside revoked", Way.REBALANCING),
    Point("behind revoked", Way.REBALANCING),
)


class Order(msgspec.Struct, frozen=True):
    """Where a worker is to die, at which passing; and what it is first made to believe.

    Attributes:
        provoke: `aborting`: that a send failed; `unknown`: that nobody knows a commit's outcome.
    """

    point: str
    passing: int = 1
    provoke: str = ""


class Death(msgspec.Struct, frozen=True):
    """One line of the ledger."""

    pid: int
    point: str


class Trap:
    """Kills this process at the ordered passing of the ordered point.

    Args:
        order: the file that the order is in; read at the start, and again at each SIGUSR1.
        ledger: the file that gets a line before each death.
    """

    def __init__(self, order: Path, ledger: Path) -> None:
        self._file = order
        self._ledger = ledger
        self._order: Order | None = None
        self._left = 0
        self._provoke = ""

    def listen(self) -> None:
        """Read the order now and whenever SIGUSR1 comes; without a file there is none."""
        signal.signal(signal.SIGUSR1, lambda _number, _frame: self._read())
        self._read()

    def reached(self, point: str) -> None:
        """Note that the process passes a point; this may be its end."""
        order = self._order
        if order is None or order.point != point:
            return
        self._left -= 1
        if self._left <= 0:
            line = msgspec.json.encode(Death(os.getpid(), point)) + b"\n"
            with self._ledger.open("ab", buffering=0) as ledger:
                ledger.write(line)
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)  # another thread's signal takes a moment

    def provokes(self, what: Way) -> bool:
        """Say, once for an order, whether the worker is to be made to believe this."""
        if self._provoke != what:
            return False
        self._provoke = ""
        return True

    def obey(self, order: Order | None) -> None:
        """Take an order, or forget the one before."""
        self._order = order
        self._left, self._provoke = (order.passing, order.provoke) if order else (0, "")

    def _read(self) -> None:
        try:
            self.obey(msgspec.json.decode(self._file.read_bytes(), type=Order))
        except FileNotFoundError:
            self.obey(None)


def deaths(ledger: Path) -> list[Death]:
    """Return all deaths that were written down."""
    lines = ledger.read_bytes().splitlines() if ledger.exists() else []
    return [msgspec.json.decode(line, type=Death) for line in lines]
