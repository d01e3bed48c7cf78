"""Ids that are made of what they are for, so that they are the same each time. Pure."""

from hashlib import sha1
from typing import Final

_VARIANTS: Final = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def uuid5_text(name: bytes) -> str:
    """Return the text of a UUID of version 5, as RFC 9562 section 5.5 has it, quickly.

    Args:
        name: the bytes of the namespace and of the name behind it.
    """
    digits = sha1(name, usedforsecurity=False).hexdigest()
    # As `UUID(..., version=5)` writes it, at a fifth of the cost.
    variant = _VARIANTS[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"
