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

Ids = npt.NDArray[np.uint64]
"""Shape (n, 2): each row is one id, its bytes read as two little-endian words."""

_UUID_TEXT: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_UUID_CHARACTERS: Final = 36
_UUID = re.compile(_UUID_TEXT, re.ASCII)
_UUIDS = re.compile(rf"(?:{_UUID_TEXT}\n)*+{_UUID_TEXT}", re.ASCII)
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

    def event_id(self, org_id: int, text: str) -> bytes:
        """Return the 16 bytes of an event's id. Ids are never folded: case and blanks count."""
        if _UUID.fullmatch(text):
            return (int(text.replace("-", ""), 16) ^ self._mask(org_id)).to_bytes(ID_BYTES)
        return self._hash(_EVENT_ID, str(org_id).encode(), text.encode())

    def event_ids(self, events: Sequence[tuple[int, str]]) -> list[bytes]:
        """Return the ids of events, each given by its org and its id's text.

        All at once if they are UUIDs of one org, as usual: that costs a third.
        """
        orgs = {org_id for org_id, _ in events}
        lines = "\n".join([text for _, text in events])
        # As long as so many UUIDs and line ends, and nothing else: no text can hold a line end.
        usual = len(orgs) == 1 and len(lines) == (_UUID_CHARACTERS + 1) * len(events) - 1
        if not usual or _UUIDS.fullmatch(lines) is None:
            return [self.event_id(org_id, text) for org_id, text in events]
        bare = np.frombuffer(unhexlify(lines.replace("-", "").replace("\n", "")), np.uint8)
        mask = np.frombuffer(self._mask(orgs.pop()).to_bytes(ID_BYTES), np.uint8)
        masked = (bare.reshape(-1, ID_BYTES) ^ mask).tobytes()
        return [masked[start : start + ID_BYTES] for start in range(0, len(masked), ID_BYTES)]

    def unique_key(self, org_id: int, event_name: str, key: bytes, values: Sequence[str]) -> bytes:
        """Return the 16 bytes of an event's unique key.

        Args:
            org_id: the event's org.
            event_name: its name.
            key: its partition key.
            values: canonical text of the unique-key fields, in order of definition.
        """
        parts = [str(org_id).encode(), event_name.encode(), key]
        return self._hash(_UNIQUE_KEY, *parts, *(value.encode() for value in values))

    def _make_mask(self, org_id: int) -> int:
        return int.from_bytes(self._hash(b"org", str(org_id).encode()))

    def _hash(self, kind: bytes, *parts: bytes) -> bytes:
        # Lengths before the parts: ("a_b", "c") and ("a", "b_c") must never be one key.
        framed = b"".join([len(part).to_bytes(4) + part for part in parts])
        hashed = self._fresh[kind].copy()
        hashed.update(framed)
        return hashed.digest()


def to_array(ids: Sequence[bytes]) -> Ids:
    """Return 16-byte ids as rows of two words."""
    return (
        np.frombuffer(b"".join(ids), np.dtype("<u8")).reshape(-1, 2).astype(np.uint64, copy=False)
    )
