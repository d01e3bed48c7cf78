"""Outputs are found by what caused them, as surely as by reading all of them."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from loyaltystream.events import Record
from loyaltystream.why.seeking import caused_from
from tests.audit.world import MemoryLog
from tests.core import TOPICS
from tests.why.world import SearchedLog

OUTPUT = TOPICS.emf, 1


def written(seed: int) -> tuple[MemoryLog, list[tuple[int, int]]]:
    """Return a log whose outputs come from several partitions, each in order, with gaps."""
    chance = Random(seed)
    log, offsets, of_zero = MemoryLog(), [0, 0, 0], []
    share = chance.choice([1, 0.5, 0.02])
    for _ in range(chance.randrange(900)):
        partition = 0 if chance.random() < share else chance.choice([1, 2])
        offsets[partition] += chance.randrange(3)
        headers = [("src", f"in/{partition}/{offsets[partition]}/0/5".encode())]
        if chance.random() < 0.1:
            log.ends[OUTPUT] = log.ends.get(OUTPUT, 0) + chance.randrange(200)
        bare = chance.random() < 0.05
        record = log.append(OUTPUT[0], Record(OUTPUT[1], 0, 0, None, b"", () if bare else headers))
        if partition == 0 and not bare:
            of_zero.append((offsets[0], record.offset))
    return log, of_zero


@settings(deadline=None)
@given(st.integers(), st.integers(0, 900), st.integers(0, 2000))
def test_halving_finds_what_reading_finds(seed: int, wanted: int, first: int) -> None:
    """From any offset on, and behind any retention, the same outputs come in the same order."""
    log, of_zero = written(seed)
    log.cut(*OUTPUT, first)
    span = log.settled_bounds(OUTPUT[0])[OUTPUT[1]]
    found = caused_from(SearchedLog(log), OUTPUT, span, cause=("in", 0), offset=wanted)
    expected = [one for one in of_zero if one[0] >= wanted and one[1] >= first]
    assert [(source.offset, record.offset) for source, record in found] == expected
