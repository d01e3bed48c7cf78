"""`make profile`, second part: what each step of NOTIFY costs an event, and Avro beside fastavro.

Without a broker: seeded events of the benchmark are judged, and what is routed to `EMFConsumer`
goes through the real stage. Processor time of this thread, the best of some rounds; every encoder
and reader has to give what fastavro gives before it is timed.
"""

import gc
import io
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import fastavro
from rich.console import Console
from rich.table import Table

from loyaltystream.avro import schemas
from loyaltystream.avro.compiled import load_encoder
from loyaltystream.avro.event_reader import EventReader, own_reader
from loyaltystream.avro.wire import FRAME_BYTES
from loyaltystream.definitions.files import load_definitions
from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import Record
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.notifications.catalog import CATALOG
from loyaltystream.notifications.mapping import map_event
from loyaltystream.notifications.program import Notification
from loyaltystream.verdicts import Violation
from tests.bench.ground import describe_machine
from tests.bench.steps import EXAMPLES, PARTITIONS, ROUNDS, topic, turns
from tests.core import EVENT_SCHEMA_ID, NOW_MS, TOPICS, ingest, layout, pending
from tests.notifications.shop import notify, writer_schema

TURN_RECORDS: Final = 800
"""Of one partition in a worker's batch."""
STEPS: Final = {
    "read": "decode Avro",
    "map": "what the event causes",
    "encode": "write it as Avro",
    "the rest": "definitions, headers, outputs, counts",
}

SAMPLE: Final = 2_000
"""Records of a type, for the comparison."""

Event = dict[str, Any]
T = TypeVar("T")


def main() -> None:
    """Measure and print."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 60_000
    definitions = Definitions(load_definitions(EXAMPLES), EVENT_SCHEMA_ID)
    records = routed(events, definitions)
    reader = EventReader(writer_schema)
    read = [decoded(reader, record) for record in records]
    keyed = list(zip(read, (record.key for record in records), strict=True))
    notifications = [made for event, key in keyed for made in mapped(event, key, definitions)]
    batches = [records[at : at + TURN_RECORDS] for at in range(0, len(records), TURN_RECORDS)]
    stage = notify()
    gc.collect()
    gc.freeze()
    gc.disable()
    spent_s = {
        "read": best(lambda record: reader.read(record.value or b""), records),
        "map": best(lambda one: mapped(*one, definitions), keyed),
        "encode": best(encoded, notifications),
        "all": best(lambda some: stage.plan(some, definitions=definitions, generation=1), batches),
    }
    show_steps(spent_s, len(records), len(notifications))
    show_avro(records, notifications)


def routed(events: int, definitions: Definitions) -> list[Record]:
    """Return what INGEST writes to `EMFConsumer`, partition by partition."""
    partitions = topic(events)
    judge = ingest(partitions=PARTITIONS)
    memories = [PartitionMemory(layout(PARTITIONS), 0) for _ in partitions]
    records: list[list[Record]] = [[] for _ in partitions]
    for number, arrived in turns(partitions):
        memory = memories[number]
        plan = judge.judge(arrived, memory=memory, definitions=definitions, generation=1)
        memory.expect(pending(plan))
        memory.remember()
        for output in plan.outputs:
            if output.topic == TOPICS.emf:
                found, offset = (output.key, output.value, output.headers), len(records[number])
                records[number].append(Record(number, offset, NOW_MS, *found))
    return [record for each in records for record in each]


def decoded(reader: EventReader, record: Record) -> Event:
    """Return a record's event, as fastavro reads it as well."""
    value = record.value or b""
    event = reader.read(value)
    if isinstance(event, Violation) or repr(event) != repr(fastavro_reads(value)):
        raise SystemExit("not read as fastavro reads it")
    return event


def fastavro_reads(value: bytes) -> Event:
    """Return an event as fastavro reads it, times as numbers."""
    event = fastavro.schemaless_reader(io.BytesIO(value[FRAME_BYTES:]), own_reader()[0], None)
    if not isinstance(event, dict):
        raise SystemExit("no event")
    return event


def mapped(event: Event, key: bytes | None, definitions: Definitions) -> Sequence[Notification]:
    """Return what an event causes."""
    name = event["orgId"], event["eventName"]
    compiled = definitions.of_version(*name, event["definitionVersion"])
    if compiled is None or not compiled.rules:
        return ()
    made = map_event(event, key=key, rules=compiled.rules)
    return made if isinstance(made, list) else ()


def encoded(made: Notification) -> bytes:
    """Return a notification's Avro."""
    return load_encoder(made.type.schema)(made.value)


def best(run: Callable[[T], object], rows: Sequence[T]) -> float:
    """Return the least of the seconds that some rounds over all rows take."""
    rounds = []
    for _ in range(ROUNDS):
        began_s = time.thread_time()
        for row in rows:
            run(row)
        rounds.append(time.thread_time() - began_s)
    return min(rounds)


def show_steps(spent_s: dict[str, float], events: int, notifications: int) -> None:
    """Print the table that docs/performance.md has."""
    spent_s["the rest"] = spent_s["all"] - sum(spent_s[name] for name in ("read", "map", "encode"))
    table = Table(title=f"{events:,} events of EMFConsumer; {describe_machine()}")
    for column in ("step", "what", "us an event"):
        table.add_column(column, justify="right" if column[0] == "u" else "left")
    whole = f"{notifications / events:.2f} notifications an event"
    for name, what in {**STEPS, "all": whole}.items():
        table.add_row(name, what, f"{spent_s[name] / events * 1e6:.2f}")
    Console().print(table)


def show_avro(records: Sequence[Record], notifications: Sequence[Notification]) -> None:
    """Print what a record of each type costs, beside fastavro."""
    table = Table(title="Avro beside fastavro")
    for column in ("what", "bytes", "us a record", "us of fastavro's", "times as fast"):
        table.add_column(column, justify="left" if column == "what" else "right")
    contents = [record.value or b"" for record in records[:SAMPLE]]
    size = sum(map(len, contents)) / len(contents)
    quick = own_reader()[1]
    ours_s = best(lambda content: quick(content, FRAME_BYTES), contents)
    theirs_s = best(fastavro_reads, contents)
    table.add_row("read BehavioralEvent", *costs(size, ours_s, theirs_s, len(contents)))
    for name, kind in CATALOG.items():
        values = [made.value for made in notifications if made.type is kind][:SAMPLE]
        if values:
            table.add_row(f"write {name}", *written(kind.schema, values))
    Console().print(table)


def written(name: str, values: Sequence[Event]) -> tuple[str, ...]:
    """Return the costs of writing values of a schema, which are the same bytes either way."""
    encode, schema = load_encoder(name), schemas.load(name)
    contents = [encode(value) for value in values]
    if contents != [schemas.encode(schema, value) for value in values]:
        raise SystemExit(f"a {name} is not written as fastavro writes it")
    ours_s = best(encode, values)
    theirs_s = best(lambda value: schemas.encode(schema, value), values)
    return costs(sum(map(len, contents)) / len(contents), ours_s, theirs_s, len(values))


def costs(size: float, ours_s: float, theirs_s: float, records: int) -> tuple[str, ...]:
    """Return the cells of a row."""
    ours_us, theirs_us = (seconds / records * 1e6 for seconds in (ours_s, theirs_s))
    return f"{size:.0f}", f"{ours_us:.2f}", f"{theirs_us:.2f}", f"{theirs_us / ours_us:.1f}"


if __name__ == "__main__":
    main()
