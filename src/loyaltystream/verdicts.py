"""What can become of an event: a closed list of verdicts and of reasons. Pure.

The codes are a contract with operators and dashboards: a code is never renamed or reused.
"""

from collections import Counter
from enum import StrEnum
from typing import Final

import msgspec


class Verdict(StrEnum):
    """What a consumed record was judged to be; every record gets exactly one."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    LATE = "late"
    REJECTED = "rejected"
    REKEYED = "rekeyed"
    TOMBSTONE = "tombstone"


class NotifyOutcome(StrEnum):
    """What came of a record of `EMFConsumer`; every record gets exactly one."""

    NOTIFIED = "notified"
    SILENT = "silent"
    UNMAPPED = "unmapped"
    TOMBSTONE = "tombstone"


class Reason(StrEnum):
    """Why a record was not simply accepted."""

    # The bytes.
    EMPTY = "EMPTY"
    NOT_OBJECT = "NOT_OBJECT"
    JSON_SYNTAX = "JSON_SYNTAX"
    JSON_NUMBER = "JSON_NUMBER"
    DUP_KEY = "DUP_KEY"
    DEPTH = "DEPTH"
    SIZE = "SIZE"
    ENCODING = "ENCODING"
    CTRL_CHAR = "CTRL_CHAR"
    # Its dialect, and where it came from.
    NO_DIALECT = "NO_DIALECT"
    NO_ORG = "NO_ORG"
    # The envelope and the fields.
    REQUIRED = "REQUIRED"
    TYPE = "TYPE"
    RANGE = "RANGE"
    FORMAT = "FORMAT"
    NOT_POSSIBLE = "NOT_POSSIBLE"
    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    UNKNOWN_EVENT = "UNKNOWN_EVENT"
    # Identity.
    NO_ID = "NO_ID"
    ID_FORMAT = "ID_FORMAT"
    NO_CUSTOMER = "NO_CUSTOMER"
    NO_KEY = "NO_KEY"
    MOBILE = "MOBILE"
    EMAIL = "EMAIL"
    # Time.
    TIME_FORMAT = "TIME_FORMAT"
    TIME_ZONE = "TIME_ZONE"
    TIME_FUTURE = "TIME_FUTURE"
    # Placement.
    ASTRAY_TWICE = "ASTRAY_TWICE"
    TOO_LARGE = "TOO_LARGE"
    # What the memory knows.
    DUPLICATE_EVENT_ID = "DUPLICATE_EVENT_ID"
    DUPLICATE_UNIQUE_KEY = "DUPLICATE_UNIQUE_KEY"
    CONFLICT = "CONFLICT"
    TOO_LATE = "TOO_LATE"
    # Between EMFConsumer and the notifications.
    AVRO_FRAME = "AVRO_FRAME"
    AVRO_DECODE = "AVRO_DECODE"
    SCHEMA_ID = "SCHEMA_ID"
    UNMAPPED = "UNMAPPED"


# The vendor's own numbers, where its documents have one that says the same (domain.md 4.4).
VENDOR_CODES: Final = {
    Reason.EMPTY: 7304,
    Reason.NOT_OBJECT: 7304,
    Reason.NO_DIALECT: 7304,
    Reason.UNKNOWN_EVENT: 7305,
    Reason.NO_ID: 7306,
    Reason.NO_CUSTOMER: 7307,
    Reason.MOBILE: 7308,
    Reason.EMAIL: 7308,
    Reason.NO_ORG: 7310,
}

DEAD_VERDICTS: Final = frozenset({Verdict.CONFLICT, Verdict.LATE, Verdict.REJECTED})
"""The verdicts whose record becomes a dead letter."""


class Violation(msgspec.Struct, frozen=True):
    """One thing wrong with a record: reason, JSON path, and a detail that holds no value of it."""

    reason: Reason
    path: str
    detail: str


EventName = tuple[int | None, str | None]
"""An org and the name of an event of its; None: the record does not tell."""


class Tally(msgspec.Struct):
    """How many records got which verdict and reason.

    INGEST gives each record a verdict, NOTIFY an outcome; the other counter stays empty.

    Attributes:
        events: verdicts by org and event, tombstones left out: they have neither.
        event_reasons: reasons, likewise.
        notifications: what was made, by type.
        appended: how many records the broker appended at which epoch millisecond.
    """

    verdicts: Counter[Verdict] = msgspec.field(default_factory=Counter)
    reasons: Counter[Reason] = msgspec.field(default_factory=Counter)
    outcomes: Counter[NotifyOutcome] = msgspec.field(default_factory=Counter)
    events: Counter[tuple[EventName, Verdict]] = msgspec.field(default_factory=Counter)
    event_reasons: Counter[tuple[EventName, Reason]] = msgspec.field(default_factory=Counter)
    notifications: Counter[str] = msgspec.field(default_factory=Counter)
    appended: Counter[int] = msgspec.field(default_factory=Counter)

    def __add__(self, other: "Tally") -> "Tally":
        """Return the sum of both."""
        return Tally(
            self.verdicts + other.verdicts,
            self.reasons + other.reasons,
            self.outcomes + other.outcomes,
            self.events + other.events,
            self.event_reasons + other.event_reasons,
            self.notifications + other.notifications,
            self.appended + other.appended,
        )

    @property
    def consumed(self) -> int:
        """How many records were judged: the sum over all verdicts and outcomes."""
        return sum(self.verdicts.values()) + sum(self.outcomes.values())
