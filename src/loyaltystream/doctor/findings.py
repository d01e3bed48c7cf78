"""What the doctor can find, how bad each is, and what comes of a look at everything. Pure."""

from enum import StrEnum
from typing import Final

import msgspec


class Severity(StrEnum):
    """How bad a finding is, the worst first."""

    OUTAGE = "outage"
    FAULT = "fault"
    WARNING = "warning"
    NOTICE = "notice"


EXIT_CODES: Final = {
    Severity.OUTAGE: 3,
    Severity.FAULT: 2,
    Severity.WARNING: 4,
    Severity.NOTICE: 0,
}
"""What the doctor ends with, by the worst that it found."""


class Kind(StrEnum):
    """What can be found."""

    BROKER_AWAY = "BROKER_AWAY"
    ADVERTISED_AWAY = "ADVERTISED_AWAY"
    REGISTRY_AWAY = "REGISTRY_AWAY"
    SETTINGS = "SETTINGS"
    TIMEOUTS = "TIMEOUTS"
    HASH_KEY_MISSING = "HASH_KEY_MISSING"
    HASH_KEY = "HASH_KEY"
    LAYOUT = "LAYOUT"
    DEFINITIONS = "DEFINITIONS"
    BROKER_OLD = "BROKER_OLD"
    TRANSACTIONS = "TRANSACTIONS"
    ACCESS = "ACCESS"
    TOPIC_MISSING = "TOPIC_MISSING"
    PARTITIONS = "PARTITIONS"
    TIMESTAMP_TYPE = "TIMESTAMP_TYPE"
    CLEANUP_POLICY = "CLEANUP_POLICY"
    RETENTION = "RETENTION"
    MESSAGE_BYTES = "MESSAGE_BYTES"
    TOPIC_SETTING = "TOPIC_SETTING"
    MIN_INSYNC = "MIN_INSYNC"
    UNWRITABLE = "UNWRITABLE"
    HANGING_TRANSACTION = "HANGING_TRANSACTION"
    SCHEMA_MISSING = "SCHEMA_MISSING"
    COMPATIBILITY_NONE = "COMPATIBILITY_NONE"
    STATE_DIR = "STATE_DIR"
    METRICS_PORT = "METRICS_PORT"
    ADDRESS_AWAY = "ADDRESS_AWAY"
    NO_DEFINITIONS = "NO_DEFINITIONS"
    AUTO_CREATE = "AUTO_CREATE"
    CLOCK_SKEW = "CLOCK_SKEW"
    FEW_COPIES = "FEW_COPIES"
    OUT_OF_SYNC = "OUT_OF_SYNC"
    NO_SPARE = "NO_SPARE"
    COMPATIBILITY_WEAK = "COMPATIBILITY_WEAK"
    DISK_ROOM = "DISK_ROOM"
    KEYS_BY_CRC32 = "KEYS_BY_CRC32"
    KEYS_ELSEWHERE = "KEYS_ELSEWHERE"
    KEYS_ABSENT = "KEYS_ABSENT"
    KEYS_FOREIGN = "KEYS_FOREIGN"
    UNOWNED = "UNOWNED"
    NOBODY_READS = "NOBODY_READS"
    LETTER_KEY = "LETTER_KEY"
    DEAD_LETTERS = "DEAD_LETTERS"


_OUTAGES: Final = frozenset({Kind.BROKER_AWAY, Kind.ADVERTISED_AWAY, Kind.REGISTRY_AWAY})
_WARNINGS: Final = frozenset(
    {
        Kind.ADDRESS_AWAY,
        Kind.NO_DEFINITIONS,
        Kind.AUTO_CREATE,
        Kind.CLOCK_SKEW,
        Kind.FEW_COPIES,
        Kind.OUT_OF_SYNC,
        Kind.NO_SPARE,
        Kind.COMPATIBILITY_WEAK,
        Kind.DISK_ROOM,
        Kind.KEYS_BY_CRC32,
        Kind.KEYS_ELSEWHERE,
        Kind.KEYS_ABSENT,
        Kind.KEYS_FOREIGN,
        Kind.UNOWNED,
        Kind.NOBODY_READS,
        Kind.LETTER_KEY,
    }
)


def severity_of(kind: Kind) -> Severity:
    """Return how bad a finding of that kind is; what is none of the others keeps workers out."""
    if kind in _OUTAGES:
        return Severity.OUTAGE
    if kind in _WARNINGS:
        return Severity.WARNING
    return Severity.NOTICE if kind is Kind.DEAD_LETTERS else Severity.FAULT


SOMEBODY: Final = "User:NAME"
"""Stands in a fix for whoever we are to the broker."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong.

    Attributes:
        place: the setting, topic, subject, group or path that it is about.
        what: what is so, and what it leads to.
        fix: a command or a setting, to be copied.
    """

    kind: Kind
    place: str
    what: str
    fix: str

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return severity_of(self.kind)


class Unseen(msgspec.Struct, frozen=True):
    """What could not be looked at, and why not."""

    what: str
    why: str


class Report(msgspec.Struct, frozen=True):
    """What came of a look at everything.

    Attributes:
        looked_at: what was looked at, in order.
        findings: the worst first.
        unseen: what was not looked at.
    """

    looked_at: list[str]
    findings: list[Finding]
    unseen: list[Unseen]

    @property
    def exit_code(self) -> int:
        """The code of the worst finding; 0: there is none but notices."""
        return EXIT_CODES[self.findings[0].severity] if self.findings else 0

    def to_json(self) -> str:
        """Return all of it as JSON, with the severities."""
        findings = [
            {"severity": found.severity.value, **msgspec.to_builtins(found)}
            for found in self.findings
        ]
        whole = {
            "healthy": not self.findings,
            "exit_code": self.exit_code,
            "findings": findings,
            "unseen": msgspec.to_builtins(self.unseen),
            "looked_at": self.looked_at,
        }
        return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode()


def report(looked_at: list[str], findings: list[Finding], unseen: list[Unseen]) -> Report:
    """Return the report, its findings ordered by how bad they are, then as they were found."""
    order = list(Severity)
    return Report(
        looked_at, sorted(findings, key=lambda found: order.index(found.severity)), unseen
    )
