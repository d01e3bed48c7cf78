"""The registry's wire format: a zero byte, a schema's id in four, then Avro. Pure."""

import struct
from typing import Final

from loyaltystream.verdicts import Reason, Violation

_FRAME = struct.Struct(">bI")
FRAME_BYTES: Final = _FRAME.size


def frame(schema_id: int) -> bytes:
    """Return the five bytes that stand before a value written by that schema."""
    return _FRAME.pack(0, schema_id)


def schema_id_of(value: bytes) -> int | Violation:
    """Return the id of the schema that `value` was written by."""
    if len(value) < FRAME_BYTES or value[0] != 0:
        return Violation(Reason.AVRO_FRAME, "", "not in the registry's wire format")
    return int(_FRAME.unpack_from(value)[1])
