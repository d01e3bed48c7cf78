"""What people did with a letter, as the compacted topic of letters' states has it.

Pure, but for reading that topic. A record's key names the letter, as partition/offset; its value is
the last word on it.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from loyaltystream.audit.findings import Place
from loyaltystream.events import Record
from loyaltystream.letters.choosing import Log
from loyaltystream.topology import Output


class Step(StrEnum):
    """What became of a letter; one that nobody touched is open.

    Of one that a newer version dealt with, it may not be known.
    """

    OPEN = "open"
    REPAIRED = "repaired"
    REPLAYED = "replayed"
    RELEASED = "released"
    DISCARDED = "discarded"
    UNKNOWN = "unknown"


DONE = frozenset({Step.REPLAYED, Step.RELEASED, Step.DISCARDED, Step.UNKNOWN})
"""Nothing more is done with such a letter."""


class LetterState(
    msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True
):
    """The last word on a letter.

    Attributes:
        at_ms: since when, by the clock of who did it.
        patch: of a repaired letter: what a replay changes, as RFC 6902 has it.
        attempt: of a letter that was sent again: the how-manieth time for its event.
        reason: of a released or a discarded letter.
    """

    state: Step
    at_ms: int = 0
    patch: Any = None
    attempt: int = 0
    reason: str | None = None

    def told(self, since: str = "") -> str:
        """Return it in words, with the moment since when, if one is given."""
        told = [f"{self.state.value} {since}".strip()]
        told += [f"attempt {self.attempt}"] if self.attempt else []
        told += [self.reason] if self.reason else []
        return ", ".join(told)


OPEN = LetterState(Step.OPEN)
UNKNOWN = LetterState(Step.UNKNOWN)
IMPORT_KEYS: Final = b"import/"
"""What the keys of imports begin with: they are written down on the same topic."""

REEMIT_KEYS: Final = b"re-emit/"
"""Likewise those of re-emissions."""

_decode = msgspec.json.Decoder(LetterState).decode


class Word(msgspec.Struct, frozen=True):
    """What a record of the topic says of a letter; `state` is None: nothing any more.

    Attributes:
        letter: its name.
        is_read: whether the record could be read; if not, the letter's state is not known.
    """

    letter: str
    state: LetterState | None
    is_read: bool = True


def word_of(record: Record) -> Word | None:
    """Return what a record says, or None if it is about an import or a re-emission."""
    if (record.key or b"").startswith((IMPORT_KEYS, REEMIT_KEYS)):
        return None
    # No letter has a name that is not ASCII.
    name = (record.key or b"").decode("ascii", "replace")
    if record.value is None:
        return Word(name, None)
    try:
        return Word(name, _decode(record.value))
    except msgspec.MsgspecError:
        # Open, it would be sent again against a word that a newer version understands.
        return Word(name, UNKNOWN, is_read=False)


class States:
    """The states of all letters that anybody touched."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._states: dict[str, LetterState] = {}
        self.unreadable = 0
        """How many records of the topic say nothing that can be read."""
        for record in records:
            self._learn(record)

    def of(self, letter: Place) -> LetterState:
        """Return the state of a letter."""
        return self._states.get(name_of(letter), OPEN)

    def places(self, topic: str, step: Step) -> list[Place]:
        """Return the letters of a topic with which that was done last."""
        slots = [name.partition("/") for name, said in self._states.items() if said.state is step]
        return [Place(topic, int(partition), int(offset)) for partition, _, offset in slots]

    def _learn(self, record: Record) -> None:
        word = word_of(record)
        if word is None:
            return
        self.unreadable += not word.is_read
        if word.state is None:
            self._states.pop(word.letter, None)
        else:
            self._states[word.letter] = word.state


def read_states(log: Log, topic: str, bounds: Mapping[int, tuple[int, int]]) -> States:
    """Return the states of all letters; does I/O through the log.

    Raises:
        BrokerError: if they can't be read.
    """
    spans = [(topic, partition, *span) for partition, span in bounds.items()]
    return States(record for _, record in log.scan(spans, lambda _topic, _value: True))


def name_of(letter: Place) -> str:
    """Return what a letter is called: partition/offset."""
    return f"{letter.partition}/{letter.offset}"


def to_output(topic: str, letter: Place, state: LetterState) -> Output:
    """Return the record that makes a state the last word."""
    return Output(topic, name_of(letter).encode(), msgspec.json.encode(state), None, [])
