"""A story told to its end, once for all tests that only read what came of it."""

import json
import time
from collections.abc import Iterator

import pytest

from loyaltystream.platform import Addresses, LocalPlatform
from loyaltystream.story import ORG_ID, Intent, Recipe, Sent, generate
from tests.cluster import own_platform
from tests.shop import Shop, opened

RECIPE = Recipe(events=1500, customers=200, partitions=4, malformed=0.02, invalid=0.02)
TRACE = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPlatform]:
    """Return a platform that may be killed."""
    with own_platform(tmp_path_factory.mktemp("fragile")) as platform:
        yield platform


@pytest.fixture(scope="session")
def told(proven_cluster: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Return a deployment that has judged a story and left; nobody writes to it any more."""
    directory = tmp_path_factory.mktemp("told") / "shop"
    with opened(proven_cluster, directory, RECIPE.partitions) as shop:
        shop.send([*generate(RECIPE, 3, now_ms=int(time.time() * 1000)), *_traced_and_dead()])
        workers = shop.start("run", "--from", "earliest")
        shop.drain()
        assert shop.stop(workers) == 0, shop.log()
        yield shop


def _traced_and_dead() -> Iterator[Sent]:
    """Yield records with a trace that end as letters: one of each stage."""
    yield Sent(b"till", b"{", [TRACE], Intent.MALFORMED)
    unmappable = {
        "eventId": "a basket of many",
        "eventName": "purchaseCompleted",
        "orgId": ORG_ID,
        "customer": {"identifiers": [{"type": "mobile", "value": "919812345678"}]},
        "fields": {
            "billNumber": "B-1",
            "amount": 5,
            "transactionId": 7,
            "basket": {"lineItemCount": "many"},
        },
    }
    yield Sent(None, json.dumps(unmappable).encode(), [TRACE], Intent.NEW)
