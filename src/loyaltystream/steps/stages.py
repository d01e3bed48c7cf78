"""What the steps hand to each other: one type a stage, every record of a batch in exactly one.

Pure. Lists are in offset order, and the lengths of all lists of a stage add up to what came in.
"""

from typing import Final, TypeVar

import msgspec

from loyaltystream.events import Origin, Record, ValidEvent
from loyaltystream.memory.units import Overlay
from loyaltystream.verdicts import Reason, Verdict, Violation

T = TypeVar("T")

HEADER_ALLOWANCE: Final = 1024
"""Bytes that our own headers and the batch around a record may take."""


class Rejected(msgspec.Struct, frozen=True):
    """A record that becomes a dead letter: rejected, or held as a conflict or as late.

    What is known of its event helps to find the letter; `version` is its definition's.
    """

    record: Record
    origin: Origin
    clock_ms: int
    violations: tuple[Violation, ...]
    verdict: Verdict = Verdict.REJECTED
    org_id: int | None = None
    event_name: str | None = None
    event_id: str | None = None
    version: int | None = None

    @classmethod
    def of(
        cls, event: ValidEvent, violation: Violation, *, verdict: Verdict = Verdict.REJECTED
    ) -> "Rejected":
        """Return a valid event's rejection by a later step."""
        return cls(
            event.record,
            event.origin,
            event.clock_ms,
            (violation,),
            verdict,
            event.org_id,
            event.event_name,
            event.event_id,
            event.definition.version,
        )


class ReadBatch(msgspec.Struct):
    """Records after reading; `clock_ms` is the partition's clock after the last."""

    valid: list[ValidEvent]
    rejected: list[Rejected]
    tombstones: int
    clock_ms: int

    def add(self, judged: ValidEvent | Rejected) -> None:
        """Put one more where it belongs."""
        if isinstance(judged, ValidEvent):
            self.valid.append(judged)
        else:
            self.rejected.append(judged)


class Rekeyed(msgspec.Struct, frozen=True):
    """After re-keying; an astray event stands with the partition where it belongs.

    `key_hashes` has the murmur2 of the partition key of each event that is kept.
    """

    kept: list[ValidEvent]
    key_hashes: list[int]
    astray: list[tuple[ValidEvent, int]]
    rejected: list[Rejected]


class Duplicate(msgspec.Struct, frozen=True, gc=False):
    """An event that was seen, the kind of key that tells, and that key as text."""

    event: ValidEvent
    reason: Reason
    key_kind: str
    key_text: str


class Deduped(msgspec.Struct, frozen=True):
    """After deduplication.

    Attributes:
        accepted: events that were never seen.
        late: offsets of those that are routed although they are older than the memory.
        overlay: what to remember once the batch has committed.
    """

    accepted: list[ValidEvent]
    late: set[int]
    duplicates: list[Duplicate]
    rejected: list[Rejected]
    overlay: Overlay
