"""Every notification by Kafka: the events of the standard pack in, decoded by stock clients out."""

import json
import re
import time
from typing import Any

import msgspec
import pytest

from loyaltystream.platform import Addresses
from loyaltystream.story import Intent, Sent
from tests.broker.test_subscribers import subscribe
from tests.notifications.test_standard import CASES
from tests.shop import opened

pytestmark = pytest.mark.broker


def test_a_stock_client_reads_every_notification_as_it_is_described(
    proven_cluster: Addresses, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """All 28 types, with everything and with nothing, are read just as the golden files say."""
    folder = tmp_path_factory.mktemp("standard")
    definitions = folder / "definitions"
    (definitions / "1800").mkdir(parents=True)
    cases = [json.loads(path.read_text()) for path in CASES]
    with opened(proven_cluster, folder / "shop", 3) as shop:
        shop.command("definitions", "standard", "1800", str(definitions))
        with shop.changed({"rules.definitions": str(definitions)}):
            now_ms = int(time.time() * 1000)
            for case in cases:
                case["event"]["occurredAt"] = now_ms
            shop.send([_sent(case["event"]) for case in cases])
            worker = shop.start("run", "--from", "earliest")
            shop.drain()
            assert shop.stop(worker) == 0, shop.log()
            received = subscribe(shop, shop.deployment.topics.notifications)
    expected = [each for case in cases for each in case["caused"]]
    assert len({each["notification"]["eventName"] for each in expected}) == 28
    read = [
        (
            (one.key or b"").decode(),
            one.headers["ce_type"].decode(),
            _without_arrival(msgspec.to_builtins(one.value)),
        )
        for one in received
    ]
    told = [
        (each["key"], each["type"], _without_arrival(each["notification"])) for each in expected
    ]
    assert sorted(read, key=_id) == sorted(told, key=_id)


def _sent(event: dict[str, Any]) -> Sent:
    mobiles = [each for each in event["customer"]["identifiers"] if each["type"] == "mobile"]
    key = f"1800|mobile|{mobiles[0]['value']}".encode()
    return Sent(key, json.dumps(event).encode(), [], Intent.NEW)


def _without_arrival(notification: dict[str, Any]) -> dict[str, Any]:
    """Return a notification without the broker's own time, and where its event arrived."""
    assert notification["createdAt"]
    assert re.search(r"\bbehavioral-events/\d+/\d+$", notification["causeSource"])
    return notification | {"createdAt": None, "causeSource": None}


def _id(read: tuple[str, str, dict[str, Any]]) -> str:
    return str(read[2]["eventId"])
