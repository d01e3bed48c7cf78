"""Bytes in, the same sealed by AES-256-GCM out, and back. Pure: nothing here is random.

What is sealed is bound to the place that its letter is about, and to the key's id: under another
letter it does not open. The nonce is an HMAC of place and content, so the same letter is sealed to
the same bytes whenever it is written again, and no nonce ever stands for two contents.
"""

import hmac
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16

_NONCES: Final = b"loyaltystream dead-letter nonce"


class Locked(StrEnum):
    """Why a sealed original can't be opened."""

    NO_KEY = "sealed under a key that letters.keys does not have"
    ALTERED = "its sealed original was changed or cut"
    UNKNOWN = "sealed in a way that this version does not know"


class Key:
    """One key: seals, and opens what it sealed.

    Args:
        key_id: its name, which stands in each letter.
        secret: 32 bytes.
    """

    def __init__(self, key_id: str, secret: bytes) -> None:
        self.id = key_id
        self._cipher = AESGCM(secret)
        self._nonces = hmac.digest(secret, _NONCES, "sha256")

    def seal(self, place: str, content: bytes) -> bytes:
        """Return nonce, ciphertext and tag.

        Args:
            place: topic/partition/offset of what the letter is about.
            content: what nobody without the key shall read.
        """
        bound = self._bound(place)
        named = len(bound).to_bytes(4) + bound + content
        nonce = hmac.digest(self._nonces, named, "sha256")[:NONCE_BYTES]
        return nonce + self._cipher.encrypt(nonce, content, bound)

    def open(self, place: str, sealed: bytes) -> bytes | Locked:
        """Return the content, or that it is not what was sealed for that place."""
        if len(sealed) < NONCE_BYTES + TAG_BYTES:
            return Locked.ALTERED
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, rest, self._bound(place))
        except InvalidTag:
            return Locked.ALTERED

    def _bound(self, place: str) -> bytes:
        return f"{self.id} {place}".encode()


class KeyRing:
    """All keys of a deployment.

    Args:
        secrets: by the keys' ids.
        active_id: which one seals; None: nothing is sealed, and what is can be opened.

    Attributes:
        active: the one that seals, if any does.
    """

    def __init__(self, secrets: Mapping[str, bytes], active_id: str | None) -> None:
        self._keys = {key_id: Key(key_id, secret) for key_id, secret in secrets.items()}
        self.active = None if active_id is None else self._keys[active_id]

    def open(self, key_id: str | None, place: str, sealed: bytes) -> bytes | Locked:
        """Return what was sealed under a key, or why it can't be opened."""
        key = self._keys.get(key_id or "")
        return Locked.NO_KEY if key is None else key.open(place, sealed)


NO_KEYS: Final = KeyRing({}, None)
"""Seals nothing and opens nothing."""
