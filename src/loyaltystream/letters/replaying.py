"""A letter in, the record that sends its event again out, or why it stays. Pure.

The record keeps where its event first arrived, so that its time and its story begin there; it goes
under its event's key to the partition of that, and the judge treats it as any other record.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from loyaltystream.events import ORIGIN_HEADER, SOURCE_HEADER, Header, Origin
from loyaltystream.letters.letter import INGEST, Letter
from loyaltystream.letters.repairing import repair
from loyaltystream.letters.signing import REPLAY_HEADERS, Replay, Signer
from loyaltystream.letters.state import DONE, LetterState, Step
from loyaltystream.sealing.ring import Locked
from loyaltystream.topology import Output

MAX_ATTEMPTS: Final = 5
"""So often an event may come back: what was refused as often is for a person to look at."""

_OURS: Final = REPLAY_HEADERS | {ORIGIN_HEADER, SOURCE_HEADER}


TellKey = Callable[[bytes, Sequence[Header]], bytes | None]


class Stay(StrEnum):
    """Why a letter is not sent again."""

    DONE = "replayed or discarded already"
    NOTIFY = "of stage notify: send its event again once its definition or its value is mended"
    NOT_WHOLE = "only the beginning of its value was kept"
    SEALED = Locked.NO_KEY.value
    ALTERED = Locked.ALTERED.value
    UNKNOWN = Locked.UNKNOWN.value
    NO_VALUE = "it has no value"
    ATTEMPTS = f"it came back {MAX_ATTEMPTS} times"
    PATCH = "its repair does not apply"


class Resent(msgspec.Struct, frozen=True):
    """A record that sends a letter's event again."""

    letter: Letter
    output: Output
    attempt: int

    @property
    def value(self) -> bytes:
        """The event's bytes, mended if somebody mended them."""
        return self.output.value or b""


class Resender:
    """Makes the records of replays.

    Args:
        topic: of ingest.
        key: tells the partition key of an event, by its record's headers; None: it can't be told.
        signer: signs what a replay claims.
    """

    def __init__(self, topic: str, *, key: TellKey, signer: Signer) -> None:
        self._topic = topic
        self._key = key
        self._signer = signer

    def resend(self, letter: Letter, state: LetterState) -> Resent | Stay:
        """Return the record that sends a letter's event again, or why there is none."""
        original = letter.original
        earlier = self._signer.replay_of(original.headers, original.value)
        attempt = 1 + (earlier.attempt if earlier else 0)
        if (stay := _stays(letter, state, attempt)) is not None:
            return stay
        value = original.value or b""
        if state.state is Step.REPAIRED:
            mended = repair(value, state.patch)
            if isinstance(mended, str):
                return Stay.PATCH
            value = mended
        origin = Origin(
            letter.origin.topic,
            letter.origin.partition,
            letter.origin.offset,
            letter.origin_ms,
        )
        replay = Replay(str(letter.place), attempt)
        theirs = _theirs(original.headers)
        headers = [
            *theirs,
            origin.to_header(),
            *self._signer.headers(replay, value),
        ]
        key = self._key(value, theirs) or original.key
        return Resent(letter, Output(self._topic, key, value, None, headers), attempt)


def _stays(letter: Letter, state: LetterState, attempt: int) -> Stay | None:
    original = letter.original
    reasons = {
        Stay.DONE: state.state in DONE,
        Stay.NOTIFY: letter.stage != INGEST,
        Stay.NOT_WHOLE: original.truncated,
        Stay.SEALED: original.locked is Locked.NO_KEY,
        Stay.ALTERED: original.locked is Locked.ALTERED,
        Stay.UNKNOWN: original.locked is Locked.UNKNOWN,
        Stay.NO_VALUE: original.value is None,
        Stay.ATTEMPTS: attempt > MAX_ATTEMPTS,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _theirs(headers: Sequence[Header]) -> list[Header]:
    """Return the headers that the producer wrote."""
    return [(name, content) for name, content in headers if name not in _OURS]
