"""What holds once all is quiet, whatever happened: each effect of the log, exactly once."""

from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

from loyaltystream.errors import StateError
from loyaltystream.events import SOURCE_HEADER, Record
from loyaltystream.memory.changelog import decode
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.memory.recovery import restore
from loyaltystream.topology import Output
from tests.core import DEFINITIONS, TOPICS, layout, pending
from tests.simulation.story import PARTITIONS, Sent
from tests.simulation.world import ALL_TOPICS, JUDGE, Parts, StuckError, World

STEPS: Final = 120
Effect = tuple[str, bytes | None, bytes | None, bytes]
"""Topic, key, value, and which output of which record it is."""


def broken_law(seed: int, story: Sequence[Sent], parts: Parts) -> str | None:
    """Return which law a schedule breaks, or None."""
    world = World(Random(seed), story, parts)
    try:
        world.suffer(STEPS)
        world.rest()
    except StateError as error:
        return f"refused: {error}"
    except StuckError:
        return "stuck"
    for name, law in LAWS.items():
        if not law(world):
            return name
    return None


def effects_once(world: World) -> bool:
    """Say whether the committed outputs are those of an undisturbed run, each exactly once."""
    meant = Counter(
        effect
        for partition in range(PARTITIONS)
        for output in _undisturbed(world, partition)[0]
        for effect in _effects(output.topic, [output])
    )
    return meant == Counter(
        effect
        for topic in ALL_TOPICS
        for partition in range(PARTITIONS)
        for effect in _effects(topic, world.broker.records(topic, partition))
    )


def offsets_exact(world: World) -> bool:
    """Say whether each committed offset is the one after the last record, and no other."""
    meant = {
        partition: records[-1].offset + 1
        for partition in range(PARTITIONS)
        if (records := _consumed(world, partition))
    }
    return world.group.offsets == meant


def memory_is_fold(world: World) -> bool:
    """Say whether the changelog restores what an undisturbed run remembers."""
    for partition, offset in world.group.offsets.items():
        log = [record.value or b"" for record in world.broker.records(TOPICS.changelog, partition)]
        found = restore(log, layout(PARTITIONS), committed=offset, fresh=lambda: 0)
        if found.remembered() != _undisturbed(world, partition)[1].remembered():
            return False
    return True


def changelog_tiled(world: World) -> bool:
    """Say whether the changelog's records follow one another without gap or overlap."""
    for partition in range(PARTITIONS):
        ends = [0]
        for record in world.broker.records(TOPICS.changelog, partition):
            delta = decode(record.value or b"")
            if delta.from_offset != ends[-1]:
                return False
            ends.append(delta.to_offset)
    return True


def generations_rise(world: World) -> bool:
    """Say whether, along the records of a source, no output is of an earlier owner."""
    for topic in (TOPICS.emf, TOPICS.ei):
        for partition in range(PARTITIONS):
            owners = sorted(
                (int(offset), int(generation))
                for record in world.broker.records(topic, partition)
                for _, _, offset, _, generation in [_source(record).split(b"/")]
                if _source(record).split(b"/")[1] == str(partition).encode()
            )
            generations = [generation for _, generation in owners]
            if generations != sorted(generations):
                return False
    return True


LAWS: Final = {
    "every effect once": effects_once,
    "offsets exact": offsets_exact,
    "the changelog has no gap": changelog_tiled,
    "the memory is the log's": memory_is_fold,
    "owners follow one another": generations_rise,
}


def _consumed(world: World, partition: int) -> list[Record]:
    return list(world.broker.records(TOPICS.ingest, partition))


def _undisturbed(world: World, partition: int) -> tuple[list[Output], PartitionMemory]:
    memory = PartitionMemory(layout(PARTITIONS), 0)
    records = _consumed(world, partition)
    if not records:
        return [], memory
    plan = JUDGE.judge(records, memory=memory, definitions=DEFINITIONS, generation=0)
    memory.expect(pending(plan))
    memory.remember()
    return [found for found in plan.outputs if found.topic != TOPICS.changelog], memory


def _effects(topic: str, records: Iterator[Record] | Sequence[Output]) -> Iterator[Effect]:
    for record in records:
        if source := _source(record):
            yield topic, record.key, record.value, source.rpartition(b"/")[0]


def _source(record: Record | Output) -> bytes:
    return dict(record.headers).get(SOURCE_HEADER, b"")
