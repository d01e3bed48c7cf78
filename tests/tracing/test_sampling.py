"""Which records are traced, and that stages agree about it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.events import Record
from loyaltystream.topology import SourceHeaders
from loyaltystream.tracing.context import Parent, made_span_id, made_trace_id
from loyaltystream.tracing.sampling import sampler_of_ingest, sampler_of_notify
from tests.core import NOW_MS, TOPICS, record
from tests.tracing.town import PRODUCER, TRACED, UNTRACED


def routed(arrived: Record, offset: int, *headers: tuple[str, bytes]) -> Record:
    """Return a record as INGEST routes it on."""
    src = SourceHeaders(TOPICS.ingest, arrived.partition, 7).header(arrived.offset, 0)
    return Record(arrived.partition, offset, NOW_MS, None, b"", [src, *headers])


def test_the_producer_decides() -> None:
    """A context that says recorded is gone on with, and one that says the opposite is not."""
    records = [record(b"", 0, headers=[TRACED]), record(b"", 1, headers=[UNTRACED]), record(b"", 2)]
    for share, more in ((0.0, set[int]()), (1.0, {2})):
        found = sampler_of_ingest(TOPICS.ingest, share).sample(records)
        assert found.keys() == {0} | more
        assert found[0] == PRODUCER


def test_what_is_no_context_counts_as_none() -> None:
    """An event with a broken header is drawn as if it had none, in both stages."""
    broken = ("traceparent", b"00-1-2-01")
    arrived = record(b"", 5, headers=[broken])
    assert sampler_of_ingest(TOPICS.ingest, 1.0).sample([arrived]).keys() == {5}
    assert sampler_of_notify(1.0).sample([routed(arrived, 9, broken)]).keys() == {9}


@given(
    st.lists(st.tuples(st.integers(0, 63), st.integers(0, 2**40)), max_size=30),
    st.floats(0, 1),
)
def test_both_stages_choose_the_same_events(places: list[tuple[int, int]], share: float) -> None:
    """An event without a context is traced through both stages or in neither, as one trace."""
    for partition, offset in places:
        arrived = Record(partition, offset, NOW_MS, None, b"")
        judged = sampler_of_ingest(TOPICS.ingest, share).sample([arrived])
        notified = sampler_of_notify(share).sample([routed(arrived, 4)])
        place = (TOPICS.ingest, partition, offset)
        if judged:
            assert judged == {offset: Parent(made_trace_id(*place))}
            assert notified == {4: Parent(made_trace_id(*place), made_span_id("ingest", *place))}
        else:
            assert notified == {}


@pytest.mark.parametrize("share", [0.001, 0.01, 0.3])
@pytest.mark.parametrize("partition", [0, 1, 11])
def test_a_share_is_a_share(share: float, partition: int) -> None:
    """Of a hundred thousand events in a row as many are traced as the share says."""
    records = [Record(partition, 3 * offset, NOW_MS, None, b"") for offset in range(100_000)]
    found = len(sampler_of_ingest(TOPICS.ingest, share).sample(records))
    assert abs(found - share * 100_000) < 40


def test_an_event_that_names_no_source_is_not_drawn() -> None:
    """What somebody else wrote into the routed topic begins no trace of ours."""
    foreign = [record(b""), record(b"", 1, headers=[("src", b"here")])]
    assert sampler_of_notify(1.0).sample(foreign) == {}
