"""`--latency`: from an event's append to the moment that a subscriber sees what became of it.

The input's time is the broker's (LogAppendTime, whole milliseconds, cut off), the output's the
watching consumer's; both are one machine's clock.
"""

import gc
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
from confluent_kafka import Consumer, TopicPartition

from loyaltystream.kafka.connection import properties
from tests.bench.ground import Ground, InexactError, console, ended, finish, start
from tests.bench.sheet import Sheet
from tests.shop import Shop

LOADS: Final = (0.2, 0.5, 0.8)
PERCENTILES: Final = (50, 99, 99.9)
WARM_UP: Final = (3_000, 1_000.0)
"""Events, and how many a second: until every process is under way."""
SETTLING_MS: Final = 2_000
"""Of each load, left out."""
SILENCE_S: Final = 3.0
PATIENCE_S: Final = 120.0
FETCH: Final = 2_000


class Load(msgspec.Struct, frozen=True):
    """What was seen at one rate.

    Attributes:
        offered: events a second that were to be sent.
        sent: that were.
        arrivals: the `src` of each output, and when it was seen.
    """

    offered: float
    sent: float
    arrivals: list[tuple[bytes, float]]


def measure_latency(ground: Ground, seconds: float) -> list[Sheet]:
    """Offer shares of the capacity one after another to one worker."""
    if not ground.capacity:
        ground.ingest(ground.filled("capacity"))
    console.print(f"capacity: {ground.capacity:,.0f} events/s; measuring latency ...")
    rates = [share * ground.capacity for share in LOADS]
    stretches = [WARM_UP, *((int(rate * seconds), rate) for rate in rates)]
    total = sum(count for count, _ in stretches)
    shop = ground.shop("latency")
    worker, sender = start(shop, "ingest", total), paced(shop, ground, total)
    watcher = watching(shop)
    with ended(worker, sender):
        loads = [offer(sender, watcher, *stretch) for stretch in stretches]
        judged = finish(worker)
    watcher.close()
    stamps = appended(shop)
    seen = sum(len(load.arrivals) for load in loads)
    if seen != len(shop.read(shop.deployment.topics.emf)):
        raise InexactError(f"{seen} outputs seen of {judged.verdicts}")
    return [sheet(loads[1:], stamps, ground.capacity, seconds)]


def paced(shop: Shop, ground: Ground, total: int) -> subprocess.Popen[str]:
    """Start what sends at a steady rate."""
    numbers = (total, ground.partitions, ground.now_ms)
    return subprocess.Popen(
        [sys.executable, "-m", "tests.bench.pacing", *map(str, numbers)],
        env={**os.environ, **shop.environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def watching(shop: Shop) -> Consumer:
    """Return a subscriber of the whole of EMFConsumer."""
    deployment = shop.deployment
    consumer = Consumer(
        properties(
            deployment.settings.kafka,
            group_id="bench.watcher",
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
    )
    topic, partitions = deployment.topics.emf, deployment.layout.partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
    return consumer


def offer(sender: subprocess.Popen[str], watcher: Consumer, count: int, rate: float) -> Load:
    """Have a stretch sent; return what was seen of it."""
    assert sender.stdin is not None
    assert sender.stdout is not None
    sender.stdin.write(f"{count} {rate}\n")
    sender.stdin.flush()
    said = sender.stdout
    gc.disable()
    arrivals = watch(watcher, lambda: bool(select.select([said], [], [], 0)[0]))
    gc.enable()
    return Load(rate, float(said.readline()), arrivals)


def watch(watcher: Consumer, is_sent: Callable[[], bool]) -> list[tuple[bytes, float]]:
    """Return all that comes until everything is sent and nothing more comes."""
    arrivals: list[tuple[bytes, float]] = []
    deadline_s = time.monotonic() + PATIENCE_S
    quiet_s = time.monotonic()
    while not (arrivals and is_sent() and time.monotonic() - quiet_s > SILENCE_S):
        first = watcher.poll(0.05)
        if first is None:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"nothing comes out within {PATIENCE_S:.0f} s")
            continue
        messages = [first, *watcher.consume(FETCH, 0)]
        now_ms = time.time() * 1000
        quiet_s = time.monotonic()
        for message in messages:
            headers: Any = message.headers()  # a list of pairs, says the client
            arrivals.append((headers[0][1], now_ms))
    return arrivals


def appended(shop: Shop) -> dict[int, npt.NDArray[np.int64]]:
    """Return the time of every input record, by partition and offset."""
    reader, topic = shop.deployment.reader, shop.deployment.topics.ingest
    return {
        partition: np.array(
            [record.timestamp_ms for record in reader.records(topic, partition, first, end)]
        )
        for partition, (first, end) in reader.settled_bounds(topic).items()
    }


def took_ms(load: Load, stamps: dict[int, npt.NDArray[np.int64]]) -> npt.NDArray[np.float64]:
    """Return how long each event was on its way, the first ones of the load left out."""
    came, seen = np.empty(len(load.arrivals)), np.empty(len(load.arrivals))
    for row, (source, now_ms) in enumerate(load.arrivals):
        _, partition, offset, *_ = source.split(b"/")
        came[row], seen[row] = stamps[int(partition)][int(offset)], now_ms
    times: npt.NDArray[np.float64] = (seen - came)[came >= came.min() + SETTLING_MS]
    return times


def sheet(
    loads: list[Load], stamps: dict[int, npt.NDArray[np.int64]], capacity: float, seconds: float
) -> Sheet:
    """Return the percentiles of each load."""
    rows = []
    for share, load in zip(LOADS, loads, strict=True):
        times = took_ms(load, stamps)
        found = [f"{value:.0f}" for value in np.percentile(times, PERCENTILES)]
        rows.append([f"{share:.0%}", f"{load.offered:,.0f}", f"{load.sent:,.0f}", *found])
    names = [f"p{percentile} ms" for percentile in PERCENTILES]
    return Sheet(
        f"From append to a subscriber, {seconds:.0f} s at each load",
        ("load", "events/s offered", "events/s sent", *names),
        rows,
        [
            (
                f"Of a capacity of {capacity:,.0f} events/s, measured without sender and "
                f"subscriber; here they run on the same cores. The first "
                f"{SETTLING_MS / 1000:.0f} s of each load are left out. The subscriber saw as many "
                f"outputs as there are; they are not audited."
            )
        ],
    )
