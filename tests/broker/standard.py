"""The golden cases of all notification types, as a deployment on the real broker judges them."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loyaltystream.platform import Addresses
from loyaltystream.story import Intent, Sent
from tests.notifications.test_standard import CASES
from tests.shop import Shop, opened


def caused() -> list[dict[str, Any]]:
    """Return all that the cases cause: key, type and notification."""
    return [each for path in CASES for each in json.loads(path.read_text())["caused"]]


@contextmanager
def judged_cases(cluster: Addresses, folder: Path) -> Iterator[Shop]:
    """Yield a deployment that has judged all cases, of this very moment, and left."""
    definitions = folder / "definitions"
    (definitions / "1800").mkdir(parents=True)
    with opened(cluster, folder / "shop", 3) as shop:
        shop.command("definitions", "standard", "1800", str(definitions))
        with shop.changed({"rules.definitions": str(definitions)}):
            now_ms = int(time.time() * 1000)
            events = [json.loads(path.read_text())["event"] for path in CASES]
            shop.send([_sent(event | {"occurredAt": now_ms}) for event in events])
            worker = shop.start("run", "--from", "earliest")
            shop.drain()
            assert shop.stop(worker) == 0, shop.log()
            yield shop


def without_arrival(notification: dict[str, Any]) -> dict[str, Any]:
    """Return a notification without the broker's own time, and where its event arrived."""
    assert notification["createdAt"]
    assert re.search(r"\bbehavioral-events/\d+/\d+$", notification["causeSource"])
    return notification | {"createdAt": None, "causeSource": None}


def _sent(event: dict[str, Any]) -> Sent:
    mobiles = [each for each in event["customer"]["identifiers"] if each["type"] == "mobile"]
    key = f"1800|mobile|{mobiles[0]['value']}".encode()
    return Sent(key, json.dumps(event).encode(), [], Intent.NEW)
