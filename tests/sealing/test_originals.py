"""A letter with its original sealed: what stays readable, what comes back, what is told."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.audit import Place
from loyaltystream.avro import schemas
from loyaltystream.avro.dead_letter import ALLOWANCE_BYTES, KEPT_BYTES, LetterEncoder
from loyaltystream.avro.wire import frame
from loyaltystream.events import Header, Origin, Record
from loyaltystream.letters.letter import Letter, LetterReader
from loyaltystream.rules import Rules
from loyaltystream.sealing.originals import is_sealed, seal, unseal
from loyaltystream.sealing.ring import NO_KEYS, KeyRing, Locked
from loyaltystream.steps.stages import Rejected
from loyaltystream.verdicts import Reason, Violation
from tests.avro.test_dead_letter import LONGEST, TINY, WORST
from tests.core import LETTER_SCHEMA_ID, NOW_MS, TOPICS, read_letter
from tests.sealing.rings import BOTH, NEW, OLD
from tests.why.world import writer_schema

LIMIT = Rules().max_record_bytes
FRAME = frame(LETTER_SCHEMA_ID)
FOUND = (Violation(Reason.TYPE, "fields.sku", "missing"),)
SENT = Record(3, 17, NOW_MS, b"1800|mobile|919812345678", b'{"eventId": 1}', [("h", b"\xff")])

RECORDS = st.builds(
    Record,
    st.just(3),
    st.just(17),
    st.just(NOW_MS),
    st.none() | st.binary(max_size=40),
    st.none() | st.binary(max_size=200),
    st.lists(st.tuples(st.text(st.characters(codec="utf-8"), max_size=9), st.binary(max_size=20))),
)


def letter(
    record: Record = SENT,
    ring: KeyRing = OLD,
    violations: Sequence[Violation] = FOUND,
    limit: int = LIMIT,
) -> bytes:
    """Return the framed letter of a record."""
    origin = Origin(TOPICS.ingest, record.partition, record.offset, NOW_MS)
    names = {"org_id": 1800, "event_name": "productViewed", "event_id": "e-1"}
    rejected = Rejected(record, origin, NOW_MS, tuple(violations), **names)  # type: ignore[arg-type]  # mypy does not see which name has which type
    return LetterEncoder("ingest", LETTER_SCHEMA_ID, limit, ring=ring).encode(rejected)


def read(value: bytes, ring: KeyRing = OLD) -> Letter:
    """Return a letter as it is read back."""
    found = LetterReader(writer_schema, ring).read("dead", Record(3, 5, NOW_MS, None, value))
    assert isinstance(found, Letter), found
    return found


def changed(value: bytes, /, **changes: Any) -> bytes:
    """Return a framed letter with some of its fields replaced."""
    table = {**read_letter(value), **changes}
    return FRAME + schemas.encode(schemas.load(schemas.DEAD_LETTER), table)


def sealed_of(value: bytes, /, **changes: Any) -> Mapping[str, Any]:
    """Return what stands in a letter for its original, some of it replaced."""
    return {**read_letter(value)["value"], **changes}


def test_nothing_of_the_original_can_be_read() -> None:
    """Neither value, key nor headers stand in a sealed letter, nor a checksum of the value."""
    value = letter()
    assert not [secret for secret in (b"919812345678", b"mobile", b'"eventId"') if secret in value]
    content = read_letter(value)
    assert (content["value"]["alg"], content["value"]["keyId"]) == ("AES-GCM", "old")
    assert (content["key"], content["headers"], content["valueSha256"]) == (None, [], None)
    cut = read_letter(letter(msgspec.structs.replace(SENT, value=b"x" * LIMIT)))
    assert (cut["truncated"], cut["valueSha256"]) == (True, None)


def test_the_letters_own_key_is_none_where_it_is_sealed() -> None:
    """A customer's identifier does not stand in the key of the letter's record either."""
    sealing, plain = (LetterEncoder("ingest", 8, LIMIT, ring=ring) for ring in (OLD, NO_KEYS))
    assert sealing.key(SENT) is None
    assert plain.key(SENT) == SENT.key


def test_org_event_and_reasons_stay_readable() -> None:
    """Without any key a letter tells whose it is, what is wrong, where it is from, how large."""
    found = read(letter(), NO_KEYS)
    assert (found.org_id, found.event_name, found.event_id) == (1800, "productViewed", "e-1")
    assert [(one.code, one.path) for one in found.complaints] == [("TYPE", "fields.sku")]
    assert found.origin == Place(TOPICS.ingest, 3, 17)
    original = found.original
    assert (original.value, original.key, original.headers) == (None, None, [])
    assert (original.alg, original.key_id, original.size) == ("AES-GCM", "old", 14)
    assert original.locked is Locked.NO_KEY
    assert original.told == "sealed under a key that letters.keys does not have (old)"


@given(record=RECORDS)
def test_a_sealed_letter_reads_as_a_plain_one(record: Record) -> None:
    """Whatever the record held, opening gives the letter that would have been without a seal."""
    sealed, plain = read(letter(record)), read(letter(record, NO_KEYS))
    original = msgspec.structs.replace(sealed.original, alg="none", key_id=None)
    assert msgspec.structs.replace(sealed, original=original) == plain
    assert letter(record) == letter(record)


@given(record=RECORDS, limit=st.sampled_from([0, LIMIT]))
def test_opening_gives_back_the_table_and_the_key(record: Record, limit: int) -> None:
    """Also of a record that is kept in part, the key that its letter would have comes back."""
    table = read_letter(letter(record, NO_KEYS, limit=limit))
    sealed = seal(table, record.key, OLD)
    assert is_sealed(sealed)
    assert unseal(sealed, OLD) == (table, record.key)


@pytest.mark.parametrize(
    "change",
    [
        {"originTopic": "other"},
        {"originPartition": 4},
        {"originOffset": 18},
        {"truncated": True},
        {"valueBytes": 15},
        {"value": sealed_of(letter(), bytes=b"")},
        {"value": sealed_of(letter(), bytes=sealed_of(letter())["bytes"][:-1])},
        {"value": sealed_of(letter(), bytes=b"\0" + sealed_of(letter())["bytes"][1:])},
        {"value": sealed_of(letter(), keyId="new")},
    ],
)
def test_a_changed_letter_does_not_open(change: dict[str, Any]) -> None:
    """A seal that was cut, changed, moved to another letter or given another key's id is told."""
    found = read(changed(letter(), **change), BOTH)
    assert found.original.locked is Locked.ALTERED
    assert found.original.value is None
    assert found.arrived() is None


def test_a_seal_is_not_moved_to_another_letter() -> None:
    """The original of one letter in another opens nowhere."""
    other = letter(msgspec.structs.replace(SENT, offset=18))
    moved = changed(letter(), value=read_letter(other)["value"])
    assert read(moved).original.locked is Locked.ALTERED


@pytest.mark.parametrize("change", [{"alg": "ROT13"}, {"keyId": None}, {"keyId": "lost"}])
def test_a_seal_that_nobody_knows_is_told(change: dict[str, Any]) -> None:
    """Another algorithm, no key's id or one that is not there: each is a reason, not an error."""
    found = read(changed(letter(), value=sealed_of(letter(), **change)))
    expected = Locked.UNKNOWN if "alg" in change else Locked.NO_KEY
    assert found.original.locked is expected


def test_what_opens_to_something_else_is_told() -> None:
    """Bytes that were sealed by the right key but are no original are told as unknown."""
    assert OLD.active is not None
    strange = OLD.active.seal(f"{TOPICS.ingest}/3/17", b"not what we write")
    found = read(changed(letter(), value=sealed_of(letter(), bytes=strange)))
    assert found.original.locked is Locked.UNKNOWN


def test_letters_before_and_after_a_rotation_are_read() -> None:
    """Plain letters, those under the old key and those under the new one are read side by side."""
    for ring in (NO_KEYS, OLD, NEW, BOTH):
        assert read(letter(ring=ring), BOTH).original.value == SENT.value
    assert read(letter(ring=OLD), NEW).original.locked is Locked.NO_KEY


@pytest.mark.parametrize(
    ("value", "key", "headers"),
    [
        (b"x" * LIMIT, None, []),
        (b"x", b"k" * LIMIT, []),
        (b"", b"", TINY),
        (b"", None, [("h" * 100, b"x" * 100)] * (LIMIT // 216)),
        (b"x", None, [(LONGEST[:1000], b"")] * 250),
        (b"x" * KEPT_BYTES, b"k" * (LIMIT - KEPT_BYTES), []),
        (b"x" * LIMIT * 2, None, TINY),
    ],
)
def test_any_sealed_letter_fits_its_topic(
    value: bytes, key: bytes | None, headers: list[Header]
) -> None:
    """Sealed, a letter is hardly larger than plain, and 256 KiB larger than the record at most."""
    record = Record(3, 17, NOW_MS, key, value, headers)
    size = len(letter(record, OLD, WORST))
    assert size <= LIMIT + ALLOWANCE_BYTES
    assert size <= len(letter(record, NO_KEYS, WORST)) + len(key or b"") + 100


def test_a_record_that_is_cut_keeps_its_beginning_and_its_checksum() -> None:
    """Sealed or not, the beginning and the SHA-256 of a too large record are kept."""
    record = Record(3, 17, NOW_MS, b"k", b"y" * LIMIT, [])
    original = read(letter(record)).original
    assert (original.truncated, original.size) == (True, LIMIT)
    assert original.value == b"y" * KEPT_BYTES
    assert original.sha256 == read(letter(record, NO_KEYS)).original.sha256
    whole = read(changed(letter(record), truncated=False))
    assert whole.original.locked is Locked.ALTERED
