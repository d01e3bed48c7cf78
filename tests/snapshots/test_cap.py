"""Memories beyond a bound lie in files, and answer as before."""

import errno
from pathlib import Path

import pytest

from loyaltystream.memory.column import RoomFile
from loyaltystream.memory.digest import digest
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.snapshots.cap import RETRY_S, Cap
from loyaltystream.snapshots.scratch import Scratch, ScratchFile
from loyaltystream.testing import MemoryDisk, MemoryShelf
from loyaltystream.times import DAY_MS
from tests.core import NOW_MS, layout
from tests.memory.making import DAY, MONTH, some_id, transaction
from tests.snapshots.making import Clock, History, Told, accepted, keeper_of, snapshot


def cap_of(max_bytes: int, room: Scratch, told: Told, clock: Clock | None = None) -> Cap:
    """Return a cap."""
    clock = clock or Clock()
    return Cap(max_bytes, room, told, lambda: clock.now_s)


def both(history: History) -> PartitionMemory:
    """Hold that a memory is what its log says, and return it."""
    assert digest(history.memory) == digest(history.fold())
    return history.memory


def test_a_memory_in_files_learns_and_forgets_as_before(tmp_path: Path) -> None:
    """Moved, a table grows, splits, is swept and asked as one that is not."""
    history = History()
    history.commit(accepted(0, NOW_MS, 3_000, unit=DAY))
    history.commit(transaction(1, NOW_MS, {MONTH: {0: 5, 1: 6}}).delta)
    history.memory.move(Scratch(tmp_path))
    assert history.memory.anonymous_bytes == 0
    history.grow(*[30_000] * 5)
    assert history.memory.anonymous_bytes == 0
    for days in range(1, 4):
        start = history.memory.next_offset
        clock_ms = NOW_MS + days * DAY_MS
        history.commit(accepted(start, clock_ms, 40_000, seed=start, unit=DAY))
    memory = both(history)
    assert memory.find(MONTH, [some_id(n) for n in (0, 1, 9)], [memory.clock_ms] * 3) == [5, 6, -1]


def test_a_snapshot_of_files_is_one_like_any_other(tmp_path: Path) -> None:
    """What lies in files is copied and loaded as what lies in memory."""
    history, disk = History(), MemoryDisk()
    history.grow(*[20_000] * 4)
    history.memory.move(Scratch(tmp_path))
    snapshot(history, MemoryShelf(disk))
    restored = keeper_of(MemoryShelf(disk), history).recover(0, committed=4, fresh=lambda: 0)
    assert digest(restored) == digest(history.fold())


def test_the_files_have_no_names(tmp_path: Path) -> None:
    """Whatever becomes of the process, nothing of them stays."""
    history = History()
    history.grow(1_000)
    history.memory.move(Scratch(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_the_largest_goes_first_and_no_more_than_needed(tmp_path: Path) -> None:
    """Beyond the bound whole partitions are moved, largest first, until the rest is below it."""
    told, histories = Told(), [History() for _ in range(3)]
    for history, count in zip(histories, (5_000, 30_000, 10_000), strict=True):
        history.grow(count)
    sizes = [history.memory.used_bytes for history in histories]
    cap = cap_of(sizes[0] + sizes[2], Scratch(tmp_path), told)
    for number, history in enumerate(histories):
        cap.take(number, history.memory)
    left = [history.memory.anonymous_bytes for history in histories]
    assert left == [sizes[0], 0, sizes[2]]
    assert told.mapped_bytes == [sizes[1]]
    cap.drop(1)
    assert told.mapped_bytes == [sizes[1], 0]
    for history in histories:
        both(history)


def test_without_a_bound_everything_stays(tmp_path: Path) -> None:
    """A bound of 0 is none."""
    history = History()
    history.grow(50_000)
    cap = cap_of(0, Scratch(tmp_path), Told())
    cap.take(0, history.memory)
    assert not cap.hold()
    assert history.memory.anonymous_bytes == history.memory.used_bytes


def test_what_grows_beyond_the_bound_is_moved_later(tmp_path: Path) -> None:
    """The bound is held while memories grow, also by kinds of keys that come later."""
    history, told = History(), Told()
    cap = cap_of(500_000, Scratch(tmp_path), told)
    cap.take(0, history.memory)
    history.grow(40_000)
    assert cap.hold()
    start = history.memory.next_offset
    history.commit(accepted(start, NOW_MS, 40_000, seed=99, unit=DAY))
    assert 0 < history.memory.anonymous_bytes < history.memory.used_bytes
    assert cap.hold()
    assert not cap.hold()
    assert both(history).anonymous_bytes == 0


class SmallScratch(Scratch):
    """A disk with room for so many bytes in all."""

    room_bytes = 0

    def file(self, size_bytes: int) -> "SmallFile":
        """Return a file, if there is room."""
        self._directory.mkdir(parents=True, exist_ok=True)
        file = SmallFile(self._directory, self)
        file.extend(size_bytes)
        return file


class SmallFile(ScratchFile):
    """A file on such a disk."""

    def __init__(self, directory: Path, disk: SmallScratch) -> None:
        super().__init__(directory)
        self._disk = disk
        self._size = 0

    def extend(self, size_bytes: int) -> None:
        """Grow, if there is room."""
        if size_bytes - self._size > self._disk.room_bytes:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._disk.room_bytes -= size_bytes - self._size
        self._size = size_bytes
        super().extend(size_bytes)


@pytest.mark.parametrize("room_bytes", [0, 1 << 20, 5 << 18])
def test_a_disk_without_room_leaves_memories_where_they_are(
    tmp_path: Path, room_bytes: int
) -> None:
    """What can't be moved stays and answers, which is told once a minute."""
    history, told, clock, disk = History(), Told(), Clock(), SmallScratch(tmp_path)
    disk.room_bytes = room_bytes
    history.grow(40_000)
    cap = cap_of(1, disk, told, clock)
    cap.take(0, history.memory)
    for _ in range(5):
        assert not cap.hold()
    assert told.failures == ["0: [Errno 28] No space left on device"]
    both(history)
    disk.room_bytes = 1 << 30
    clock.now_s += RETRY_S
    assert cap.hold()
    assert both(history).anonymous_bytes == 0


def test_a_file_that_can_not_grow_is_left(tmp_path: Path) -> None:
    """Where a table has to grow and the disk is full, it comes back into memory, and goes on."""
    history, disk = History(), SmallScratch(tmp_path)
    history.grow(10_000)
    disk.room_bytes = 1 << 30
    history.memory.move(disk)
    disk.room_bytes = 0
    history.grow(*[30_000] * 4)
    memory = both(history)
    assert memory.anonymous_bytes == memory.used_bytes


def test_a_room_file_is_what_columns_ask_for(tmp_path: Path) -> None:
    """A scratch file is as long as it was asked to be, and all zeros."""
    file: RoomFile = Scratch(tmp_path).file(8192)
    file.extend(16384)
    with open(file.fileno(), "rb", closefd=False) as content:
        content.seek(0)
        assert content.read() == bytes(16384)
    assert PartitionMemory(layout(), 0).anonymous_bytes == 0
