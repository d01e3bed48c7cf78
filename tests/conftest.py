"""What all tests share: one cluster for the session, and deployments on it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loyaltystream.platform import Addresses
from tests.cluster import conformance, obtained
from tests.shop import Shop

_seen: dict[str, bool] = {}
_origin: list[str] = []


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    """Return the addresses of a real broker and a real registry."""
    with obtained(tmp_path_factory.mktemp("cluster")) as (origin, addresses):
        _origin.append(origin)
        yield addresses


@pytest.fixture(scope="session")
def proven_cluster(cluster: Addresses) -> Addresses:
    """Return a cluster that was seen to do what exactly-once rests on; nothing else will do."""
    _seen.update(conformance(cluster.bootstrap_servers))
    missing = [ability for ability, able in _seen.items() if not able]
    if missing:
        pytest.fail(f"this broker can't carry exactly-once: not seen that {'; '.join(missing)}")
    return cluster


@pytest.fixture
def make_shop(proven_cluster: Addresses, tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    """Return a maker of deployments, each with topics, groups and a secret of its own."""
    shops: list[Shop] = []

    def make(partitions: int = 4, **settings: str) -> Shop:
        shop = Shop(proven_cluster, tmp_path / f"shop{len(shops)}", partitions, settings)
        shops.append(shop)
        return shop

    yield make
    for shop in shops:
        shop.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print which broker the claims were made on, and what it was seen to do."""
    if _seen:
        terminalreporter.section(f"broker: {_origin[-1]}")
        for ability, able in _seen.items():
            terminalreporter.line(f"{'seen' if able else 'NOT SEEN'}: {ability}")
