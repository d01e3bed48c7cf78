"""`make profile`, third part: what a rejected event costs beside an accepted one, sealed or not.

Without a broker: the same seeded events go through the judge as they are, with one field of a wrong
type, with every field wrong, and cut in half. Processor time of this thread, the best of some
rounds. The bound: a rejected event costs no more than ten good ones.
"""

import gc
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from loyaltystream.definitions.files import load_definitions
from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import Record
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.pipeline import Plan
from loyaltystream.sealing.ring import NO_KEYS, KeyRing
from loyaltystream.verdicts import Verdict
from tests.bench.ground import describe_machine
from tests.bench.steps import EXAMPLES, PARTITIONS, ROUNDS, topic
from tests.core import EVENT_SCHEMA_ID, NOW_MS, ingest, layout
from tests.sealing.rings import OLD

BOUND: Final = 10

Event = dict[str, Any]


def as_sent(event: Event) -> bytes:
    """Return an event as it is."""
    return json.dumps(event).encode()


def one_wrong(event: Event) -> bytes:
    """Return an event of which one field has a value that no type takes."""
    fields: Mapping[str, Any] = event["fields"]
    return as_sent({**event, "fields": {**fields, next(iter(fields)): [[]]}})


def all_wrong(event: Event) -> bytes:
    """Return an event all of whose fields have such a value."""
    return as_sent({**event, "fields": {name: [[]] for name in event["fields"]}})


def half(event: Event) -> bytes:
    """Return the first half of an event's bytes."""
    sent = as_sent(event)
    return sent[: len(sent) // 2]


REFUSED: Final[dict[str, Callable[[Event], bytes]]] = {
    "one field wrong": one_wrong,
    "every field wrong": all_wrong,
    "half of it": half,
}


def main() -> None:
    """Measure and print."""
    events = good_events(int(sys.argv[1]) // 10 if len(sys.argv) > 1 else 6_000)
    gc.collect()
    gc.freeze()
    gc.disable()
    good, letters = cost(events, as_sent, NO_KEYS)
    count = sum(map(len, events.values()))
    if letters:
        raise SystemExit(f"{letters} of {count} good events were rejected")
    table = Table(title=f"{count:,} events; {describe_machine()}")
    for column in ("what", "us", "us sealed", "of a good one"):
        table.add_column(column, justify="left" if column == "what" else "right")
    table.add_row("accepted", f"{good:.1f}", "", "")
    for name, spoil in REFUSED.items():
        plain, letters = cost(events, spoil, NO_KEYS)
        sealed, _ = cost(events, spoil, OLD)
        if letters != count:
            raise SystemExit(f"{name}: {letters} of {count} were rejected")
        table.add_row(name, f"{plain:.1f}", f"{sealed:.1f}", f"{sealed / good:.1f}")
        if sealed > BOUND * good:
            Console().print(f"[red]{name}: dearer than {BOUND} good events[/]")
    Console().print(table)


def good_events(count: int) -> dict[int, list[Event]]:
    """Return events of the benchmark that are accepted, by partition, each id once."""
    judge, memory = Judge(NO_KEYS), PartitionMemory(layout(PARTITIONS), 0)
    found: dict[int, dict[str, Event]] = {}
    for records in topic(count):
        for record in records:
            if judge.plan([record], memory).tally.verdicts[Verdict.ACCEPTED]:
                event = json.loads(record.value or b"")
                found.setdefault(record.partition, {})[event["eventId"]] = event
    return {number: list(events.values()) for number, events in found.items()}


class Judge:
    """The judge of the benchmark's events.

    Args:
        ring: seals its letters, or not.
    """

    def __init__(self, ring: KeyRing) -> None:
        self._ingest = ingest(partitions=PARTITIONS, ring=ring)
        self._definitions = Definitions(load_definitions(EXAMPLES), EVENT_SCHEMA_ID)

    def plan(self, records: Sequence[Record], memory: PartitionMemory) -> Plan:
        """Return the plan for records that nothing is remembered of."""
        view = self._definitions
        return self._ingest.judge(records, memory=memory, definitions=view, generation=1)


def cost(
    events: Mapping[int, Sequence[Event]], spoil: Callable[[Event], bytes], ring: KeyRing
) -> tuple[float, int]:
    """Return microseconds a record, the best of some rounds, and how many were rejected."""
    judge = Judge(ring)
    turns = [
        [Record(number, at, NOW_MS, b"", spoil(event), ()) for at, event in enumerate(some)]
        for number, some in events.items()
    ]
    rounds, letters = [], 0
    for _ in range(ROUNDS):
        began_s = time.thread_time()
        plans = [judge.plan(records, PartitionMemory(layout(PARTITIONS), 0)) for records in turns]
        rounds.append(time.thread_time() - began_s)
        letters = sum(plan.tally.verdicts[Verdict.REJECTED] for plan in plans)
    return min(rounds) / sum(map(len, turns)) * 1e6, letters


if __name__ == "__main__":
    main()
