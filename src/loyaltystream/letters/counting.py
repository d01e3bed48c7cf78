"""Letters in, how many there are of each kind out. Pure."""

from collections.abc import Iterable

import msgspec

from loyaltystream.letters.letter import Letter


class Kind(msgspec.Struct, frozen=True, order=True, rename="camel"):
    """What letters are counted by."""

    org_id: int
    event_name: str
    stage: str
    verdict: str
    reason: str


class Count(msgspec.Struct, rename="camel"):
    """How many letters of a kind there are, and when the first and the last were written."""

    kind: Kind
    letters: int = 0
    first_ms: int = 2**63 - 1
    last_ms: int = 0


class Counts(msgspec.Struct, frozen=True):
    """All letters, counted; one with several reasons counts for each of them."""

    letters: int
    counts: list[Count]


def count(letters: Iterable[Letter]) -> Counts:
    """Return the counts, the largest first; an unknown org is -1, an unknown name empty."""
    total, counts = 0, dict[Kind, Count]()
    for letter in letters:
        total += 1
        for reason in letter.reasons:
            org_id = -1 if letter.org_id is None else letter.org_id
            name = letter.event_name or ""
            kind = Kind(org_id, name, letter.stage, letter.verdict, reason)
            found = counts.setdefault(kind, Count(kind))
            found.letters += 1
            found.first_ms = min(found.first_ms, letter.written_ms)
            found.last_ms = max(found.last_ms, letter.written_ms)
    ordered = sorted(counts.values(), key=lambda found: (-found.letters, found.kind))
    return Counts(total, ordered)
