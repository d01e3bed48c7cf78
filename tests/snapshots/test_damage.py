"""Nothing that happened to a snapshot's file goes unnoticed, and nothing else is taken for one."""

import struct
import zlib
from io import BytesIO
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyaltystream.errors import StateError
from loyaltystream.memory.changelog import Layout
from loyaltystream.memory.digest import digest
from loyaltystream.memory.loading import load
from loyaltystream.memory.manifest import (
    _MARK,
    _TAIL,
    FORMAT,
    UnfitSnapshotError,
    ending,
    read_manifest,
)
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.memory.recovery import LostMemoryError
from loyaltystream.snapshots.writing import Writing
from loyaltystream.testing import MemoryDisk, MemoryShelf
from loyaltystream.times import DAY_MS
from tests.core import NOW_MS, layout
from tests.memory.making import DAY, transaction
from tests.snapshots.making import (
    ORIGIN,
    History,
    Told,
    accepted,
    content_of,
    keeper_of,
    snapshot,
)

PAGE = 4096


def small() -> History:
    """Return a history of a few ids of two units."""
    history = History([transaction(0, NOW_MS, {DAY: {0: 5, 3: 9}}).delta])
    history.grow(200)
    return history


CONTENT = content_of(small())


def read(content: bytes) -> PartitionMemory:
    """Return the memory in a snapshot's file."""
    file = BytesIO(content)
    return load(read_manifest(file), file)


def test_what_was_written_is_read() -> None:
    """An untouched file is the memory that it was written from."""
    assert digest(read(CONTENT)) == digest(small().memory)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
def test_no_byte_changes_unnoticed(place: int, flipped: int) -> None:
    """A file of which any byte is another is refused."""
    damaged = bytearray(CONTENT)
    damaged[place] ^= flipped
    with pytest.raises(UnfitSnapshotError):
        read(bytes(damaged))


@pytest.mark.parametrize("place", range(len(CONTENT) - 400, len(CONTENT)))
def test_no_byte_of_the_end_changes_unnoticed(place: int) -> None:
    """The end, which says what the rest is, is under a checksum to its last byte."""
    damaged = bytearray(CONTENT)
    damaged[place] ^= 0x55
    with pytest.raises(UnfitSnapshotError):
        read(bytes(damaged))


@pytest.mark.parametrize(
    "length", [*range(0, len(CONTENT), PAGE), *range(len(CONTENT) - 300, len(CONTENT))]
)
def test_a_file_that_was_cut_is_none(length: int) -> None:
    """A file that ends anywhere before its end is refused."""
    with pytest.raises(UnfitSnapshotError):
        read(CONTENT[:length])


def remade(**changes: object) -> bytes:
    """Return the file with another manifest, under a checksum that holds."""
    manifest = read_manifest(BytesIO(CONTENT))
    blocks = sum(block.size_bytes for block in manifest.blocks)
    return CONTENT[:blocks] + ending(msgspec.structs.replace(manifest, **changes))


def test_a_file_has_every_shard() -> None:
    """Without a block that its tables have, a file is refused."""
    manifest = read_manifest(BytesIO(CONTENT))
    with pytest.raises(UnfitSnapshotError, match="blocks of it are missing"):
        read(remade(blocks=manifest.blocks[:1]))
    short = msgspec.structs.replace(manifest, blocks=manifest.blocks[:1])
    with pytest.raises(UnfitSnapshotError, match="lacks a shard"):
        read(CONTENT[: manifest.blocks[0].size_bytes] + ending(short))


def test_another_format_is_named() -> None:
    """A file of a later version says which format it has, and which one is known."""
    later = bytearray(CONTENT)
    later[-8:-6] = struct.pack("<H", 2)
    with pytest.raises(UnfitSnapshotError, match="format 2, this version reads 1"):
        read(bytes(later))


@pytest.mark.parametrize("more", [{}, {"erased": 3}])
def test_a_manifest_of_other_words_is_refused(more: dict[str, int]) -> None:
    """A manifest that is whole, but says less than one says, or more, is refused."""
    manifest = read_manifest(BytesIO(CONTENT))
    blocks = sum(block.size_bytes for block in manifest.blocks)
    said = msgspec.to_builtins(manifest) if more else {"clock": NOW_MS}
    text = msgspec.json.encode(said | more)
    tail = _TAIL.pack(len(text), zlib.crc32(text), FORMAT, _MARK)
    with pytest.raises(UnfitSnapshotError, match="not to be understood"):
        read(CONTENT[:blocks] + text + tail)


OTHERS: list[tuple[dict[str, Any], str]] = [
    ({"layout": Layout(b"another!", 1, 1)}, "another memory.hash_key"),
    ({"layout": layout(6)}, "is for 6 partitions, the ingest topic has 1"),
    (
        {"layout": Layout(layout().hash_check, 9, 1)},
        "rule 9, by customer, they would be made by rule 1, by customer now",
    ),
    ({"partition": 3}, "of partition 3"),
    ({"group": "another"}, "of group another"),
    ({"ingest_id": "of a topic made anew"}, "ingest topic was made anew"),
    ({"changelog_id": "of a topic made anew"}, "changelog was made anew"),
]


@pytest.mark.parametrize(("change", "words"), OTHERS)
def test_a_snapshot_of_something_else_is_passed_over(change: dict[str, Any], words: str) -> None:
    """Made with another secret, for another partition or topic, ids and offsets mean nothing."""
    history, disk, told = small(), MemoryDisk(), Told()
    snapshot(history, MemoryShelf(disk), origin=msgspec.structs.replace(ORIGIN, **change))
    disk.sealed = {0: next(iter(disk.sealed.values()))}  # wherever somebody has put it
    memory = recovered(history, disk, told)
    assert digest(memory) == digest(history.memory)
    assert told.restored_from == [None]
    [refusal] = told.refusals
    assert words in refusal


def recovered(
    history: History, disk: MemoryDisk, told: Told, committed: int | None = None
) -> PartitionMemory:
    """Return what a restart makes of a disk and a log."""
    keeper = keeper_of(MemoryShelf(disk), history, told=told)
    offset = history.memory.next_offset if committed is None else committed
    return keeper.recover(0, committed=offset, fresh=lambda: 0)


@pytest.fixture
def three() -> tuple[History, MemoryDisk]:
    """Return a history with two snapshots of it, and a transaction behind them."""
    history, disk = small(), MemoryDisk()
    for _ in range(2):
        snapshot(history, MemoryShelf(disk))
        history.grow(100)
    return history, disk


def test_behind_a_damaged_snapshot_comes_an_older_one(three: tuple[History, MemoryDisk]) -> None:
    """The newest that is whole is used, then the changelog alone, and each refusal is told."""
    history, disk = three
    for damaged in range(3):
        told = Told()
        assert digest(recovered(history, disk, told)) == digest(history.fold())
        assert len(told.refusals) == damaged
        assert told.restored_from == ([NOW_MS] if damaged < 2 else [None])
        for name in sorted(disk.sealed[0], reverse=True)[: damaged + 1]:
            disk.sealed[0][name] = disk.sealed[0][name][:-1]


def test_a_snapshot_from_the_future_is_not_used(three: tuple[History, MemoryDisk]) -> None:
    """One that goes beyond the committed offset is of another log, whatever it says."""
    history, disk = three
    history.log = history.log[:2]
    told = Told()
    memory = recovered(history, disk, told, committed=2)
    assert memory.next_offset == 2
    assert ["goes up to 3" in refusal for refusal in told.refusals] == [True]


def test_without_a_committed_offset_the_changelog_alone_counts(
    three: tuple[History, MemoryDisk],
) -> None:
    """A group that never committed has nothing that a snapshot could be held against."""
    history, disk = three
    told = Told()
    keeper = keeper_of(MemoryShelf(disk), history, told=told)
    assert keeper.recover(0, committed=None, fresh=lambda: 0).next_offset == 4
    assert told.restored_from == [None]


def test_a_bound_that_is_wrong_is_no_harm(three: tuple[History, MemoryDisk]) -> None:
    """Where the changelog does not go on behind a snapshot, it is passed over."""
    history, disk = three
    for name, content in disk.sealed[0].items():
        manifest = read_manifest(BytesIO(content))
        blocks = sum(block.size_bytes for block in manifest.blocks)
        wrong = msgspec.structs.replace(manifest, changelog_offset=manifest.changelog_offset + 1)
        disk.sealed[0][name] = content[:blocks] + ending(wrong)
    told = Told()
    assert digest(recovered(history, disk, told)) == digest(history.fold())
    assert ["goes on at 3" in told.refusals[1], "leads to 3 only" in told.refusals[0]] == [
        True,
        True,
    ]


def test_a_changelog_that_was_cut_is_refused(three: tuple[History, MemoryDisk]) -> None:
    """Where the log was cut behind the newest snapshot, what is missing would still count."""
    history, disk = three
    history.grow(10, 10)
    history.first = 5
    with pytest.raises(StateError, match="was cut: it begins at 5, the newest snapshot ends at 3"):
        recovered(history, disk, Told())


def test_what_was_cut_does_not_matter_once_it_expired(three: tuple[History, MemoryDisk]) -> None:
    """A worker that comes back after the window finds a snapshot that is of no use, and works."""
    history, disk = three
    history.grow(10, 10)
    history.first = 5
    history.grow(10, clock_ms=NOW_MS + 40 * DAY_MS)
    told = Told()
    memory = recovered(history, disk, told)
    assert digest(memory) == digest(history.fold())
    assert len(told.refusals) == 2


def test_an_accepted_loss_is_not_asked_for_again(three: tuple[History, MemoryDisk]) -> None:
    """Snapshots from before an operator's word do not keep the worker from starting."""
    history, disk = three
    history.first = history.end(0)
    history.memory = PartitionMemory(layout(), 9)
    history.commit(accepted(9, NOW_MS + 5, 10, covers_from_ms=NOW_MS + 3))
    told = Told()
    memory = recovered(history, disk, told)
    assert ["goes on at 9 only" in refusal for refusal in told.refusals] == [True] * 2
    assert (memory.next_offset, memory.covers_from_ms) == (10, NOW_MS + 3)


def test_a_lost_changelog_is_told_with_snapshots_too(three: tuple[History, MemoryDisk]) -> None:
    """Snapshots that end before the committed offset do not make up for a lost log."""
    history, disk = three
    history.log = []
    with pytest.raises(LostMemoryError, match="is empty, the group's committed offset is 4"):
        recovered(history, disk, Told())


def test_a_snapshot_at_the_committed_offset_needs_no_changelog() -> None:
    """Where nothing was judged behind it, a snapshot alone is the memory."""
    history, disk = small(), MemoryDisk()
    snapshot(history, MemoryShelf(disk))
    whole = digest(history.fold())
    history.log = []
    assert digest(recovered(history, disk, Told())) == whole


def test_a_record_of_another_history_is_not_put_on_top() -> None:
    """Where records do not begin or end where a snapshot does, it is not of this log."""
    history, disk, told = small(), MemoryDisk(), Told()
    writing = Writing(history.memory, ORIGIN, MemoryShelf(disk), bound=lambda: 0)
    writing.prepare()
    writing.write(writing.copy(1, 0)[0])
    history.grow(9)
    copied, extent = writing.copy(9, 9)
    writing.write(copied)
    assert extent is not None
    writing.seal(extent, NOW_MS)
    for start, end in ((1, 3), (2, 4), (1, 2)):
        wide = msgspec.structs.replace(accepted(start, NOW_MS, 5), to_offset=end)
        other = History([accepted(number, NOW_MS, 5) for number in range(start)])
        other.commit(wide)
        other.commit(accepted(end, NOW_MS + 1, 5))
        memory = recovered(other, disk, told)
        assert digest(memory) == digest(other.fold())
    assert ["does not fit" in refusal for refusal in told.refusals] == [True] * 3
