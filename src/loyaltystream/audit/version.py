"""Routed values and letters in, the definition version that they were judged by out. Pure.

Only the first three fields of a `BehavioralEvent` are read (orgId, eventName, definitionVersion):
decoding the whole would cost ten times as much, and the audit compares bytes anyway.
"""

from typing import Final, NamedTuple

from loyaltystream.avro import schemas
from loyaltystream.avro.wire import FRAME_BYTES, schema_id_of
from loyaltystream.definitions.registry import Definitions
from loyaltystream.errors import SchemaError
from loyaltystream.verdicts import Violation

_LONGEST_BITS: Final = 70


class Judged(NamedTuple):
    """Which definition an output names; `version` None: no definition was found."""

    org_id: int
    event_name: str
    version: int | None

    def is_foreign(self, definitions: Definitions) -> bool:
        """Say whether nothing is known of this version, so that nothing can be judged by it."""
        return not definitions.knows(self.org_id, self.event_name, self.version)


def of_event(value: bytes | None) -> Judged | None:
    """Return what a framed `BehavioralEvent` was judged by, or None where it can't be read."""
    if value is None or isinstance(schema_id_of(value), Violation):
        return None
    try:
        org_id, place = _long(value, FRAME_BYTES)
        length, place = _long(value, place)
        if length < 0:
            return None
        name = value[place : place + length].decode()
        version, _ = _long(value, place + length)
    except (IndexError, ValueError):  # cut off, a number that is none, or not Unicode
        return None
    return Judged(org_id, name, version)


def of_letter(value: bytes | None) -> Judged | None:
    """Return what a framed `DeadLetter` was judged by, or None where that can't be told."""
    if value is None or isinstance(schema_id_of(value), Violation):
        return None
    try:
        letter = schemas.decode(schemas.load(schemas.DEAD_LETTER), None, value[FRAME_BYTES:])
    except SchemaError:
        return None
    org_id, name = letter["orgId"], letter["eventName"]
    return (
        None
        if org_id is None or name is None
        else Judged(org_id, name, letter["definitionVersion"])
    )


def _long(value: bytes, place: int) -> tuple[int, int]:
    """Return Avro's long at that place, and the place after it.

    Raises:
        ValueError: if it is longer than a number of 64 bits.
    """
    number = shift = 0
    while shift < _LONGEST_BITS:
        group = value[place]
        number |= (group & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if group < 0x80:
            return (number >> 1) ^ -(number & 1), place
    raise ValueError("a number of more than 64 bits")
