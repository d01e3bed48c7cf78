"""The five bytes before every Avro value."""

import pytest

from loyaltystream.avro.wire import frame, schema_id_of
from loyaltystream.verdicts import Reason, Violation


@pytest.mark.parametrize("schema_id", [0, 1, 2**31 - 1, 2**32 - 1])
def test_an_id_is_read_as_it_was_written(schema_id: int) -> None:
    """A zero byte, then the id, big-endian; what follows is not looked at."""
    assert frame(schema_id) == b"\0" + schema_id.to_bytes(4)
    assert schema_id_of(frame(schema_id) + b"rest") == schema_id


@pytest.mark.parametrize("value", [b"", b"\0", b"\0\0\0\1", b"\1\0\0\0\7x", b"{}   "])
def test_another_frame_is_a_reason(value: bytes) -> None:
    """Too short, or with another first byte, a value is in no frame of ours."""
    found = schema_id_of(value)
    assert isinstance(found, Violation)
    assert found.reason is Reason.AVRO_FRAME
