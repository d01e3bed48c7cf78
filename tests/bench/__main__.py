"""`make bench`: INGEST beside a bare copy loop, on the real broker, outputs audited first.

Options choose other parts instead: both stages, many ids remembered, latency.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.bench.floor import measure_floor
from tests.bench.ground import Ground, InexactError, console, describe_machine
from tests.bench.latency import measure_latency
from tests.bench.remembered import measure_remembered
from tests.bench.sheet import Sheet
from tests.bench.stages import measure_stages
from tests.cluster import obtained

NOT_EXACT: Final = 4
ALL_REMEMBERED: Final = 10_000_000


def main() -> int:
    """Fill, run, audit, compare; return 0 if every output is exact."""
    chosen = arguments()
    with tempfile.TemporaryDirectory() as scratch, obtained(Path(scratch)) as (origin, cluster):
        ground = Ground(
            cluster,
            Path(scratch) / "shops",
            events=chosen.events,
            partitions=chosen.partitions,
        )
        try:
            sheets = list(shown(measured(ground, chosen)))
        except InexactError as error:
            console.print(f"not exact: {error}")
            return NOT_EXACT
        machine = f"broker: {origin}; {describe_machine()}"
        if not chosen.latency:
            machine += "; outputs audited: exact"
        console.print(machine)
    if chosen.markdown is not None:
        with chosen.markdown.open("a") as file:
            file.write("\n".join([*(sheet.page() for sheet in sheets), f"({machine})\n"]))
    return 0


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    option = parser.add_argument
    option("--events", type=int, default=500_000, help="how many the story has")
    option("--rounds", type=int, default=1, help="more than one: the best of each loop")
    option("--partitions", type=int, default=6, help="of every topic")
    option("--stage", choices=("notify", "both"), help="NOTIFY alone, or both workers as well")
    option("--remembered", type=int, metavar="N", help="INGEST with N ids remembered before")
    option("--latency", action="store_true", help="from append to a subscriber, at three loads")
    option("--seconds", type=float, default=15, help="how long each load lasts")
    option("--all", action="store_true", help="every part, with 10,000,000 ids")
    option("--markdown", type=Path, metavar="FILE", help="append the tables to this file as well")
    chosen = parser.parse_args()
    if chosen.all:
        chosen.stage, chosen.latency = "both", True
        chosen.remembered = chosen.remembered or ALL_REMEMBERED
    return chosen


def measured(ground: Ground, chosen: argparse.Namespace) -> Iterator[Sheet]:
    """Yield the tables of the parts that are chosen, as they get ready."""
    if chosen.all or not (chosen.stage or chosen.remembered or chosen.latency):
        yield from measure_floor(ground, chosen.rounds)
    if chosen.stage:
        yield from measure_stages(ground, both=chosen.stage == "both")
    if chosen.remembered:
        yield from measure_remembered(ground, chosen.remembered)
    if chosen.latency:
        yield from measure_latency(ground, chosen.seconds)


def shown(sheets: Iterator[Sheet]) -> Iterator[Sheet]:
    """Print each table, and pass it on."""
    for sheet in sheets:
        console.print(sheet.table())
        for note in sheet.notes:
            console.print(note)
        yield sheet


if __name__ == "__main__":
    sys.exit(main())
