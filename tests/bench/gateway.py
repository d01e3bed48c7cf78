"""The gateway beside a bare endpoint: events a second of one process, single and in batches.

What was acknowledged is looked for in the topic first: each event once, byte for byte.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Final, NamedTuple

import msgspec
import psutil

from loyaltystream.story import ORG_ID, generate
from tests.bench.ground import Ground, InexactError, console, ended, recipe
from tests.bench.posting import Load, framed
from tests.bench.sheet import Sheet
from tests.shop import Shop

READY_S: Final = 60.0
SINGLE: Final = 1
EVENTS: Final = {SINGLE: 20_000, 100: 100_000, 1_000: 100_000}
"""By how many of them a request has."""

CONNECTIONS: Final = {SINGLE: 32, 100: 16, 1_000: 8}
"""Likewise: more would be events that wait than `gateway.queue_records` allows."""

_ID_END: Final = len('{"eventId":"') + 36

COLUMNS: Final = (
    "a request has",
    "who answers",
    "events/s",
    "of the bare endpoint",
    "CPU s per million",
    "p50 ms",
    "p99 ms",
    "CPU of the load",
)


class Way(NamedTuple):
    """A server that runs, and what to send with."""

    name: str
    port: int
    token: str
    process: psutil.Process


class Run(NamedTuple):
    """What one load took, and its server's processor time."""

    way: Way
    load: Load
    events: int
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.load.seconds


def measure_gateway(ground: Ground, rounds: int) -> Iterator[Sheet]:
    """Yield the table: each form over both servers in turn, of each the best round."""
    shop = ground.shop("gateway")
    made = shop.command("serve", "token", "bench", "--org", str(ORG_ID), "--role", "producer")
    token = made.stdout.strip()
    with _served(shop, token) as (bare, gateway):
        rows = []
        for form in EVENTS:
            runs = [
                _run(shop, way, form, number) for number in range(rounds) for way in (bare, gateway)
            ]
            best = [max(of(runs, way), key=lambda run: run.rate) for way in (bare, gateway)]
            rows += [_row(form, run, best[0]) for run in best]
    ceiling = _ceiling(shop, token)
    note = (
        f"{EVENTS[SINGLE]:,} single events a round over {CONNECTIONS[SINGLE]} connections, "
        f"{EVENTS[100]:,} in batches over {CONNECTIONS[100]} and {CONNECTIONS[1_000]}; {rounds} "
        f"rounds in turn, the best of each. Each acknowledged event was found in the topic once, "
        f"byte for byte. The load alone, against an endpoint that answers at once, reaches "
        f"{ceiling:,.0f} requests/s."
    )
    yield Sheet("the gateway beside a bare endpoint", COLUMNS, rows, [note])


def of(runs: list[Run], way: Way) -> list[Run]:
    """Return the runs of one server."""
    return [run for run in runs if run.way is way]


@contextmanager
def _served(shop: Shop, token: str) -> Iterator[tuple[Way, Way]]:
    """Yield both servers, which answer already."""
    ports = [free_port(), free_port()]
    with shop.changed({"gateway.port": str(ports[1])}):
        gateway = shop.start("serve", "gateway", log="gateway")
        with ended(bare := _start(shop, ports[0])):
            named = [("bare endpoint", ports[0], bare.pid), ("gateway", ports[1], gateway.pid)]
            for _, port, _pid in named:
                _await(port)
            first, second = (
                Way(name, port, token, psutil.Process(pid)) for name, port, pid in named
            )
            yield first, second
            shop.stop(gateway)


def _run(shop: Shop, way: Way, form: int, number: int) -> Run:
    """Send one round of events, and demand that the topic has each of them once."""
    console.print(f"{form} a request to the {way.name}, round {number + 1} ...")
    events = list(_events(f"{way.name} {form} {number}", EVENTS[form]))
    bodies = [b"\n".join(events[start : start + form]) for start in range(0, len(events), form)]
    reader, topic = shop.deployment.reader, shop.deployment.topics.ingest
    begins = {number: end for number, (_, end) in reader.settled_bounds(topic).items()}
    before = way.process.cpu_times()
    load = _send(way.port, way.token, bodies, form)
    after = way.process.cpu_times()
    if load.statuses != {"202": len(bodies)}:
        raise InexactError(f"{way.name} answered {load.statuses}")
    found = [
        record.value
        for partition, (_, end) in reader.settled_bounds(topic).items()
        for record in reader.records(topic, partition, begins[partition], end)
    ]
    if sorted(filter(None, found)) != sorted(events):
        raise InexactError(f"{len(found)} records of {len(events)} acknowledged events")
    spent_s = after.user + after.system - before.user - before.system
    return Run(way, load, len(events), spent_s)


def _send(port: int, token: str, bodies: list[bytes], form: int) -> Load:
    path, kind = ("/events", "application/json") if form == SINGLE else ("/events/batch", _LINES)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.bench.posting",
            str(port),
            path,
            token,
            str(CONNECTIONS[form]),
            kind,
        ],
        input=framed(bodies),
        stdout=subprocess.PIPE,
        check=True,
    )
    return msgspec.json.decode(done.stdout, type=Load)


_LINES: Final = "application/x-ndjson"


def _events(prefix: str, count: int) -> Iterator[bytes]:
    """Yield good events of the benchmark's story, their ids this round's own."""
    for number, value in enumerate(_story()[:count]):
        yield b'{"eventId":"' + f"{prefix} {number}".encode() + value[_ID_END:]


@cache
def _story() -> list[bytes]:
    count = max(EVENTS.values())
    good = replace(recipe(count, 6), malformed=0, invalid=0, resends=0)
    story = generate(good, 1, now_ms=int(time.time() * 1000))
    return [sent.value or b"" for sent in islice(story, count)]


def _ceiling(shop: Shop, token: str) -> float:
    """Return how many requests a second the load sends where nothing is done with them."""
    port = free_port()
    with ended(_start(shop, port, "nothing")):
        _await(port)
        load = _send(port, token, list(_events("nothing", EVENTS[SINGLE])), SINGLE)
    return load.requests / load.seconds


def _start(shop: Shop, port: int, *what: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.bench.bare", str(port), *what],
        env={**os.environ, **shop.environment},
        text=True,
    )


def _await(port: int) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"nothing answers on port {port}")


def free_port() -> int:
    """Return a port that nobody has."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _row(form: int, run: Run, bare: Run) -> list[str]:
    return [
        "one event" if form == SINGLE else f"{form:,} lines",
        run.way.name,
        f"{run.rate:,.0f}",
        f"{run.rate / bare.rate:.2f}",
        f"{run.cpu_seconds / run.events * 1e6:.1f}",
        f"{run.load.p50_ms:.1f}",
        f"{run.load.p99_ms:.1f}",
        f"{run.load.cpu_seconds / run.load.seconds:.0%}",
    ]
