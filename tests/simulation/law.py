"""What holds once all is quiet, whatever happened, by the numbers of reliability.md section 2."""

from collections.abc import Callable

from loyaltystream.memory.changelog import decode
from tests.core import TOPICS
from tests.simulation.content import content_of
from tests.simulation.watch import caused, effects
from tests.simulation.world import World


class Final:
    """A world at rest.

    Attributes:
        sight: all committed records.
        caused: the outputs among them.
        effects: what they are, and how many times each.
        ends: the offset after each partition's last record.
        deltas: the changelog's records of each partition, with their offsets.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.observer = world.observer
        self.sight = world.observer.read()
        self.caused = caused(self.sight)
        self.effects = effects(self.caused)
        self.ends = {
            number: records[-1].offset + 1 if records else 0
            for (topic, number), records in self.sight.items()
            if topic == TOPICS.ingest
        }
        self.deltas = {
            number: [(record.offset, decode(record.value or b"")) for record in records]
            for (topic, number), records in self.sight.items()
            if topic == TOPICS.changelog
        }


def nothing_twice(final: Final) -> bool:
    """2: no two committed records are the same output of the same record."""
    return max(final.effects.values(), default=1) == 1


def every_effect(final: Final) -> bool:
    """1, 7: what is committed is what the input asks for, in every topic."""
    return final.effects == final.observer.due()


def offsets_exact(final: Final) -> bool:
    """5: each committed offset is the one after the last record, and no other."""
    return final.observer.group.offsets == final.ends


def seen_stays(final: Final) -> bool:
    """3: what an observer saw in between is the beginning of what there is."""
    return all(
        final.sight[place][: len(records)] == records
        for sight in final.observer.sights
        for place, records in sight.items()
    )


def order_kept(final: Final) -> bool:
    """4: along an output, the records of one source partition come in its order."""
    last: dict[tuple[tuple[str, int], int], tuple[int, int]] = {}
    for place, _, ((partition, offset, output), _) in final.caused:
        way = place, partition
        if (offset, output) <= last.get(way, (-1, -1)):
            return False
        last[way] = offset, output
    return True


def owners_follow(final: Final) -> bool:
    """12: along the records of a source partition no output is of an earlier owner."""
    made: dict[int, list[tuple[int, int]]] = {}
    for _, _, ((partition, offset, _), generation) in final.caused:
        made.setdefault(partition, []).append((offset, generation))
    for outputs in made.values():
        generations = [generation for _, generation in sorted(outputs)]
        if generations != sorted(generations):
            return False
    return True


def changelog_tiled(final: Final) -> bool:
    """9: the changelog's records follow one another without gap or overlap, up to the offset."""
    ends = dict.fromkeys(final.ends, 0)
    for number, deltas in final.deltas.items():
        for _, delta in deltas:
            if delta.from_offset != ends[number]:
                return False
            ends[number] = delta.to_offset
    return ends == final.ends


def memory_is_fold(final: Final) -> bool:
    """9, 10: what a partition's one owner remembers is what the log says, no more and no less."""
    owned: list[int] = []
    for worker in final.world.workers.values():
        for number in worker.runner._owned:
            owned.append(number)
            memory, end = worker.stage._memories[number], final.ends[number]
            due = final.observer.truth[number].extend(end).content()
            held = {unit: found for unit, found in content_of(memory).items() if found[0]}
            if memory.next_offset != end or held != due:
                return False
    return sorted(owned) == sorted(final.ends)


def counted_once(final: Final) -> bool:
    """6: what was counted is committed, is counted once, and with the verdicts of a recount.

    A process that dies takes what it did not count yet along; while none does, nothing is left out.
    """
    counted = final.observer.counted
    sure = [(count.number, count.end) for count in counted if count.by_member]
    at_rest = {
        (number, delta.to_offset)
        for number, deltas in final.deltas.items()
        for offset, delta in deltas
        if offset >= final.world.rested_from[number]
    }
    return (
        at_rest <= set(sure)
        and len(set(sure)) == len(sure)
        and all(
            {verdict: many for verdict, many in count.tally.verdicts.items() if many}
            == final.observer.truth[count.number].extend(count.end).verdicts(count.start, count.end)
            for count in counted
        )
    )


def nothing_hangs(final: Final) -> bool:
    """13: no transaction is open, and so everything is stable."""
    return not final.world.broker.transactions


LAWS: dict[str, Callable[[Final], bool]] = {
    "nothing appears twice": nothing_twice,
    "every effect appears": every_effect,
    "offsets are exact": offsets_exact,
    "what was seen stays": seen_stays,
    "order is kept": order_kept,
    "owners follow one another": owners_follow,
    "the changelog has no gap": changelog_tiled,
    "the memory is the log's": memory_is_fold,
    "everything is counted once": counted_once,
    "no transaction hangs": nothing_hangs,
}


def broken_law(world: World) -> str | None:
    """Let a schedule happen; return which law it breaks, or None."""
    try:
        world.suffer()
        rested = world.rest()
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, ValueError) as error:
        return f"nobody crashes: {type(error).__name__}"
    if world.observer.violations:
        return world.observer.violations[0]
    if not rested:
        return "work goes on"
    final = Final(world)
    return next((name for name, law in LAWS.items() if not law(final)), None)
