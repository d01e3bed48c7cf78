"""Outputs are found by what caused them, as surely as by reading all of them."""

from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.events import Record
from loyaltystream.why.seeking import caused_from
from tests.audit.world import MemoryLog
from tests.core import TOPICS
from tests.why.world import SearchedLog

OUTPUT = TOPICS.emf, 1
CAUSES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 2), st.booleans()), max_size=400
)


def written(causes: list[tuple[int, int, int, bool]]) -> tuple[MemoryLog, list[tuple[int, int]]]:
    """Return a log whose outputs come from several partitions, each in order, with gaps."""
    log, offsets, of_zero = MemoryLog(), [0, 0, 0], []
    for partition, step, gap, bare in causes:
        offsets[partition] += step
        headers = [] if bare else [("src", f"in/{partition}/{offsets[partition]}/0/5".encode())]
        for _ in range(gap):
            log.mark(*OUTPUT)
        record = log.append(OUTPUT[0], Record(OUTPUT[1], 0, 0, None, b"", headers))
        if partition == 0 and not bare:
            of_zero.append((offsets[0], record.offset))
    return log, of_zero


@given(CAUSES, st.integers(0, 700), st.integers(0, 40))
def test_halving_finds_what_reading_finds(
    causes: list[tuple[int, int, int, bool]], wanted: int, first: int
) -> None:
    """From any offset on, and behind any retention, the same outputs come in the same order."""
    log, of_zero = written(causes)
    log.cut(*OUTPUT, first)
    span = log.settled_bounds(OUTPUT[0])[OUTPUT[1]]
    found = caused_from(SearchedLog(log), OUTPUT, span, cause=("in", 0), offset=wanted)
    expected = [one for one in of_zero if one[0] >= wanted and one[1] >= first]
    assert [(source.offset, record.offset) for source, record in found] == expected
