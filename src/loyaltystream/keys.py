"""Where an event belongs: identifier normalisation, partition key, and Java's murmur2. Pure.

The rule has a version that is stored with the memory: under another rule the remembered ids would
lie in other partitions, so a worker refuses to start on them (design.md section 2).
"""

import re
import struct
import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from loyaltystream.partitioning import PartitionBy
from loyaltystream.verdicts import Reason

KEY_RULE_VERSION = 1
_BY_EVENT_ID = 0x8000  # a rule's highest bit


def key_rule(partition_by: PartitionBy) -> int:
    """Return the number that is stored with a memory whose keys are made that way."""
    return KEY_RULE_VERSION | (_BY_EVENT_ID if partition_by is PartitionBy.EVENT_ID else 0)


def tell_rule(rule: int) -> str:
    """Return a stored number in words: "1, by customer"."""
    by = PartitionBy.EVENT_ID if rule & _BY_EVENT_ID else PartitionBy.CUSTOMER
    return f"{rule & ~_BY_EVENT_ID}, by {by}"


_PUNCTUATION = str.maketrans("", "", " \t-().\u00a0\u2011")
_SHORTEST, _LONGEST = 6, 15  # digits of a mobile number; E.164 allows 15
_NATIONAL_DIGITS = 10  # with a country code configured, up to this many lack one
_LONGEST_WRITTEN = 64  # a mobile number, however it is punctuated
MAX_IDENTIFIER_CHARACTERS = 1024
"""It becomes a record's key beside standing in its value."""
_USUAL_KEY_BYTES = 64
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]++"
_LABEL = r"(?!-)[a-z0-9-]{1,63}+(?<!-)"
# Possessive throughout: nothing is ever tried twice.
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*+@{_LABEL}(?:\.{_LABEL})*+\Z")
_LONGEST_EMAIL, _LONGEST_LOCAL_PART = 254, 64


def normalise_identifier(kind: str, text: str, country_code: str = "") -> str | Reason:
    """Return `text` as it enters a partition key, or why it can't be an identifier of that kind.

    Args:
        kind: the identifier type, in any case.
        text: the identifier as sent.
        country_code: digits put before a national mobile number; none: numbers stay as they are.
    """
    match kind.lower():
        case "mobile":
            return _normalise_mobile(text, country_code)
        case "email":
            email = text.strip()
            # Only ASCII is folded: the Kelvin sign would become another customer's k.
            email = email.lower() if email.isascii() else email
            return email if _is_email(email) else Reason.EMAIL
        case _:
            if len(text) > MAX_IDENTIFIER_CHARACTERS:
                return Reason.SIZE
            return text.strip() or Reason.NO_CUSTOMER


def _is_email(text: str) -> bool:
    """Say whether `text` is an address as keys have it: lower case, nothing around it."""
    return (
        len(text) <= _LONGEST_EMAIL
        and _EMAIL.match(text) is not None
        and text.index("@") <= _LONGEST_LOCAL_PART
    )


def _normalise_mobile(text: str, country_code: str) -> str | Reason:
    written = text.strip()
    if len(written) > _LONGEST_WRITTEN:
        return Reason.MOBILE
    written = written.translate(_PUNCTUATION)
    international = written.startswith("+")
    digits = written.removeprefix("+")
    if not digits.isascii():
        digits = "".join(str(unicodedata.decimal(character, "x")) for character in digits)
    if not digits.isdigit():
        return Reason.MOBILE
    if digits.startswith("00"):
        international, digits = True, digits.removeprefix("00")
    if country_code and not international and len(digits.lstrip("0")) <= _NATIONAL_DIGITS:
        digits = country_code + digits.lstrip("0")
    return digits if _SHORTEST <= len(digits) <= _LONGEST else Reason.MOBILE


def partition_key(org_id: int, identifier_type: str, value: str) -> str:
    """Return `orgId|identifierType|value`; `value` is normalised already."""
    return f"{org_id}|{identifier_type}|{value}"


def event_key(org_id: int, event_id: str) -> bytes:
    """Return `orgId|eventId`, the key where events are placed by their ids."""
    return f"{org_id}|{event_id}".encode()


def murmur2(keys: Sequence[bytes]) -> npt.NDArray[np.uint32]:
    """Return the murmur2 hash of each key, as Java's Kafka clients compute it.

    All keys at once: in pure Python a key of 30 bytes costs 10 us, here 0.3. Long ones go one by
    one, since each would pad all others to its length.

    Returns:
        One 32-bit hash a key, in order.
    """
    lengths = np.fromiter(map(len, keys), np.uint32, len(keys))
    long = np.flatnonzero(lengths > _USUAL_KEY_BYTES)
    if not len(long):
        return _murmur2_of_usual(keys, lengths)
    hashes = np.empty(len(keys), np.uint32)
    hashes[long] = [_murmur2_of_long(keys[row]) for row in long.tolist()]
    usual = np.flatnonzero(lengths <= _USUAL_KEY_BYTES)
    hashes[usual] = _murmur2_of_usual([keys[row] for row in usual.tolist()], lengths[usual])
    return hashes


def _murmur2_of_long(key: bytes) -> int:
    multiplier, mask = 0x5BD1E995, 0xFFFFFFFF
    value = 0x9747B28C ^ len(key)
    whole = len(key) & ~3
    for (word,) in struct.iter_unpack("<I", key[:whole]):
        mixed = word * multiplier & mask
        mixed = (mixed ^ (mixed >> 24)) * multiplier & mask
        value = (value * multiplier & mask) ^ mixed
    if whole < len(key):
        value = (value ^ int.from_bytes(key[whole:], "little")) * multiplier & mask
    value = (value ^ (value >> 13)) * multiplier & mask
    return value ^ (value >> 15)


def _murmur2_of_usual(
    keys: Sequence[bytes], lengths: npt.NDArray[np.uint32]
) -> npt.NDArray[np.uint32]:
    if not keys:
        return np.empty(0, np.uint32)
    words = int(lengths.max()) // 4 + 1
    padded = b"".join([key.ljust(words * 4, b"\0") for key in keys])
    columns = np.frombuffer(padded, np.dtype("<u4")).reshape(len(keys), words)
    multiplier = np.uint32(0x5BD1E995)
    hashes = np.uint32(0x9747B28C) ^ lengths
    whole = lengths // 4
    for column in range(words):
        mixed = columns[:, column] * multiplier
        mixed = (mixed ^ (mixed >> np.uint32(24))) * multiplier
        # Past its last whole word a key only adds its padded rest, and only if it has one.
        step = np.where(
            column < whole,
            (hashes * multiplier) ^ mixed,
            np.where(
                (column == whole) & (lengths % 4 != 0),
                (hashes ^ columns[:, column]) * multiplier,
                hashes,
            ),
        )
        hashes = step
    hashes = (hashes ^ (hashes >> np.uint32(13))) * multiplier
    return np.asarray(hashes ^ (hashes >> np.uint32(15)), np.uint32)


def place(hashes: npt.NDArray[np.uint32], partitions: int) -> npt.NDArray[np.uint32]:
    """Return the partition of each hashed key among `partitions`, as Java's producer places it."""
    return (hashes & np.uint32(0x7FFFFFFF)) % np.uint32(partitions)
