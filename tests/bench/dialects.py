"""What an event costs in each dialect, beside the same event in our own.

Without a broker, as `steps.py`: the benchmark's events are written anew in each dialect and go
through the real judge. Processor time of this thread, the best of some rounds, which take turns.
"""

import gc
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from loyaltystream.definitions.files import load_definitions
from loyaltystream.definitions.registry import Definitions
from loyaltystream.dialects.sources import Dialects
from loyaltystream.events import Header, Record
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.rules import Rules
from tests.bench.ground import describe_machine
from tests.bench.steps import EXAMPLES, PARTITIONS, ROUNDS, topic, turns
from tests.core import EVENT_SCHEMA_ID, ingest, layout, pending

ORG: Final = {"default": {"org": 1800}}
RULES: Final = Rules(dialects=Dialects(webhooks=ORG, stores=ORG, projects=ORG))
THEIR_KEYS: Final = {
    "open_loyalty": {"userId": "customerId", "mobile": "phone", "cardnumber": "loyaltyCardNumber"},
    "voucherify": {"userId": "id", "externalId": "source_id", "mobile": "phone"},
}

Event = dict[str, Any]
Rewritten = tuple[Event, list[Header]]


def _capillary(event: Event) -> Rewritten:
    identifiers = {known["type"]: known["value"] for known in event["customer"]["identifiers"]}
    return {
        "event_name": event["eventName"],
        "customer": identifiers.get("mobile") or next(iter(identifiers.values())),
        "eventDateTime": _moment(event, "%Y-%m-%d %H:%M:%S"),
        "external_event_id": event["eventId"],
        **event["fields"],
    }, []


def _open_loyalty(event: Event) -> Rewritten:
    return {
        "event": {
            "type": event["eventName"],
            "eventId": event["eventId"],
            "eventDate": _moment(event, "%Y-%m-%dT%H:%M:%S"),
            "customerData": _customer(event, "open_loyalty"),
            "body": event["fields"],
        }
    }, []


def _open_loyalty_derived(event: Event) -> Rewritten:
    written, headers = _open_loyalty(event)
    del written["event"]["eventId"]
    return written, headers


def _voucherify(event: Event) -> Rewritten:
    headers = [("x-event-id", event["eventId"]), ("x-event-time", str(event["occurredAt"]))]
    return {
        "event": event["eventName"],
        "customer": _customer(event, "voucherify"),
        "metadata": event["fields"],
    }, [(name, text.encode()) for name, text in headers]


def _customer(event: Event, dialect: str) -> Event:
    names = THEIR_KEYS[dialect]
    return {
        names.get(known["type"], known["type"]): known["value"]
        for known in event["customer"]["identifiers"]
    }


def _moment(event: Event, form: str) -> str:
    return f"{datetime.fromtimestamp(event['occurredAt'] / 1000, UTC):{form}}"


WRITERS: Final[dict[str, Callable[[Event], Rewritten]]] = {
    "canonical": lambda event: (event, []),
    "capillary": _capillary,
    "open_loyalty": _open_loyalty,
    "open_loyalty, ids derived": _open_loyalty_derived,
    "voucherify": _voucherify,
}


def main() -> None:
    """Measure and print."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 60_000
    partitions = topic(events)
    topics = {name: list(rewritten(partitions, write)) for name, write in WRITERS.items()}
    gc.collect()
    gc.freeze()
    gc.disable()
    best: dict[str, float] = {}
    accepted: dict[str, int] = {}
    for _ in range(ROUNDS):
        for name, records in topics.items():
            spent_s, accepted[name] = once(records)
            best[name] = min(best.get(name, spent_s), spent_s)
    show(best, accepted, {name: size(records) for name, records in topics.items()}, events)


def rewritten(
    partitions: Sequence[list[Record]], write: Callable[[Event], Rewritten]
) -> Iterator[list[Record]]:
    """Yield partitions whose events are written in a dialect; what is no event stays as it is."""
    for records in partitions:
        yield [_rewrite(record, write) for record in records]


def _rewrite(record: Record, write: Callable[[Event], Rewritten]) -> Record:
    try:
        written, headers = write(json.loads(record.value or b""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return record
    value = json.dumps(written, separators=(",", ":"), ensure_ascii=False).encode()
    return Record(
        record.partition, record.offset, record.timestamp_ms, record.key, value, headers or ()
    )


def once(partitions: list[list[Record]]) -> tuple[float, int]:
    """Judge everything with empty memories; return what it took, and how many were accepted."""
    judge = ingest(RULES, PARTITIONS)
    definitions = Definitions(load_definitions(EXAMPLES), EVENT_SCHEMA_ID)
    memories = [PartitionMemory(layout(PARTITIONS), 0) for _ in partitions]
    spent_s, accepted = 0.0, 0
    for number, records in turns(partitions):
        memory, began_s = memories[number], time.thread_time()
        plan = judge.judge(records, memory=memory, definitions=definitions, generation=1)
        memory.expect(pending(plan))
        memory.remember()
        spent_s += time.thread_time() - began_s
        accepted += plan.tally.verdicts["accepted"]  # type: ignore[index]  # a StrEnum is its text
    return spent_s, accepted


def size(partitions: list[list[Record]]) -> float:
    """Return how many bytes a value has on average."""
    sizes = [len(record.value or b"") for records in partitions for record in records]
    return sum(sizes) / len(sizes)


def show(
    best: dict[str, float], accepted: dict[str, int], sizes: dict[str, float], events: int
) -> None:
    """Print the table that docs/performance.md has."""
    table = Table(title=f"{events:,} events; {describe_machine()}")
    for column in ("dialect", "bytes", "accepted", "us an event", "of canonical"):
        table.add_column(column, justify="left" if column == "dialect" else "right")
    for name, spent_s in best.items():
        table.add_row(
            name,
            f"{sizes[name]:.0f}",
            f"{accepted[name]:,}",
            f"{spent_s / events * 1e6:.2f}",
            f"{spent_s / best['canonical']:.2f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
