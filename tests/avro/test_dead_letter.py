"""Dead letters: all that is wrong, all that arrived, and never too large to be written."""

from collections.abc import Sequence
from hashlib import sha256

import pytest

from loyaltystream.avro.dead_letter import (
    ALLOWANCE_BYTES,
    KEPT_BYTES,
    MAX_VIOLATIONS,
    LetterEncoder,
)
from loyaltystream.events import Header, Origin, Record
from loyaltystream.rules import Rules
from loyaltystream.steps.stages import Rejected
from loyaltystream.verdicts import VENDOR_CODES, Reason, Verdict, Violation
from tests.core import LETTER_SCHEMA_ID, NOW_MS, TOPICS, event, outputs, raw, read_letter
from tests.core import Partition as JudgingPartition
from tests.core import record as some_record

LIMIT = Rules().max_record_bytes


def letter(
    value: bytes | None,
    *violations: Violation,
    key: bytes | None = None,
    headers: Sequence[Header] = (),
) -> bytes:
    """Return the framed letter of a record."""
    record = Record(3, 17, NOW_MS, key, value, headers)
    origin = Origin(TOPICS.ingest, 3, 17, NOW_MS)
    found = violations or (Violation(Reason.EMPTY, "", "nothing"),)
    encoder = LetterEncoder("ingest", LETTER_SCHEMA_ID, LIMIT)
    return encoder.encode(Rejected(record, origin, NOW_MS, found))


def test_a_letter_holds_the_record_as_it_came() -> None:
    """Value, key and headers are there to the byte, and where they came from."""
    headers = [("a", b"\xff"), ("a", b""), ("", b"x")]
    content = read_letter(letter(b"\x00\xff", key=b"\xfe", headers=headers))
    assert content["value"] == {"alg": "none", "keyId": None, "bytes": b"\x00\xff"}
    assert content["key"]["bytes"] == b"\xfe"
    assert [(held["name"], held["value"]["bytes"]) for held in content["headers"]] == headers
    assert (content["originPartition"], content["originOffset"]) == (3, 17)
    assert (content["stage"], content["verdict"]) == ("ingest", Verdict.REJECTED)
    assert (content["truncated"], content["valueBytes"], content["valueSha256"]) == (False, 2, None)


def test_nothing_is_told_from_empty() -> None:
    """A null key is no empty key, and a header of null no empty header."""
    none = read_letter(letter(None, headers=[("a", None)]))  # type: ignore[list-item]  # brokers allow it
    assert (none["value"], none["key"], none["headers"][0]["value"]) == (None, None, None)
    empty = read_letter(letter(b"", key=b"", headers=[("a", b"")]))
    assert (empty["value"]["bytes"], empty["key"]["bytes"]) == (b"", b"")


def test_a_hundred_violations_are_written_and_all_are_counted() -> None:
    """Of thousands of violations the first hundred are in the letter, with the count of all."""
    event_of_many = event(fields={"sku": "S"}, trace={f"t{n:04}": n for n in range(900)})
    plan = JudgingPartition().judge([some_record(raw(event_of_many))])
    content = read_letter(outputs(plan, TOPICS.dead_letter)[0].value)
    assert len(content["violations"]) == MAX_VIOLATIONS == 100
    assert content["violationCount"] == 900
    assert content["violations"][99]["path"] == "trace.t0099"


def test_the_vendors_number_stands_beside_our_code() -> None:
    """A violation for which the vendor has a number says it."""
    found = [Violation(reason, "x", "y") for reason in (Reason.NO_ID, Reason.TYPE)]
    content = read_letter(letter(b"{}", *found))
    assert [violation["vendorCode"] for violation in content["violations"]] == [7306, None]
    assert set(VENDOR_CODES.values()) <= set(range(7300, 7320))


@pytest.mark.parametrize("more", [0, 1])
def test_a_record_beyond_the_limit_is_cut_and_proven(more: int) -> None:
    """The largest record that the topic takes is whole; one byte more, and 64 KiB are left."""
    value = b"x" * (LIMIT - 2 * 10 + more)  # the key is the letter's own as well
    content = read_letter(letter(value, key=b"0123456789"))
    assert content["truncated"] == bool(more)
    assert content["valueBytes"] == len(value)
    if more:
        assert content["value"]["bytes"] == value[:KEPT_BYTES]
        assert content["valueSha256"] == sha256(value).hexdigest()
        assert (content["key"], content["headers"]) == (None, [])
    else:
        assert content["value"]["bytes"] == value


LONGEST = "\U0001f600" * 5_000
WORST = tuple(Violation(Reason.UNKNOWN_FIELD, LONGEST, "d" * 600) for _ in range(1_000))
TINY: list[Header] = [("h", b"")] * 300_000


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (b"x" * LIMIT, []),
        (b"", TINY),
        (b"", [("h" * 100, b"x" * 100)] * (LIMIT // 216)),
        (b"x", [("\U0001f600" * 1000, b"")] * 250),
        (b"x" * LIMIT * 2, TINY),
    ],
)
def test_any_letter_fits_its_topic(value: bytes, headers: list[Header]) -> None:
    """Whatever a record and its violations hold, the letter is 256 KiB larger at most."""
    size = len(letter(value, *WORST, headers=headers))
    assert size <= LIMIT + ALLOWANCE_BYTES


def test_the_largest_accepted_event_fits_as_a_letter_too() -> None:
    """An event that could be accepted can also be held as a conflict."""
    value = raw(event(fields={"sku": "S", "note": "x" * 500_000}))
    assert len(value) < Rules().max_event_bytes
    partition = JudgingPartition()
    partition.commit([some_record(value)])
    conflict = partition.judge(
        [some_record(value.replace(b"SKU", b"x").replace(b'"S"', b'"T"'), 1)]
    )
    written = outputs(conflict, TOPICS.dead_letter)[0].value
    assert written is not None
    assert len(written) <= Rules().max_event_bytes + ALLOWANCE_BYTES
    assert not read_letter(written)["truncated"]


def test_no_value_of_the_event_is_in_a_violation() -> None:
    """Messages say what was needed; neither a phone number nor a secret is repeated in them."""
    canary = "canary7731"
    bad = event(
        eventId=f"{canary}|",
        occurredAt=canary,
        tillCode={"a": canary},
        customer={
            "identifiers": [{"type": "mobile", "value": canary}, {"type": canary, "value": " "}]
        },
        fields={"sku": [canary], "tier": canary, "coupon": canary, "currency": canary},
    )
    plan = JudgingPartition().judge([some_record(raw(bad))])
    content = read_letter(outputs(plan, TOPICS.dead_letter)[0].value)
    assert len(content["violations"]) >= 8
    assert canary not in repr(content["violations"])
