"""Faults planted in a relayout: the audit names each of them."""

from collections.abc import Callable

import msgspec
import pytest

from loyaltystream.audit import Findings
from loyaltystream.audit.findings import Fault, Notice
from loyaltystream.events import Record
from loyaltystream.memory import changelog
from loyaltystream.memory.relaid import Moved, Switched, encode, read
from loyaltystream.memory.units import Section
from tests.audit.world import busy, viewed
from tests.core import TOPICS, layout
from tests.relayout.world import GrowingWorld, judged


def moved_world() -> GrowingWorld:
    """Return a world behind a relayout, in which some more was judged."""
    world = judged()
    world.relayout(6)
    for number in range(60, 80):
        world.place(viewed(number, number % 12, occurredAt=world.now_ms))
    world.run()
    return world


def first(world: GrowingWorld, kind: type[Moved | Switched]) -> Record:
    """Return the first record of that kind."""
    return next(
        record
        for record in world.log.all(TOPICS.changelog)
        if isinstance(read(record.value or b""), kind)
    )


def lose(world: GrowingWorld, record: Record, found: Moved) -> None:
    """Lose a record."""
    del found
    world.log.delete(TOPICS.changelog, record)


def double(world: GrowingWorld, record: Record, found: Moved) -> None:
    """Write a record once more, before the switch."""
    part = found.sections[0]
    twice = [*found.sections, part]
    change(world, record, msgspec.structs.replace(found, sections=twice))


def rewrite(world: GrowingWorld, record: Record, found: Moved) -> None:
    """Move a key with another content."""
    part = found.sections[0]
    entries = part.entries.copy()
    entries["fingerprint"][0] ^= 1
    sections = [Section(part.unit, part.code, entries), *found.sections[1:]]
    change(world, record, msgspec.structs.replace(found, sections=sections))


def rejuvenate(world: GrowingWorld, record: Record, found: Moved) -> None:
    """Move keys as if they were of another generation."""
    part = found.sections[0]
    sections = [Section(part.unit, (part.code - 1) % 256, part.entries), *found.sections[1:]]
    change(world, record, msgspec.structs.replace(found, sections=sections))


def misplace(world: GrowingWorld, record: Record, found: Moved) -> None:
    """Move keys into another partition than theirs."""
    world.log.delete(TOPICS.changelog, record)
    other = next(
        one
        for one in world.log.all(TOPICS.changelog)
        if isinstance(seen := read(one.value or b""), Moved) and one.partition != record.partition
    )
    seen = read(other.value or b"")
    assert isinstance(seen, Moved)
    both = msgspec.structs.replace(seen, sections=[*seen.sections, *found.sections])
    change(world, other, both)


def change(world: GrowingWorld, record: Record, entry: Moved | Switched) -> None:
    """Put another record into the place of one."""
    world.log.replace(TOPICS.changelog, record, value=encode(entry))


@pytest.mark.parametrize("plant", [lose, double, rewrite, rejuvenate, misplace])
def test_keys_that_were_moved_wrongly_are_found(
    plant: Callable[[GrowingWorld, Record, Moved], None],
) -> None:
    """Keys that are lost, doubled, changed or misplaced on the way are a fault of the relayout."""
    world = moved_world()
    assert world.exact().notices == {}
    record = first(world, Moved)
    found = read(record.value or b"")
    assert isinstance(found, Moved)
    plant(world, record, found)
    findings = world.audit()
    assert findings.faults.get(Fault.RELAYOUT, 0) > 0, findings.to_json()


@pytest.mark.parametrize("name", ["clock_ms", "covers_from_ms", "ids"])
def test_a_switch_that_says_something_else_is_found(name: str) -> None:
    """The clock, the reach and the number of keys at a switch are those of the log."""
    world = moved_world()
    record = first(world, Switched)
    found = read(record.value or b"")
    assert isinstance(found, Switched)
    change(world, record, msgspec.structs.replace(found, **{name: getattr(found, name) + 1}))
    assert world.audit().faults.get(Fault.RELAYOUT, 0) > 0


def test_a_switch_that_lacks_is_found() -> None:
    """A relayout comes into force in every partition, or it did not come into force."""
    world = moved_world()
    world.log.delete(TOPICS.changelog, first(world, Switched))
    findings = world.audit()
    texts = [detail.text for detail in findings.details if detail.kind is Fault.RELAYOUT]
    assert "there is no switch to 6 partitions" in texts


def test_an_id_that_is_accepted_again_behind_a_relayout_is_found() -> None:
    """A worker that forgot what was moved accepts a resend, and the audit says so."""
    world = moved_world()
    world.place(viewed(3, 3, occurredAt=world.now_ms))
    world.run_blind()
    findings = world.audit()
    assert findings.faults.get(Fault.ACCEPTED_TWICE) == 1, findings.to_json()


def test_records_of_a_layout_that_never_was_are_found() -> None:
    """Behind the switch, the old layout is as wrong as any other."""
    world = moved_world()
    for record in world.log.all(TOPICS.changelog)[::-1]:
        found = read(record.value or b"")
        if not isinstance(found, Moved | Switched):
            old = msgspec.structs.replace(found, layout=layout(3))
            world.log.replace(TOPICS.changelog, record, value=changelog.encode(old))
            break
    assert world.audit().faults.get(Fault.CHANGELOG_LAYOUT) == 1


def test_a_gap_behind_a_relayout_is_judged_by_the_new_layout() -> None:
    """Where the log of what was judged since is lost, that is all that is wrong."""
    world = moved_world()
    for record in world.log.all(TOPICS.changelog):
        found = read(record.value or b"")
        if not isinstance(found, Moved | Switched) and found.layout == layout(6):
            world.log.delete(TOPICS.changelog, record)
    findings = world.audit()
    assert findings.faults.keys() == {Fault.CHANGELOG_GAP}, findings.to_json()


def test_a_relayout_that_retention_has_cut_is_told() -> None:
    """Where records from before are gone that counted then, the audit says what it can't prove."""
    world = moved_world()
    records = world.log.topics[TOPICS.changelog][0]
    world.log.cut(TOPICS.changelog, 0, records[1].offset)
    ingest = world.log.topics[TOPICS.ingest][0]
    deltas = [read(record.value or b"") for record in records]
    start = getattr(deltas[1], "from_offset", 0)
    world.log.cut(TOPICS.ingest, 0, next(one.offset for one in ingest if one.offset >= start))
    findings = world.audit()
    assert findings.notices.get(Notice.RELAYOUT_EXPIRED, 0) > 0, findings.to_json()
    assert Fault.RELAYOUT not in findings.faults


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99])
@pytest.mark.parametrize("one", [True, False])
def test_what_retention_takes_is_no_fault_of_a_relayout(share: float, *, one: bool) -> None:
    """Wherever the changelog begins, in one partition or in all, nothing is said against it."""
    world = moved_world()
    for number, records in enumerate(world.log.topics[TOPICS.changelog]):
        if not one or number == 4:
            first = records[int(len(records) * share)].offset
            world.log.cut(TOPICS.changelog, number, first)
            world.log.cut(TOPICS.ingest, number, len(world.log.topics[TOPICS.ingest][number]))
    findings = world.audit()
    assert Fault.RELAYOUT not in findings.faults, findings.to_json()


def test_every_verdict_survives_a_relayout() -> None:
    """A log in which every verdict was given is exact before, and stays so."""
    old = busy()
    world = GrowingWorld()
    world.log, world.memories, world.now_ms = old.log, old.memories, old.now_ms
    before: Findings = world.exact()
    world.relayout(5)
    world.run()
    after = world.exact()
    sums = [
        sum(found.judged.get("accepted", 0) for found in one.partitions) for one in (before, after)
    ]
    assert sums[0] == sums[1] > 20
