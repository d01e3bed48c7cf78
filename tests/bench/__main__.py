"""`make bench`: INGEST beside a bare copy loop, on the real broker, outputs audited first.

Options choose other parts instead: both stages, many ids remembered, latency, the gateway.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.bench.floor import measure_floor
from tests.bench.gateway import measure_gateway
from tests.bench.ground import Ground, InexactError, console, describe_machine
from tests.bench.latency import measure_latency
from tests.bench.memory import measure_memory
from tests.bench.remembered import measure_remembered
from tests.bench.sheet import Sheet
from tests.bench.stages import measure_stages
from tests.cluster import obtained

NOT_EXACT: Final = 4
ALL_REMEMBERED: Final = 10_000_000


def main() -> int:
    """Fill, run, audit, compare; return 0 if every output is exact."""
    chosen = arguments()
    if chosen.memory:
        return alone(chosen)
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
    write(sheets, machine, chosen.markdown)
    return 0


def alone(chosen: argparse.Namespace) -> int:
    """Measure the memory without a broker; return 0 if it knew what it has to know."""
    try:
        sheets = list(shown(iter(measure_memory(chosen.memory, chosen.partitions))))
    except InexactError as error:
        console.print(f"not exact: {error}")
        return NOT_EXACT
    console.print(describe_machine())
    write(sheets, describe_machine(), chosen.markdown)
    return 0


def write(sheets: list[Sheet], machine: str, markdown: Path | None) -> None:
    """Append the tables to a page, if there is one."""
    if markdown is not None:
        with markdown.open("a") as file:
            file.write("\n".join([*(sheet.page() for sheet in sheets), f"({machine})\n"]))


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    option = parser.add_argument
    option("--events", type=int, default=500_000, help="how many the story has")
    option("--rounds", type=int, default=3, help="of each loop, of which the best counts")
    option("--partitions", type=int, default=6, help="of every topic")
    option("--stage", choices=("notify", "both"), help="NOTIFY alone, or both workers as well")
    option("--remembered", type=int, metavar="N", help="INGEST with N ids remembered before")
    option("--memory", type=int, metavar="N", help="the memory alone with N ids, no broker")
    option("--latency", action="store_true", help="from append to a subscriber, at three loads")
    option("--gateway", action="store_true", help="the gateway beside a bare endpoint")
    option("--seconds", type=float, default=15, help="how long each load lasts")
    option("--all", action="store_true", help="every part, with 10,000,000 ids")
    option("--markdown", type=Path, metavar="FILE", help="append the tables to this file as well")
    chosen = parser.parse_args()
    if chosen.all:
        chosen.stage, chosen.latency, chosen.gateway = "both", True, True
        chosen.remembered = chosen.remembered or ALL_REMEMBERED
    return chosen


def measured(ground: Ground, chosen: argparse.Namespace) -> Iterator[Sheet]:
    """Yield the tables of the parts that are chosen, as they get ready."""
    parts = (chosen.stage, chosen.remembered, chosen.latency, chosen.gateway)
    if chosen.all or not any(parts):
        yield from measure_floor(ground, chosen.rounds)
    if chosen.stage:
        yield from measure_stages(ground, both=chosen.stage == "both")
    if chosen.remembered:
        yield from measure_remembered(ground, chosen.remembered)
    if chosen.latency:
        yield from measure_latency(ground, chosen.seconds)
    if chosen.gateway:
        yield from measure_gateway(ground, chosen.rounds)


def shown(sheets: Iterator[Sheet]) -> Iterator[Sheet]:
    """Print each table, and pass it on."""
    for sheet in sheets:
        console.print(sheet.table())
        for note in sheet.notes:
            console.print(note)
        yield sheet


if __name__ == "__main__":
    sys.exit(main())
