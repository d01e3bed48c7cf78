"""The headers that make a record a replay, and the proof that we wrote them. Pure.

Anybody can put headers on a record, so a replay carries an HMAC over what it claims and what it
holds: the letter, the attempt, what a release spares its event, and the value. A claim without it
counts for nothing.
"""

import hmac
from collections.abc import Mapping, Sequence
from hashlib import blake2b, sha256
from typing import Final

import msgspec

from loyaltystream.dialects.envelope import NAMESPACE
from loyaltystream.events import Check, Header, Record, Waiver
from loyaltystream.uuids import uuid5_text

LETTER_HEADER: Final = "replay-of"
ATTEMPT_HEADER: Final = "replay-attempt"
PROOF_HEADER: Final = "replay-mac"
RELEASE_HEADER: Final = "release-of"
WAIVED_HEADER: Final = "release-waives"
REPLAY_HEADERS: Final = frozenset(
    {LETTER_HEADER, ATTEMPT_HEADER, PROOF_HEADER, RELEASE_HEADER, WAIVED_HEADER}
)

_CLAIM: Final = (LETTER_HEADER, ATTEMPT_HEADER, RELEASE_HEADER, WAIVED_HEADER)
_LONGEST_ATTEMPT: Final = 9
_CHECKS: Final = {check.value: check for check in Check}


class Release(msgspec.Struct, frozen=True):
    """That a person released a letter: which one, and what its event is spared."""

    letter: str
    checks: frozenset[Check]

    @property
    def event_id(self) -> str:
        """The id that the released event goes by: one letter, one event."""
        return uuid5_text(NAMESPACE.bytes + self.letter.encode())


class Replay(msgspec.Struct, frozen=True):
    """That a record is a letter sent again: which letter, and the how-manieth attempt.

    Attributes:
        release: that it goes as a new event; a later replay of that is still the same event.
    """

    letter: str
    attempt: int
    release: Release | None = None


class Signer:
    """Signs replays, and tells ours from claims.

    Args:
        secret: of the deployment, as `memory.hash_key` has it.
    """

    def __init__(self, secret: str) -> None:
        # A key of its own: nothing that is signed here says anything about remembered ids.
        self._key = blake2b(secret.encode(), digest_size=32, person=b"replay").digest()

    def headers(self, replay: Replay, value: bytes) -> list[Header]:
        """Return the headers of a replay."""
        claim = [(LETTER_HEADER, replay.letter.encode()), (ATTEMPT_HEADER, b"%d" % replay.attempt)]
        if (release := replay.release) is not None:
            waived = ",".join(sorted(release.checks)).encode()
            claim += [(RELEASE_HEADER, release.letter.encode()), (WAIVED_HEADER, waived)]
        return [*claim, (PROOF_HEADER, self._proof([content for _, content in claim], value))]

    def replay_of(self, headers: Sequence[Header], value: bytes | None) -> Replay | None:
        """Return what a record is a replay of, if it is one and we wrote it."""
        named = dict(headers)
        claim = [named[name] for name in _CLAIM if named.get(name) is not None]
        letter, attempt = named.get(LETTER_HEADER), named.get(ATTEMPT_HEADER)
        proof = named.get(PROOF_HEADER)
        if letter is None or attempt is None or proof is None or value is None:
            return None
        if not hmac.compare_digest(proof, self._proof(claim, value)):
            return None
        if not attempt.isdigit() or len(attempt) > _LONGEST_ATTEMPT:
            return None
        return Replay(letter.decode(errors="replace"), int(attempt), _release(named))

    def waiver_of(self, record: Record) -> Waiver | None:
        """Return what a record is spared, if we signed that."""
        if RELEASE_HEADER not in dict(record.headers):
            return None
        replay = self.replay_of(record.headers, record.value)
        release = replay.release if replay else None
        return Waiver(release.checks, release.event_id) if release else None

    def _proof(self, claim: Sequence[bytes], value: bytes) -> bytes:
        signed = hmac.new(self._key, digestmod=sha256)
        # Two claims or four: each part has its length before it, so neither can pass for the other.
        for part in (*claim, value):
            signed.update(len(part).to_bytes(8) + part)
        return signed.hexdigest().encode()


def _release(named: Mapping[str, bytes]) -> Release | None:
    """Return what was released; a check that this release of ours does not know is not spared."""
    letter, waived = named.get(RELEASE_HEADER), named.get(WAIVED_HEADER)
    if letter is None or waived is None:
        return None
    checks = {_CHECKS[name] for name in waived.decode().split(",") if name in _CHECKS}
    return Release(letter.decode(errors="replace"), frozenset(checks))
