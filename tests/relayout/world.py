"""A small deployment in memory whose topics are given more partitions."""

from collections.abc import Mapping
from typing import Any

import msgspec

from loyaltystream.audit import Deployment, Findings
from loyaltystream.events import Record
from loyaltystream.keys import murmur2, place
from loyaltystream.memory.digest import digest
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.memory.recovery import restore
from loyaltystream.memory.relaid import Entry, read
from loyaltystream.memory.units import Unit
from loyaltystream.relayout.guard import guarded
from loyaltystream.relayout.moving import Transaction, switch, transactions
from loyaltystream.relayout.survey import Survey, Surveyor
from tests.audit.world import World, viewed
from tests.core import TOPICS, ingest, layout, raw

CHUNK = 5
"""So few ids in a transaction that there are several for each partition."""


def quiet(_read: int, _ids: int) -> None:
    """Take progress and leave it."""


class GrowingWorld(World):
    """A log, its worker, and a relayout of its memory."""

    def place(self, value: Mapping[str, Any], *, astray: int = 0) -> Record:
        """Send an event to the partition that its customer has now, or so many beside it."""
        home = self.home_of(value["customer"]["identifiers"][0]["value"])
        return self.send(raw(value), (home + astray) % self.partitions)

    def home_of(self, mobile: str) -> int:
        """Return the partition that a customer of org 1800 has now."""
        return int(place(murmur2([f"1800|mobile|{mobile}".encode()]), self.partitions)[0])

    def grow(self, partitions: int) -> None:
        """Give all topics but that of notifications more partitions."""
        for name, found in self.log.topics.items():
            if name != TOPICS.notifications:
                found += [[] for _ in range(partitions - len(found))]

    def survey(self, partitions: int) -> Survey:
        """Return what is remembered, on the way to so many partitions."""
        committed = self.log.committed("ingest", TOPICS.ingest)
        return Surveyor(self.log, TOPICS.changelog, layout(partitions)).survey(committed, quiet)

    def move(self, partitions: int, *, most: int = 10_000) -> int:
        """Commit that many transactions of a relayout; return how many there were to commit."""
        moving = transactions(self.log, TOPICS.changelog, self.survey(partitions), chunk_ids=CHUNK)
        count = 0
        for transaction in moving:
            if count == most:
                break
            self.commit(transaction)
            count += 1
        return count

    def switch(self, partitions: int) -> None:
        """Commit the last transaction of a relayout, and start workers on its memory."""
        self.commit(switch(TOPICS.changelog, self.survey(partitions), {}))
        self.restart(partitions)

    def relayout(self, partitions: int) -> None:
        """Do all of a relayout."""
        self.grow(partitions)
        self.move(partitions)
        self.switch(partitions)

    def restart(self, partitions: int) -> None:
        """Go on with so many partitions, and what the log remembers of them."""
        self.partitions = partitions
        self._ingest = ingest(self.rules, partitions)
        self.memories = {number: self.restored(number) for number in range(partitions)}

    def restored(self, number: int, partitions: int | None = None) -> PartitionMemory:
        """Return what a restart remembers of a partition."""
        committed = self.log.committed("ingest", TOPICS.ingest).get(number)
        meant = layout(partitions or self.partitions)
        start = guarded(lambda _number: 0, self.log, TOPICS.changelog, meant)
        return restore(
            [record.value or b"" for record in self.log.topics[TOPICS.changelog][number]],
            meant,
            committed=committed,
            fresh=lambda: start(number),
        )

    def commit(self, transaction: Transaction) -> None:
        """Write a transaction's records and its markers."""
        for slot in {self._write(output) for output in transaction}:
            self.log.mark(*slot)

    def entries(self) -> list[Entry]:
        """Return what the whole changelog says."""
        return [read(record.value or b"") for record in self.log.all(TOPICS.changelog)]

    def ids(self) -> dict[Unit, tuple[int, int]]:
        """Return of each unit how many ids are remembered anywhere, and the sum of their hashes."""
        sums: dict[Unit, tuple[int, int]] = {}
        for memory in self.memories.values():
            for unit, found in digest(memory).items():
                ids, value = sums.get(unit, (0, 0))
                sums[unit] = ids + found.ids, (value + found.value) % 2**64
        return sums

    def deployment(self) -> Deployment:
        """Return what an audit is told."""
        return msgspec.structs.replace(super().deployment(), layout=layout(self.partitions))

    def run_blind(self) -> None:
        """Judge what is left without any memory of what was before."""
        for partition in range(self.partitions):
            while self.step(partition, blind=True):
                pass

    def exact(self) -> Findings:
        """Return what an audit finds, which is nothing."""
        findings = self.audit()
        assert findings.exact, findings.to_json()
        return findings


def judged(*, customers: int = 12, events: int = 60) -> GrowingWorld:
    """Return a world in which events of many customers were judged."""
    world = GrowingWorld()
    for number in range(events):
        world.place(viewed(number, number % customers, occurredAt=world.now_ms))
    world.run()
    return world
