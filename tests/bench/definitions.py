"""What definitions cost: to compile one, and to judge an event by few or a thousand in force.

Without a broker, as `steps`; called as `python -m tests.bench.definitions [EVENTS]`. A thousand are
the same definitions in many orgs, since one org's events are of few kinds; in the last row every
one of them is used. Processor time of this thread; compiling: of each definition alone, none known
before; judging: the best of rounds that take turns.
"""

import gc
import sys
import time
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final
from zlib import crc32

from rich.console import Console

from loyaltystream.definitions.files import load_definitions
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import Record
from loyaltystream.keys import murmur2, place
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.story import ORG_ID
from loyaltystream.verdicts import Verdict
from tests.bench.ground import describe_machine
from tests.bench.sheet import Sheet
from tests.bench.steps import EXAMPLES, PARTITIONS, topic, turns
from tests.core import EVENT_SCHEMA_ID, ingest, layout, pending

MANY: Final = 1_000
ROUNDS: Final = 5
BOUND_MS: Final = 5.0
"""What compiling one definition may take."""


def main() -> None:
    """Measure and print."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
    sheets = [compiling(), judging(events)]
    for sheet in sheets:
        Console().print(sheet.table())
    Console().print(describe_machine())


def compiling() -> Sheet:
    """Return what compiling each definition takes, over all rounds and orgs."""
    took_ms = sorted(_compile_ms(many(MANY)))
    numbers = median(took_ms), took_ms[len(took_ms) * 99 // 100], took_ms[-1], BOUND_MS
    row = [f"{len(took_ms):,} definitions", *(f"{number:.2f}" for number in numbers)]
    return Sheet("compiling one", ("", "median ms", "p99 ms", "longest ms", "allowed"), [row])


def _compile_ms(definitions: Sequence[EventDefinition]) -> Iterator[float]:
    gc.collect()
    gc.disable()  # else some of them pay for sweeping all others
    for definition in definitions:
        began_s = time.thread_time()
        Definitions([definition], EVENT_SCHEMA_ID)
        yield (time.thread_time() - began_s) * 1000


def judging(events: int) -> Sheet:
    """Return what an event costs with few definitions and with many."""
    few, thousand = load_definitions(EXAMPLES), many(MANY)
    records = topic(events)
    orgs = sorted({definition.org_id for definition in thousand})
    shapes = {
        f"{len(few)} in force": (few, records),
        f"{len(thousand):,} in force, events of {len(few)}": (thousand, records),
        f"{len(thousand):,} in force, events of all": (thousand, spread(records, orgs)),
    }
    compiled = {
        name: (Definitions(definitions, EVENT_SCHEMA_ID), sent)
        for name, (definitions, sent) in shapes.items()
    }
    gc.collect()
    gc.freeze()
    gc.disable()
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, (definitions, sent) in compiled.items():
            spent_s = judge(sent, definitions)
            best[name] = min(best.get(name, spent_s), spent_s)
    least = next(iter(best.values()))
    rows = [
        [name, f"{spent_s / events * 1e6:.2f}", f"{spent_s / least:.2f}"]
        for name, spent_s in best.items()
    ]
    return Sheet(f"judging {events:,} events", ("definitions", "us an event", "of few"), rows)


def judge(partitions: list[list[Record]], definitions: Definitions) -> float:
    """Judge everything with empty memories; return the seconds that it took."""
    ingested = ingest(partitions=PARTITIONS)
    memories = [PartitionMemory(layout(PARTITIONS), 0) for _ in partitions]
    began_s = time.thread_time()
    accepted = 0
    for number, records in turns(partitions):
        memory = memories[number]
        plan = ingested.judge(records, memory=memory, definitions=definitions, generation=1)
        memory.expect(pending(plan))
        memory.remember()
        accepted += plan.tally.verdicts[Verdict.ACCEPTED]
    spent_s = time.thread_time() - began_s
    if accepted < 0.9 * sum(map(len, partitions)):
        raise RuntimeError(f"only {accepted} events were accepted: nothing was measured")
    return spent_s


def many(count: int) -> list[EventDefinition]:
    """Return the examples' definitions, repeated for more orgs until there are so many."""
    examples = load_definitions(EXAMPLES)
    return [
        examples[number % len(examples)].model_copy(
            update={"org_id": ORG_ID + number // len(examples)}
        )
        for number in range(count)
    ]


def spread(partitions: list[list[Record]], orgs: Sequence[int]) -> list[list[Record]]:
    """Return the same events in many orgs, all of a customer's in one, in their own partitions."""
    old_key, old_value = f"{ORG_ID}|".encode(), f'"orgId":{ORG_ID},'.encode()
    moved: list[list[Record]] = [[] for _ in partitions]
    for record in (one for records in partitions for one in records):
        org = orgs[crc32(record.key or b"") % len(orgs)]
        key = (record.key or b"").replace(old_key, f"{org}|".encode())
        value = (record.value or b"").replace(old_value, f'"orgId":{org},'.encode())
        home = int(place(murmur2([key]), PARTITIONS)[0])
        offset = len(moved[home])
        moved[home].append(Record(home, offset, record.timestamp_ms, key, value, ()))
    return moved


if __name__ == "__main__":
    main()
