"""Sealing bytes: anybody with the key can open them, nobody without, and nowhere else."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.sealing.ring import NO_KEYS, NONCE_BYTES, TAG_BYTES, Key, KeyRing, Locked
from tests.sealing.rings import BOTH, NEW, OLD, SECRETS

PLACE = "behavioral-events/3/17"
KEY = Key("old", SECRETS["old"])
GOLDEN = bytes.fromhex(
    "605d750c39d56104f1915d815ecd1e1507ef1991cf3b7c87d4bede69e04fed886a4ff0dd50d3ec1e188b23e60756c3"
)


def test_a_sealed_text_is_what_it_always_was() -> None:
    """Key, place and content give the same bytes in every version, so old letters open."""
    assert KEY.seal(PLACE, b"what a customer did") == GOLDEN
    assert KEY.open(PLACE, GOLDEN) == b"what a customer did"


def test_any_aes_gcm_opens_it() -> None:
    """The form is public: nonce, ciphertext and tag, bound to the key's id and the place."""
    nonce, rest = GOLDEN[:NONCE_BYTES], GOLDEN[NONCE_BYTES:]
    bound = b"old behavioral-events/3/17"
    assert AESGCM(bytes(range(32))).decrypt(nonce, rest, bound) == b"what a customer did"


@given(content=st.binary(max_size=300), place=st.text(max_size=40))
def test_what_is_sealed_comes_back(content: bytes, place: str) -> None:
    """Any bytes of any place come back, and are 28 bytes longer meanwhile."""
    sealed = KEY.seal(place, content)
    assert len(sealed) == len(content) + NONCE_BYTES + TAG_BYTES
    assert KEY.open(place, sealed) == content


@given(content=st.binary(min_size=1, max_size=100), bit=st.integers(min_value=0))
def test_no_changed_bit_is_overlooked(content: bytes, bit: int) -> None:
    """Whichever bit of nonce, ciphertext or tag was changed: it opens no more."""
    sealed = bytearray(KEY.seal(PLACE, content))
    bit %= len(sealed) * 8
    sealed[bit // 8] ^= 1 << bit % 8
    assert KEY.open(PLACE, bytes(sealed)) is Locked.ALTERED


@pytest.mark.parametrize("length", range(len(GOLDEN)))
def test_a_cut_text_is_told(length: int) -> None:
    """However much is left of it, a cut text is told as such and raises nothing."""
    assert KEY.open(PLACE, GOLDEN[:length]) is Locked.ALTERED


@pytest.mark.parametrize("place", ["behavioral-events/3/18", "behavioral-events/1/17", "x/3/17"])
def test_it_opens_nowhere_else(place: str) -> None:
    """What was sealed for one place opens under no other."""
    assert KEY.open(place, GOLDEN) is Locked.ALTERED


def test_it_opens_under_no_other_key_and_no_other_id() -> None:
    """Neither another key of the same id, nor the same key under another id, opens it."""
    assert Key("old", SECRETS["new"]).open(PLACE, GOLDEN) is Locked.ALTERED
    assert Key("new", SECRETS["old"]).open(PLACE, GOLDEN) is Locked.ALTERED


def test_two_contents_or_places_have_two_nonces() -> None:
    """A nonce stands for one content at one place, the same at every writing."""
    sealed = [
        KEY.seal(place, content)[:NONCE_BYTES]
        for place, content in [(PLACE, b"a"), (PLACE, b"b"), ("other", b"a"), (PLACE, b"a")]
    ]
    assert len({*sealed}) == 3
    assert sealed[0] == sealed[3]


def test_a_ring_opens_by_the_id_in_the_letter() -> None:
    """After a rotation both keys open; a key that was taken away is told, as is no key at all."""
    assert BOTH.open("old", PLACE, GOLDEN) == b"what a customer did"
    assert BOTH.active is not None
    assert BOTH.active.id == "new"
    assert NEW.open("old", PLACE, GOLDEN) is Locked.NO_KEY
    assert NO_KEYS.open("old", PLACE, GOLDEN) is Locked.NO_KEY
    assert OLD.open(None, PLACE, GOLDEN) is Locked.NO_KEY


def test_keys_may_be_there_and_none_active() -> None:
    """Without an active key nothing is sealed, and what was is still opened."""
    ring = KeyRing(SECRETS, None)
    assert ring.active is None
    assert ring.open("old", PLACE, GOLDEN) == b"what a customer did"
