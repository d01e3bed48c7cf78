"""A record's bytes in, a value that JSON can hold out, or why there is none. Pure.

The registry is asked for writers' schemas through a function. Whatever is wrong with a record is
told in its place: no bytes make this raise.
"""

import math
import struct
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from loyaltystream.avro import schemas
from loyaltystream.avro.schemas import Schema
from loyaltystream.avro.wire import FRAME_BYTES, schema_id_of
from loyaltystream.dialects.strict_json import MAX_DEPTH, parse
from loyaltystream.errors import LoyaltyStreamError
from loyaltystream.memory.changelog import Delta, Layout
from loyaltystream.memory.relaid import Entry, Moved, read
from loyaltystream.memory.units import Section
from loyaltystream.sealing.originals import Table, unseal
from loyaltystream.sealing.ring import NO_KEYS, KeyRing, Locked
from loyaltystream.verdicts import Violation

JSON: Final = "json"
DELTA: Final = "delta"
MOVED: Final = "moved"
SWITCHED: Final = "switched"
BYTES: Final = "bytes"
TOMBSTONE: Final = "tombstone"
UNDECODABLE: Final = "undecodable"

_AVRO_ROLES: Final = frozenset({"emf", "ei", "notifications", "dead_letter"})
_JSON_ROLES: Final = frozenset({"ingest", "duplicates"})
_MAX_BYTES: Final = 2**31

FindSchema = Callable[[int], Schema | None]
"""Returns the schema of an id, or None if there is none."""


class Content(msgspec.Struct, frozen=True):
    """What a value holds.

    Attributes:
        kind: an Avro record's full name, or one of the words above.
        value: what JSON can hold; bytes are text, or `{"base64": ...}` where they are none.
        problem: why it could not be decoded; `value` is then all its bytes.
        locked: why a letter's original could not be opened; `value` is then as it stands there.
    """

    kind: str
    value: Any
    problem: str | None = None
    locked: str | None = None


Read = Callable[[bytes | None], Content]


def reader_of(role: str | None, find: FindSchema, ring: KeyRing = NO_KEYS) -> Read:
    """Return what decodes the values of the topic of that role; None: of any topic.

    Args:
        role: of the topic.
        find: returns writers' schemas.
        ring: opens the originals of sealed letters.
    """

    def read_any(value: bytes) -> Content:
        if value[:1] == b"\0":
            return _read_avro(value, find, ring)
        return _read_json(value) if value[:1] == b"{" else Content(BYTES, plain(value))

    def read_value(value: bytes | None) -> Content:
        if value is None:
            return Content(TOMBSTONE, None)
        if role in _AVRO_ROLES:
            return _read_avro(value, find, ring)
        if role in _JSON_ROLES:
            return _read_json(value)
        return _read_changelog(value) if role == "changelog" else read_any(value)

    return read_value


def plain(value: object, depth: int = 0) -> Any:  # noqa: ANN401 (any JSON value)
    """Return a decoded value as JSON can hold it."""
    made: Any = value
    if depth > MAX_DEPTH:
        made = f"(nested deeper than {MAX_DEPTH} levels)"
    elif isinstance(value, bytes):
        made = _text(value)
    elif isinstance(value, dict):
        made = {str(key): plain(child, depth + 1) for key, child in value.items()}
    elif isinstance(value, list | tuple):
        made = [plain(child, depth + 1) for child in value]
    elif isinstance(value, datetime):
        made = value.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
    elif isinstance(value, float):
        made = value if math.isfinite(value) else str(value)
    elif not isinstance(value, bool | int | str | None):
        made = str(value)
    return made


def _text(value: bytes) -> str | dict[str, str]:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(value).decode()}


def _undecodable(value: bytes, why: str) -> Content:
    return Content(UNDECODABLE, plain(value), why)


def _read_json(value: bytes) -> Content:
    found = parse(value, max_bytes=_MAX_BYTES)
    if isinstance(found, Violation):
        return _undecodable(value, f"{found.reason.value}: {found.detail}")
    return Content(JSON, plain(found))


def _read_avro(value: bytes, find: FindSchema, ring: KeyRing) -> Content:
    schema_id = schema_id_of(value)
    if isinstance(schema_id, Violation):
        return _undecodable(value, schema_id.detail)
    try:
        schema = find(schema_id)
        if schema is None:
            return _undecodable(value, f"the registry has no schema {schema_id}")
        if schema["name"] == schemas.DEAD_LETTER:
            known = schemas.load(schemas.DEAD_LETTER)
            return _opened(schemas.decode(schema, known, value[FRAME_BYTES:]), ring)
        return Content(schema["name"], plain(schemas.decode(schema, None, value[FRAME_BYTES:])))
    except LoyaltyStreamError as error:
        return _undecodable(value, f"schema {schema_id}: {error}")


def _opened(letter: Table, ring: KeyRing) -> Content:
    unsealed = unseal(letter, ring)
    if isinstance(unsealed, Locked):
        return Content(schemas.DEAD_LETTER, plain(letter), locked=unsealed.value)
    return Content(schemas.DEAD_LETTER, plain(unsealed.letter))


def _read_changelog(value: bytes) -> Content:
    try:
        return _tell(read(value))
    except (LoyaltyStreamError, ValueError, struct.error) as error:
        return _undecodable(value, str(error))


def _tell(entry: Entry) -> Content:
    """Return what a record of the changelog says: of its keys only how many there are."""
    layout = {"layout": _tell_layout(entry.layout)}
    clock = {"clockMs": entry.clock_ms}
    if isinstance(entry, Moved):
        span = {"fromChangelogOffset": entry.from_offset, "toChangelogOffset": entry.to_offset}
        keys = {"moved": _tell_sections(entry.sections)}
        return Content(MOVED, {"sourcePartition": entry.source, **span, **clock, **keys, **layout})
    clock["coversFromMs"] = entry.covers_from_ms
    if isinstance(entry, Delta):
        span = {"fromOffset": entry.from_offset, "toOffset": entry.to_offset}
        keys = {"accepted": _tell_sections(entry.sections)}
        return Content(DELTA, {**span, **clock, **keys, **layout})
    before = {"partitionsBefore": entry.partitions_before, "movedHere": entry.ids}
    return Content(SWITCHED, {"fromOffset": entry.offset, **clock, **before, **layout})


def _tell_sections(sections: list[Section]) -> list[dict[str, Any]]:
    return [
        {
            "kind": unit.kind.name,
            "windowDays": unit.window_days,
            "generationCode": code,
            "keys": len(entries),
        }
        for unit, code, entries in sections
    ]


def _tell_layout(layout: Layout) -> dict[str, Any]:
    return {
        "hashCheck": layout.hash_check.hex(),
        "keyRule": layout.key_rule,
        "partitions": layout.partitions,
    }
