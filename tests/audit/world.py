"""A small deployment in memory: topics, the real judge and memory, and an audit of all of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from loyaltystream.audit import Audit, Deployment, Deriver, Findings, Groups
from loyaltystream.avro.dead_letter import LetterEncoder
from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import Header, Record
from loyaltystream.keys import murmur2, place
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.pipeline import Ingest, Memory
from loyaltystream.rules import Rules
from loyaltystream.sealing.ring import NO_KEYS, KeyRing
from loyaltystream.topology import Output
from tests.core import (
    DEFINITIONS,
    IDENTITY,
    LETTER_SCHEMA_ID,
    NOW_MS,
    TOPICS,
    event,
    ingest,
    layout,
    pending,
    raw,
)

PARTITIONS: Final = 3
GROUPS: Final = Groups("ingest", "notify")
_NAMES: Final[tuple[str, ...]] = msgspec.structs.astuple(TOPICS)

W = TypeVar("W", bound="World")

CUSTOMERS: Final = [f"9198123456{number:02}" for number in range(12)]


class MemoryLog:
    """All topics in lists; a deleted record leaves a gap, as an aborted one does."""

    def __init__(self, partitions: int = PARTITIONS) -> None:
        self.topics: dict[str, list[list[Record]]] = {
            name: [[] for _ in range(partitions)] for name in _NAMES
        }
        self.firsts: dict[tuple[str, int], int] = {}
        self.ends: dict[tuple[str, int], int] = {}
        self.offsets: dict[tuple[str, str], dict[int, int]] = {}

    def partitions(self, topic: str) -> int:
        return len(self.topics[topic])

    def settled_bounds(self, topic: str) -> Mapping[int, tuple[int, int]]:
        return {
            number: (self.firsts.get((topic, number), 0), self.ends.get((topic, number), 0))
            for number in range(self.partitions(topic))
        }

    def records(self, topic: str, partition: int, start: int, end: int) -> Iterator[Record]:
        first = max(start, self.firsts.get((topic, partition), 0))
        for record in list(self.topics[topic][partition]):
            if first <= record.offset < end:
                yield record

    def committed(self, group: str, topic: str) -> Mapping[int, int]:
        return dict(self.offsets.get((group, topic), {}))

    def append(self, topic: str, record: Record) -> Record:
        """Append a copy of a record, which gets the next offset."""
        slot = topic, record.partition
        offset = self.ends.get(slot, 0)
        self.ends[slot] = offset + 1
        placed = msgspec.structs.replace(record, offset=offset)
        self.topics[topic][record.partition].append(placed)
        return placed

    def mark(self, topic: str, partition: int) -> None:
        """Append a transaction's marker, which is an offset without a record."""
        slot = topic, partition
        self.ends[slot] = self.ends.get(slot, 0) + 1

    def delete(self, topic: str, record: Record) -> None:
        self.topics[topic][record.partition].remove(record)

    def replace(self, topic: str, record: Record, **changes: Any) -> Record:
        """Change a record where it stands."""
        records = self.topics[topic][record.partition]
        changed = msgspec.structs.replace(record, **changes)
        records[records.index(record)] = changed
        return changed

    def cut(self, topic: str, partition: int, first: int) -> None:
        """Remove everything before `first`, as retention does."""
        self.firsts[topic, partition] = first

    def all(self, topic: str) -> list[Record]:
        return [record for partition in self.topics[topic] for record in partition]


class World:
    """A log, the worker that judges it, and the audit."""

    def __init__(self, rules: Rules | None = None, definitions: Definitions = DEFINITIONS) -> None:
        self.rules = rules or Rules()
        self.partitions = PARTITIONS
        self.log = MemoryLog()
        self.definitions = definitions
        self.now_ms = NOW_MS
        self.memories = {
            number: PartitionMemory(layout(PARTITIONS), 0) for number in range(PARTITIONS)
        }
        self.ring = NO_KEYS
        self._ingest: Ingest = ingest(self.rules, PARTITIONS)

    def seal(self, ring: KeyRing) -> None:
        """Judge on, and read, with these keys of dead letters."""
        self.ring = ring
        self._ingest = ingest(self.rules, PARTITIONS, ring)

    def send(
        self,
        value: bytes | None,
        partition: int,
        *,
        key: bytes | None = None,
        headers: Sequence[Header] = (),
    ) -> Record:
        """Append a record to the ingest topic, a second after the last one."""
        self.now_ms += 1000
        return self.log.append(
            TOPICS.ingest, Record(partition, 0, self.now_ms, key, value, headers)
        )

    def place(self, value: Mapping[str, Any], *, astray: int = 0) -> Record:
        """Send an event to the partition of its customer, or that many partitions beside it."""
        home = home_of(value["customer"]["identifiers"][0]["value"])
        return self.send(raw(value), (home + astray) % PARTITIONS)

    def run(self, *, batch: int = 4, blind: bool = False) -> None:
        """Judge and commit until nothing is left."""
        while any(self.step(partition, batch=batch, blind=blind) for partition in self.memories):
            pass

    def step(self, partition: int, *, batch: int = 4, blind: bool = False) -> bool:
        """Judge and commit one batch of one partition; return whether there was any."""
        memory = self.memories[partition]
        waiting = self.log.records(TOPICS.ingest, partition, memory.next_offset, 2**62)
        records = [record for record, _ in zip(waiting, range(batch), strict=False)]
        if not records:
            return False
        asked: Memory = _Blind(memory) if blind else memory
        plan = self._ingest.judge(records, memory=asked, definitions=self.definitions, generation=5)
        touched = {self._write(output) for output in plan.outputs}
        for slot in touched:
            self.log.mark(*slot)
        self.log.offsets.setdefault(("ingest", TOPICS.ingest), {})[partition] = plan.next_offset
        memory.expect(pending(plan))
        memory.remember()
        return True

    def _write(self, output: Output) -> tuple[str, int]:
        partition = output.partition or 0
        self.now_ms += 1
        record = Record(partition, 0, self.now_ms, output.key, output.value, output.headers)
        self.log.append(output.topic, record)
        return output.topic, partition

    def deployment(self) -> Deployment:
        return Deployment(
            topics=TOPICS,
            definitions=self.definitions,
            rules=self.rules,
            identity=IDENTITY,
            layout=layout(PARTITIONS),
            letters=LetterEncoder("ingest", LETTER_SCHEMA_ID, self.rules.max_record_bytes),
            ring=self.ring,
        )

    def audit(self, deriver: Deriver | None = None) -> Findings:
        return Audit(self.log, self.deployment(), groups=GROUPS, deriver=deriver).run()


class _Blind:
    """A memory that has never seen anything."""

    def __init__(self, memory: PartitionMemory) -> None:
        self.next_offset = memory.next_offset
        self.clock_ms = memory.clock_ms
        self.covers_from_ms = memory.covers_from_ms

    def find(self, _unit: object, ids: Sequence[bytes], _clocks_ms: Sequence[int]) -> list[int]:
        return [-1] * len(ids)


def home_of(mobile: str) -> int:
    """Return the partition of a customer of org 1800."""
    return int(place(murmur2([f"1800|mobile|{mobile}".encode()]), PARTITIONS)[0])


def viewed(number: int, customer: int = 0, **changes: object) -> dict[str, Any]:
    """Return a good event of one of the customers; `number` makes its id."""
    return event(
        eventId=f"0b6f3c1e-8d1f-4b52-9f6e-{number:012x}",
        customer={"identifiers": [{"type": "mobile", "value": CUSTOMERS[customer]}]},
        **changes,
    )


def ordered(number: int, order_id: str, customer: int = 0, **changes: object) -> dict[str, Any]:
    """Return an event with a unique key."""
    fields: dict[str, object] = {"orderId": order_id, "amount": 5}
    return viewed(number, customer, **{"eventName": "orderPlaced", "fields": fields} | changes)


def busy(rules: Rules | None = None) -> World:
    """Return a world in which every verdict has been given, on several partitions."""
    return fill(World(rules))


def fill(world: W) -> W:
    """Give every verdict in a world, on several partitions."""
    for number in range(24):
        world.place(viewed(number, number % 12, occurredAt=world.now_ms), astray=number % 5 == 0)
    world.place(viewed(3, 3, occurredAt=NOW_MS))
    world.place(viewed(4, 4, fields={"sku": "another"}))
    world.place(viewed(5, 5), astray=2)
    world.place(viewed(100, 1, fields={}))
    world.place(viewed(101, 2, occurredAt=NOW_MS - 40 * 86_400_000))
    world.place(ordered(102, "A-1", 6))
    world.place(ordered(103, "A-1", 6))
    world.place(ordered(104, "A-2", 6))
    world.place(viewed(105, 7, eventName="orderBilled", fields={"orderId": "B", "amount": 1}))
    world.place(
        viewed(106, 7, eventName="orderBilled", fields={"orderId": "B", "amount": 1, "note": "x"})
    )
    world.place(
        viewed(107, 8, eventName="pointsCounted", fields={}, occurredAt=NOW_MS - 50 * 86_400_000)
    )
    for partition in range(PARTITIONS):
        world.send(None, partition)
        world.send(b"{", partition, key=b"a key")
        world.send(b"", partition, headers=[("traceparent", b"00-aa-bb-01")])
    world.run()
    return world
