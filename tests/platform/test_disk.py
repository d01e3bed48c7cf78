"""Locks, whole files and full disks."""

import errno
import threading
from pathlib import Path

import pytest

from loyaltystream.errors import PlatformError
from loyaltystream.platform import disk


def test_room_is_looked_for_where_a_path_will_be(tmp_path: Path) -> None:
    """The room for a directory that is not there yet is that of the one above."""
    assert disk.free_bytes(tmp_path / "not" / "there") > 0
    disk.demand_room(tmp_path / "not", 1, setting="platform.cache")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_called_one(tmp_path: Path, code: int) -> None:
    """No space and no quota left read the same: the disk is full, and a setting helps."""
    with (
        pytest.raises(PlatformError, match=r"disk full: .*platform\.directory"),
        disk.translated(tmp_path, setting="platform.directory"),
    ):
        raise OSError(code, "")


def test_another_refusal_keeps_its_words(tmp_path: Path) -> None:
    """A directory that nobody may write is no full disk."""
    file = tmp_path / "file"
    file.touch()
    with (
        pytest.raises(PlatformError, match=r"is not usable: .*platform"),
        disk.translated(file, setting="platform.directory"),
    ):
        (file / "below").mkdir()


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    """A new text replaces the old one, and leaves nothing beside it."""
    file = tmp_path / "known.json"
    disk.write_whole(file, "old")
    disk.write_whole(file, "new")
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]


def test_a_lock_keeps_the_second_out_and_tells_it(tmp_path: Path) -> None:
    """Whoever comes second is told that it waits, and goes on when the first has ended."""
    order: list[str] = []
    waits = threading.Event()

    def second() -> None:
        with disk.locked(tmp_path / "lock", waiting=waits.set):
            order.append("second")

    thread = threading.Thread(target=second)
    with disk.locked(tmp_path / "lock", waiting=lambda: order.append("told")):
        thread.start()
        assert waits.wait(10)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
