"""`python -m tests.bench.tracing`: what the look at a record costs that decides on its trace.

Seeded events of the benchmark, no broker, processor time of this thread, the best of some rounds.
Without `traces.endpoint` there is no look. Beside it stands judging an event, without tracing.
"""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from loyaltystream.definitions.files import load_definitions
from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import Record
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.topology import SourceHeaders
from loyaltystream.tracing.sampling import Sampler, sampler_of_ingest, sampler_of_notify
from tests.bench.ground import describe_machine
from tests.bench.steps import EXAMPLES, PARTITIONS, topic, turns
from tests.core import EVENT_SCHEMA_ID, TOPICS, ingest, layout, pending
from tests.tracing.town import UNTRACED

ROUNDS: Final = 15
SHARES: Final = (0.0, 0.01, 1.0)


def main() -> None:
    """Measure and print."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    partitions = topic(events)
    plain = [record for records in partitions for record in records]
    said = [replace(record, headers=[UNTRACED]) for record in plain]
    routed = [replace(record, headers=[source_of(record)]) for record in plain]
    table = Table(title=f"{events:,} events; {describe_machine()}")
    for column in ("stage", "records", *(f"share {share}" for share in SHARES)):
        table.add_column(column)

    def add(stage: str, kind: str, make: Callable[[float], Sampler], records: list[Record]) -> None:
        costs = (f"{look(make(share), records):.2f} us" for share in SHARES)
        table.add_row(stage, kind, *costs)

    add("INGEST", "no header", lambda share: sampler_of_ingest(TOPICS.ingest, share), plain)
    add("INGEST", "not recorded", lambda share: sampler_of_ingest(TOPICS.ingest, share), said)
    add("NOTIFY", "no context", sampler_of_notify, routed)
    Console().print(table)
    Console().print(f"judging an event without tracing: {judged(partitions) / events * 1e6:.2f} us")


def source_of(record: Record) -> tuple[str, bytes]:
    """Return the header that a routed event has."""
    return SourceHeaders(TOPICS.ingest, record.partition, 17).header(record.offset, 0)


def look(sampler: Sampler, records: Sequence[Record]) -> float:
    """Return the microseconds that a record takes."""
    spent_s = []
    for _ in range(ROUNDS):
        began_s = time.thread_time()
        sampler.sample(records)
        spent_s.append(time.thread_time() - began_s)
    return min(spent_s) / len(records) * 1e6


def judged(partitions: list[list[Record]]) -> float:
    """Return the seconds that judging everything takes once, with empty memories."""
    judge = ingest(partitions=PARTITIONS)
    definitions = Definitions(load_definitions(EXAMPLES), EVENT_SCHEMA_ID)
    memories = [PartitionMemory(layout(PARTITIONS), 0) for _ in partitions]
    spent_s = 0.0
    for number, records in turns(partitions):
        memory = memories[number]
        began_s = time.thread_time()
        plan = judge.judge(records, memory=memory, definitions=definitions, generation=1)
        spent_s += time.thread_time() - began_s
        memory.expect(pending(plan))
        memory.remember()
    return spent_s


if __name__ == "__main__":
    main()
