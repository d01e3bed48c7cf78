"""Event ids and unique keys in, 128-bit ids out, under one secret of the deployment. Pure.

An id in the usual UUID form keeps its own 16 bytes under a mask of its org, so that no two ids of
an org ever collide; any other text is hashed with a keyed BLAKE2b (dedup.md section 1.1).
"""

import re
from binascii import unhexlify
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import numpy as np
import numpy.typing as npt

ID_BYTES: Final = 16
_WORD: Final = np.dtype("<u8")

Ids = npt.NDArray[np.uint64]
"""Shape (n, 2): each row is one id, its bytes read as two little-endian words."""

_UUID_CHARACTERS: Final = 36
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_DASHES: Final = (8, 13, 18, 23)
_EVENT_ID: Final = b"event-id"
_UNIQUE_KEY: Final = b"unique-key"


class Identity:
    """Makes the ids that the memory stores; the same secret always makes the same ids."""

    def __init__(self, hash_key: str) -> None:
        key = blake2b(hash_key.encode(), digest_size=32).digest()
        # Setting up a keyed hash costs as much as using it: each is a copy of one that is set up.
        self._fresh = {
            kind: blake2b(digest_size=ID_BYTES, key=key, person=kind)
            for kind in (b"check", b"org", _EVENT_ID, _UNIQUE_KEY)
        }
        self.check = self._hash(b"check", b"")[:8]
        """Tells in every changelog record which secret its ids were made with; 8 bytes."""
        self._mask = lru_cache(4096)(self._make_mask)
        self._of_event = lru_cache(4096)(self._begin_of_event)

    def event_id(self, org_id: int, text: str) -> bytes:
        """Return the 16 bytes of an event's id. Ids are never folded: case and blanks count."""
        if _UUID.fullmatch(text):
            return (int(text.replace("-", ""), 16) ^ self._mask(org_id)).to_bytes(ID_BYTES)
        return self._hash(_EVENT_ID, str(org_id).encode(), text.encode())

    def event_ids(self, org_ids: Sequence[int], texts: Sequence[str]) -> list[bytes]:
        """Return the ids of events, given by their orgs and their ids' texts.

        All at once if they are UUIDs of one org, as usual: that costs a sixth.
        """
        orgs = set(org_ids)
        lines = "\n".join(texts).encode()
        bare = lines.translate(None, b"-\n")
        if len(orgs) != 1 or not _are_uuids(lines, bare, len(texts)):
            return list(map(self.event_id, org_ids, texts))
        mask = np.frombuffer(self._mask(orgs.pop()).to_bytes(ID_BYTES), np.uint8)
        ids = np.frombuffer(unhexlify(bare), np.uint8).reshape(-1, ID_BYTES)
        masked = (ids ^ mask).tobytes()
        return [masked[start : start + ID_BYTES] for start in range(0, len(masked), ID_BYTES)]

    def unique_key(self, org_id: int, event_name: str, key: bytes, values: Sequence[str]) -> bytes:
        """Return the 16 bytes of an event's unique key.

        Args:
            org_id: the event's org.
            event_name: its name.
            key: its partition key.
            values: canonical text of the unique-key fields, in order of definition.
        """
        hashed = self._of_event(org_id, event_name).copy()
        framed = len(key).to_bytes(4) + key
        for value in values:
            text = value.encode()
            framed += len(text).to_bytes(4) + text
        hashed.update(framed)
        return hashed.digest()

    def _begin_of_event(self, org_id: int, event_name: str) -> blake2b:
        """Return the hash of a unique key as far as all of an event's have it in common."""
        hashed = self._fresh[_UNIQUE_KEY].copy()
        hashed.update(_frame(str(org_id).encode(), event_name.encode()))
        return hashed

    def _make_mask(self, org_id: int) -> int:
        return int.from_bytes(self._hash(b"org", str(org_id).encode()))

    def _hash(self, kind: bytes, *parts: bytes) -> bytes:
        hashed = self._fresh[kind].copy()
        hashed.update(_frame(*parts))
        return hashed.digest()


def _frame(*parts: bytes) -> bytes:
    """Return parts with their lengths before them: ("a_b", "c") is never ("a", "b_c")."""
    return b"".join([len(part).to_bytes(4) + part for part in parts])


def _are_uuids(lines: bytes, bare: bytes, count: int) -> bool:
    """Say whether so many lines are UUIDs in lower case; `bare` has no dashes and line ends."""
    step = _UUID_CHARACTERS + 1
    # As many dashes and line ends as there have to be, all where they have to be: no text can hold
    # a line end.
    return (
        len(lines) == step * count - 1
        and len(bare) == 2 * ID_BYTES * count
        and all(lines[place::step] == b"-" * count for place in _DASHES)
        and lines[_UUID_CHARACTERS::step] == b"\n" * (count - 1)
        and not bare.translate(None, b"0123456789abcdef")
    )


def to_array(ids: Sequence[bytes]) -> Ids:
    """Return 16-byte ids as rows of two words."""
    return np.frombuffer(b"".join(ids), _WORD).reshape(-1, 2).astype(np.uint64, copy=False)
