"""What tracing costs the judge an event: off, on with nothing sampled, and on with some of it.

As `tests.bench.steps`: seeded events, no broker, processor time of this thread. The variants take
turns, and of each the best round counts; once without headers, once with one to be looked at.
"""

import gc
import sys
import time
from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from loyaltystream.definitions.files import load_definitions
from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import Record
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.ports import Telemetry
from loyaltystream.testing import Journal, MemoryTelemetry
from loyaltystream.tracing.opening import NO_TRACING, Tracing, tracing_to
from tests.bench.ground import describe_machine
from tests.bench.steps import EXAMPLES, PARTITIONS, topic, turns
from tests.core import EVENT_SCHEMA_ID, ingest, layout, pending
from tests.tracing.town import INGEST, UNTRACED, Taken

ROUNDS: Final = 7


def main() -> None:
    """Measure and print."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
    plain = topic(events)
    said = [[replace(record, headers=[UNTRACED]) for record in records] for records in plain]
    variants = {
        "off": NO_TRACING,
        "on, share 0": tracing_to(Taken(), INGEST, 0.0),
        "on, share 0.01": tracing_to(Taken(), INGEST, 0.01),
        "on, share 1": tracing_to(Taken(), INGEST, 1.0),
    }
    gc.collect()
    gc.freeze()
    gc.disable()
    spent_s: dict[tuple[str, str], float] = {}
    for _ in range(ROUNDS):
        for kind, partitions in (("no header", plain), ("traceparent ...-00", said)):
            for name, tracing in variants.items():
                cost_s = once(partitions, tracing)
                spent_s[kind, name] = min(cost_s, spent_s.get((kind, name), cost_s))
    show(spent_s, events)


def once(partitions: list[list[Record]], tracing: Tracing) -> float:
    """Judge everything with empty memories, tell what committed; return the seconds it took."""
    judge = ingest(partitions=PARTITIONS, trace=tracing.judged)
    definitions = Definitions(load_definitions(EXAMPLES), EVENT_SCHEMA_ID)
    memories = [PartitionMemory(layout(PARTITIONS), 0) for _ in partitions]
    telemetry: Telemetry = tracing.around(MemoryTelemetry(Journal()))
    spent_s = 0.0
    for number, records in turns(partitions):
        memory = memories[number]
        began_s = time.thread_time()
        plan = judge.judge(records, memory=memory, definitions=definitions, generation=1)
        telemetry.submitted()
        telemetry.committed([plan])
        spent_s += time.thread_time() - began_s
        memory.expect(pending(plan))
        memory.remember()
    return spent_s


def show(spent_s: Mapping[tuple[str, str], float], events: int) -> None:
    """Print a row for each variant."""
    table = Table(title=f"{events:,} events; {describe_machine()}")
    for column in ("records", "traces", "us an event", "more than off"):
        table.add_column(column, justify="right" if column[0] in "um" else "left")
    for (kind, name), seconds in spent_s.items():
        more_s = seconds - spent_s[kind, "off"]
        table.add_row(kind, name, f"{seconds / events * 1e6:.2f}", f"{more_s / events * 1e6:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
