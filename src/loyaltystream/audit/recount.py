"""The recount of one input partition: how many records were found to be what. Pure."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from loyaltystream.audit.findings import PartitionFindings, Place
from loyaltystream.audit.found import Found
from loyaltystream.audit.judge import Judgement
from loyaltystream.audit.stage import Span
from loyaltystream.verdicts import Verdict


class Recount(msgspec.Struct):
    """Counts that grow as an audit walks along; the attributes are those of the result."""

    stage: str
    place: Place
    consumed: int = 0
    unaccounted: int = 0
    expired: int = 0
    replayed: int = 0
    found: Counter[str] = msgspec.field(default_factory=Counter)
    judged: Counter[str] = msgspec.field(default_factory=Counter)
    reasons: Counter[str] = msgspec.field(default_factory=Counter)

    def count(self, judgement: Judgement, found: Sequence[Found], *, expired: bool) -> None:
        """Count one record: by its outputs, and by what it should have become."""
        self.consumed += 1
        self.replayed += judgement.read.replayed
        self.judged[judgement.verdict.value] += 1
        self.reasons.update(reason.value for reason in judgement.reasons)
        if outcomes := {output.outcome for output in found}:
            # A record with outputs of two verdicts counts for both, and the sum fails.
            self.found.update(outcomes)
        elif judgement.verdict is Verdict.TOMBSTONE:
            self.found[Verdict.TOMBSTONE.value] += 1
        elif expired:
            self.expired += 1
        else:
            self.unaccounted += 1

    def clear(self) -> None:
        """Begin anew: what was counted is not proven."""
        self.consumed = self.unaccounted = self.expired = self.replayed = 0
        for counter in (self.found, self.judged, self.reasons):
            counter.clear()

    def close(self, span: Span, first: int, lag: int) -> PartitionFindings:
        """Return the counts of [first, committed), and how many records wait behind it."""
        return PartitionFindings(
            stage=self.stage,
            topic=self.place.topic,
            partition=self.place.partition,
            retained_from=span.first,
            first=first,
            committed=span.committed or 0,
            lag=lag,
            consumed=self.consumed,
            found=dict(sorted(self.found.items())),
            judged=dict(sorted(self.judged.items())),
            reasons=dict(sorted(self.reasons.items())),
            unaccounted=self.unaccounted,
            expired=self.expired,
            replayed=self.replayed,
        )
