"""A deployment for the commands that need no worker, once for all of them."""

from collections.abc import Iterator

import pytest

from loyaltystream.platform import Addresses
from tests.shop import Shop, opened

PARTITIONS = 3


@pytest.fixture(scope="session")
def counter(proven_cluster: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Return a deployment with topics and schemas, whose story each test adds to."""
    with opened(proven_cluster, tmp_path_factory.mktemp("counter") / "shop", PARTITIONS) as shop:
        yield shop
