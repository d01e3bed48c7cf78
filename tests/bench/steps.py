"""`make profile`: what each step of judging costs an event, beside `json.loads` of the same.

Without a broker: seeded events of the benchmark go through the real judge, partition by partition,
as they do in a worker. Processor time of this thread, the best of some rounds.
"""

import gc
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from loyaltystream import pipeline
from loyaltystream.definitions.files import load_definitions
from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import Record
from loyaltystream.keys import murmur2, place
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.story import generate
from tests.bench.ground import describe_machine, recipe
from tests.core import EVENT_SCHEMA_ID, NOW_MS, ingest, layout, pending

PARTITIONS: Final = 6
TURN_RECORDS: Final = 1_600
"""Of one partition in a worker's batch, as seen on the broker."""
ROUNDS: Final = 5
EXAMPLES: Final = Path(__file__).parent.parent.parent / "examples" / "definitions"

STEPS: Final = {
    "read": "decode, validate, encode as Avro",
    "rekey": "place by the customer's key",
    "dedup": "ask the memory, decide",
    "to_sections": "collect what is to be remembered",
    "encode": "write the changelog's record",
}


class Clock:
    """Adds up the time of named functions."""

    def __init__(self) -> None:
        self.spent_s: dict[str, float] = defaultdict(float)

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, its time added up under a name."""

        def call(*positional: object, **named: object) -> object:
            began_s = time.thread_time()
            try:
                return function(*positional, **named)
            finally:
                self.spent_s[name] += time.thread_time() - began_s

        return call


def main() -> None:
    """Measure and print."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 60_000
    partitions = topic(events)
    raws = [record.value for records in partitions for record in records if record.value]
    clock = Clock()
    for name in STEPS:
        setattr(pipeline, name, clock.timed(name, getattr(pipeline, name)))
    gc.collect()
    gc.freeze()
    gc.disable()
    rounds = [once(partitions, clock) for _ in range(ROUNDS)]
    best = min(rounds, key=lambda costs: costs["judge"])
    show(best, events, reference=min(parse(raws) for _ in range(ROUNDS)))


def topic(events: int) -> list[list[Record]]:
    """Return the benchmark's events as the records of a topic."""
    partitions: list[list[Record]] = [[] for _ in range(PARTITIONS)]
    story = list(generate(recipe(events, PARTITIONS), 1, now_ms=NOW_MS))
    homes = place(murmur2([sent.key or b"" for sent in story]), PARTITIONS).tolist()
    for sent, number in zip(story, homes, strict=True):
        records = partitions[number]
        records.append(Record(number, len(records), NOW_MS, sent.key, sent.value, ()))
    return partitions


def once(partitions: list[list[Record]], clock: Clock) -> dict[str, float]:
    """Judge everything with empty memories; return what each part took."""
    clock.spent_s = defaultdict(float)
    judge = ingest(partitions=PARTITIONS)
    definitions = Definitions(load_definitions(EXAMPLES), EVENT_SCHEMA_ID)
    memories = [PartitionMemory(layout(PARTITIONS), 0) for _ in partitions]
    judged = clock.timed("judge", judge.judge)
    for number, records in turns(partitions):
        memory = memories[number]
        plan = judged(records, memory=memory, definitions=definitions, generation=1)
        memory.expect(pending(plan))
        clock.timed("remember", memory.remember)()
    return clock.spent_s


def turns(partitions: list[list[Record]]) -> Iterator[tuple[int, list[Record]]]:
    """Yield each partition's next records in turn."""
    longest = max(map(len, partitions))
    for start in range(0, longest, TURN_RECORDS):
        for number, records in enumerate(partitions):
            if taken := records[start : start + TURN_RECORDS]:
                yield number, taken


def parse(raws: list[bytes]) -> float:
    """Return the seconds that the standard library takes to parse all events that are JSON."""
    began_s = time.thread_time()
    for raw in raws:
        try:
            json.loads(raw)
        except ValueError:
            continue
    return time.thread_time() - began_s


def show(spent_s: dict[str, float], events: int, *, reference: float) -> None:
    """Print the table that docs/performance.md has."""
    table = Table(title=f"{events:,} events; {describe_machine()}")
    for column in ("step", "what", "us an event", "of json.loads"):
        table.add_column(column, justify="right" if column[0] in "uo" else "left")
    routing = spent_s["judge"] - sum(spent_s[name] for name in STEPS)
    rows = [
        *((name, what, spent_s[name]) for name, what in STEPS.items()),
        ("route", "make the outputs, count", routing),
        ("remember", "enter what committed into the tables", spent_s["remember"]),
        ("all", "", spent_s["judge"] + spent_s["remember"]),
        ("json.loads", "the reference", reference),
    ]
    for name, what, seconds in rows:
        cost = f"{seconds / events * 1e6:.2f}"
        table.add_row(name, what, cost, f"{seconds / reference:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
