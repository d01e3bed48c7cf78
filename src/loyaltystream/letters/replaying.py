"""A letter in, the record that sends its event again out, or why it stays. Pure.

The record keeps where its event first arrived, so that its time and its story begin there; it goes
under its event's key to the partition of that, and the judge treats it as any other record. An
accepted event that stage notify could not map goes back to `EMFConsumer` as it is.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from loyaltystream.backfill.claim import IMPORT_HEADERS, ImportSigner
from loyaltystream.events import ORIGIN_HEADER, SOURCE_HEADER, Header, Origin
from loyaltystream.letters.letter import INGEST, Letter
from loyaltystream.letters.repairing import repair
from loyaltystream.letters.signing import REPLAY_HEADERS, Release, Replay, Signer
from loyaltystream.letters.state import DONE, LetterState, Step
from loyaltystream.sealing.ring import Locked
from loyaltystream.sending import Keyer
from loyaltystream.topology import Output, SourceHeaders, Topics

MAX_ATTEMPTS: Final = 5
"""So often an event may come back: what was refused as often is for a person to look at."""

_OURS: Final = REPLAY_HEADERS | {ORIGIN_HEADER, SOURCE_HEADER}


class Stay(StrEnum):
    """Why a letter is not sent again."""

    STRANGE = "what was done with it is not known here: a newer version wrote it"
    DONE = "replayed, released or discarded already"
    NOT_HELD = "neither conflict nor late: nothing to release, repair and replay it"
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
    """Makes the records of replays and of releases.

    Args:
        topics: where each stage reads.
        keyer: tells the partition key of an event, and the definition in force.
        signer: signs what a replay claims.
        imports: signs what an import claims: the event that was mended is still one of its own.
    """

    def __init__(
        self, topics: Topics, *, keyer: Keyer, signer: Signer, imports: ImportSigner
    ) -> None:
        self._topics = topics
        self._keyer = keyer
        self._signer = signer
        self._imports = imports

    def resend(self, letter: Letter, state: LetterState) -> Resent | Stay:
        """Return the record that sends a letter's event again, or why there is none.

        What an earlier release spared it stays spared: it is still that event.
        """
        replay = self._next(letter)
        if letter.stage != INGEST:
            definition = self._keyer.find(letter.org_id or 0, letter.event_name or "")
            version = definition.version if definition else None
            replay = msgspec.structs.replace(replay, version=version)
        return self._made(letter, state, replay)

    def release(self, letter: Letter, state: LetterState) -> Resent | Stay:
        """Return the record that sends a held event as a new one, or why there is none.

        The check that held it is not asked again, nor one that an earlier release spared it.
        """
        held_by, replay = letter.held_by, self._next(letter)
        if held_by is None:
            return Stay.NOT_HELD
        spared = replay.release.checks if replay.release else frozenset()
        release = Release(str(letter.place), spared | {held_by})
        return self._made(letter, state, msgspec.structs.replace(replay, release=release))

    def _next(self, letter: Letter) -> Replay:
        """Return the replay that comes after all that the letter's own record was."""
        original = letter.original
        earlier = self._signer.replay_of(original.headers, original.value)
        if earlier is None:
            return Replay(str(letter.place), 1)
        return Replay(str(letter.place), earlier.attempt + 1, earlier.release)

    def _made(self, letter: Letter, state: LetterState, replay: Replay) -> Resent | Stay:
        if (stay := _stays(letter, state, replay.attempt)) is not None:
            return stay
        value = letter.original.value or b""
        if state.state is Step.REPAIRED:
            mended = repair(value, state.patch)
            if isinstance(mended, str):
                return Stay.PATCH
            value = mended
        signed = self._signer.headers(replay, value)
        make = self._to_ingest if letter.stage == INGEST else self._to_notify
        return Resent(letter, make(letter, value, signed), replay.attempt)

    def _to_ingest(self, letter: Letter, value: bytes, signed: Sequence[Header]) -> Output:
        first = letter.origin
        origin = Origin(first.topic, first.partition, first.offset, letter.origin_ms)
        headers = [*self._claimed(letter, value), origin.to_header(), *signed]
        key = self._keyer.key(value, headers) or letter.original.key
        return Output(self._topics.ingest, key, value, None, headers)

    def _claimed(self, letter: Letter, value: bytes) -> list[Header]:
        """Return the headers that the producer wrote, an import's signed for what is sent now."""
        original = letter.original
        theirs = _theirs(original.headers)
        claim = self._imports.import_of(original.headers, original.value)
        if claim is None:
            return theirs
        others = [header for header in theirs if header[0] not in IMPORT_HEADERS]
        return [*others, *self._imports.headers(claim, value)]

    def _to_notify(self, letter: Letter, value: bytes, signed: Sequence[Header]) -> Output:
        place = letter.place
        # The letter is its source: so outputs of stage ingest stay in the order of theirs.
        source = SourceHeaders(place.topic, place.partition, 0).header(place.offset, 0)
        headers = [source, *_theirs(letter.original.headers), *signed]
        return Output(self._topics.emf, letter.original.key, value, None, headers)


def _stays(letter: Letter, state: LetterState, attempt: int) -> Stay | None:
    original = letter.original
    reasons = {
        Stay.STRANGE: state.state is Step.UNKNOWN,
        Stay.DONE: state.state in DONE,
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
