"""Unpacking: whole or not at all, and nowhere else."""

import tarfile
from pathlib import Path

import pytest

from loyaltystream.errors import PlatformError
from loyaltystream.platform import tree
from tests.platform.fakes import tarball


def _link(name: str, target: str) -> tarfile.TarInfo:
    link = tarfile.TarInfo(name)
    link.type, link.linkname = tarfile.SYMTYPE, target
    return link


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    file = tmp_path / "app.tar.gz"
    file.write_bytes(tarball({"run.jar": b"run", "lib/a.jar": b"aaaa"}))
    return file


def test_a_tree_holds_the_files_of_its_archive(archive: Path, tmp_path: Path) -> None:
    """An unpacked tree has every file of the archive, and is whole."""
    target = tmp_path / "tree"
    tree.unpack(archive, target)
    assert (target / "lib" / "a.jar").read_bytes() == b"aaaa"
    assert tree.is_whole(target)


@pytest.mark.parametrize("damage", ["missing", "shorter", "no list"])
def test_a_damaged_tree_is_not_whole(archive: Path, tmp_path: Path, damage: str) -> None:
    """A tree that lost a file, a part of one or its list is noticed."""
    target = tmp_path / "tree"
    tree.unpack(archive, target)
    match damage:
        case "missing":
            (target / "run.jar").unlink()
        case "shorter":
            (target / "run.jar").write_bytes(b"r")
        case _:
            (target / tree.MANIFEST).unlink()
    assert not tree.is_whole(target)
    tree.unpack(archive, target)
    assert tree.is_whole(target)


def test_an_archive_that_ends_early_leaves_no_tree(archive: Path, tmp_path: Path) -> None:
    """Half an archive becomes no tree at all."""
    archive.write_bytes(archive.read_bytes()[:-20])
    with pytest.raises(EOFError):
        tree.unpack(archive, tmp_path / "tree")
    assert not (tmp_path / "tree").exists()


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside"])  # noqa: S108 (refused)
def test_a_path_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    """An archive writes nowhere but in its own tree."""
    file = tmp_path / "app.tar.gz"
    file.write_bytes(tarball({name: b"x"}))
    with pytest.raises(PlatformError, match="no plain file inside it"):
        tree.unpack(file, tmp_path / "tree")
    assert not (tmp_path / "outside").exists()


def test_a_link_is_refused(tmp_path: Path) -> None:
    """An archive with a link is not unpacked."""
    file = tmp_path / "app.tar.gz"
    file.write_bytes(tarball({"a": b"x"}, _link("b", "/etc/passwd")))
    with pytest.raises(PlatformError, match="'b'"):
        tree.unpack(file, tmp_path / "tree")
