"""The headers that make a record a replay, and the proof that we wrote them. Pure.

Anybody can put headers on a record, so a replay carries an HMAC over what it claims and what it
holds: the letter, the attempt, what a release spares its event, which version maps it, and the
value. A claim without it counts for nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from loyaltystream.dialects.envelope import NAMESPACE
from loyaltystream.events import Check, Header, Record, Resending, Waiver
from loyaltystream.proofs import holds, key_for, proof
from loyaltystream.uuids import uuid5_text

LETTER_HEADER: Final = "replay-of"
ATTEMPT_HEADER: Final = "replay-attempt"
PROOF_HEADER: Final = "replay-mac"
RELEASE_HEADER: Final = "release-of"
WAIVED_HEADER: Final = "release-waives"
VERSION_HEADER: Final = "replay-version"
REPLAY_HEADERS: Final = frozenset(
    {LETTER_HEADER, ATTEMPT_HEADER, PROOF_HEADER, RELEASE_HEADER, WAIVED_HEADER, VERSION_HEADER}
)

_MORE: Final = (RELEASE_HEADER, WAIVED_HEADER, VERSION_HEADER)
"""What a replay claims beside its letter and its attempt, if it does."""

_LONGEST_NUMBER: Final = 9
_CHECKS: Final = {check.value: check for check in Check}


class Release(msgspec.Struct, frozen=True):
    """That a person released a letter: which one, and what its event is spared."""

    letter: str
    checks: frozenset[Check]

    @property
    def event_id(self) -> str:
        """The id that the released event goes by: one letter, one event."""
        return released_id(self.letter)


def released_id(letter: str) -> str:
    """Return the id that a letter's event goes by once it is released."""
    return uuid5_text(NAMESPACE.bytes + letter.encode())


class Replay(msgspec.Struct, frozen=True):
    """That a record is a letter sent again: which letter, and the how-manieth attempt.

    Attributes:
        release: that it goes as a new event; a later replay of that is still the same event.
        version: of the definition that maps an accepted event where its own version can't.
    """

    letter: str
    attempt: int
    release: Release | None = None
    version: int | None = None


class Signer:
    """Signs replays, and tells ours from claims.

    Args:
        secret: of the deployment, as `memory.hash_key` has it.
    """

    def __init__(self, secret: str) -> None:
        self._key = key_for(secret, "replay")

    def headers(self, replay: Replay, value: bytes) -> list[Header]:
        """Return the headers of a replay."""
        claim = {LETTER_HEADER: replay.letter.encode(), ATTEMPT_HEADER: b"%d" % replay.attempt}
        if (release := replay.release) is not None:
            claim[RELEASE_HEADER] = release.letter.encode()
            claim[WAIVED_HEADER] = ",".join(sorted(release.checks)).encode()
        if replay.version is not None:
            claim[VERSION_HEADER] = b"%d" % replay.version
        return [*claim.items(), (PROOF_HEADER, proof(self._key, _claimed(claim, value)))]

    def replay_of(self, headers: Sequence[Header], value: bytes | None) -> Replay | None:
        """Return what a record is a replay of, if it is one and we wrote it."""
        named = {name: content for name, content in headers if content}
        written = named.get(PROOF_HEADER)
        if not {LETTER_HEADER, ATTEMPT_HEADER} <= named.keys() or written is None or value is None:
            return None
        if not holds(self._key, _claimed(named, value), written):
            return None
        attempt = _number(named[ATTEMPT_HEADER])
        if attempt is None:
            return None
        letter = named[LETTER_HEADER].decode(errors="replace")
        return Replay(letter, attempt, _release(named), _number(named.get(VERSION_HEADER)))

    def waiver_of(self, record: Record) -> Waiver | None:
        """Return what a record is spared, if we signed that."""
        if RELEASE_HEADER not in dict(record.headers):
            return None
        replay = self.replay_of(record.headers, record.value)
        release = replay.release if replay else None
        return Waiver(release.checks, release.event_id) if release else None

    def resending_of(self, record: Record) -> Resending | None:
        """Return which letter a record of `EMFConsumer` is again, if we sent it."""
        replay = self.replay_of(record.headers, record.value)
        return Resending(replay.letter, replay.attempt, replay.version) if replay else None


def _claimed(claim: Mapping[str, bytes], value: bytes) -> list[bytes]:
    """Return what is signed: no claim can pass for another, since those beyond two are named."""
    more = [name.encode() + b":" + claim[name] for name in _MORE if name in claim]
    return [claim[LETTER_HEADER], claim[ATTEMPT_HEADER], *more, value]


def _number(text: bytes | None) -> int | None:
    return int(text) if text and text.isdigit() and len(text) <= _LONGEST_NUMBER else None


def _release(named: Mapping[str, bytes]) -> Release | None:
    """Return what was released; a check that this release of ours does not know is not spared."""
    letter, waived = named.get(RELEASE_HEADER), named.get(WAIVED_HEADER)
    if letter is None or waived is None:
        return None
    checks = {_CHECKS[name] for name in waived.decode().split(",") if name in _CHECKS}
    return Release(letter.decode(errors="replace"), frozenset(checks))
