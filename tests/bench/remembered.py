"""`--remembered`: INGEST with many ids remembered, and what a restart with them takes.

The ids are random and come to the worker as its own do: from its changelog.
"""

import time
from collections import Counter
from typing import Final

import numpy as np
from confluent_kafka import Producer

from loyaltystream.kafka.connection import MAX_MESSAGE_BYTES, properties
from loyaltystream.memory.changelog import Delta, encode
from loyaltystream.memory.units import ENTRY, GENERATION_CODES, KeyKind, Section, Unit
from tests.bench.ground import Ground, InexactError, console, counts, demand_exact, run
from tests.bench.measuring import Measure
from tests.bench.sheet import COSTS, Sheet, costs
from tests.shop import Shop

RECORD_IDS: Final = 37_000
"""In one changelog record: 888 kB."""

LEAST_SHARE: Final = 0.5
MOST_SHARE: Final = 1.5
"""Of the mean: the emptiest and the fullest partition."""

RESTART_EVENTS: Final = 10_000
FLUSH_S: Final = 120.0


def measure_remembered(ground: Ground, ids: int) -> list[Sheet]:
    """Run INGEST with nothing remembered, with much, and with nothing again, on the same events.

    Again, since both runs with nothing differ by what else the machine does: so much is noise.
    """
    shop = ground.filled("remembered-none")
    empty = ground.ingest(shop)
    demand_exact(shop)
    expected = counts(shop)
    shop = ground.filled("remembered")
    prefill(shop, ids)
    full = run(shop, "ingest", ground.events)
    demand_same(empty, full, expected, counts(shop))
    ground.fill(shop, RESTART_EVENTS, seed=2)
    again = run(shop, "ingest", RESTART_EVENTS)
    demand_known(ids, empty, full, again)
    shop = ground.filled("remembered-none-again")
    later = ground.ingest(shop)
    demand_same(empty, later, expected, counts(shop))
    return [rates([(0, empty), (ids, full), (0, later)], ground), restarts(empty, full, again, ids)]


def shares(ids: int, partitions: int) -> list[int]:
    """Return how many ids each partition has: from half to one and a half of the mean."""
    levels = np.linspace(LEAST_SHARE, MOST_SHARE, partitions)
    fuller = [int(level) for level in levels[1:] * ids / levels.sum()]
    return [ids - sum(fuller), *fuller]


def prefill(shop: Shop, ids: int) -> None:
    """Write random ids to a changelog that no worker has written to yet."""
    console.print(f"writing {ids:,} ids to the changelog ...")
    deployment = shop.deployment
    settings, topic = deployment.settings, deployment.topics.changelog
    producer = Producer(
        properties(settings.kafka, linger_ms=5, message_max_bytes=MAX_MESSAGE_BYTES)
    )
    unit = Unit(KeyKind.EVENT_ID, settings.memory.window_days)
    clock_ms = int(time.time() * 1000)
    draw = np.random.default_rng(1)
    for partition, count in enumerate(shares(ids, deployment.layout.partitions)):
        for done in range(0, count, RECORD_IDS):
            entries = np.zeros(min(RECORD_IDS, count - done), ENTRY)
            entries["id"] = draw.integers(0, 2**64, (len(entries), 2), np.uint64)
            sections = [Section(unit, unit.generation(clock_ms) % GENERATION_CODES, entries)]
            delta = Delta(deployment.layout, 0, 0, clock_ms, 0, sections)
            producer.produce(topic, encode(delta), partition=partition)
            producer.poll(0)
    if left := producer.flush(FLUSH_S):
        raise RuntimeError(f"{left} records unacknowledged on {topic} after {FLUSH_S:.0f} s")


def demand_same(
    empty: Measure, full: Measure, expected: dict[str, int], found: dict[str, int]
) -> None:
    """Refuse a run that judged otherwise than the one with nothing remembered.

    Raises:
        InexactError: if verdicts or records differ.
    """
    console.print(f"verdicts {full.verdicts}, records {found}")
    if empty.verdicts != full.verdicts or expected != found:
        raise InexactError(
            f"with nothing remembered: verdicts {empty.verdicts}, records {expected}; "
            f"then: {full.verdicts}, {found}"
        )


def demand_known(ids: int, empty: Measure, full: Measure, again: Measure) -> None:
    """Refuse memories that do not hold exactly what was written and what was accepted.

    Raises:
        InexactError: naming both.
    """
    for measure, count in ((empty, 0), (full, ids), (again, ids + full.verdicts["accepted"])):
        due = count + measure.verdicts["accepted"]
        if measure.remembered != due:
            raise InexactError(f"{measure.remembered:,} events are known, not {due:,}")


def rates(runs: list[tuple[int, Measure]], ground: Ground) -> Sheet:
    """Return what remembering costs, beside the best run with nothing remembered."""
    best = max(measure.rate for ids, measure in runs if not ids)
    return Sheet(
        f"INGEST by remembered ids, {ground.events:,} events, {ground.partitions} partitions",
        ("ids remembered before", *COSTS, "of the best with 0"),
        [[f"{ids:,}", *costs(measure), f"{measure.rate / best:.2f}"] for ids, measure in runs],
        [
            (
                f"In the order of the runs. Partitions filled from {LEAST_SHARE} to {MOST_SHARE} "
                f"of the mean. The same verdicts and as many records in every topic as with 0, "
                f"which was audited: exact. The memories held exactly what was written and "
                f"what was accepted."
            )
        ],
    )


def restarts(empty: Measure, full: Measure, again: Measure, ids: int) -> Sheet:
    """Return what it takes to know again what was remembered."""
    rows = []
    for name, measure, count in (
        ("nothing remembered", empty, 0),
        ("the changelog alone", full, ids),
        ("snapshots", again, ids + full.verdicts["accepted"]),
    ):
        sources = Counter(source for source, _ in measure.restored_s)
        reading_s = sum(seconds for _, seconds in measure.restored_s)
        found = ", ".join(f"{number} {source}" for source, number in sorted(sources.items()))
        speed = f"{count / reading_s:,.0f}" if count else ""
        times = (f"{reading_s:.2f}", speed, f"{measure.ready_s:.2f}")
        rows.append([name, found, f"{count:,}", *times])
    return Sheet(
        "A restart",
        ("from", "memories read from", "ids", "s reading", "ids/s", "s to the first commit"),
        rows,
        ["To the first commit: from the start of the process, joining the group included."],
    )
