"""Unpacks an archive to a directory that is whole or not there. Does I/O: files."""

import json
import tarfile
from pathlib import Path
from shutil import copyfileobj

from loyaltystream.errors import PlatformError
from loyaltystream.platform import disk

MANIFEST = "unpacked.json"


def unpack(archive: Path, target: Path) -> None:
    """Replace `target` by the plain files of a tar `archive` and a list of them with their sizes.

    Raises:
        PlatformError: if the archive holds a link, a device, or a path that leads out of `target`.
    """
    scratch = target.with_name(f"{target.name}.new")
    disk.remove(scratch)
    scratch.mkdir(parents=True)
    with tarfile.open(archive) as tar:
        sizes = {member.name: _write(tar, member, scratch) for member in tar if not member.isdir()}
    disk.write_whole(scratch / MANIFEST, json.dumps(sizes, indent=0))
    disk.remove(target)
    scratch.rename(target)


def is_whole(target: Path) -> bool:
    """Tell whether every file that was unpacked to `target` is there in its size."""
    try:
        sizes: dict[str, int] = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
        return all((target / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> int:
    file = (root / member.name).resolve()
    source = tar.extractfile(member) if member.isfile() else None
    if source is None or not file.is_relative_to(root.resolve()):
        raise PlatformError(
            f"archive holds {member.name!r}, which is no plain file inside it; nothing unpacked"
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    with source, file.open("wb") as sink:
        copyfileobj(source, sink)
    return member.size
