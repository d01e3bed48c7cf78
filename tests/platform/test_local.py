"""The platform as a whole, before anything of it runs."""

from pathlib import Path

import pytest

from loyaltystream.errors import PlatformError
from loyaltystream.platform import LocalPlatform
from loyaltystream.settings import PlatformSettings
from tests.platform.fakes import Shelf, Told


def test_a_platform_begins_with_nothing(tmp_path: Path) -> None:
    """To describe a platform and to look at it leaves no trace."""
    platform = LocalPlatform(PlatformSettings(directory=tmp_path / "here", kafka_port=0))
    assert [(state.name, state.running) for state in platform.status()] == [
        ("kafka", False),
        ("registry", False),
    ]
    assert platform.logs(lines=3) == {"kafka": [], "registry": []}
    assert platform.stop() == []
    assert list(tmp_path.iterdir()) == []


def test_a_chosen_port_is_known_before_the_first_start(tmp_path: Path) -> None:
    """A port that a setting names is the address at once; a free one is not known yet."""
    platform = LocalPlatform(PlatformSettings(directory=tmp_path, kafka_port=9092, registry_port=0))
    assert platform.broker.address == "127.0.0.1:9092"
    assert platform.registry.address is None


def test_a_relative_directory_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A platform does not move when its process changes directory."""
    monkeypatch.chdir(tmp_path)
    platform = LocalPlatform(PlatformSettings(directory=Path("here")))
    monkeypatch.chdir("/")
    assert platform.directory == tmp_path / "here"


def test_the_cache_is_shared_unless_it_is_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Archives are kept once for each user of the machine, or where a setting says."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert LocalPlatform(PlatformSettings()).cache == tmp_path / ".cache" / "loyaltystream"
    chosen = LocalPlatform(PlatformSettings(cache=Path("~/archives")))
    assert chosen.cache == tmp_path / "archives"


def test_without_archives_and_network_nothing_is_left_running(tmp_path: Path) -> None:
    """A start that cannot download ends with that error, and with nothing started."""
    shelf = Shelf({})
    settings = PlatformSettings(
        directory=tmp_path / "here", cache=tmp_path / "cache", kafka_port=0, registry_port=0
    )
    platform = LocalPlatform(settings, report=Told(), download=shelf.download)
    with pytest.raises(PlatformError, match=r"download of .* failed"):
        platform.start()
    assert shelf.asked
    assert not any(state.running for state in platform.status())


@pytest.mark.parametrize("ask", ["start", "status"])
def test_a_directory_that_is_none_is_an_error_that_names_its_setting(
    tmp_path: Path, ask: str
) -> None:
    """A directory that cannot be used is told in one line, whatever was asked."""
    file = tmp_path / "file"
    file.touch()
    platform = LocalPlatform(PlatformSettings(directory=file, kafka_port=0, registry_port=0))
    with pytest.raises(PlatformError, match=r"is not usable.*platform\.directory"):
        getattr(platform, ask)()
