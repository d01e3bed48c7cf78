"""The cache: whatever is in it under its own name is what was pinned."""

import errno
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from loyaltystream.errors import PlatformError
from loyaltystream.platform.installation import Installation, Installed
from loyaltystream.platform.maven import Advance
from loyaltystream.platform.pins import Archive, Pins
from tests.platform.fakes import Shelf, Told, archive_of, tarball, until

REGISTRY = tarball({"quarkus-run.jar": b"run"})
JARS = {"kafka-1.0.jar": b"kafka" * 100, "clients-1.0.jar": b"clients" * 100}
CONTENTS: Mapping[str, bytes | OSError] = {**JARS, "app-1.0.tar.gz": REGISTRY}
PINS = Pins(
    broker=(
        archive_of("kafka", JARS["kafka-1.0.jar"]),
        archive_of("clients", JARS["clients-1.0.jar"]),
    ),
    registry=archive_of("app", REGISTRY, "tar.gz"),
    registry_unpacked_bytes=3,
)


class Case:
    """A cache with a shelf to fill it from."""

    def __init__(self, cache: Path) -> None:
        self.shelf = Shelf(dict(CONTENTS))
        self.told = Told()
        self.cache = cache
        self.free_bytes = 1 << 40

    def ready(self) -> Installed:
        installation = Installation(
            PINS, self.cache, self.shelf.download, self.told, lambda _path: self.free_bytes
        )
        return installation.ready()


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path / "cache")


def test_a_cold_cache_is_filled(case: Case) -> None:
    """The first start downloads every archive, and unpacks the registry's."""
    installed = case.ready()
    assert [jar.read_bytes() for jar in installed.class_path] == list(JARS.values())
    assert (installed.registry / "quarkus-run.jar").read_bytes() == b"run"
    assert case.told.counted == {name: len(bytes(content)) for name, content in _bytes().items()}


def test_a_warm_cache_asks_nothing_of_the_network(case: Case) -> None:
    """A filled cache works offline."""
    first = case.ready()
    case.shelf.contents.clear()
    case.shelf.asked.clear()
    assert case.ready() == first
    assert case.shelf.asked == []


def test_the_unpacked_archive_is_not_kept(case: Case) -> None:
    """The cache holds the registry once, unpacked."""
    case.ready()
    assert sorted(path.name for path in (case.cache / "archives").iterdir()) == sorted(JARS)
    assert not (case.cache / "incoming").exists()


def test_another_file_than_pinned_is_refused_and_deleted(case: Case) -> None:
    """A hash that differs names the file, what was expected and what came; the file is gone."""
    case.shelf.contents["kafka-1.0.jar"] = b"evil!" * 100
    with pytest.raises(PlatformError) as refused:
        case.ready()
    message = str(refused.value)
    assert "kafka-1.0.jar" in message
    assert PINS.broker[0].sha256 in message
    assert "got" in message
    assert not list(case.cache.rglob("kafka-1.0.jar"))


def test_half_a_file_is_refused(case: Case) -> None:
    """A download that ended early, and did not say so, does not get into the cache."""
    case.shelf.contents["kafka-1.0.jar"] = JARS["kafka-1.0.jar"][:-1]
    with pytest.raises(PlatformError, match=r"got .* \(499 bytes\)"):
        case.ready()
    assert not list(case.cache.rglob("kafka-1.0.jar"))


def test_what_came_before_a_failure_is_kept(case: Case) -> None:
    """A start after a failed one downloads only what is still missing."""

    def download(archive: Archive, target: Path, advance: Advance) -> None:
        if archive.filename == "clients-1.0.jar":
            until((case.cache / "archives" / "kafka-1.0.jar").exists)
            raise PlatformError("gone")
        case.shelf.download(archive, target, advance)

    with pytest.raises(PlatformError, match="gone"):
        Installation(PINS, case.cache, download, case.told).ready()
    case.shelf.asked.clear()
    case.ready()
    assert "kafka-1.0.jar" not in case.shelf.asked


def test_what_an_interrupted_start_left_is_swept(case: Case) -> None:
    """Half a file of a killed start is never taken for a whole one."""
    incoming = case.cache / "incoming"
    incoming.mkdir(parents=True)
    (incoming / "kafka-1.0.jar").write_bytes(b"half")
    assert case.ready().class_path[0].read_bytes() == JARS["kafka-1.0.jar"]


@pytest.mark.parametrize("damaged", [b"", b"KAFKA" * 100])
def test_a_damaged_jar_is_replaced(case: Case, damaged: bytes) -> None:
    """A jar that was cut or changed in the cache is downloaded again, and nothing else is."""
    jar = case.ready().class_path[0]
    jar.write_bytes(damaged)
    case.shelf.asked.clear()
    assert case.ready().class_path[0].read_bytes() == JARS["kafka-1.0.jar"]
    assert case.shelf.asked == ["kafka-1.0.jar"]


def test_a_damaged_tree_is_unpacked_again(case: Case) -> None:
    """A registry that lost a file comes back whole."""
    lost = case.ready().registry / "quarkus-run.jar"
    lost.unlink()
    case.ready()
    assert lost.read_bytes() == b"run"


def test_a_disk_that_is_too_small_is_named_before_the_download(case: Case) -> None:
    """Too little room ends the start before a byte was asked for, and says which setting helps."""
    case.free_bytes = 1000
    with pytest.raises(PlatformError, match=r"disk too full.*platform\.cache"):
        case.ready()
    assert case.shelf.asked == []


def test_a_disk_that_fills_up_is_named(case: Case) -> None:
    """A disk that fills up under the download is a full disk, not a failed download."""
    case.shelf.contents["kafka-1.0.jar"] = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(PlatformError, match=r"disk full.*platform\.cache"):
        case.ready()


def test_a_failure_ends_the_other_downloads(case: Case) -> None:
    """When one archive cannot be had, those on their way end at their next bytes."""
    failed = threading.Event()
    ended = threading.Event()

    def download(archive: Archive, _target: Path, advance: Advance) -> None:
        if archive.filename == "app-1.0.tar.gz":
            failed.set()
            raise PlatformError("gone")
        failed.wait()
        try:
            while True:
                advance(1)
        finally:
            ended.set()

    with pytest.raises(PlatformError, match="gone"):
        Installation(PINS, case.cache, download, case.told).ready()
    assert ended.is_set()


def test_two_starts_share_one_download(case: Case) -> None:
    """Two platforms that find a cold cache at the same time download it once."""
    threads = [threading.Thread(target=case.ready) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(case.shelf.asked) == sorted(CONTENTS)


def _bytes() -> dict[str, bytes]:
    return {name: content for name, content in CONTENTS.items() if isinstance(content, bytes)}
