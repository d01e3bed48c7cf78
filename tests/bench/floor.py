"""The first part: INGEST beside a bare copy, outputs audited first."""

import psutil

from tests.bench.copying import copies_of
from tests.bench.ground import Ground, demand_exact, run
from tests.bench.measuring import Measure
from tests.bench.sheet import COSTS, Sheet, costs


def measure_floor(ground: Ground, rounds: int) -> list[Sheet]:
    """Run both loops in turns, the best of some rounds of each."""
    ours, floors = list[Measure](), list[Measure]()
    outputs = remembered = 0
    for number in range(rounds):
        shop = ground.filled(f"floor-{number}")
        ours.append(ground.ingest(shop))
        remembered = demand_exact(shop)
        copies = copies_of(shop)
        outputs, due = copies.outputs, shop.directory / "copies"
        copies.save(due)
        floors.append(run(shop, "floor", ground.events, due))
    best, copy = (max(found, key=lambda measure: measure.rate) for found in (ours, floors))
    return [compare(best, copy, outputs=outputs / ground.events, remembered=remembered)]


def compare(ours: Measure, copy: Measure, *, outputs: float, remembered: int) -> Sheet:
    """Return the table that the README has."""
    bound = 200e6 + 29 * remembered
    cores = psutil.cpu_count() or 1
    return Sheet(
        f"{ours.events:,} events, {outputs:.2f} outputs an event",
        ("one process", *COSTS, "machine's CPU s per million", "of the floor"),
        [
            [
                name,
                *costs(measure),
                f"{measure.machine_cpu_per_million:.1f}",
                f"{measure.rate / copy.rate:.2f}",
            ]
            for name, measure in (("INGEST", ours), ("bare copy (the floor)", copy))
        ],
        [
            (
                f"rate {ours.rate / copy.rate:.2f} of the floor (to reach: 0.50); CPU "
                f"{ours.cpu_per_million / copy.cpu_per_million:.1f} times its own (to reach: 3.3); "
                f"memory {ours.rss_bytes / 1e6:.0f} MB for {remembered:,} events remembered "
                f"(bound: {bound / 1e6:.0f} MB)"
            ),
            (
                f"were all {cores} cores busy without a pause, the rate would be "
                f"{cores / ours.machine_cpu_per_million * 1e6 / copy.rate:.2f} of the floor"
            ),
        ],
    )
