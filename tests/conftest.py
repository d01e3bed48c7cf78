"""What all tests share: one cluster for the session, and deployments on it."""

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from loyaltystream.platform import Addresses
from tests.cluster import conformance, obtained
from tests.shop import Shop

# How fast an example is made depends on what else the machine does.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

SHOWN, SEEN, ORIGIN = "shown", "seen", "origin"

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


@pytest.fixture
def show(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Return what prints a table or a line at the end of the run, in whichever process it is."""
    return lambda text: record_property(SHOWN, text)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what another process saw of its broker."""
    output = getattr(node, "workeroutput", {})
    _seen.update(output.get(SEEN, {}))
    _origin.extend(output.get(ORIGIN, []))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand over what was seen, where this process is one of several."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output |= {SEEN: _seen, ORIGIN: _origin}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests showed, which broker the claims were made on, and what it was seen to do."""
    for report in chain.from_iterable(terminalreporter.stats.values()):
        for name, text in getattr(report, "user_properties", ()):
            if name == SHOWN and report.when == "call":
                terminalreporter.section(report.nodeid)
                terminalreporter.write_line(str(text))
    if _seen:
        terminalreporter.section(f"broker: {_origin[-1]}")
        for ability, able in _seen.items():
            terminalreporter.line(f"{'seen' if able else 'NOT SEEN'}: {ability}")
