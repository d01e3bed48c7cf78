"""The reader that is made for events, held against fastavro."""

from typing import Any

import pytest
from hypothesis import event as note
from hypothesis import given, settings
from hypothesis import strategies as st

from loyaltystream.avro import schemas
from loyaltystream.avro.event_reader import own_reader
from loyaltystream.avro.quick_reader import compile_reader
from loyaltystream.errors import SchemaError
from tests.avro.test_compiled import values
from tests.laws.strategies import LAW

_SCHEMA, _READ = own_reader()
_EVENTS = values(_SCHEMA, {}, odd=0)
_PIECES = st.binary(max_size=3) | st.sampled_from(
    [
        b"\x00",
        b"\x01",
        b"\x02\xff",
        b"\x80\x00",
        b"\xff" * 9 + b"\x01",
        b"\x03\x04",
        b"\x01\x02\x00",
    ]
)


def written(event: dict[str, Any]) -> bytes | None:
    """Return an event as fastavro writes it, None for texts that are not Unicode."""
    try:
        return schemas.encode(_SCHEMA, event)
    except SchemaError:
        return None


@settings(LAW, max_examples=100)
@given(_EVENTS)
def test_an_event_is_read_as_fastavro_reads_it(event: dict[str, Any]) -> None:
    """What was written is read the quick way, to the same values of the same types."""
    content = written(event)
    if content is None:
        return
    found = _READ(b"12345" + content, 5)
    note("left to fastavro" if found is None else "read")
    if found is not None:
        assert repr(found) == repr(schemas.decode(_SCHEMA, None, content))


@settings(LAW, max_examples=200)
@given(_EVENTS, st.lists(st.tuples(st.integers(0, 200), st.integers(0, 3), _PIECES), max_size=2))
def test_what_fastavro_refuses_is_not_read(
    event: dict[str, Any], changes: list[tuple[int, int, bytes]]
) -> None:
    """Cut, or with other bytes in them, events are read as fastavro does, or not at all."""
    content = written(event)
    if content is None:
        return
    for at, cut, piece in changes:
        place = at % (len(content) + 1)
        content = content[:place] + piece + content[place + cut :]
    found = _READ(content, 0)
    try:
        expected = schemas.decode(_SCHEMA, None, content)
    except SchemaError:
        assert found is None
        note("refused")
        return
    note("left to fastavro" if found is None else "read")
    assert found is None or repr(found) == repr(expected)


_PLAIN: dict[str, Any] = {
    "orgId": -5,
    "eventName": "thing",
    "definitionVersion": 300,
    "dialect": "canonical",
    "eventIdOrigin": "SUPPLIED",
    "occurredAtOrigin": "INGEST",
    "eventId": "é" * 70,
    "occurredAt": 1_764_000_000_000,
    "ingestedAt": 0,
    "customer": {
        "identifiers": [{"type": "t", "value": "v", "source": "s", "accountId": "x" * 64}],
        "profile": {"a": "b"},
    },
    "fields": {"a": None, "b": True, "c": -(2**61), "d": 5.5, "e": "", "f": False},
    "nested": {"x": "{}"},
    "tillCode": "T",
    "referral": {"code": None, "referrerId": "r"},
    "loyaltyCard": {"code": "c"},
    "createCustomer": False,
}


def test_an_event_of_every_part_takes_the_quick_way() -> None:
    """Nothing that INGEST writes is left to fastavro, and no cut of it is taken for an event."""
    content = written(_PLAIN)
    assert content is not None
    assert _READ(content, 0) == schemas.decode(_SCHEMA, None, content)
    assert all(_READ(content[:end], 0) is None for end in range(len(content)))
    assert _READ(content + b"\x00", 0) is None


def test_every_single_byte_is_read_alike() -> None:
    """With any one byte changed, an event is what fastavro takes it for, or left to it."""
    content = written(_PLAIN)
    assert content is not None
    for place in range(len(content)):
        for byte in (0, 1, 2, 3, 0x7F, 0x80, 0x81, 0xC3, 0xFF):
            changed = content[:place] + bytes([byte]) + content[place + 1 :]
            found = _READ(changed, 0)
            if found is not None:
                assert repr(found) == repr(schemas.decode(_SCHEMA, None, changed))


def test_a_schema_of_another_kind_has_no_reader() -> None:
    """A reader that could not read its schema is not made."""
    record = {"type": "record", "name": "A", "fields": [{"name": "b", "type": "bytes"}]}
    with pytest.raises(SchemaError, match="no reader can be made for an Avro bytes"):
        compile_reader(record)
