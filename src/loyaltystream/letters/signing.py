"""The headers that make a record a replay, and the proof that we wrote them. Pure.

Anybody can put headers on a record, so a replay carries an HMAC over what it claims and what it
holds: the letter, the attempt and the value. A claim without it counts for nothing.
"""

import hmac
from collections.abc import Sequence
from hashlib import blake2b, sha256
from typing import Final

import msgspec

from loyaltystream.events import Header

LETTER_HEADER: Final = "replay-of"
ATTEMPT_HEADER: Final = "replay-attempt"
PROOF_HEADER: Final = "replay-mac"
REPLAY_HEADERS: Final = frozenset({LETTER_HEADER, ATTEMPT_HEADER, PROOF_HEADER})

_LONGEST_ATTEMPT: Final = 9


class Replay(msgspec.Struct, frozen=True):
    """That a record is a letter sent again: which letter, and the how-manieth attempt."""

    letter: str
    attempt: int


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
        letter, attempt = replay.letter.encode(), str(replay.attempt).encode()
        return [
            (LETTER_HEADER, letter),
            (ATTEMPT_HEADER, attempt),
            (PROOF_HEADER, self._proof(letter, attempt, value)),
        ]

    def replay_of(self, headers: Sequence[Header], value: bytes | None) -> Replay | None:
        """Return what a record is a replay of, if it is one and we wrote it."""
        named = dict(headers)
        letter, attempt = named.get(LETTER_HEADER), named.get(ATTEMPT_HEADER)
        proof = named.get(PROOF_HEADER)
        if letter is None or attempt is None or proof is None or value is None:
            return None
        if not hmac.compare_digest(proof, self._proof(letter, attempt, value)):
            return None
        if not attempt.isdigit() or len(attempt) > _LONGEST_ATTEMPT:
            return None
        return Replay(letter.decode(errors="replace"), int(attempt))

    def _proof(self, letter: bytes, attempt: bytes, value: bytes) -> bytes:
        signed = hmac.new(self._key, digestmod=sha256)
        for part in (letter, attempt, value):
            signed.update(len(part).to_bytes(8) + part)
        return signed.hexdigest().encode()
