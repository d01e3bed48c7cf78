"""A rejected record in, the framed Avro `DeadLetter` out. Pure."""

from hashlib import sha256
from typing import Any, Final

from loyaltystream.avro import schemas
from loyaltystream.avro.wire import frame
from loyaltystream.events import Record
from loyaltystream.sealing.originals import plain, seal
from loyaltystream.sealing.ring import NO_KEYS, KeyRing
from loyaltystream.steps.stages import Rejected
from loyaltystream.verdicts import VENDOR_CODES, Violation

MAX_VIOLATIONS: Final = 100
KEPT_BYTES: Final = 65_536
ALLOWANCE_BYTES: Final = 262_144
"""How much larger than the records of the ingest topic a letter may be."""

_MAX_TEXT: Final = 512
_HEADER_BYTES: Final = 16
"""What a header takes in a letter beyond its name and value."""


class LetterEncoder:
    """Encodes the dead letters of one stage.

    Args:
        stage: `ingest` or `notify`.
        schema_id: the id that the registry gave the schema.
        max_record_bytes: records larger than this (value, key, headers) are truncated.
        ring: seals the originals, if one of its keys does.
    """

    def __init__(
        self, stage: str, schema_id: int, max_record_bytes: int, *, ring: KeyRing = NO_KEYS
    ) -> None:
        self._stage = stage
        self._frame = frame(schema_id)
        self._max_record_bytes = max_record_bytes
        self._ring = ring

    def key(self, record: Record) -> bytes | None:
        """Return the key of the letter's own record: it may name a customer, so none if sealed."""
        return record.key if self._ring.active is None else None

    def encode(self, rejected: Rejected) -> bytes:
        """Return the framed letter."""
        record, origin = rejected.record, rejected.origin
        letter = {
            "stage": self._stage,
            "verdict": rejected.verdict.value,
            "originTopic": origin.topic,
            "originPartition": origin.partition,
            "originOffset": origin.offset,
            "originTimestamp": origin.timestamp_ms,
            "orgId": rejected.org_id,
            "eventName": _cut(rejected.event_name),
            "eventId": _cut(rejected.event_id),
            "definitionVersion": rejected.version,
            "violations": [_violation(found) for found in rejected.violations[:MAX_VIOLATIONS]],
            "violationCount": len(rejected.violations),
            "valueBytes": len(record.value or b""),
            **(self._whole(record) if self._fits(record) else _part(record)),
        }
        sealed = seal(letter, record.key, self._ring)
        return self._frame + schemas.encode(schemas.load(schemas.DEAD_LETTER), sealed)

    def _fits(self, record: Record) -> bool:
        headers = sum(
            len(name.encode()) + len(value or b"") + _HEADER_BYTES for name, value in record.headers
        )
        # The key stands in the letter, and is the letter's own as well.
        size = len(record.value or b"") + 2 * len(record.key or b"") + headers
        return size <= self._max_record_bytes

    def _whole(self, record: Record) -> dict[str, Any]:
        return {
            "value": plain(record.value),
            "key": plain(record.key),
            "headers": [{"name": name, "value": plain(value)} for name, value in record.headers],
        }


def _part(record: Record) -> dict[str, Any]:
    value = record.value or b""
    return {
        "value": plain(value[:KEPT_BYTES]),
        "truncated": True,
        "valueSha256": sha256(value).hexdigest(),
    }


def _violation(violation: Violation) -> dict[str, Any]:
    return {
        "code": violation.reason.value,
        "vendorCode": VENDOR_CODES.get(violation.reason),
        "path": violation.path[:_MAX_TEXT],
        "message": violation.detail[:_MAX_TEXT],
    }


def _cut(text: str | None) -> str | None:
    return text[:_MAX_TEXT] if text else None
