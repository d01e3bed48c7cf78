"""`make profile`, third part: writing and reading each type of notification, beside fastavro.

Without a broker: the golden events that tell everything go through the real rules, and what they
cause is written and read, by functions made from schemas and by fastavro. What both give is held
against each other before anything is timed. Processor time of this thread, the best of some rounds.
"""

import gc
import io
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import fastavro
from rich.console import Console
from rich.table import Table

from loyaltystream.avro import schemas
from loyaltystream.avro.compiled import load_encoder
from loyaltystream.avro.event_reader import EventReader, without_logical_types
from loyaltystream.avro.quick_reader import compile_reader
from loyaltystream.avro.schemas import Schema
from loyaltystream.notifications.program import Notification
from loyaltystream.verdicts import Violation
from tests.bench.ground import describe_machine
from tests.bench.notifying import best, mapped
from tests.notifications.shop import accept, writer_schema
from tests.notifications.test_standard import CASES, STANDARD

COLUMNS: Final = (
    "type",
    "bytes",
    "write us",
    "fastavro's",
    "times",
    "branches told",
    "times",
    "read us",
    "fastavro's",
    "times",
)


class Ways(NamedTuple):
    """The ways of one record, each called with what it takes."""

    write: Callable[[], object]
    fastavro_writes: Callable[[], object]
    fastavro_writes_told: Callable[[], object]
    read: Callable[[], object]
    fastavro_reads: Callable[[], object]


def main() -> None:
    """Measure and print."""
    times = int(sys.argv[1]) // 100 if len(sys.argv) > 1 else 300
    notifications = {made.type.name: made for made in caused()}
    gc.collect()
    gc.freeze()
    gc.disable()
    table = Table(title=f"one record of each type; {describe_machine()}")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column == "type" else "right")
    for name, made in sorted(notifications.items()):
        ways, size = checked(made.type.schema, made.value)
        us = [best(lambda way: way(), [way] * times) / times * 1e6 for way in ways]
        write, theirs, told, read, read_theirs = us
        costs = (write, theirs, theirs / write, told, told / write)
        table.add_row(
            name,
            str(size),
            *(f"{cost:.1f}" for cost in (*costs, read, read_theirs, read_theirs / read)),
        )
    Console(width=140).print(table)


def caused() -> list[Notification]:
    """Return what the golden events cause that tell everything; at least one of each type."""
    reader, made = EventReader(writer_schema), list[Notification]()
    for path in CASES:
        if not path.stem.endswith("_full"):
            continue
        for record in accept(json.loads(path.read_text())["event"], definitions=STANDARD):
            event = reader.read(record.value or b"")
            if isinstance(event, Violation):
                raise SystemExit(f"{path.stem}: {event.detail}")
            made += mapped(event, record.key, STANDARD)
    return made


def checked(name: str, value: dict[str, Any]) -> tuple[Ways, int]:
    """Return all ways of a record, which were seen to give the same, and its size."""
    encode, schema = load_encoder(name), schemas.load(name)
    plain = without_logical_types(schema)
    quick, content = compile_reader(inlined(plain, {})), encode(value)
    told = tell_branches(inlined(schema, {}), value)
    ways = Ways(
        lambda: encode(value),
        lambda: fastavro_write(schema, value),
        lambda: fastavro_write(schema, told),
        lambda: quick(content, 0),
        lambda: fastavro.schemaless_reader(io.BytesIO(content), plain, None),
    )
    if not content == ways.fastavro_writes() == ways.fastavro_writes_told():
        raise SystemExit(f"a {name} is not written as fastavro writes it")
    if repr(ways.read()) != repr(ways.fastavro_reads()):
        raise SystemExit(f"a {name} is not read as fastavro reads it")
    return ways, len(content)


def fastavro_write(schema: Schema, value: Mapping[str, Any]) -> bytes:
    """Return a value's Avro, by the library alone."""
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, schema, value)
    return buffer.getvalue()


def inlined(schema: Any, known: dict[str, Any]) -> Any:
    """Return a schema with each record written out wherever it is named."""
    if isinstance(schema, str):
        return known.get(schema, schema)
    if isinstance(schema, list):
        return [inlined(branch, known) for branch in schema]
    made = dict(schema)
    for part in {"items", "values"} & schema.keys():
        made[part] = inlined(schema[part], known)
    if "fields" in schema:
        fields = [each | {"type": inlined(each["type"], known)} for each in schema["fields"]]
        known[schema["name"]] = made = {**made, "fields": fields}
    return made


def tell_branches(schema: Any, value: Any) -> Any:
    """Return a value with the branch of each record in a union, which fastavro then looks for."""
    if isinstance(schema, list):
        record = next((one for one in schema if isinstance(one, dict) and "name" in one), None)
        rest = next(one for one in schema if one != "null")
        told = None if value is None else tell_branches(rest, value)
        return told if record is None or told is None else (record["name"], told)
    if not isinstance(schema, dict):
        return value
    match schema["type"]:
        case "record":
            kinds = {field["name"]: field["type"] for field in schema["fields"]}
            return {name: tell_branches(kinds[name], each) for name, each in value.items()}
        case "array":
            return [tell_branches(schema["items"], each) for each in value]
        case _:
            return value


if __name__ == "__main__":
    main()
