"""A shop at work, and the Prometheus that scrapes it. Does I/O: starts and ends processes."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from loyaltystream.app import STAGES
from loyaltystream.cli.serve import METRICS
from loyaltystream.platform import Addresses
from loyaltystream.story import ORG_ID, Recipe, generate
from tests.broker.test_gateway import Gate, free_port
from tests.core import raw
from tests.observing.board import Panel
from tests.observing.boards import BOARDS
from tests.observing.prometheus import Prometheus, running
from tests.observing.written import ROOT, RULES
from tests.shop import QUICK, Shop, eventually, opened
from tests.telemetry.conftest import WORKERS, canaries, free_ports, worker_ports

OURS: Final = [ROOT / RULES / name for name in ("recording.yml", "alerts.yml")]
CHOSEN: Final = {"$instance": ".*", "$org": ".*", "$event": ".*"}


class Observed(msgspec.Struct):
    """What is being watched.

    Attributes:
        posted: how many events the gateway has acknowledged.
        busy_s: a moment, in epoch seconds, when all of it was at work.
    """

    shop: Shop
    gate: Gate
    prometheus: Prometheus
    posted: int = 0
    busy_s: float = 0.0


def as_asked(expr: str, step: str = "10s") -> str:
    """Return an expression as Grafana asks it: with all of every choice."""
    for name, value in CHOSEN.items():
        expr = expr.replace(name, value)
    return expr.replace("$__rate_interval", step)


def panels() -> Iterator[tuple[str, Panel]]:
    """Yield all panels with the dashboard that each is on."""
    for board in BOARDS:
        yield from ((board.uid, panel) for panel in board.panels)


@contextmanager
def observed(
    cluster: Addresses, directory: Path, partitions: int = 4, *, rules: Sequence[Path] = OURS
) -> Iterator[Observed]:
    """Yield two workers a stage, a gateway, and a Prometheus that has scraped all of them."""
    first, port = free_ports(METRICS), free_port()
    settings = QUICK | {
        "telemetry.metrics_port": str(first),
        "gateway.port": str(free_port()),
        "memory.snapshot_ids": "1000",
    }
    with opened(cluster, directory / "shop", partitions, **settings) as shop:
        shop.start("run", "--workers", str(WORKERS), "--from", "earliest")
        gate = Gate(shop)
        gate.start()
        with running(directory / "prometheus", port, [_job(first)], rules) as prometheus:
            watched = Observed(shop, gate, prometheus)
            eventually(
                lambda: _sum(prometheus, "loyaltystream_partitions") == 2 * partitions,
                "Prometheus sees all partitions owned",
                60,
            )
            yield watched


def work(
    watched: Observed, recipe: Recipe, *, slices: int, pause_s: Callable[[int], float]
) -> None:
    """Send a story slice by slice, and now and then something over HTTP.

    Args:
        watched: gets it.
        recipe: of the story.
        slices: in how many parts it is sent.
        pause_s: behind each of them.
    """
    now_ms = int(time.time() * 1000)
    story = list(generate(recipe, 5, now_ms=now_ms))
    size = len(story) // slices
    for number in range(slices):
        end = len(story) if number == slices - 1 else (number + 1) * size
        watched.shop.send(story[number * size : end])
        _post(watched, number)
        if number == 0:
            watched.shop.send(canaries(now_ms))
        time.sleep(pause_s(number))
    watched.busy_s = time.time()
    watched.shop.drain()


def settled(watched: Observed, expr: str, value: float) -> bool:
    """Say whether an expression's samples add up to a value by now."""
    return _sum(watched.prometheus, expr) == value


def _post(watched: Observed, number: int) -> None:
    bodies: list[tuple[str, Any]] = [
        ("/events", _event(f"http-{number}")),
        ("/events/batch", [_event(f"http-{number}-{one}") for one in range(3)]),
        ("/events", {"eventName": "x"}),
    ]
    for path, body in bodies:
        status, _ = watched.gate.post(path, raw(body))
        if status == 202:
            watched.posted += len(body) if isinstance(body, list) else 1


def _event(event_id: str) -> dict[str, Any]:
    return {
        "eventId": event_id,
        "eventName": "purchaseCompleted",
        "orgId": ORG_ID,
        "occurredAt": int(time.time() * 1000),
        "customer": {"identifiers": [{"type": "mobile", "value": "919812345678"}]},
        "fields": {"billNumber": event_id, "amount": 5, "transactionId": hash(event_id) % 10**9},
    }


def _job(first: int) -> dict[str, Any]:
    ports = worker_ports(first)
    targets = [
        {
            "targets": [f"127.0.0.1:{port}" for port in ports[at * WORKERS : (at + 1) * WORKERS]],
            "labels": {"stage": stage},
        }
        for at, stage in enumerate(STAGES)
    ]
    gateway = {"targets": [f"127.0.0.1:{first + METRICS}"], "labels": {"stage": "gateway"}}
    return {"job_name": "loyaltystream", "static_configs": [*targets, gateway]}


def _sum(prometheus: Prometheus, expr: str) -> float:
    return sum(float(sample["value"][1]) for sample in prometheus.query(expr))


def dump(samples: object) -> str:
    """Return samples as text, for a failure's message."""
    return json.dumps(samples)[:400]
