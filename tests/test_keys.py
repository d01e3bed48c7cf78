"""Partition keys: how identifiers are normalised, and where Java would put a record."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.keys import (
    MAX_IDENTIFIER_CHARACTERS,
    murmur2,
    normalise_identifier,
    partition_key,
    place,
)
from loyaltystream.verdicts import Reason
from tests.laws.strategies import LAW

# From the tests of Kafka's own Java client.
OF_JAVA = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


def signed(hashes: np.ndarray[tuple[int], np.dtype[np.uint32]]) -> list[int]:
    """Return hashes as Java's integers."""
    return [int(value) for value in np.asarray(hashes, np.uint32).astype(np.int32)]


def one_by_one(key: bytes) -> int:
    """Return murmur2 as the Java client's source has it, a word at a time."""
    mask = 0xFFFFFFFF
    value = (0x9747B28C ^ len(key)) & mask
    for start in range(0, len(key) // 4 * 4, 4):
        word = int.from_bytes(key[start : start + 4], "little") * 0x5BD1E995 & mask
        word = (word ^ word >> 24) * 0x5BD1E995 & mask
        value = (value * 0x5BD1E995 & mask) ^ word
    rest = key[len(key) // 4 * 4 :]
    if rest:
        value = (value ^ int.from_bytes(rest, "little")) * 0x5BD1E995 & mask
    value = (value ^ value >> 13) * 0x5BD1E995 & mask
    return value ^ value >> 15


def test_hashes_are_those_of_javas_client() -> None:
    """The vectors of Kafka's own tests come out, alone and among each other."""
    assert signed(murmur2(list(OF_JAVA))) == list(OF_JAVA.values())
    for key, value in OF_JAVA.items():
        assert signed(murmur2([key])) == [value]


@LAW
@given(st.lists(st.binary(max_size=12) | st.binary(min_size=60, max_size=300), max_size=6))
def test_a_hash_does_not_hang_on_its_neighbours(keys: list[bytes]) -> None:
    """Short keys and long ones, hashed at once, have the hash that each has alone."""
    assert murmur2(keys).tolist() == [one_by_one(key) for key in keys]


def test_a_place_is_that_of_javas_producer() -> None:
    """The hash without its sign bit, modulo the number of partitions, decides."""
    assert place(murmur2(list(OF_JAVA)), 6).tolist() == [
        (value & 0x7FFFFFFF) % 6 for value in OF_JAVA.values()
    ]


def test_no_keys_have_no_hashes() -> None:
    """An empty batch is hashed and placed."""
    assert place(murmur2([]), 6).tolist() == []


def test_a_key_says_org_kind_and_value() -> None:
    """The value stands last: a bar inside it changes no other part."""
    assert partition_key(1800, "externalId", "a|b") == "1800|externalId|a|b"


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("9812345678", "919812345678"),
        ("09812345678", "919812345678"),
        ("+919812345678", "919812345678"),
        ("00919812345678", "919812345678"),
        ("919812345678", "919812345678"),
        ("+1 415 555 0100", "14155550100"),
    ],
)
def test_a_country_code_is_for_national_numbers(written: str, digits: str) -> None:
    """With a country code, a number without one gets it; an international one keeps its own."""
    assert normalise_identifier("mobile", written, "91") == digits


@LAW
@given(st.text(st.sampled_from("0123456789 +-().९٣"), max_size=20))
def test_a_normalised_number_is_digits_and_stays(written: str) -> None:
    """What is made of a number is 6 to 15 ASCII digits, and nothing more is made of those."""
    number = normalise_identifier("mobile", written)
    if not isinstance(number, Reason):
        assert number.isascii()
        assert number.isdigit()
        assert 6 <= len(number) <= 15
        if not number.startswith("00"):
            assert normalise_identifier("MOBILE", number) == number


@LAW
@given(st.text(max_size=20) | st.emails())
def test_a_normalised_address_stays(written: str) -> None:
    """What is made of an address is lower-case ASCII, and is itself an address."""
    address = normalise_identifier("email", written)
    if not isinstance(address, Reason):
        assert address.isascii()
        assert address == address.lower().strip()
        assert normalise_identifier("email", address) == address


def test_letters_that_only_look_like_latin_are_no_address() -> None:
    """The Kelvin sign, whose lower case is a plain k, makes nobody another customer."""
    assert "\u212aim@example.com".lower() == "kim@example.com"
    assert normalise_identifier("email", "\u212aim@example.com") is Reason.EMAIL


@pytest.mark.parametrize("kind", ["externalId", "cardnumber", "userId", "anythingElse"])
def test_other_identifiers_are_only_trimmed(kind: str) -> None:
    """Case and punctuation count, blanks around do not, and nothing is not somebody."""
    assert normalise_identifier(kind, " Ab-1 \n") == "Ab-1"
    assert normalise_identifier(kind, " \t ") is Reason.NO_CUSTOMER
    longest = "x" * MAX_IDENTIFIER_CHARACTERS
    assert normalise_identifier(kind, longest) == longest
    assert normalise_identifier(kind, longest + "x") is Reason.SIZE
