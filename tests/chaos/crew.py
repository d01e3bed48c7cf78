"""The worker processes of one deployment: started, told where to die, killed, held, mended.

Does I/O: processes, their logs and orders. Every worker reaches the broker through the proxy, under
a `client.id` of its own.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from loyaltystream.settings import variable
from tests.chaos import worker
from tests.chaos.failpoints import Order, deaths
from tests.shop import Shop

ROOT: Final = Path(__file__).parents[2]
PRIVATE_BYTES: Final = 256 * 1024
LEAVE_S: Final = 12.0
READY_S: Final = 30.0
_LOOK_S: Final = 0.01
_MOUNT: Final = 'mount -t tmpfs -o size="$1" none "$2" || exit 70; '
NO_MOUNT: Final = 70
"""With this code a worker ends for which no disk could be made."""

_RUN: Final = 'shift 2; exec "$@"'


class Disk(Enum):
    """Where a worker's state lies: what a shell does before it becomes the worker."""

    SHARED = ""
    SMALL = _MOUNT + _RUN
    FULL = _MOUNT + 'cat /dev/zero >"$2/filler" 2>/dev/null; ' + _RUN


class Member(NamedTuple):
    """A worker's stage and slot."""

    stage: str
    slot: int

    @property
    def client(self) -> str:
        """How the broker and the proxy know it."""
        return f"{self.stage}-{self.slot}"


class Ending(NamedTuple):
    """A worker that ended though nobody had ended it."""

    member: Member
    code: int
    last_words: str


class Crew:
    """All workers of one deployment.

    Args:
        shop: the deployment.
        bootstrap: the proxy.
        members: who works from the beginning; others come and go.
    """

    def __init__(self, shop: Shop, bootstrap: str, members: Sequence[Member]) -> None:
        self.members = tuple(members)
        self.endings: list[Ending] = []
        self.ledger = shop.directory / "deaths"
        self._shop = shop
        self._bootstrap = bootstrap
        self._slots = max(member.slot for member in members)
        self._processes: dict[Member, subprocess.Popen[bytes]] = {}
        self._from: dict[Member, int] = {}
        for member in members:
            self.start(member)

    def start(
        self, member: Member, order: Order | None = None, *, disk: Disk = Disk.SHARED
    ) -> None:
        """Start a worker, perhaps with an order to die, perhaps on a small disk of its own."""
        self._write_order(member, order)
        log = self._log(member)
        self._from[member] = log.stat().st_size if log.exists() else 0
        arguments = (
            *("run", "--stage", member.stage, "--slot", str(member.slot)),
            *("--from", "earliest"),
        )
        argv = [sys.executable, "-m", "tests.chaos.worker", *arguments]
        if disk is not Disk.SHARED:
            state = self.state(member)
            state.mkdir(parents=True, exist_ok=True)
            mount = ("sh", "-c", disk.value, "sh", str(PRIVATE_BYTES), str(state))
            argv = ["unshare", "-rm", *mount, *argv]
        with log.open("ab") as output:
            self._processes[member] = subprocess.Popen(
                argv,
                env=self._environment(member),
                cwd=self._shop.directory,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def recruit(self, stage: str) -> Member:
        """Start one worker more, under a slot that nobody ever had; return who it is."""
        self._slots += 1
        member = Member(stage, self._slots)
        self.start(member)
        return member

    def pid(self, member: Member) -> int:
        """Return a worker's process id."""
        return self._processes[member].pid

    def state(self, member: Member) -> Path:
        """Return a worker's own state directory."""
        settings = self._shop.settings.worker
        name = f"{settings.group_prefix}.{member.stage}.{settings.instance}.{member.slot}"
        return settings.state_dir / name

    @property
    def snapshots(self) -> Path:
        """The directory of all snapshots: whoever gets a partition finds what was kept of it."""
        return self._shop.settings.worker.state_dir / "snapshots"

    def said(self, member: Member) -> str:
        """Return what a worker has logged since it was started."""
        with self._log(member).open("rb") as log:
            log.seek(self._from[member])
            return log.read().decode(errors="replace")

    def is_at_work(self, member: Member) -> bool:
        """Say whether a worker has said, since it was started, which partitions it has."""
        return "partitions.assigned" in self.said(member)

    def is_alive(self, member: Member) -> bool:
        """Say whether a worker runs."""
        return self._processes[member].poll() is None

    def arm(self, member: Member, order: Order) -> None:
        """Tell a running worker where to die."""
        self._write_order(member, order)
        self._processes[member].send_signal(signal.SIGUSR1)

    def disarm(self, member: Member) -> None:
        """Take an order back."""
        self._write_order(member, None)
        if self.is_alive(member):
            self._processes[member].send_signal(signal.SIGUSR1)

    def died_at(self, member: Member, point: str, within_s: float) -> bool:
        """Wait for a worker to die, and say whether it wrote down that it died there."""
        try:
            self._processes[member].wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        pid = self.pid(member)
        return any(death.pid == pid and death.point == point for death in deaths(self.ledger))

    def dies(self, member: Member, within_s: float) -> bool:
        """Wait for a worker that somebody else kills; say whether it has ended."""
        deadline = time.monotonic() + within_s
        while self.is_alive(member):
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_S)
        return True

    def signal(self, member: Member, number: signal.Signals) -> None:
        """Send a signal."""
        self._processes[member].send_signal(number)

    def kill(self, member: Member) -> None:
        """Kill a worker, and see it dead."""
        process = self._processes[member]
        process.kill()
        process.wait()

    def forget(self, member: Member) -> None:
        """Leave a dead worker dead."""
        del self._processes[member]

    def dismiss(self, member: Member) -> int:
        """End a worker as an operator does, for good; return its exit code."""
        self._processes[member].terminate()
        return self._await_end(member)

    def mend(self) -> None:
        """Do what a supervisor does: start again whoever has ended by itself."""
        for member, process in list(self._processes.items()):
            if process.poll() is not None:
                words = self.said(member).strip().splitlines()
                self.endings.append(Ending(member, process.returncode, (words or ["?"])[-1]))
                self.start(member)

    def close(self) -> dict[Member, int]:
        """End all as an operator does, once all are at work; return their exit codes."""
        deadline = time.monotonic() + READY_S
        while not all(map(self.is_at_work, self._processes)) and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
        for process in self._processes.values():
            process.terminate()
        return {member: self._await_end(member) for member in list(self._processes)}

    def abandon(self) -> None:
        """Kill all."""
        for process in self._processes.values():
            process.kill()
            process.wait()

    def _await_end(self, member: Member) -> int:
        process = self._processes.pop(member)
        try:
            return process.wait(LEAVE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def _log(self, member: Member) -> Path:
        return self._shop.directory / f"{member.client}.log"

    def _order(self, member: Member) -> Path:
        return self._shop.directory / f"{member.client}.order"

    def _write_order(self, member: Member, order: Order | None) -> None:
        file = self._order(member)
        if order is None:
            file.unlink(missing_ok=True)
            return
        fresh = file.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(order))
        fresh.replace(file)

    def _environment(self, member: Member) -> Mapping[str, str]:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        return {
            **os.environ,
            **self._shop.environment,
            variable("kafka.bootstrap_servers"): self._bootstrap,
            variable("kafka.client"): json.dumps({"client.id": member.client}),
            worker.ORDER: str(self._order(member)),
            worker.LEDGER: str(self.ledger),
            "PYTHONPATH": path,
        }
