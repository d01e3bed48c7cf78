"""A record's content in, a stamp of 24 bytes out that tells it from any other. Pure."""

import zlib
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

from loyaltystream.events import SOURCE_HEADER, Header


class Stamp(NamedTuple):
    """The content of an output but for its `src` header: two checksums that tell where, and all."""

    key: int
    value: int
    whole: bytes

    def difference(self, other: "Stamp") -> str:
        """Return which parts differ, in words."""
        parts = [("key", self.key != other.key), ("value", self.value != other.value)]
        return " and ".join(name for name, differs in parts if differs) or "headers"


def stamp(key: bytes | None, value: bytes | None, headers: Sequence[Header]) -> Stamp:
    """Return the stamp of an output."""
    parts = [_framed(key), _framed(value)]
    for name, content in headers:
        if name != SOURCE_HEADER:
            parts += [_framed(name.encode()), _framed(content)]
    whole = blake2b(b"".join(parts), digest_size=16).digest()
    return Stamp(checksum(key), checksum(value), whole)


def _framed(content: bytes | None) -> bytes:
    return b"\0" if content is None else b"\1" + len(content).to_bytes(4) + content


def checksum(content: bytes | None) -> int:
    """Return the checksum that a stamp has of a key, or of a value."""
    return 0 if content is None else zlib.crc32(content, 1)
