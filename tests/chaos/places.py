"""Faults of where workers live: their number, their state directories, their disk.

Does I/O: processes and files.
"""

import shutil
import signal
import time
from pathlib import Path
from random import Random
from typing import Final

from tests.chaos.crew import NO_MOUNT, READY_S, Disk, Member
from tests.chaos.deaths import some_member
from tests.chaos.field import STAGES, Field, Mark

_STORM: Final = 4
_FULL_S: Final = 3.0
_KEPT_S: Final = 90.0


def storm(field: Field, random: Random) -> Mark:
    """Have workers join every second or two, and leave again, asked to or killed."""
    crew, stage = field.crew, random.choice(STAGES)
    for _ in range(_STORM):
        extra = crew.recruit(stage)
        time.sleep(random.uniform(1, 3))
        if random.random() < 0.5:
            crew.signal(extra, signal.SIGKILL)
        crew.dismiss(extra)
    return field.mark([stage])


def state_lost(field: Field, random: Random) -> Mark | None:
    """Kill a worker once it kept something on disk, and remove that."""
    member = some_member(field, random, ("ingest",))
    files = _killed_with_state(field, member)
    for file in files:
        file.unlink()
    mark = field.mark([member.stage])
    field.crew.start(member)
    return mark if files else None


def state_damaged(field: Field, random: Random) -> Mark | None:
    """Kill a worker once it kept something; flip a byte of each file, or cut some of it off."""
    member = some_member(field, random, ("ingest",))
    files = _killed_with_state(field, member)
    for file in files:
        content = bytearray(file.read_bytes())
        place = random.randrange(len(content))
        if random.random() < 0.5:
            content[place] ^= 0xFF
        else:
            del content[place:]
        file.write_bytes(content)
    mark = field.mark([member.stage])
    field.crew.start(member)
    return mark if files else None


def disk_full(field: Field, random: Random) -> Mark | None:
    """Let a working worker's disk run full, and make room again after a while."""
    crew, member = field.crew, some_member(field, random)
    if not _move(field, member, Disk.SMALL):
        return None
    filler = Path(f"/proc/{crew.pid(member)}/root{crew.state(member)}") / "filler"
    full = _fill(filler)
    time.sleep(_FULL_S)
    if crew.is_alive(member):
        filler.unlink()
    mark = field.mark([member.stage])
    crew.mend()
    field.later(lambda: _move_back(field, member))
    return mark if full else None


def disk_full_at_start(field: Field, random: Random) -> Mark | None:
    """Start a worker on a full disk; whether it works there or not, then give it its own again."""
    member = some_member(field, random)
    if not _move(field, member, Disk.FULL):
        return None
    _move_back(field, member)
    return field.mark([member.stage])


def _move(field: Field, member: Member, disk: Disk) -> bool:
    """Restart a worker on another disk; wait until it is at work or has ended.

    Returns:
        Whether there is such a disk.
    """
    crew = field.crew
    if shutil.which("unshare") is None:
        return False
    crew.kill(member)
    crew.start(member, disk=disk)
    deadline = time.monotonic() + READY_S
    while crew.is_alive(member) and not crew.is_at_work(member):
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    if crew.is_alive(member):
        return True
    crew.mend()
    return crew.endings[-1].code != NO_MOUNT


def _move_back(field: Field, member: Member) -> None:
    field.crew.kill(member)
    field.crew.start(member)


def _killed_with_state(field: Field, member: Member) -> list[Path]:
    """Kill a worker as soon as there are snapshots; return those, or none after a long wait."""
    directory = field.crew.snapshots
    deadline = time.monotonic() + _KEPT_S
    while not _kept(directory) and time.monotonic() < deadline:
        time.sleep(0.2)
    field.crew.kill(member)
    return [file for file in _kept(directory) if file.stat().st_size]


def _kept(directory: Path) -> list[Path]:
    return [file for file in directory.rglob("*.snapshot") if file.is_file()]


def _fill(file: Path) -> bool:
    """Write until there is no room; say whether it came to that."""
    try:
        with file.open("wb", buffering=0) as filler:
            for _ in range(10_000):
                filler.write(bytes(4096))
    except OSError:
        return True
    return False
