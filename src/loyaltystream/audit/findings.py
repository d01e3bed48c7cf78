"""What an audit found: counts per partition, and everything that does not add up, by name. Pure.

A fault disproves exactness; a notice is worth knowing and disproves nothing.
"""

from collections import Counter
from enum import StrEnum
from typing import Final

import msgspec

DETAILS: Final = 20
"""How many findings of a kind are told in full; the counts are always true."""


class Fault(StrEnum):
    """Why a log is not exact."""

    MISSING = "MISSING"
    REPEATED = "REPEATED"
    MISROUTED = "MISROUTED"
    WRONG_VERDICT = "WRONG_VERDICT"
    WRONG_CONTENT = "WRONG_CONTENT"
    UNEXPECTED = "UNEXPECTED"
    NO_SOURCE = "NO_SOURCE"
    OUT_OF_ORDER = "OUT_OF_ORDER"
    ACCEPTED_TWICE = "ACCEPTED_TWICE"
    OFFSET_SKIPPED = "OFFSET_SKIPPED"
    CHANGELOG_GAP = "CHANGELOG_GAP"
    CHANGELOG_OVERLAP = "CHANGELOG_OVERLAP"
    CHANGELOG_DAMAGED = "CHANGELOG_DAMAGED"
    CHANGELOG_LAYOUT = "CHANGELOG_LAYOUT"
    CHANGELOG_IDS = "CHANGELOG_IDS"
    CHANGELOG_CLOCK = "CHANGELOG_CLOCK"
    CHANGELOG_END = "CHANGELOG_END"
    RELAYOUT = "RELAYOUT"
    UNPROVEN = "UNPROVEN"
    SEALED = "SEALED"


class Notice(StrEnum):
    """What is worth knowing of an exact log."""

    SAME_ID_OTHER_CUSTOMER = "SAME_ID_OTHER_CUSTOMER"
    OTHER_DEFINITION = "OTHER_DEFINITION"
    OUTPUT_EXPIRED = "OUTPUT_EXPIRED"
    MEMORY_EXPIRED = "MEMORY_EXPIRED"
    RELAYOUT_EXPIRED = "RELAYOUT_EXPIRED"
    NEVER_READ = "NEVER_READ"
    NOT_AUDITED = "NOT_AUDITED"
    OLDER_RELEASE = "OLDER_RELEASE"


EXPLANATIONS: Final[dict[Fault | Notice, str]] = {
    Fault.MISSING: "an output that its event must have is not there",
    Fault.REPEATED: "the same output stands in a topic more than once",
    Fault.MISROUTED: "the right output in the wrong topic or partition",
    Fault.WRONG_VERDICT: "an event was judged to be something else than it is",
    Fault.WRONG_CONTENT: "an output's key, value or headers are not what its event makes them",
    Fault.UNEXPECTED: "an output that no judged record causes",
    Fault.NO_SOURCE: "an output without a usable src header",
    Fault.OUT_OF_ORDER: "an output stands before one of an earlier record",
    Fault.ACCEPTED_TWICE: "an eventId was accepted again for one customer",
    Fault.OFFSET_SKIPPED: "records were passed over: committed, but never judged",
    Fault.CHANGELOG_GAP: "a changelog record is missing; its events were judged",
    Fault.CHANGELOG_OVERLAP: "changelog records cover the same offsets",
    Fault.CHANGELOG_DAMAGED: "a changelog record can't be read",
    Fault.CHANGELOG_LAYOUT: "a changelog record was made under another layout",
    Fault.CHANGELOG_IDS: "a changelog record does not hold the ids of the accepted events",
    Fault.CHANGELOG_CLOCK: "a changelog record holds another clock than the log's",
    Fault.CHANGELOG_END: "the changelog does not end at the committed offset",
    Fault.RELAYOUT: "a relayout did not move exactly what was remembered",
    Fault.UNPROVEN: "the retained records do not suffice for a proof",
    Fault.SEALED: "a letter's content was not compared: letters.keys lacks the key of its original",
    Notice.SAME_ID_OTHER_CUSTOMER: "the same id was accepted under another customer",
    Notice.OTHER_DEFINITION: "judged by another definition version than the one in force",
    Notice.OUTPUT_EXPIRED: "the output was removed by its topic's retention",
    Notice.MEMORY_EXPIRED: "a resend of an event from before the retained changelog",
    Notice.RELAYOUT_EXPIRED: "a relayout of what retention has removed since",
    Notice.NEVER_READ: "records from before the offset that the group was told to begin at",
    Notice.NOT_AUDITED: "outputs of stage notify, which this audit does not derive",
    Notice.OLDER_RELEASE: "written by an older release: there once, and its value not compared",
}
"""One clause for each kind of finding, for people."""


class Place(msgspec.Struct, frozen=True, order=True):
    """Where a record stands."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        """Return topic/partition/offset."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class Detail(msgspec.Struct, frozen=True, omit_defaults=True):
    """One finding: `place` is the record that is judged, `output` what was found for it."""

    kind: Fault | Notice
    place: Place
    text: str
    output: Place | None = None
    event_id: str | None = None


class PartitionFindings(msgspec.Struct, frozen=True):
    """The recount of one input partition, in [first, committed).

    Attributes:
        retained_from: the first offset that the topic still holds.
        first: the first offset that could be judged again.
        lag: how many records wait behind the committed offset.
        consumed: how many records lie in the range.
        found: how many records had outputs of each verdict; a tombstone has none.
        judged: verdicts of the independent judge.
        reasons: its reasons.
        unaccounted: records that no output, nor a missing value, accounts for.
        expired: records whose outputs were removed by retention.
        replayed: records that are letters which people sent again, as we signed.
    """

    stage: str
    topic: str
    partition: int
    retained_from: int
    first: int
    committed: int
    lag: int
    consumed: int
    found: dict[str, int]
    judged: dict[str, int]
    reasons: dict[str, int]
    unaccounted: int = 0
    expired: int = 0
    replayed: int = 0

    @property
    def adds_up(self) -> bool:
        """Whether every consumed record has exactly one verdict among the records found."""
        return not self.unaccounted and self.consumed == sum(self.found.values()) + self.expired


class Findings(msgspec.Struct, frozen=True):
    """The result of an audit; counts are true, details are the first of each kind."""

    partitions: list[PartitionFindings]
    faults: dict[Fault, int]
    notices: dict[Notice, int]
    details: list[Detail]

    @property
    def exact(self) -> bool:
        """Whether nothing at all speaks against exactly once, and the sums hold."""
        return not self.faults and all(partition.adds_up for partition in self.partitions)

    def to_json(self) -> str:
        """Return all of it as JSON, with what follows from it."""
        partitions = [
            msgspec.to_builtins(found) | {"adds_up": found.adds_up} for found in self.partitions
        ]
        whole = {"exact": self.exact, **msgspec.to_builtins(self), "partitions": partitions}
        return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode()


class Ledger:
    """Collects findings while an audit runs."""

    def __init__(self) -> None:
        self.counts: Counter[Fault | Notice] = Counter()
        self.details: list[Detail] = []

    def wants(self, kind: Fault | Notice) -> bool:
        """Say whether the next finding of that kind is told in full."""
        return self.counts[kind] < DETAILS

    def report(self, detail: Detail) -> None:
        """Count a finding, and keep it if it is among the first of its kind."""
        if self.wants(detail.kind):
            self.details.append(detail)
        self.counts[detail.kind] += 1

    def close(self, partitions: list[PartitionFindings]) -> Findings:
        """Return everything that was reported."""
        return Findings(
            partitions,
            {kind: self.counts[kind] for kind in Fault if self.counts[kind]},
            {kind: self.counts[kind] for kind in Notice if self.counts[kind]},
            sorted(self.details, key=lambda detail: list(EXPLANATIONS).index(detail.kind)),
        )
