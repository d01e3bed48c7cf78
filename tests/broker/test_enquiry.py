"""What the gateway tells of events on the real broker: each verdict, as workers gave it."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loyaltystream.platform import Addresses, LocalPlatform
from tests.broker.golden import sources, write_definitions
from tests.broker.test_gateway import Gate, free_port
from tests.cluster import kill_broker
from tests.core import event, raw
from tests.shop import QUICK, eventually, opened

pytestmark = pytest.mark.broker

DAY_MS = 86_400_000
SOON_S = 2.0
"""What an answer may take: so long a person waits for `why` in a process of its own."""


def sent(event_id: str, **changes: object) -> bytes:
    """Return an event of this very moment."""
    return raw(event(**{"eventId": event_id, "occurredAt": int(time.time() * 1000)} | changes))


@pytest.fixture
def gate(proven_cluster: Addresses, tmp_path: Path) -> Iterator[Gate]:
    """Return the gateway of a new deployment; it does not run yet."""
    definitions = write_definitions(tmp_path / "definitions")
    settings = {"rules.definitions": str(definitions), "gateway.port": str(free_port())}
    with opened(proven_cluster, tmp_path / "shop", 3, **QUICK, **settings, **sources()) as shop:
        yield Gate(shop)


def states(told: Any) -> list[str]:
    """Return what became of each attempt, in order."""
    return [one["state"] for one in told["attempts"]]


def test_each_verdict_is_told_over_http(gate: Gate) -> None:
    """An event is pending until a worker judged it, then has its verdict, and another org none."""
    shop, process = gate.shop, gate.start()
    now_ms = int(time.time() * 1000)
    bodies = [
        sent("good", occurredAt=now_ms),
        sent("twice", occurredAt=now_ms),
        sent("other", occurredAt=now_ms),
        sent("bad", fields={}),
        sent("old", occurredAt=now_ms - 40 * DAY_MS),
        sent("first", eventName="orderPlaced", fields={"orderId": "A", "amount": 5}),
    ]
    again = [
        sent("twice", occurredAt=now_ms),
        sent("other", occurredAt=now_ms, fields={"sku": "another"}),
        sent("second", eventName="orderPlaced", fields={"orderId": "A", "amount": 5}),
    ]
    assert gate.get("good")[0] == 404
    assert [gate.post("/events", body)[0] for body in (*bodies, *again)] == [202] * 9
    status, told = gate.get("good")
    assert (status, told["state"], told["accepted"]) == (202, "pending", False)
    worker = shop.start("run", "--from", "earliest")
    shop.drain()
    found = {name: gate.get(name)[1] for name in ("good", "twice", "other", "bad", "old", "second")}
    assert {name: (one["state"], one["accepted"]) for name, one in found.items()} == {
        "good": ("accepted", True),
        "twice": ("duplicate", True),
        "other": ("conflict", True),
        "bad": ("rejected", False),
        "old": ("late", False),
        "second": ("duplicate", False),
    }
    assert states(found["other"]) == ["accepted", "conflict"]
    assert found["bad"]["reasons"][0]["reason"] == "REQUIRED"
    assert "919812345678" not in json.dumps(found)
    made = shop.command("serve", "token", "there", "--org", "1801", "--role", "producer")
    assert shop.stop(process) == 0, shop.log("gateway")
    process, gate.token = gate.start(), made.stdout.strip()
    assert {gate.get(name)[0] for name in found} == {404}
    began_s = time.monotonic()
    gate.get("nobody sent this")
    assert time.monotonic() - began_s < SOON_S
    assert [shop.stop(one) for one in (process, worker)] == [0, 0], shop.log("gateway")


def test_a_replay_is_told_over_http(gate: Gate) -> None:
    """A letter that people mended is an attempt beside the first, and its event was accepted."""
    shop, process = gate.shop, gate.start()
    worker = shop.start("run", "--from", "earliest")
    assert gate.post("/events", sent("wrong", fields={}))[0] == 202
    shop.drain()
    mend = '[{"op": "add", "path": "/fields/sku", "value": "SKU-000001"}]'
    shop.command("dead-letters", "repair", "--id", "wrong", "--patch", mend)
    shop.command("dead-letters", "replay", "--id", "wrong")
    shop.drain()
    told = gate.get("wrong")[1]
    assert (states(told), told["accepted"]) == (["rejected", "accepted"], True)
    assert told["attempts"][1]["replay"] == 1
    assert told["attempts"][0]["handled"] == "replayed, attempt 1"
    assert [shop.stop(one) for one in (process, worker)] == [0, 0], shop.log("gateway")


def test_without_a_broker_nothing_is_told(fragile: LocalPlatform, tmp_path: Path) -> None:
    """While Kafka is away a question is refused, and answered again once it is back."""
    named = {
        "rules.definitions": str(write_definitions(tmp_path / "definitions")),
        "gateway.port": str(free_port()),
    }
    with opened(fragile.start(), tmp_path / "shop", 3, **QUICK, **named, **sources()) as shop:
        gate = Gate(shop)
        process = gate.start()
        assert gate.post("/events", sent("here"))[0] == 202
        assert gate.get("here")[0] == 202
        kill_broker(fragile)
        assert gate.get("here")[0] == 503
        fragile.broker.start()
        eventually(lambda: gate.get("here")[0] == 202, "it tells again")
        assert "questions.refused" in shop.log("gateway")
        assert shop.stop(process) == 0, shop.log("gateway")
