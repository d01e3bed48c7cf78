"""Where snapshots lie: on a disk, and in memory for simulations, held to the same facts."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loyaltystream.snapshots.files import Files
from loyaltystream.snapshots.shelf import Shelf, end_of
from loyaltystream.testing import MemoryDisk, MemoryShelf
from tests.snapshots.making import room_for

PAGE = b"x" * 4096


@pytest.fixture(params=["files", "memory"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    """Return an empty shelf."""
    return Files(tmp_path / "group") if request.param == "files" else MemoryShelf(MemoryDisk())


def put(shelf: Shelf, end_offset: int, content: bytes = PAGE, partition: int = 0) -> None:
    """Put a snapshot on a shelf."""
    draft = shelf.draft(partition)
    draft.write(content)
    draft.seal(end_offset)


def ends(shelf: Shelf, partition: int = 0) -> list[int]:
    """Return where the snapshots of a partition end, in the order in which they are tried."""
    return [end_of(name) for name in shelf.names(partition)]


def test_what_is_sealed_is_found_with_its_content(shelf: Shelf) -> None:
    """A snapshot is what was written into it, in order, and lies with its partition."""
    draft = shelf.draft(3)
    draft.write(b"one")
    draft.write(b"two")
    draft.seal(17)
    [name] = shelf.names(3)
    assert end_of(name) == 17
    with shelf.open(3, name) as file:
        assert file.read() == b"onetwo"
    assert shelf.names(0) == []


def test_nothing_is_found_before_it_is_sealed(shelf: Shelf) -> None:
    """A draft is nobody's snapshot, dropped or not."""
    left, dropped = shelf.draft(0), shelf.draft(0)
    for draft in (left, dropped):
        draft.write(PAGE)
    dropped.drop()
    assert shelf.names(0) == []


def test_the_furthest_comes_first(shelf: Shelf) -> None:
    """Snapshots are tried from the one with the least to read behind it on."""
    for end_offset in (9, 100):
        put(shelf, end_offset)
    assert ends(shelf) == [100, 9]


def test_two_stay(shelf: Shelf) -> None:
    """A snapshot supersedes all but the one before it."""
    for end_offset in (5, 6, 7, 8):
        put(shelf, end_offset)
    assert ends(shelf) == [8, 7]


def test_what_ends_later_stays_too_but_not_for_ever(shelf: Shelf) -> None:
    """One that lags behind removes no other process's newer ones, of which two stay."""
    for end_offset in (50, 60, 5, 6, 7):
        put(shelf, end_offset)
    assert ends(shelf) == [60, 50, 7, 6]
    for end_offset in (70, 80, 90):
        put(shelf, end_offset)
    assert ends(shelf) == [90, 80]


def test_two_that_end_alike_are_two(shelf: Shelf) -> None:
    """Processes that write the same snapshot at once do not write into one file."""
    first, second = shelf.draft(0), shelf.draft(0)
    first.write(b"a" * 4096)
    second.write(b"b" * 4096)
    for draft in (first, second):
        draft.seal(7)
    assert ends(shelf) == [7, 7]
    contents = set()
    for name in shelf.names(0):
        with shelf.open(0, name) as file:
            contents.add(file.read())
    assert contents == {b"a" * 4096, b"b" * 4096}


def test_what_is_gone_is_an_error(shelf: Shelf) -> None:
    """A snapshot that another process removed meanwhile can't be opened."""
    put(shelf, 5)
    [name] = shelf.names(0)
    put(shelf, 6)
    put(shelf, 7)
    with pytest.raises(OSError, match="snapshot"):
        shelf.open(0, name)


def test_what_a_dead_process_left_is_removed(tmp_path: Path) -> None:
    """A draft that nobody holds any more goes with the next one, and one that is written stays."""
    code = (
        "import sys, os, pathlib\n"
        "from loyaltystream.snapshots.files import Files\n"
        "Files(pathlib.Path(sys.argv[1])).draft(0).write(b'x' * 9000)\n"
        "os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, env={**os.environ})
    [left] = list((tmp_path / "0").iterdir())
    shelf = Files(tmp_path)
    ours = shelf.draft(0)
    drafts = list((tmp_path / "0").iterdir())
    assert left not in drafts
    another = shelf.draft(0)
    assert len(list((tmp_path / "0").iterdir())) == 2
    ours.seal(1)
    another.seal(2)
    assert ends(shelf) == [2, 1]
    assert len(list((tmp_path / "0").iterdir())) == 2


def test_a_stranger_s_files_are_left_alone(tmp_path: Path) -> None:
    """What is not named as a snapshot is none, and nothing removes it."""
    shelf = Files(tmp_path)
    put(shelf, 1)
    stranger = tmp_path / "0" / "notes.snapshot"
    stranger.write_text("mine")
    for end_offset in (2, 3, 4):
        put(shelf, end_offset)
    assert ends(shelf) == [4, 3]
    assert stranger.read_text() == "mine"


@pytest.mark.parametrize("room_bytes", range(0, 5 * 4096, 4096))
def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path: Path, room_bytes: int) -> None:
    """Wherever the room ends, the half that was written can be dropped, and others stay."""
    shelf = Files(tmp_path)
    put(shelf, 1)
    draft = shelf.draft(0)
    with room_for(room_bytes), pytest.raises(OSError, match="large"):
        draft.write(PAGE * 6)
    draft.drop()
    assert [path.suffix for path in (tmp_path / "0").iterdir()] == [".snapshot"]
    assert ends(shelf) == [1]


@pytest.mark.parametrize("act", ["draft", "names"])
def test_a_directory_that_is_none_is_an_error(tmp_path: Path, act: str) -> None:
    """Where a directory can't be made or looked up, that is told as what it is."""
    (tmp_path / "group").write_text("no directory")
    shelf = Files(tmp_path / "group")
    acts: dict[str, Callable[[], object]] = {
        "draft": lambda: shelf.draft(0),
        "names": lambda: Files(tmp_path / "group" / "deeper").partitions() or shelf.draft(0),
    }
    with pytest.raises(OSError, match="group"):
        acts[act]()


def test_partitions_that_have_snapshots_are_listed(tmp_path: Path) -> None:
    """A group's directory says which partitions were ever kept here."""
    shelf = Files(tmp_path)
    assert shelf.partitions() == []
    for partition in (11, 2):
        put(shelf, 1, partition=partition)
    assert shelf.partitions() == [2, 11]
