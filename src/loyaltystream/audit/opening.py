"""A dead letter's record in, what it were if nothing of it were sealed out. Pure.

What is expected is made without a seal, so an audit needs no word of which key was active when.
"""

from typing import Final

import msgspec

from loyaltystream.audit.stamp import Stamp, stamp
from loyaltystream.avro import schemas
from loyaltystream.avro.wire import FRAME_BYTES, schema_id_of
from loyaltystream.errors import SchemaError
from loyaltystream.events import Record
from loyaltystream.sealing.originals import Table, is_sealed, unseal
from loyaltystream.sealing.ring import KeyRing, Locked
from loyaltystream.verdicts import Violation

LOCKED: Final = Stamp(0, 0, bytes(16))
"""Of a letter whose content nobody here can tell."""


def stamp_letter(record: Record, ring: KeyRing) -> Stamp:
    """Return the stamp of a letter as if it were not sealed; `LOCKED` without the key for it.

    One that was altered, or whose own record has a key all the same, keeps the stamp of what is
    there, which no event makes.
    """
    opened = _opened(record, ring)
    return LOCKED if opened is None else stamp(opened.key, opened.value, opened.headers)


def _opened(record: Record, ring: KeyRing) -> Record | None:
    letter = _read(record.value or b"")
    if letter is None or not is_sealed(letter) or record.key is not None:
        return record
    unsealed = unseal(letter, ring)
    if isinstance(unsealed, Locked):
        return None if unsealed is Locked.NO_KEY else record
    value = schemas.encode(schemas.load(schemas.DEAD_LETTER), unsealed.letter)
    frame = (record.value or b"")[:FRAME_BYTES]
    return msgspec.structs.replace(record, key=unsealed.key, value=frame + value)


def _read(value: bytes) -> Table | None:
    if isinstance(schema_id_of(value), Violation):
        return None
    try:
        return schemas.decode(schemas.load(schemas.DEAD_LETTER), None, value[FRAME_BYTES:])
    except SchemaError:
        return None
