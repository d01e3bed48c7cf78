"""What a `traceparent` says, and the ids that are made where none says anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.tracing.context import (
    Context,
    Parent,
    made_span_id,
    made_trace_id,
    read_traceparent,
    write_traceparent,
)

TRACE_ID, SPAN_ID = 0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7
HEADER = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_header_says_trace_span_and_whether_it_is_recorded() -> None:
    """W3C's own example is read as it says, and its flags' lowest bit decides."""
    parent = Parent(TRACE_ID, SPAN_ID)
    assert read_traceparent(HEADER) == Context(parent, is_sampled=True)
    assert read_traceparent(HEADER[:-2] + b"02") == Context(parent, is_sampled=False)
    assert read_traceparent(HEADER[:-2] + b"03") == Context(parent, is_sampled=True)


def test_a_header_of_a_later_version_is_read_as_far_as_it_is_known() -> None:
    """What W3C adds behind the flags one day does not end a trace."""
    assert read_traceparent(b"cc" + HEADER[2:] + b"-what-comes") == read_traceparent(HEADER)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"t",
        HEADER + b"-what-comes",  # version 00 has nothing behind its flags
        HEADER.upper(),
        b"ff" + HEADER[2:],
        HEADER.replace(b"4bf92f3577b34da6a3ce929d0e0e4736", b"0" * 32),
        HEADER.replace(b"00f067aa0ba902b7", b"0" * 16),
        HEADER[:-1],
        HEADER + b"\n",
        HEADER.replace(b"-", b"_"),
    ],
)
def test_what_is_no_context_says_nothing(header: bytes) -> None:
    """A header that W3C calls invalid counts as none."""
    assert read_traceparent(header) is None


@given(st.binary(max_size=80))
def test_no_bytes_break_the_reading(header: bytes) -> None:
    """Whatever a producer puts there is read or says nothing."""
    read_traceparent(header)


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.sampled_from([0, 1]))
def test_what_is_written_is_read(trace_id: int, span_id: int, flags: int) -> None:
    """A context goes through its header unchanged."""
    context = Context(Parent(trace_id, span_id), is_sampled=bool(flags))
    assert read_traceparent(write_traceparent(context)) == context


def test_ids_are_the_same_in_every_process_and_release() -> None:
    """Stages know each other's ids by heart: making them otherwise would tear traces apart."""
    assert f"{made_trace_id('t', 3, 17):032x}" == "a5ca6580fdf33f8f069d3f9d05d6076c"
    assert f"{made_span_id('ingest', 't', 3, 17):016x}" == "5ebdb84f3da84327"
    assert made_span_id("notify", "t", 3, 17) != made_span_id("ingest", "t", 3, 17)
