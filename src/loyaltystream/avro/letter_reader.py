"""A dead letter in, the event that it holds out. Pure."""

import msgspec

from loyaltystream.avro import schemas
from loyaltystream.avro.wire import FRAME_BYTES, schema_id_of
from loyaltystream.errors import SchemaError
from loyaltystream.events import Record
from loyaltystream.verdicts import Violation


def event_of_letter(letter: Record) -> Record | None:
    """Return the event of a letter of stage ingest as it first arrived.

    None where it holds none that can be read: cut, encrypted, or of another stage or form.
    """
    value = letter.value
    if value is None or isinstance(schema_id_of(value), Violation):
        return None
    try:
        read = schemas.decode(schemas.load(schemas.DEAD_LETTER), None, value[FRAME_BYTES:])
    except SchemaError:
        return None
    sealed = read["value"]
    if read["stage"] != "ingest" or read["truncated"] or not sealed or sealed["alg"] != "none":
        return None
    moment_ms = round(read["originTimestamp"].timestamp() * 1000)
    return msgspec.structs.replace(
        letter, value=sealed["bytes"], timestamp_ms=moment_ms, key=None, headers=()
    )
