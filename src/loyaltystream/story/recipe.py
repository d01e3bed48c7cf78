"""How much of what a story holds, and what one sent record is. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from random import Random
from typing import Final

import msgspec

from loyaltystream.errors import ConfigurationError
from loyaltystream.events import Header
from loyaltystream.verdicts import Verdict

OPENING: Final = 100
"""So many new events open a story, as far as it has them: later ones have something to repeat."""


FEWEST: Final = 5
"""So many new events a story with repeats needs: one of each kind."""


class Intent(StrEnum):
    """What the producer of a record meant by it, or did wrong."""

    NEW = "new event"
    WRONG_KEY = "new event, wrong key"
    RESEND = "resend"
    REWRITTEN = "resend, written anew"
    CONFLICT = "same id, other content"
    SAME_UNIQUE_KEY = "same bill, new id"
    MALFORMED = "malformed"
    INVALID = "invalid"
    TOMBSTONE = "tombstone"

    @property
    def verdict(self) -> Verdict:
        """What such a record is judged to be, once it is in its right partition."""
        return _VERDICTS[self]


_VERDICTS: Final = {
    Intent.NEW: Verdict.ACCEPTED,
    Intent.WRONG_KEY: Verdict.ACCEPTED,
    Intent.RESEND: Verdict.DUPLICATE,
    Intent.REWRITTEN: Verdict.DUPLICATE,
    Intent.CONFLICT: Verdict.CONFLICT,
    Intent.SAME_UNIQUE_KEY: Verdict.DUPLICATE,
    Intent.MALFORMED: Verdict.REJECTED,
    Intent.INVALID: Verdict.REJECTED,
    Intent.TOMBSTONE: Verdict.TOMBSTONE,
}
REPEATS: Final = (Intent.RESEND, Intent.REWRITTEN, Intent.CONFLICT, Intent.SAME_UNIQUE_KEY)


class Sent(msgspec.Struct, frozen=True, gc=False):
    """One record as its producer sends it; a tombstone has no value."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]
    intent: Intent


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a story is made of; shares are of all its records, and met exactly.

    Attributes:
        events: how many records are sent.
        customers: how many people they are about; the n-th is seen about 1/n as often as the first.
        partitions: of the ingest topic; decides which keys are wrong enough to lead astray.
        resends: byte for byte, half of them right behind the original and half from far back.
        rewritten: resends with other key order and white space, which say the same.
        conflicts: the id of an earlier event with other content.
        unique_duplicates: a new id for a unique key that was seen.
        wrong_keys: new events under a key of another partition, or (every fourth) none at all.
        malformed: not JSON as RFC 8259 has it.
        invalid: JSON that no definition accepts.
        tombstones: records without a value.
    """

    events: int = 20_000
    customers: int = 2_000
    partitions: int = 6
    resends: float = 0.03
    rewritten: float = 0.01
    conflicts: float = 0.005
    unique_duplicates: float = 0.01
    wrong_keys: float = 0.05
    malformed: float = 0.01
    invalid: float = 0.015
    tombstones: float = 0.001

    def __post_init__(self) -> None:
        negative = [field.name for field in fields(self) if getattr(self, field.name) < 0]
        if negative or not self.customers or not self.partitions:
            raise ConfigurationError("a story's numbers are positive, and its shares not negative")
        counts = self.counts()
        if counts[Intent.NEW] < 0:
            raise ConfigurationError("the shares of a story add up to more than all its events")
        if any(counts[repeat] for repeat in REPEATS) and counts[Intent.NEW] < FEWEST:
            raise ConfigurationError("a story that repeats events needs new events to repeat")

    def counts(self) -> dict[Intent, int]:
        """Return exactly how many records of each intent the story has."""
        shares = {
            Intent.WRONG_KEY: self.wrong_keys,
            Intent.RESEND: self.resends,
            Intent.REWRITTEN: self.rewritten,
            Intent.CONFLICT: self.conflicts,
            Intent.SAME_UNIQUE_KEY: self.unique_duplicates,
            Intent.MALFORMED: self.malformed,
            Intent.INVALID: self.invalid,
            Intent.TOMBSTONE: self.tombstones,
        }
        counts = {intent: round(self.events * share) for intent, share in shares.items()}
        return {Intent.NEW: self.events - sum(counts.values()), **counts}

    def schedule(self, random: Random) -> list[Intent]:
        """Return the intents in the order of sending: new events first, then all mixed."""
        counts = self.counts()
        opening = min(counts[Intent.NEW], OPENING)
        counts[Intent.NEW] -= opening
        rest = [intent for intent, count in counts.items() for _ in range(count)]
        random.shuffle(rest)
        return [Intent.NEW] * opening + rest


SHOP: Final = Recipe()
"""The demo's: 20,000 records, of which 13 in 100 are not what they should be."""

CARELESS: Final = Recipe(wrong_keys=0.30)
"""The same shop with producers that key nearly every third event by something else."""
