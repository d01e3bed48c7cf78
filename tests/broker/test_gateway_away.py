"""The gateway while the broker dies under it and comes back; on a platform made to be killed."""

from pathlib import Path

import pytest

from loyaltystream.platform import LocalPlatform
from tests.broker.golden import sources, write_definitions
from tests.broker.test_gateway import MANY, Crowd, Gate, demand_judged, free_port
from tests.cluster import kill_broker
from tests.core import event, raw
from tests.shop import QUICK, eventually, opened

pytestmark = pytest.mark.broker


def test_what_is_acknowledged_survives_the_broker(fragile: LocalPlatform, tmp_path: Path) -> None:
    """Without a broker it answers 503, and what it acknowledged before and after is judged."""
    settings = {
        "rules.definitions": str(write_definitions(tmp_path / "definitions")),
        "gateway.port": str(free_port()),
        "gateway.message_timeout_ms": "1000",
    }
    cluster = fragile.start()
    with opened(cluster, tmp_path / "shop", 3, **QUICK, **settings, **sources()) as shop:
        gate = Gate(shop)
        process = gate.start()
        crowd = Crowd(gate)
        eventually(lambda: len(crowd.acknowledged) > MANY, "much is acknowledged")
        kill_broker(fragile)
        lost = raw(event(eventId="lost"))
        eventually(lambda: gate.post("/events", lost)[0] == 503, "it says that Kafka is away")
        before = len(crowd.acknowledged)
        fragile.broker.start()
        eventually(lambda: len(crowd.acknowledged) > before + MANY, "it goes on")
        crowd.stop()
        assert crowd.failures > 0
        assert "events.refused" in shop.log("gateway")
        assert shop.stop(process) == 0, shop.log("gateway")
        demand_judged(shop, crowd.acknowledged)
