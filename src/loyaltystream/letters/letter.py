"""A record of the dead-letter topic in, what it says out. Pure, but for asking the registry."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from loyaltystream.audit.findings import Place
from loyaltystream.audit.source import Source, source_of
from loyaltystream.avro import schemas
from loyaltystream.avro.event_reader import WriterSchemas
from loyaltystream.avro.wire import FRAME_BYTES, schema_id_of
from loyaltystream.errors import SchemaError
from loyaltystream.events import Check, Header, Record
from loyaltystream.sealing.originals import PLAIN, Table, Unsealed, content_of, unseal
from loyaltystream.sealing.ring import NO_KEYS, KeyRing, Locked
from loyaltystream.verdicts import Verdict, Violation

INGEST: Final = "ingest"
"""The stage whose letters hold events as they arrived."""


class Complaint(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One thing that was wrong, as the letter has it."""

    code: str
    path: str
    message: str
    vendor_code: int | None = None


class Original(msgspec.Struct, frozen=True):
    """The record that became a letter, as far as it can be read.

    Attributes:
        value: its bytes; None: it had none, or they can't be opened.
        alg: how they are sealed; none: they are not.
        key_id: under which key.
        locked: why they can't be opened; None: they could.
        size: of the whole value, however much of it was kept.
        sha256: of the whole value, where only its beginning was kept.
    """

    value: bytes | None
    key: bytes | None
    headers: Sequence[Header]
    alg: str
    size: int
    truncated: bool
    sha256: str | None
    key_id: str | None = None
    locked: Locked | None = None

    @property
    def told(self) -> str | None:
        """Why it can't be opened, and the key that it is under; None: it could."""
        return None if self.locked is None else f"{self.locked.value} ({self.key_id})"


class Letter(msgspec.Struct, frozen=True):
    """A dead letter.

    Attributes:
        place: where it lies.
        written_ms: when it was written.
        source: the record that was judged; None: it does not say.
        origin: where its event first arrived, and when.
        complaint_count: how many there were, those beyond the first 100 included.
    """

    place: Place
    written_ms: int
    source: Source | None
    stage: str
    verdict: str
    origin: Place
    origin_ms: int
    org_id: int | None
    event_name: str | None
    event_id: str | None
    version: int | None
    complaints: tuple[Complaint, ...]
    complaint_count: int
    original: Original

    @property
    def reasons(self) -> tuple[str, ...]:
        """Their codes, each once."""
        return tuple(dict.fromkeys(found.code for found in self.complaints))

    @property
    def held_by(self) -> Check | None:
        """The one check that holds its event for a person; None: more is wrong with it."""
        if self.verdict == Verdict.LATE:
            return Check.LATE
        if self.verdict != Verdict.CONFLICT:
            return None
        by_key = any(found.path == "fields" for found in self.complaints)
        return Check.UNIQUE_KEY if by_key else Check.EVENT_ID

    def arrived(self) -> Record | None:
        """Return the event as it first arrived, at the letter's place.

        None where the letter holds none that can be read: cut, sealed, or of another stage.
        """
        held = self.original
        if self.stage != INGEST or held.truncated or not held.value:
            return None
        partition, offset = self.place.partition, self.place.offset
        return Record(partition, offset, self.origin_ms, held.key, held.value, tuple(held.headers))


class LetterReader:
    """Reads letters by the schemas that they were written with.

    Args:
        writer_schema: gives the schema of an id.
        ring: the keys that open sealed originals.
    """

    def __init__(self, writer_schema: WriterSchemas, ring: KeyRing = NO_KEYS) -> None:
        self._writer_schema = writer_schema
        self._ring = ring

    def read(self, topic: str, record: Record) -> Letter | str:
        """Return the letter in a record of that topic, or why there is none."""
        value = record.value or b""
        schema_id = schema_id_of(value)
        if isinstance(schema_id, Violation):
            return schema_id.detail
        try:
            writer = self._writer_schema(schema_id)
            if writer is None:
                return f"the registry has no schema {schema_id}"
            known = schemas.load(schemas.DEAD_LETTER)
            read = schemas.decode(writer, known, value[FRAME_BYTES:])
        except SchemaError as error:
            return str(error)
        return _letter(topic, record, read, _original(read, self._ring))


def _letter(topic: str, record: Record, read: Table, original: Original) -> Letter:
    return Letter(
        place=Place(topic, record.partition, record.offset),
        written_ms=record.timestamp_ms,
        source=source_of(record.headers),
        stage=read["stage"],
        verdict=read["verdict"],
        origin=Place(read["originTopic"], read["originPartition"], read["originOffset"]),
        origin_ms=_milliseconds(read["originTimestamp"]),
        org_id=read["orgId"],
        event_name=read["eventName"],
        event_id=read["eventId"],
        version=read["definitionVersion"],
        complaints=tuple(
            Complaint(found["code"], found["path"], found["message"], found["vendorCode"])
            for found in read["violations"]
        ),
        complaint_count=read["violationCount"],
        original=original,
    )


def _original(read: Table, ring: KeyRing) -> Original:
    sealed, unsealed = read["value"], unseal(read, ring)
    held = unsealed.letter if isinstance(unsealed, Unsealed) else {**read, "value": None}
    return Original(
        value=content_of(held["value"]),
        key=content_of(held["key"]),
        headers=[(one["name"], content_of(one["value"]) or b"") for one in held["headers"]],
        alg=PLAIN if sealed is None else sealed["alg"],
        size=held["valueBytes"],
        truncated=held["truncated"],
        sha256=held["valueSha256"],
        key_id=None if sealed is None else sealed["keyId"],
        locked=unsealed if isinstance(unsealed, Locked) else None,
    )


def _milliseconds(moment: datetime | int) -> int:
    """Return epoch milliseconds of what Avro's reader made of a time."""
    if isinstance(moment, int):
        return moment
    return round(moment.timestamp() * 1000)
