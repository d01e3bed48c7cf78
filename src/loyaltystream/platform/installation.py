"""Puts the pinned archives in the cache, checked, once. Does I/O: network, cache directory.

The cache holds `archives/` (the broker's jars, hashed at every start: 44 MB, 0.1 s) and `trees/`,
the registry's archive unpacked (hashed as it came; later the sizes of its 469 files are compared).
Nothing gets its name there before it was checked, whenever the power or somebody's patience ends.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from loyaltystream.errors import PlatformError
from loyaltystream.platform import disk, tree
from loyaltystream.platform.maven import Advance, Download
from loyaltystream.platform.pins import Archive, Pins
from loyaltystream.platform.report import Count, Report

DOWNLOADS_AT_ONCE = 4
MARGIN_BYTES = 64 * disk.MIB
SETTING = "platform.cache"


@dataclass(frozen=True)
class Installed:
    """Where the checked files are."""

    class_path: tuple[Path, ...]
    registry: Path


@dataclass(frozen=True)
class Installation:
    """What is pinned, in one cache directory that any number of platforms may share."""

    pins: Pins
    cache: Path
    download: Download
    report: Report
    free: Callable[[Path], int] = disk.free_bytes

    def ready(self) -> Installed:
        """Return the installed files, after downloading what is missing or damaged.

        Raises:
            PlatformError: if something cannot be had, is not what was pinned, or has no room.
        """
        if not self._is_complete():
            with disk.translated(self.cache, setting=SETTING):
                self._complete()
        return Installed(tuple(map(self._place, self.pins.broker)), self._tree)

    def _is_complete(self) -> bool:
        return tree.is_whole(self._tree) and not self._unsound(self.pins.broker)

    def _complete(self) -> None:
        waiting = partial(self.report.fact, f"waiting for another download to {self.cache}")
        with disk.locked(self.cache / "lock", waiting=waiting):
            needs_tree = not tree.is_whole(self._tree)
            wanted = (self.pins.registry, *self.pins.broker) if needs_tree else self.pins.broker
            missing = self._unsound(wanted)
            unpacked_bytes = self.pins.registry_unpacked_bytes if needs_tree else 0
            self._demand_room(unpacked_bytes + sum(archive.size_bytes for archive in missing))
            if missing:
                self._fetch(missing)
            if needs_tree:
                self._unpack()

    def _place(self, archive: Archive) -> Path:
        return self.cache / "archives" / archive.filename

    @property
    def _tree(self) -> Path:
        registry = self.pins.registry
        # The hash is in the name: other pins, other tree.
        return self.cache / "trees" / f"{registry.coordinate.artifact}-{registry.sha256[:12]}"

    def _unsound(self, archives: Sequence[Archive]) -> list[Archive]:
        return [archive for archive in archives if not _is_sound(self._place(archive), archive)]

    def _demand_room(self, needed_bytes: int) -> None:
        needed_bytes += MARGIN_BYTES
        disk.demand_room(self.cache, needed_bytes, setting=SETTING, free=self.free)

    def _fetch(self, archives: Sequence[Archive]) -> None:
        incoming = self.cache / "incoming"
        disk.remove(incoming)
        incoming.mkdir()
        title = f"downloading {len(archives)} archives"
        total_bytes = sum(archive.size_bytes for archive in archives)
        stopped = threading.Event()
        with (
            self.report.transfer(title, total_bytes) as count,
            ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool,
        ):
            try:
                one = partial(self._fetch_one, incoming, count=count, stopped=stopped)
                for job in as_completed([pool.submit(one, archive) for archive in archives]):
                    job.result()
            finally:
                # After a failure, or ^C: the others end at their next bytes.
                stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
        disk.remove(incoming)

    def _fetch_one(
        self, incoming: Path, archive: Archive, *, count: Count, stopped: threading.Event
    ) -> None:
        came = incoming / archive.filename
        self.download(archive, came, _until(stopped, partial(count, archive.filename)))
        got_bytes, got = came.stat().st_size, disk.sha256(came)
        if (got_bytes, got) != (archive.size_bytes, archive.sha256):
            came.unlink()
            raise PlatformError(
                f"{archive.filename} is not the file that was pinned: expected SHA-256 "
                f"{archive.sha256} ({archive.size_bytes} bytes), got {got} ({got_bytes} bytes); "
                "deleted. Start again; if it stays, something between here and the repository "
                "changes files"
            )
        self._place(archive).parent.mkdir(exist_ok=True)
        came.replace(self._place(archive))

    def _unpack(self) -> None:
        archive = self._place(self.pins.registry)
        self.report.fact(f"unpacking {archive.name}")
        tree.unpack(archive, self._tree)
        archive.unlink()


def _until(stopped: threading.Event, advance: Advance) -> Advance:
    def advance_or_end(some_bytes: int) -> None:
        if stopped.is_set() and some_bytes >= 0:
            raise CancelledError
        advance(some_bytes)

    return advance_or_end


def _is_sound(file: Path, archive: Archive) -> bool:
    return (
        file.is_file()
        and file.stat().st_size == archive.size_bytes
        and disk.sha256(file) == archive.sha256
    )
