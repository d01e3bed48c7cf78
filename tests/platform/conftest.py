"""The real platform, once for the tests of this room."""

from collections.abc import Iterator

import pytest

from loyaltystream.platform import LocalPlatform
from loyaltystream.settings import PlatformSettings, load


@pytest.fixture(scope="session")
def platform_settings(tmp_path_factory: pytest.TempPathFactory) -> PlatformSettings:
    """Free ports, a directory of its own, and the cache that everybody uses."""
    directory = tmp_path_factory.mktemp("platform")
    cache = load().platform.cache
    return PlatformSettings(directory=directory, cache=cache, kafka_port=0, registry_port=0)


@pytest.fixture(scope="session")
def _real(platform_settings: PlatformSettings) -> Iterator[LocalPlatform]:
    platform = LocalPlatform(platform_settings)
    yield platform
    platform.stop()


@pytest.fixture
def platform(_real: LocalPlatform) -> LocalPlatform:
    """Return the platform, running; what a test kills, the next one finds started again."""
    _real.start()
    return _real
