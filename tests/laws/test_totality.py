"""Whatever the bytes are, a record is judged, once, and harms nobody."""

from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.events import Header, Record
from loyaltystream.rules import Rules
from loyaltystream.verdicts import DEAD_VERDICTS
from tests.core import (
    DIALECTS,
    GOOD,
    NOW_MS,
    TOPICS,
    Partition,
    header,
    ingest,
    outputs,
    raw,
    read_event,
    read_letter,
)
from tests.laws.strategies import BYTES, HEADERS, LAW

GOOD_BYTES = raw(GOOD | {"eventId": "a good one"})


@LAW
@given(BYTES, st.none() | st.binary(max_size=5), HEADERS, st.integers(-1, NOW_MS))
def test_no_bytes_make_judging_raise(
    value: bytes | None, key: bytes | None, headers: list[Header], timestamp_ms: int
) -> None:
    """Any value, key, headers and time get exactly one verdict, and nothing raises."""
    judge = ingest(Rules(dialects=DIALECTS), partitions=3)
    plan = Partition(judge).judge([Record(0, 0, timestamp_ms, key, value, headers)])
    assert plan.tally.consumed == 1
    dead = sum(plan.tally.verdicts[verdict] for verdict in DEAD_VERDICTS)
    letters = outputs(plan, TOPICS.dead_letter)
    assert len(letters) == dead
    for letter in letters:
        content = read_letter(letter.value)
        assert content["value"]["bytes"] == value
        assert [held["value"]["bytes"] for held in content["headers"]] == [v for _, v in headers]
        assert content["violations"][0]["code"] == header(letter, "reason")
    for output in outputs(plan, TOPICS.emf):
        read_event(output.value)


@LAW
@given(BYTES, st.builds(Rules, strict_fields=st.booleans(), dialects=st.just(DIALECTS)))
def test_a_poisoned_record_leaves_its_neighbours_alone(value: bytes | None, rules: Rules) -> None:
    """A good event is accepted with the same bytes, whatever lies before it."""
    good = Record(0, 1, NOW_MS, None, GOOD_BYTES, ())
    alone = Partition(ingest(rules)).judge([good])
    behind = Partition(ingest(rules)).judge([Record(0, 0, NOW_MS, None, value, ()), good])
    event = outputs(alone, TOPICS.emf)[0]
    assert event in outputs(behind, TOPICS.emf)


@LAW
@given(BYTES)
def test_judging_twice_is_judging_the_same(value: bytes | None) -> None:
    """A verdict hangs on the log alone: judged again from the same state, all bytes are equal."""
    record = Record(0, 0, NOW_MS, None, value, ())
    one, other = (Partition(ingest(Rules(dialects=DIALECTS))) for _ in range(2))
    assert one.judge([record]).outputs == other.judge([record]).outputs
