"""What lies on the topic of dead letters, and whether it can be opened. Pure."""

from collections.abc import Iterator, Mapping

import msgspec

from loyaltystream.doctor.findings import Finding, Kind


class LetterFacts(msgspec.Struct, frozen=True):
    """The dead letters that were looked at.

    Attributes:
        topic: where they lie.
        open: how many nobody has dealt with.
        seen: how many were looked at.
        all_seen: whether there are no older ones.
        unopened: how many are sealed under a key that is not at hand, by its id.
    """

    topic: str
    open: int
    seen: int
    all_seen: bool
    unopened: Mapping[str, int] = {}


def of_letters(letters: LetterFacts) -> Iterator[Finding]:
    """Yield what waits for a person."""
    for key_id, count in sorted(letters.unopened.items()):
        yield Finding(
            Kind.LETTER_KEY,
            "letters.keys",
            f"{count} letters are sealed under key {key_id}, which is not there: they can't be "
            f"opened or sent again here",
            f'export LOYALTYSTREAM_LETTERS__KEYS=\'{{"{key_id}": "..."}}\', beside the others',
        )
    if letters.open:
        of = "" if letters.all_seen else f" of the last {letters.seen}"
        yield Finding(
            Kind.DEAD_LETTERS,
            letters.topic,
            f"{letters.open}{of} letters wait for a person",
            "loyaltystream dead-letters stats",
        )
