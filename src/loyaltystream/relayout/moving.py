"""A survey in, the records of a relayout out, transaction by transaction. Does I/O: reads the log.

A transaction holds what was read of one partition, in one chunk, and goes into all partitions that
it belongs to. Which chunk that was stands in each of its records, so that another run goes on
behind the last one that committed.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from loyaltystream.errors import StateError
from loyaltystream.memory.changelog import Delta
from loyaltystream.memory.moving import Chunk
from loyaltystream.memory.relaid import Moved, Switched, encode, read
from loyaltystream.relayout.survey import Log, Survey
from loyaltystream.topology import Output

CHUNK_IDS: Final = 100_000
"""2.4 MB: below what a record may have, even if all of it goes into one partition."""


class Transaction(list[Output]):
    """The records of one transaction.

    Attributes:
        ids: how many keys they move.
    """

    ids = 0


def transactions(
    log: Log, topic: str, survey: Survey, *, chunk_ids: int = CHUNK_IDS
) -> Iterator[Transaction]:
    """Yield what is still to be moved; each has to be committed before the next is asked for.

    Args:
        log: the topics.
        topic: the changelog's name.
        survey: of it, with what was moved before.
        chunk_ids: how many keys are moved at a time.
    """
    if survey.is_done:
        return
    clocks_ms = survey.clocks_ms
    for number in sorted(survey.standings):
        for chunk in _chunks(log, topic, number, survey, chunk_ids):
            moved = chunk.moved(survey.after, clocks_ms)
            if moved:
                yield _to_transaction(topic, moved)


def switch(topic: str, survey: Survey, starts: dict[int, int]) -> Transaction:
    """Return what brings the new layout into force, everywhere at once.

    Args:
        topic: the changelog's name.
        survey: of it, after everything was moved.
        starts: for partitions that were never read, the offset to begin at.

    Raises:
        StateError: if anything else was moved than had to be.
    """
    if survey.before is None:
        raise StateError("nothing is remembered: there is nothing to switch")
    if survey.due != survey.moved:
        due, moved = sum(survey.due.values()), sum(survey.moved.values())
        raise StateError(
            f"{due} ids had to be moved, and {moved} or others were: nothing is switched, and the "
            f"memory is as it was; name another topics.changelog only if you mean to lose it"
        )
    clocks_ms, covers_from_ms = survey.clocks_ms, survey.covers_from_ms
    ids: Counter[int] = Counter()
    for (number, _, _), count in survey.moved.items():
        ids[number] += count
    made = Transaction()
    for number in range(survey.after.partitions):
        standing = survey.standings.get(number)
        reached = standing.next_offset if standing else None
        switched = Switched(
            layout=survey.after,
            partitions_before=survey.before.partitions,
            offset=starts.get(number, 0) if reached is None else reached,
            clock_ms=clocks_ms[number],
            covers_from_ms=covers_from_ms[number],
            ids=ids[number],
        )
        made.append(Output(topic, None, encode(switched), number, []))
    return made


def _chunks(log: Log, topic: str, number: int, survey: Survey, chunk_ids: int) -> Iterator[Chunk]:
    chunk = Chunk(number)
    start = survey.standings[number].moved_to
    for record in log.records(topic, number, start, survey.ends[number]):
        entry = read(record.value or b"")
        if not isinstance(entry, Delta | Moved) or entry.layout != survey.before:
            continue
        ids = sum(len(section.entries) for section in entry.sections)
        if chunk.ids and chunk.ids + ids > chunk_ids:
            yield chunk
            chunk = Chunk(number)
        chunk.add(entry.sections, entry.clock_ms, record.offset)
    if chunk.ids:
        yield chunk


def _to_transaction(topic: str, moved: dict[int, Moved]) -> Transaction:
    made = Transaction(
        Output(topic, None, encode(one), number, []) for number, one in sorted(moved.items())
    )
    made.ids = sum(len(part.entries) for one in moved.values() for part in one.sections)
    return made
