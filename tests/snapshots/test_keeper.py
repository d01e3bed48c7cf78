"""When snapshots are made, of what, and what happens to the work when they can't be."""

from collections.abc import Callable
from contextvars import ContextVar
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest

from loyaltystream.errors import RetryableBrokerError, StateError
from loyaltystream.memory.capture import Capture
from loyaltystream.memory.changelog import decode
from loyaltystream.memory.digest import digest
from loyaltystream.memory.manifest import read_manifest
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.snapshots.files import Files
from loyaltystream.snapshots.hand import Task, ThreadHand
from loyaltystream.snapshots.keeper import RETRY_S, Keeper, Policy
from loyaltystream.snapshots.shelf import Draft, end_of
from loyaltystream.testing import MemoryDisk, MemoryShelf
from tests.core import NOW_MS, layout
from tests.memory.making import MONTH, transaction
from tests.snapshots.making import Clock, History, Told, keeper_of, room_for, snapshot

OFTEN = Policy(ids=100, seconds=600, shards_a_turn=1, last_shards=1)


class Kept:
    """A history that is kept: its turns are counted, its clock moves by a second each."""

    def __init__(self, policy: Policy = OFTEN, shelf: MemoryShelf | None = None) -> None:
        self.history, self.disk = History(), MemoryDisk()
        self.shelf = shelf or MemoryShelf(self.disk)
        self.told, self.clock = Told(), Clock()
        self.keeper = keeper_of(
            self.shelf, self.history, policy=policy, told=self.told, clock=self.clock
        )
        self.keeper.opened(0, self.history.memory)

    def turn(self, count: int = 1) -> None:
        """Let the loop come round."""
        for _ in range(count):
            self.clock.now_s += 1
            self.keeper.tend({0: self.history.memory})

    def ends(self) -> list[int]:
        """Return where the snapshots end."""
        return [end_of(name) for name in self.shelf.names(0)]


def test_a_snapshot_is_due_after_so_many_ids() -> None:
    """Nothing is written before, and the next one is due as many ids later."""
    kept = Kept()
    kept.history.grow(99)
    kept.turn(5)
    assert kept.ends() == []
    kept.history.grow(1)
    kept.turn(5)
    assert kept.ends() == [2]
    kept.history.grow(99)
    kept.turn(5)
    assert kept.ends() == [2]
    kept.history.grow(1)
    kept.turn(5)
    assert kept.ends() == [4, 2]
    assert len(kept.told.sizes) == 2


def test_a_snapshot_is_due_after_some_time() -> None:
    """A partition that learns little is written after the period, if it learnt anything."""
    kept = Kept()
    kept.turn(700)
    assert kept.ends() == []
    kept.history.grow(1)
    kept.turn(5)
    assert kept.ends() == [1]
    kept.history.grow(1)
    kept.turn(590)
    assert kept.ends() == [1]
    kept.turn(20)
    assert kept.ends() == [2, 1]


def test_a_memory_without_a_snapshot_gets_one_though_nothing_comes() -> None:
    """What had to be read from the whole changelog is not read from it again."""
    history, disk, clock = History(), MemoryDisk(), Clock()
    history.grow(99)
    keeper = keeper_of(MemoryShelf(disk), history, policy=OFTEN, clock=clock)
    memory = keeper.recover(0, committed=1, fresh=lambda: 0)
    for _ in range(605):
        clock.now_s += 1
        keeper.tend({0: memory})
    assert len(disk.sealed[0]) == 1
    history.grow(200)
    memory = keeper_of(MemoryShelf(MemoryDisk()), history).recover(0, committed=2, fresh=lambda: 0)
    keeper.opened(0, memory)
    for _ in range(5):
        clock.now_s += 1
        keeper.tend({0: memory})
    assert len(disk.sealed[0]) == 2


def test_partitions_are_not_written_all_at_once() -> None:
    """Partitions that were opened together are due one after the other."""
    history, disk, clock = History(), MemoryDisk(), Clock()
    keeper = keeper_of(MemoryShelf(disk), history, policy=OFTEN, clock=clock)
    memories = {number: PartitionMemory(layout(), 0) for number in range(8)}
    for number, memory in memories.items():
        keeper.opened(number, memory)
        memory.restore(transaction(0, NOW_MS, {MONTH: {number: 1}}).delta)
    written: list[float] = []
    for _ in range(700):
        clock.now_s += 1
        before = sum(map(len, disk.sealed.values()))
        keeper.tend(memories)
        if sum(map(len, disk.sealed.values())) > before:
            written.append(clock.now_s)
    assert len(written) == 8
    gaps = [after - before for before, after in pairwise(written)]
    assert min(gaps) > 10


def test_nothing_is_written_of_an_open_commit() -> None:
    """While a commit is open no copy is begun, gone on with, or ended."""
    kept = Kept()
    kept.history.grow(200, 200)
    memory = kept.history.memory
    for _ in range(2):
        memory.expect(transaction(2, NOW_MS, {MONTH: dict.fromkeys(range(50), 1)}))
        kept.turn(20)
        assert kept.ends() == []
        memory.forget()
    kept.turn(5)
    assert kept.ends() == [2]


def test_a_capture_refuses_an_open_commit() -> None:
    """Whoever asks for a copy of what may yet die is refused, at its beginning and later."""
    memory = PartitionMemory(layout(), 0)
    capture = Capture(memory)
    memory.expect(transaction(0, NOW_MS, {MONTH: {1: 1}}))
    with pytest.raises(StateError, match="a commit is open"):
        capture.copy(1, 1)
    with pytest.raises(StateError, match="a commit is open"):
        Capture(memory)


def test_what_was_aborted_is_in_no_snapshot() -> None:
    """Ids of a transaction that did not commit are not in the file, and those that did are."""
    kept = Kept()
    kept.history.grow(200)
    memory = kept.history.memory
    memory.expect(transaction(1, NOW_MS, {MONTH: {7: 1}}))
    kept.turn()
    memory.forget()
    kept.turn(5)
    restored = kept.keeper.recover(0, committed=1, fresh=lambda: 0)
    assert digest(restored) == digest(kept.history.fold())
    assert len(kept.told.refusals) == 0


def test_a_copy_takes_a_turn_a_shard() -> None:
    """No turn copies more than it is told to, however large the memory is."""
    kept = Kept(Policy(ids=100, seconds=600, shards_a_turn=2, last_shards=3))
    kept.history.grow(*[20_000] * 10)
    shards = next(iter(kept.history.memory.tables.values())).shape.shards
    assert shards > 5
    turns = 0
    while not kept.ends():
        kept.turn()
        turns += 1
    assert turns >= shards // 2
    assert turns <= shards // 2 + 4


def test_a_memory_that_grows_fast_is_copied_all_the_same() -> None:
    """Though more shards are split in a turn than are copied in one, a copy comes to its end."""
    kept = Kept(Policy(ids=100, seconds=600, shards_a_turn=1, last_shards=1))
    kept.history.grow(*[20_000] * 6)
    turns = 6
    while not kept.ends() and turns < 40:
        kept.history.grow(40_000)
        kept.turn()
        turns += 1
    assert kept.ends()
    restored = kept.keeper.recover(0, committed=turns, fresh=lambda: 0)
    assert digest(restored) == digest(kept.history.fold())
    assert kept.told.refusals == []


def test_a_memory_that_was_opened_anew_is_copied_anew() -> None:
    """What was copied of a memory that the group went on without is thrown away."""
    kept = Kept()
    kept.history.grow(*[20_000] * 4)
    kept.turn(2)
    kept.history.memory = kept.history.fold()
    kept.keeper.opened(0, kept.history.memory)
    kept.history.grow(200)
    kept.turn(60)
    assert kept.ends() == [5]


def test_what_is_given_away_is_written_at_once() -> None:
    """A partition that leaves has a last snapshot, up to its last offset."""
    kept = Kept(Policy(ids=10**9, seconds=10**9))
    kept.history.grow(*[20_000] * 4)
    kept.keeper.release(0, kept.history.memory)
    assert kept.ends() == [4]
    restored = kept.keeper.recover(0, committed=4, fresh=lambda: 0)
    assert digest(restored) == digest(kept.history.fold())
    kept.keeper.release(0, restored)
    assert len(kept.told.sizes) == 1, "nothing was learnt since then"


def test_what_is_given_away_with_an_open_commit_is_not_written() -> None:
    """A partition that is lost while its transaction is open leaves nothing new."""
    kept = Kept()
    kept.history.grow(200)
    kept.history.memory.expect(transaction(1, NOW_MS, {MONTH: {1: 1}}))
    kept.keeper.release(0, kept.history.memory)
    assert kept.ends() == []


class SlowHand:
    """A hand that never gets done."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self.waited_s = 0.0

    @property
    def backlog(self) -> int:
        return len(self.tasks)

    def do(self, task: Task) -> None:
        self.tasks.append(task)

    def wait(self, backlog: int, timeout_s: float) -> bool:
        self.waited_s += max(timeout_s, 0)
        return len(self.tasks) <= backlog


def test_leaving_waits_for_no_slow_disk() -> None:
    """Where the disk is not done in time, what was begun is dropped, and all wait once only."""
    clock, hand, history = Clock(), SlowHand(), History()
    keeper = keeper_of(MemoryShelf(MemoryDisk()), history, hand=hand, clock=clock)
    memories = {number: PartitionMemory(layout(), 0) for number in range(16)}
    for number, memory in memories.items():
        keeper.opened(number, memory)
        memory.restore(transaction(0, NOW_MS, {MONTH: {number: 1}}).delta)
    for number, memory in memories.items():
        before_s = hand.waited_s
        keeper.release(number, memory)
        clock.now_s += hand.waited_s - before_s
    keeper.leave()
    assert hand.waited_s <= 6.0


def test_a_slow_disk_does_not_fill_the_memory() -> None:
    """While the hand is behind, the loop copies nothing more."""
    hand, history, clock = SlowHand(), History(), Clock()
    policy = Policy(ids=100, seconds=600, shards_a_turn=1, last_shards=0)
    keeper = keeper_of(MemoryShelf(MemoryDisk()), history, hand=hand, policy=policy, clock=clock)
    keeper.opened(0, history.memory)
    history.grow(*[20_000] * 10)
    for _ in range(3):
        clock.now_s += 1
        keeper.tend({0: history.memory})
        if len(hand.tasks) == 1:
            hand.tasks.pop()()
    for _ in range(100):
        keeper.tend({0: history.memory})
    assert 1 <= hand.backlog <= 3


class BrokenDraft:
    """A draft on a disk that is full after so many pages."""

    def __init__(self, draft: Draft, pages: int) -> None:
        self._draft = draft
        self._left = pages

    def write(self, content: bytes) -> None:
        if self._left == 0:
            raise OSError(28, "No space left on device")
        self._left -= 1
        self._draft.write(content)

    def seal(self, end_offset: int) -> None:
        if self._left == 0:
            raise OSError(28, "No space left on device")
        self._draft.seal(end_offset)

    def drop(self) -> None:
        self._draft.drop()


class FullShelf(MemoryShelf):
    """A shelf whose drafts break."""

    pages: int | None = None

    def draft(self, partition: int) -> BrokenDraft:  # type: ignore[override]  # it breaks
        if self.pages is None:
            return BrokenDraft(super().draft(partition), 10_000)
        if self.pages < 0:
            raise OSError(13, "Permission denied")
        return BrokenDraft(super().draft(partition), self.pages)


@pytest.mark.parametrize(
    ("pages", "why"), [(-1, "denied"), (0, "No space"), (1, "No space"), (2, "No space")]
)
def test_work_goes_on_without_a_disk(pages: int, why: str) -> None:
    """Where nothing can be written that is told once a minute, and mended once it can."""
    shelf = FullShelf(MemoryDisk())
    kept = Kept(shelf=shelf)
    shelf.pages = pages
    kept.history.grow(200)
    kept.turn(int(RETRY_S) - 5)
    assert [why in failure for failure in kept.told.failures] == [True]
    assert kept.ends() == []
    shelf.pages = None
    kept.turn(20)
    assert kept.ends() == [1]
    assert len(kept.told.failures) == 1


def test_half_a_snapshot_is_removed_where_the_disk_is_full(tmp_path: Path) -> None:
    """What was written until the room ended does not go on taking it."""
    history, told, clock = History(), Told(), Clock()
    keeper = keeper_of(Files(tmp_path), history, policy=OFTEN, told=told, clock=clock)
    keeper.opened(0, history.memory)
    history.grow(20_000, 20_000)
    with room_for(600_000):
        for _ in range(20):
            clock.now_s += 1
            keeper.tend({0: history.memory})
    assert ["large" in failure for failure in told.failures] == [True]
    assert list((tmp_path / "0").iterdir()) == []
    keeper.release(0, history.memory)
    assert len(list((tmp_path / "0").iterdir())) == 1


class DeafHistory(History):
    """A changelog that soon does not say any more where it ends."""

    answers = 1

    def end(self, partition: int) -> int:
        self.answers -= 1
        if self.answers < 0:
            raise RetryableBrokerError(f"partition {partition}: no answer")
        return super().end(partition)


def test_an_older_bound_does_where_the_broker_is_away() -> None:
    """Without an answer the last known bound is kept, and a restart reads a little more."""
    history, disk, clock = DeafHistory(), MemoryDisk(), Clock()
    keeper = keeper_of(MemoryShelf(disk), history, policy=OFTEN, clock=clock)
    history.grow(200, 200)
    snapshot(history, MemoryShelf(disk))
    memory = keeper.recover(0, committed=2, fresh=lambda: 0)
    history.grow(200)
    memory.restore(decode(history.log[-1]))
    keeper.release(0, memory)
    content = disk.sealed[0][max(disk.sealed[0])]
    assert read_manifest(BytesIO(content)).changelog_offset == 2
    restored = keeper.recover(0, committed=3, fresh=lambda: 0)
    assert digest(restored) == digest(history.fold())


def through_files(directory: Path) -> tuple[Keeper, History, Clock, ThreadHand]:
    """Return a keeper as workers have it."""
    history, clock, hand = History(), Clock(), ThreadHand()
    keeper = keeper_of(Files(directory), history, policy=OFTEN, clock=clock, hand=hand)
    keeper.opened(0, history.memory)
    return keeper, history, clock, hand


def test_a_thread_writes_what_the_loop_copies(tmp_path: Path) -> None:
    """With real files and a real thread, what is restored is what was learnt."""
    keeper, history, clock, hand = through_files(tmp_path)
    for _ in range(40):
        history.grow(3_000)
        clock.now_s += 1
        keeper.tend({0: history.memory})
        hand.wait(0, 5)
    keeper.release(0, history.memory)
    keeper.leave()
    names = Files(tmp_path).names(0)
    assert end_of(names[0]) == 40
    restored = keeper.recover(0, committed=40, fresh=lambda: 0)
    assert digest(restored) == digest(history.fold())


def test_a_hand_works_in_its_owner_s_context() -> None:
    """What is bound to the log lines of a worker is bound to those of its thread."""
    worker: ContextVar[str] = ContextVar("worker")
    worker.set("ours")
    hand, seen = ThreadHand(), list[str]()
    hand.do(lambda: seen.append(worker.get("nobody's")))
    assert hand.wait(0, 5)
    assert seen == ["ours"]


def test_a_hand_does_everything_in_order() -> None:
    """Tasks are done one after the other, in the order in which they were given."""
    hand, done = ThreadHand(), list[int]()

    def note(number: int) -> Callable[[], None]:
        return lambda: done.append(number)

    for number in range(100):
        hand.do(note(number))
    assert hand.wait(0, 5)
    assert done == list(range(100))
    assert hand.backlog == 0
