"""`make bench`: INGEST beside a bare copy loop, on the real broker, outputs audited first."""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table

from loyaltystream.story import Recipe, generate
from tests.bench.measuring import Measure
from tests.cluster import obtained
from tests.shop import Shop

console = Console()


def main() -> int:
    """Fill, run, audit, compare; return 0 if every number is reached."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--events", type=int, default=500_000)
    parser.add_argument(
        "--rounds", type=int, default=1, help="more than one: the best of each loop"
    )
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, obtained(Path(scratch)) as (origin, cluster):
        shop = Shop(cluster, Path(scratch) / "shop", 6, {"worker__instance": "bench"})
        fill(shop, chosen.events)
        ours = run(shop, "ingest", chosen.events)
        console.print("auditing every record ...")
        findings = shop.audit()
        if not findings.exact:
            console.print_json(findings.to_json())
            return 4
        topics = shop.deployment.topics
        routed = [
            len(record.value or b"")
            for topic in (topics.emf, topics.ei, topics.dead_letter, topics.duplicates)
            for record in shop.read(topic)
        ]
        size = sum(routed) // len(routed)
        copies = [run(shop, "floor", chosen.events, len(routed), size)]
        remembered = sum(
            partition.judged.get("accepted", 0)
            for partition in findings.partitions
            if partition.stage == "ingest"
        )
        show(ours, copies[0], outputs=len(routed) / chosen.events, remembered=remembered)
        console.print(f"broker: {origin}; {describe_machine()}; outputs audited: exact")
    return 0


def fill(shop: Shop, events: int) -> None:
    """Send seeded events."""
    story = generate(recipe(events, 6), 1, now_ms=int(time.time() * 1000))
    shop.send(track(story, f"filling the topic with {events:,} events", total=events))


def recipe(events: int, partitions: int) -> Recipe:
    """Return what is measured: 2 % resends, half of them from far back, and 1 % bad events."""
    return Recipe(
        events=events,
        customers=events // 10,
        partitions=partitions,
        resends=0.02,
        rewritten=0,
        conflicts=0,
        unique_duplicates=0,
        wrong_keys=0,
        malformed=0.005,
        invalid=0.005,
        tombstones=0,
    )


def run(shop: Shop, loop: str, *numbers: int) -> Measure:
    """Run a loop in a process of its own."""
    console.print(f"running {loop} ...")
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.loops", loop, *map(str, numbers)],
        env={**os.environ, **shop.environment},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Measure)


def show(ours: Measure, copy: Measure, *, outputs: float, remembered: int) -> None:
    """Print the table that the README has."""
    table = Table(title=f"{ours.events:,} events, {outputs:.2f} outputs an event")
    for column in ("one process", "events/s", "CPU s per million", "RSS MB", "of the floor"):
        table.add_column(column, justify="left" if column == "one process" else "right")
    for name, measure in (("INGEST", ours), ("bare copy (the floor)", copy)):
        table.add_row(
            name,
            f"{measure.rate:,.0f}",
            f"{measure.cpu_per_million:.1f}",
            f"{measure.rss_bytes / 1e6:.0f}",
            f"{measure.rate / copy.rate:.2f}",
        )
    console.print(table)
    bound = 200e6 + 29 * remembered
    console.print(
        f"rate {ours.rate / copy.rate:.2f} of the floor (to reach: 0.40); memory "
        f"{ours.rss_bytes / 1e6:.0f} MB for {remembered:,} events remembered (bound: "
        f"{bound / 1e6:.0f} MB)"
    )


def describe_machine() -> str:
    """Return what a reader has to know to compare."""
    gigabytes = psutil.virtual_memory().total / 2**30
    return (
        f"{psutil.cpu_count()} cores, {gigabytes:.0f} GiB, {platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}"
    )


if __name__ == "__main__":
    sys.exit(main())
