"""A letter's table in, the same with its original sealed out, and back. Pure.

Value, key, headers and checksum are sealed as one: it is smaller than each for itself, and nothing
tells how many headers there were. The sealed whole takes the value's place in the schema.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from loyaltystream.sealing.ring import KeyRing, Locked

PLAIN: Final = "none"
AES_GCM: Final = "AES-GCM"

Table = Mapping[str, Any]
"""A `DeadLetter` as its Avro schema has it."""


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed: the record as far as the letter holds it, its key in any case."""

    value: bytes | None
    key: bytes | None
    headers: list[tuple[str, bytes | None]]
    value_sha256: str | None


class Unsealed(NamedTuple):
    """A letter as it were if nothing were sealed, and the key that its record would have."""

    letter: Table
    key: bytes | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Kept).decode


def plain(content: bytes | None) -> dict[str, Any] | None:
    """Return bytes as a letter holds them where they are not sealed."""
    return None if content is None else {"alg": PLAIN, "keyId": None, "bytes": content}


def content_of(held: Mapping[str, Any] | None) -> bytes | None:
    """Return the bytes that a letter holds, sealed or not."""
    content = None if held is None else held["bytes"]
    return content if isinstance(content, bytes) else None


def is_sealed(letter: Table) -> bool:
    """Say whether a letter's original is sealed."""
    return letter["value"] is not None and letter["value"]["alg"] != PLAIN


def seal(letter: Table, key: bytes | None, ring: KeyRing) -> Table:
    """Return a letter with its original sealed, if a key of the ring seals.

    Args:
        letter: nothing of it sealed.
        key: of the record that it is about.
        ring: the keys.
    """
    if ring.active is None:
        return letter
    headers = [(one["name"], content_of(one["value"])) for one in letter.get("headers", ())]
    kept = Kept(content_of(letter["value"]), key, headers, letter.get("valueSha256"))
    sealed = ring.active.seal(_place(letter), _encode(kept))
    value = {"alg": AES_GCM, "keyId": ring.active.id, "bytes": sealed}
    return {**letter, "value": value, "key": None, "headers": [], "valueSha256": None}


def unseal(letter: Table, ring: KeyRing) -> Unsealed | Locked:
    """Return a letter with its original opened, or why that can't be."""
    if not is_sealed(letter):
        return Unsealed(letter, content_of(letter["key"]))
    sealed = letter["value"]
    if sealed["alg"] != AES_GCM:
        return Locked.UNKNOWN
    content = ring.open(sealed["keyId"], _place(letter), sealed["bytes"])
    if isinstance(content, Locked):
        return content
    try:
        kept = _decode(content)
    except msgspec.MsgspecError:
        return Locked.UNKNOWN
    if not _is_of(letter, kept):
        return Locked.ALTERED
    original = {
        "value": plain(kept.value),
        "key": None if letter["truncated"] else plain(kept.key),
        "headers": [{"name": name, "value": plain(value)} for name, value in kept.headers],
        "valueSha256": kept.value_sha256,
    }
    return Unsealed({**letter, **original}, kept.key)


def _is_of(letter: Table, kept: Kept) -> bool:
    """Say whether a letter tells the truth about how much it holds: a part is never sent again."""
    cut = kept.value_sha256 is not None
    return letter["truncated"] == cut and (cut or letter["valueBytes"] == len(kept.value or b""))


def _place(letter: Table) -> str:
    return f"{letter['originTopic']}/{letter['originPartition']}/{letter['originOffset']}"
