"""On the real broker: how many letters wait, by workers' metrics and by what people are told."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from loyaltystream.platform import LocalPlatform
from loyaltystream.platform.ports import free_port
from loyaltystream.story import ORG_ID, Intent, Sent
from tests.cluster import kill_broker
from tests.shop import QUICK, Shop, eventually, opened

pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]

PARTITIONS: Final = 4
PORTS: Final = range(28_000, 29_000)
PATIENCE_S: Final = 60
BACKLOG: Final = "loyaltystream_dead_letter_backlog"
OLDEST: Final = "loyaltystream_dead_letter_oldest_seconds"


def event(number: int, **fields: Any) -> Sent:
    """Return a purchase of a customer of its own."""
    body = {
        "eventId": f"event-{number}",
        "eventName": "purchaseCompleted",
        "orgId": ORG_ID,
        "customer": {"identifiers": [{"type": "mobile", "value": f"9198123{number:05}"}]},
        "fields": {"billNumber": f"B-{number}", "amount": 5, "transactionId": number, **fields},
    }
    return Sent(None, json.dumps(body).encode(), (), Intent.NEW)


class Watched:
    """A deployment with a worker of each stage, and further ones of stage ingest."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.ports: list[int] = []
        shop.start("run", "--stage", "notify", "--from", "earliest", log="notify")

    def start(self) -> subprocess.Popen[bytes]:
        """Start a worker of stage ingest under a name of its own."""
        port = free_port(PORTS)
        self.ports.append(port)
        own = {"telemetry.metrics_port": str(port), "worker.instance": f"host-{port}"}
        with self.shop.changed(own):
            return self.shop.start("run", "--stage", "ingest", "--from", "earliest", log="ingest")

    def told(self, name: str) -> dict[int, float]:
        """Return a gauge of each partition, which one worker tells and no other."""
        found: dict[int, float] = {}
        for port in self.ports:
            for partition, value in self._samples(port, name):
                assert partition not in found, f"two workers tell of {partition}"
                found[partition] = value
        return found

    def owned(self) -> list[int]:
        """Return how many partitions each worker has."""
        return [
            int(value)
            for port in self.ports
            for _, value in self._samples(port, "loyaltystream_partitions")
        ]

    def waiting(self) -> int:
        """Return how many letters a person is told of that nobody has dealt with."""
        return sum(
            json.loads(
                self.shop.command("dead-letters", "stats", "--state", state, "--json").stdout
            )["letters"]
            for state in ("open", "repaired")
        )

    def demand(self, letters: int) -> None:
        """Wait until every partition is counted, and the sum is this, as people are told."""

        def holds() -> bool:
            told = self.told(BACKLOG)
            return len(told) == PARTITIONS and sum(told.values()) == letters

        assert self.waiting() == letters
        eventually(holds, f"{letters} wait: {self.told(BACKLOG)}", PATIENCE_S)

    def _samples(self, port: int, name: str) -> list[tuple[int, float]]:
        try:
            with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
                text = page.read().decode()
        except OSError:  # it has only just been started
            return []
        return [
            (int(sample.labels.get("partition", -1)), sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name
        ]


def test_the_backlog_is_what_nobody_has_dealt_with(make_shop: Callable[..., Shop]) -> None:
    """Letters come, are put away and sent again, a partition changes hands: the sum is theirs."""
    watched = Watched(make_shop(PARTITIONS, **QUICK))
    shop = watched.shop
    first = watched.start()
    shop.send([event(number, amount="much") for number in range(20)])
    shop.send([event(20, basket={"lineItemCount": "many"}), event(21)])
    shop.drain()
    watched.demand(21)
    oldest_s = max(watched.told(OLDEST).values())
    assert 0 < oldest_s < PATIENCE_S + 120
    shop.command("dead-letters", "discard", "--id", "event-0", "--because", "a test")
    shop.command("dead-letters", "discard", "--stage", "notify", "--because", "a test")
    watched.demand(19)
    mended = json.dumps([{"op": "replace", "path": "/fields/amount", "value": 5}])
    shop.command("dead-letters", "repair", "--id", "event-1", "--patch", mended)
    watched.demand(19)
    shop.command("dead-letters", "replay", "--id", "event-1")
    shop.command("dead-letters", "replay", "--id", "event-2")  # is a new letter
    shop.drain()
    watched.demand(18)

    second = watched.start()
    eventually(lambda: sorted(watched.owned()) == [2, 2], "two workers share the partitions", 60)
    watched.demand(18)
    shop.command("dead-letters", "discard", "--id", "event-3", "--because", "a test")
    watched.demand(17)
    first.kill()
    first.wait()
    watched.ports.pop(0)
    eventually(lambda: watched.owned() == [4], "the second has all partitions", 60)
    watched.demand(17)
    assert shop.stop(second) == 0, shop.log("ingest")
    assert "letters.uncounted" not in shop.log("ingest")
    assert "Traceback" not in shop.log("ingest")
    assert shop.audit().exact


def test_a_first_count_finds_what_was_done_before(make_shop: Callable[..., Shop]) -> None:
    """A worker that starts behind a long history tells the same as one that saw it."""
    watched = Watched(make_shop(PARTITIONS, **QUICK))
    shop = watched.shop
    worker = watched.start()
    shop.send([event(number, amount="much") for number in range(300)])
    shop.drain(["ingest"])
    shop.command(
        "dead-letters", "discard", "--since", "2026-01-01T00:00:00Z", "--because", "a test"
    )
    until_ms = int(time.time() * 1000)
    shop.send([event(number, amount="much") for number in range(300, 305)])
    shop.drain(["ingest"])
    watched.demand(5)
    assert shop.stop(worker) == 0, shop.log("ingest")
    watched.ports.clear()
    again = watched.start()
    watched.demand(5)
    assert max(watched.told(OLDEST).values()) <= time.time() - until_ms / 1000 + 1
    assert shop.stop(again) == 0, shop.log("ingest")


def test_an_outage_makes_no_false_number(fragile: LocalPlatform, tmp_path: Path) -> None:
    """A count stands, or is gone with its partition; the log has one line; then it follows."""
    settings = QUICK | {"worker.session_timeout_ms": "45000"}
    with opened(fragile.start(), tmp_path / "shop", PARTITIONS, **settings) as shop:
        watched = Watched(shop)
        worker = watched.start()
        shop.send([event(number, amount="much") for number in range(3)])
        shop.drain(["ingest"])
        watched.demand(3)
        before = watched.told(BACKLOG)
        kill_broker(fragile)
        eventually(lambda: "letters.uncounted" in shop.log("ingest"), "it is told", PATIENCE_S)
        # Behind its session a member has no partitions any more: others may tell of them.
        assert watched.told(BACKLOG).items() <= before.items()
        fragile.start()
        shop.command("dead-letters", "discard", "--id", "event-0", "--because", "a test")
        watched.demand(2)
        assert shop.stop(worker) == 0, shop.log("ingest")
        assert shop.log("ingest").count("letters.uncounted") == 1
        assert "Traceback" not in shop.log("ingest")
