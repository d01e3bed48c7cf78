"""What shows that we wrote something that anybody could have written: an HMAC. Pure."""

import hmac
from collections.abc import Iterable
from hashlib import blake2b, sha256


def key_for(secret: str, use: str) -> bytes:
    """Return a key of its own for one use of the deployment's secret.

    Nothing that is signed with it says anything about remembered ids, or about another use.
    """
    return blake2b(secret.encode(), digest_size=32, person=use.encode()).digest()


def proof(key: bytes, parts: Iterable[bytes]) -> bytes:
    """Return the proof of some parts, in hexadecimal: none of them can pass for another."""
    signed = hmac.new(key, digestmod=sha256)
    for part in parts:
        # Its length before it: one part can't pass for two.
        signed.update(len(part).to_bytes(8) + part)
    return signed.hexdigest().encode()


def holds(key: bytes, parts: Iterable[bytes], written: bytes) -> bool:
    """Say whether somebody with the key wrote that proof of those parts."""
    return hmac.compare_digest(written, proof(key, parts))
