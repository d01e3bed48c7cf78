"""Records of `EMFConsumer` in, the notifications that they cause out. Pure.

An event's notifications are made all or not at all: what can't be mapped is a dead letter with
everything that is wrong (design.md section 2). One that was sent again because of that names the
version of its definition that may map it instead.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import (
    QUIET_HEADER,
    SOURCE_HEADER,
    Header,
    Origin,
    Record,
    ResendingOf,
    no_resending,
)
from loyaltystream.notifications.mapping import map_event
from loyaltystream.notifications.program import Notification
from loyaltystream.steps.stages import HEADER_ALLOWANCE, Rejected
from loyaltystream.verdicts import Reason, Violation

Read = Callable[[bytes], dict[str, Any] | Violation]


class Encoded(msgspec.Struct, frozen=True, gc=False):
    """A notification as it is written: framed Avro, and the headers that are its own.

    Made at once, while all of it is in the processor's cache, and nothing else is kept of it.
    """

    key: bytes | None
    value: bytes
    headers: list[Header]


Encode = Callable[[Notification], Encoded]


class NotifiedBatch(msgspec.Struct, frozen=True):
    """After mapping: every record is in exactly one of the lists; silent ones cause nothing."""

    notified: list[tuple[Record, list[Encoded]]]
    silent: list[Record]
    rejected: list[Rejected]
    tombstones: list[Record]


class Notifier(msgspec.Struct, frozen=True):
    """What mapping a batch depends on.

    Attributes:
        topic: that the records are read from.
        definitions: in force.
        read: decodes a record's value.
        encode: writes a notification.
        max_record_bytes: what the topic of notifications takes.
        resending_of: tells which records were sent again.
    """

    topic: str
    definitions: Definitions
    read: Read
    encode: Encode
    max_record_bytes: int
    resending_of: ResendingOf = no_resending

    def notify(self, records: Sequence[Record]) -> NotifiedBatch:
        """Return what becomes of the records of one partition, in offset order."""
        batch = NotifiedBatch([], [], [], [])
        clock_ms = 0
        for record in records:
            clock_ms = max(clock_ms, record.timestamp_ms)
            if record.value is None:
                batch.tombstones.append(record)
                continue
            made = self._notify_of(record, record.value, clock_ms)
            if isinstance(made, Rejected):
                batch.rejected.append(made)
            elif made:
                batch.notified.append((record, made))
            else:
                batch.silent.append(record)
        return batch

    def _notify_of(self, record: Record, value: bytes, clock_ms: int) -> list[Encoded] | Rejected:
        event = self.read(value)
        if isinstance(event, Violation):
            return Rejected(record, self._origin_of(record, clock_ms), clock_ms, (event,))
        org_id, event_name, event_id = event["orgId"], event["eventName"], event["eventId"]
        made = self._map(record, event, version := event["definitionVersion"])
        if isinstance(made, tuple) and (again := self.resending_of(record)) and again.version:
            # What its own version can't map now either, the one that was mended for it may.
            made = self._map(record, event, version := again.version)
        if isinstance(made, list):
            return made
        compiled = self.definitions.of_version(org_id, event_name, version)
        return Rejected(
            record,
            self._origin_of(record, clock_ms),
            clock_ms,
            made,
            org_id=org_id,
            event_name=event_name,
            event_id=event_id,
            version=compiled.definition.version if compiled else None,
        )

    def _map(
        self, record: Record, event: dict[str, Any], version: int
    ) -> list[Encoded] | tuple[Violation, ...]:
        compiled = self.definitions.of_version(event["orgId"], event["eventName"], version)
        if compiled is None:
            detail = f"no definition of this name and version {version} in this org"
            return (Violation(Reason.UNKNOWN_EVENT, "eventName", detail),)
        if not compiled.rules or _is_quiet(record):
            return []
        source = _source_of(record)
        mapped = map_event(event, key=record.key, rules=compiled.rules, source=source)
        return self._encode(mapped) if isinstance(mapped, list) else mapped

    def _origin_of(self, record: Record, clock_ms: int) -> Origin:
        moment_ms = record.timestamp_ms if record.timestamp_ms > 0 else clock_ms
        return Origin(self.topic, record.partition, record.offset, moment_ms)

    def _encode(
        self, notifications: Sequence[Notification]
    ) -> list[Encoded] | tuple[Violation, ...]:
        encoded, violations = list[Encoded](), list[Violation]()
        room = self.max_record_bytes - HEADER_ALLOWANCE
        for notification in notifications:
            written = self.encode(notification)
            encoded.append(written)
            if (size := len(written.value) + len(written.key or b"")) > room:
                detail = f"a {notification.type.name} of {size} bytes"
                violations.append(Violation(Reason.TOO_LARGE, "", detail))
        return tuple(violations) or encoded


def _source_of(record: Record) -> bytes | None:
    """Return the header that says which record an event was judged as."""
    headers = record.headers
    if len(headers) == 1 and headers[0][0] == SOURCE_HEADER:
        return headers[0][1]
    return record.header(SOURCE_HEADER)


def _is_quiet(record: Record) -> bool:
    """Say whether INGEST wrote that an event shall cause nothing: as an import asked for it."""
    # Almost every record has `src` alone.
    return len(record.headers) > 1 and record.header(QUIET_HEADER) is not None
