"""Traces of real workers and a real gateway, at a collector: one from a producer's header on."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from loyaltystream.events import Record
from loyaltystream.platform import Addresses
from loyaltystream.story import Intent, Recipe, Sent, generate
from tests.broker.conftest import TRACE
from tests.broker.test_gateway import Gate, free_port
from tests.core import raw
from tests.notifications.shop import REGISTERED
from tests.otlp import collector
from tests.shop import QUICK, Shop, eventually, opened

pytestmark = pytest.mark.broker

TRACE_ID: Final = "0af7651916cd43dd8448eb211c80319c"
SPAN_ID: Final = "b7ad6b7169203331"
KEY: Final = b"1800|mobile|919812345678"
KILLS: Final = 3
NOW: Final = {name: said for name, said in REGISTERED.items() if name != "occurredAt"}
"""An event of this moment that causes one notification."""


def notifications(shop: Shop) -> list[Record]:
    """Return all notifications."""
    return shop.read(shop.deployment.topics.notifications)


def test_one_trace_from_a_request_to_its_notification(
    proven_cluster: Addresses, tmp_path: Path
) -> None:
    """Gateway, INGEST, NOTIFY and the notification stand below what the producer began."""
    with collector() as kept:
        traced = {"traces.endpoint": kept.endpoint, "traces.share": "0"}
        port = {"gateway.port": str(free_port())}
        with opened(proven_cluster, tmp_path / "shop", 2, **QUICK, **traced, **port) as shop:
            gate = Gate(shop)
            gateway = gate.start()
            workers = shop.start("run", "--from", "earliest")
            header = TRACE[1].decode()
            assert gate.post("/events", raw(NOW), traceparent=header)[0] == 202
            silent = raw(NOW | {"eventId": "silent"})
            assert gate.post("/events", silent)[0] == 202
            shop.drain()
            assert shop.stop(workers) == 0, shop.log()
            assert shop.stop(gateway) == 0, shop.log("gateway")
            first, second = sorted(notifications(shop), key=lambda one: len(one.headers))
            assert shop.audit().exact
        spans = {(one.service, one.kind): one for one in kept.spans(trace_id=TRACE_ID)}
        assert len(kept.spans()) == len(spans) == 4
        request = spans["loyaltystream.gateway", "SERVER"]
        judged = spans["loyaltystream.ingest", "CONSUMER"]
        mapped = spans["loyaltystream.notify", "CONSUMER"]
        written = spans["loyaltystream.notify", "PRODUCER"]
        assert request.parent_id == SPAN_ID
        assert judged.parent_id == mapped.parent_id == request.span_id
        assert written.parent_id == mapped.span_id
        assert judged.attributes["loyaltystream.outcome"] == "accepted"
        told = {one.header("traceparent"): one.header("ce_id") for one in (first, second)}
        went_on = f"00-{TRACE_ID}-{request.span_id}-01".encode()
        assert (told[went_on] or b"").decode() == written.attributes["messaging.message.id"]


def test_a_line_that_is_sent_by_hand_can_be_followed(
    proven_cluster: Addresses, tmp_path: Path
) -> None:
    """`send` tells the trace of what it sent, to the notification; off, records are as before."""
    with collector() as kept:
        traced = {"traces.endpoint": kept.endpoint, "traces.share": "1"}
        with opened(proven_cluster, tmp_path / "shop", 2, **QUICK, **traced) as shop:
            workers = shop.start("run", "--from", "earliest")
            line = raw(NOW).decode()
            told = json.loads(shop.command("send", "-", "--json", given=line).stdout)
            assert (told["sent"], told["traced"]) == (1, 1)
            [trace_id] = told["traces"]
            assert f"traced 1: {trace_id}" not in shop.command("send", "-", given=line).stdout
            with shop.changed({"traces.endpoint": None}):
                told = json.loads(shop.command("send", "-", "--json", given=line).stdout)
            assert told.keys() == {"topic", "sent", "withoutKey", "tooLarge"}
            shop.drain()
            assert shop.stop(workers) == 0, shop.log()
            records = shop.read(shop.deployment.topics.ingest)
            assert shop.audit().exact
        spans = {(one.service, one.kind): one for one in kept.spans(trace_id=trace_id)}
        begun = spans["loyaltystream.send", "PRODUCER"]
        assert begun.parent_id == ""
        for stage in ("ingest", "notify"):
            assert spans[f"loyaltystream.{stage}", "CONSUMER"].parent_id == begun.span_id
        assert len(kept.spans(trace_id=trace_id)) == len(spans) == 4
        headers = [one.header("traceparent") for one in records]
        assert headers[0] == f"00-{trace_id}-{begun.span_id}-01".encode()
        assert [header is None for header in headers] == [False, False, True]
        assert not records[2].headers
        assert len({(one.key, one.value) for one in records}) == 1


def test_a_producers_own_header_reaches_subscribers_unchanged(
    proven_cluster: Addresses, tmp_path: Path
) -> None:
    """Straight to Kafka: both stages go on from the header, which outputs have byte for byte."""
    with collector() as kept:
        traced = {"traces.endpoint": kept.endpoint, "traces.share": "0"}
        with opened(proven_cluster, tmp_path / "shop", 2, **QUICK, **traced) as shop:
            workers = shop.start("run", "--from", "earliest")
            shop.send([Sent(KEY, raw(NOW), [TRACE], Intent.NEW)])
            shop.drain()
            assert shop.stop(workers) == 0, shop.log()
            [made] = notifications(shop)
        assert made.header("traceparent") == TRACE[1]
        consumers = kept.spans(kind="CONSUMER")
        assert Counter(one.service for one in consumers) == {
            "loyaltystream.ingest": 1,
            "loyaltystream.notify": 1,
        }
        assert {(one.trace_id, one.parent_id) for one in consumers} == {(TRACE_ID, SPAN_ID)}


def test_killed_workers_tell_no_event_twice(proven_cluster: Addresses, tmp_path: Path) -> None:
    """Every span comes once at most, whatever a kill interrupts; gaps are all that it leaves."""
    with collector() as kept:
        traced = {"traces.endpoint": kept.endpoint, "traces.share": "1"}
        batch = {"worker.batch_records": "50", "worker.instance": "host"}
        with opened(proven_cluster, tmp_path / "shop", 2, **QUICK, **traced, **batch) as shop:
            story = list(
                generate(
                    Recipe(events=3_000, customers=200, partitions=2),
                    5,
                    now_ms=int(time.time() * 1000),
                )
            )
            for number in range(KILLS):
                before = len(kept.spans(service="loyaltystream.ingest"))
                worker = shop.start("run", "--from", "earliest", "--stage", "ingest", "--slot", "0")
                shop.send(story[number::KILLS])
                eventually(
                    lambda before=before: len(kept.spans(service="loyaltystream.ingest")) > before,  # type: ignore[misc]  # bound here
                    "spans come",
                    60,
                )
                worker.kill()
                worker.wait()
            workers = shop.start("run", "--from", "earliest", log="last")
            shop.drain()
            assert shop.stop(workers) == 0, shop.log("last")
            findings = shop.audit()
            assert findings.exact, findings.to_json()
            judged = sum(
                sum(part.judged.values()) for part in findings.partitions if part.stage == "ingest"
            )
        ids = Counter((one.trace_id, one.span_id) for one in kept.spans())
        assert ids.most_common(1)[0][1] == 1
        assert 0 < len(kept.spans(service="loyaltystream.ingest")) <= judged


def test_a_collector_that_is_away_holds_no_worker_up(
    proven_cluster: Addresses, tmp_path: Path
) -> None:
    """Workers judge, say once in a while that spans are lost, and leave in time."""
    nobody = {"traces.endpoint": f"http://127.0.0.1:{free_port()}/v1/traces", "traces.share": "1"}
    with opened(proven_cluster, tmp_path / "shop", 2, **QUICK, **nobody) as shop:
        workers = shop.start("run", "--from", "earliest")
        shop.send(
            generate(
                Recipe(events=500, customers=50, partitions=2), 5, now_ms=int(time.time() * 1000)
            )
        )
        shop.drain()
        eventually(lambda: "spans.lost" in shop.log(), "the loss is told", 60)
        assert shop.stop(workers) == 0, shop.log()
        assert shop.audit().exact
        assert "opentelemetry" not in shop.log()
