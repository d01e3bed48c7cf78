"""Avro's primitives as text, held against fastavro."""

from io import BytesIO

import fastavro
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.avro.text import LENGTHS, STRINGS, string, zigzag
from tests.laws.strategies import LAW


def written(schema: str, value: object) -> bytes:
    """Return a value as fastavro writes it."""
    buffer = BytesIO()
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(schema), value)
    return buffer.getvalue()


@LAW
@given(st.integers(-(2**63), 2**63 - 1))
def test_a_long_is_that_of_fastavro(number: int) -> None:
    """Any 64-bit integer has the bytes that fastavro gives it."""
    assert zigzag(number).encode("latin-1") == written("long", number)


def test_lengths_are_longs() -> None:
    """The table of lengths holds Avro's longs, up to what a plain event can have."""
    assert len(LENGTHS) > 4096
    for number in (0, 1, 63, 64, 4096, len(LENGTHS) - 1):
        assert LENGTHS[number].encode("latin-1") == written("long", number)


@LAW
@given(st.text(st.characters(max_codepoint=127), max_size=200))
def test_a_string_is_that_of_fastavro(text: str) -> None:
    """ASCII text has the bytes that fastavro gives it."""
    assert string(text).encode("latin-1") == written("string", text)
    assert STRINGS[text] == string(text)
