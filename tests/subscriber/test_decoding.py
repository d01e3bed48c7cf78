"""Records in, typed notifications out; what the registry does not know is no record's fault."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.avro import schemas
from loyaltystream.avro.schemas import Schema
from loyaltystream.avro.wire import frame
from loyaltystream.errors import RetryableBrokerError, SchemaError
from loyaltystream.events import TYPE_HEADER, Record
from loyaltystream.subscriber.decoding import Read, Unknown, Writers, read
from loyaltystream.subscriber.outcomes import Blame, Failure
from loyaltystream.subscriber.records import (
    Notification,
    PointsIssued,
    PointsIssuedData,
)
from loyaltystream.subscriber.testing import MemoryWriters, encode, example
from tests.subscriber.goldens import goldens, typed

ISSUED = example(PointsIssued, data=PointsIssuedData(totalPointsIssued=120.5))
NAME = f"{schemas.NOTIFICATION_NAMESPACE}.PointsIssued"
OURS = ((TYPE_HEADER, b"loyalty.notification.v1.pointsIssued"),)


Answer = Callable[[int], Schema | None]


class Answering:
    """A registry that answers by a function, and counts how often it is to ask anew."""

    def __init__(self, answer: Answer) -> None:
        self.writer_schema = answer
        self.forgotten = 0

    def forget(self) -> None:
        self.forgotten += 1


def decoded(
    value: bytes, writers: Writers, headers: tuple[tuple[str, bytes], ...] = OURS
) -> Notification | Unknown | Failure:
    """Return what a subscriber that wants everything gets of a value."""
    found = read(value, Record(0, 0, 0, None, value, headers), writers)
    return found.decode() if isinstance(found, Read) else found


def written(change: Callable[[Schema], Any], **told: object) -> tuple[bytes, Writers]:
    """Return what a producer with a changed schema writes, and a registry that has that."""
    plain = schemas.load(NAME)
    schema = {**plain, "fields": [dict(field) for field in plain["fields"]]}
    change(schema)
    parsed = schemas.parse({key: schema[key] for key in schema if not key.startswith("__")})
    value = {**asdict(ISSUED), **told}
    return frame(7) + schemas.encode(parsed, value), Answering({7: parsed}.get)


@pytest.mark.parametrize("golden", goldens(), ids=lambda each: each["notification"]["refId"])
def test_a_golden_notification_comes_back_from_avro(golden: dict[str, Any]) -> None:
    """Every golden notification is decoded to the typed record that its file says."""
    notification = typed(golden)
    headers = ((TYPE_HEADER, golden["type"].encode()),)
    assert decoded(encode(notification), MemoryWriters(), headers) == notification


def test_a_field_of_a_newer_version_is_ignored() -> None:
    """A producer that writes a field which this version does not know is read without it."""
    more = {"name": "season", "type": ["null", "string"], "default": None, "doc": "New."}
    value, writers = written(lambda schema: schema["fields"].append(more), season="spring")
    assert decoded(value, writers) == ISSUED


def test_a_field_that_an_older_version_lacks_is_none() -> None:
    """A producer that does not write a field yet is read with None in its place."""

    def drop(schema: Schema) -> None:
        schema["fields"] = [each for each in schema["fields"] if each["name"] != "causeEventId"]

    value, writers = written(drop)
    assert decoded(value, writers) == ISSUED


def test_a_type_of_a_newer_version_is_told_by_its_name() -> None:
    """A type that this version does not know is no failure: it is told what it is called."""
    value, writers = written(lambda schema: schema.update(name=f"{NAME}Twice"))
    headers = ((TYPE_HEADER, b"loyalty.notification.v1.pointsIssuedTwice"),)
    assert decoded(value, writers, headers) == Unknown(f"{NAME}Twice")


def test_a_registry_that_is_away_is_waited_for() -> None:
    """While the registry does not answer, nothing is known of a record."""
    writers = MemoryWriters()
    writers.away = RetryableBrokerError("away")
    with pytest.raises(RetryableBrokerError, match="away"):
        decoded(encode(ISSUED), writers)


def refusing(_schema_id: int) -> Schema | None:
    """Answer as a registry that has no Avro under that id."""
    raise SchemaError("JSON Schema")


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (lambda _: None, "nothing"),
        (refusing, "no Avro record"),
        (lambda _: schemas.load(f"{schemas.NOTIFICATION_NAMESPACE}.TierRenewed"), "TierRenewed"),
    ],
    ids=["empty", "not Avro", "other ids"],
)
def test_a_registry_at_odds_with_a_record_is_waited_for(answer: Answer, found: str) -> None:
    """A record of NOTIFY's under an id that the registry has not, or has otherwise, has to wait."""
    writers = Answering(answer)
    with pytest.raises(RetryableBrokerError, match=f"has .*{found}: it is another registry"):
        decoded(encode(ISSUED), writers)
    assert writers.forgotten == 1


def test_a_record_of_somebody_else_without_a_schema_can_not_be_decoded() -> None:
    """A record that NOTIFY did not write is to blame itself for an id that nobody knows."""
    found = decoded(encode(ISSUED), Answering(lambda _: None), headers=())
    assert isinstance(found, Failure)
    assert found.blame is Blame.UNDECODABLE
    assert "nothing" in found.message


def test_a_record_without_headers_is_read_by_its_schema() -> None:
    """A notification that was copied without its headers is read all the same."""
    assert decoded(encode(ISSUED), MemoryWriters(), headers=()) == ISSUED


def test_bytes_that_are_cut_off_can_not_be_decoded() -> None:
    """A value that ends too early, or too late, or has no frame, is told as such."""
    value = encode(ISSUED)
    for broken in (value[:-1], value + b"x", b"", b"{}", b"\x01" + value[1:]):
        found = decoded(broken, MemoryWriters())
        assert isinstance(found, Failure), broken
        assert found.blame is Blame.UNDECODABLE


def test_what_is_not_wanted_is_not_decoded() -> None:
    """A type is told without its content being read: it may be broken."""
    found = read(encode(ISSUED)[:9], Record(0, 0, 0, None, b"", OURS), MemoryWriters())
    assert isinstance(found, Read)
    assert found.kind is PointsIssued


_WRITERS = MemoryWriters()


@given(
    st.one_of(
        st.binary(max_size=200),
        st.builds(lambda number, rest: frame(number) + rest, st.integers(0, 40), st.binary()),
    ),
    st.one_of(st.just(()), st.just(OURS), st.builds(lambda t: ((TYPE_HEADER, t),), st.binary())),
)
def test_no_bytes_make_it_raise(value: bytes, headers: tuple[tuple[str, bytes], ...]) -> None:
    """Whatever lies on the topic is a notification, an unknown type, a failure, or has to wait."""
    try:
        found = decoded(value, _WRITERS, headers)
    except RetryableBrokerError:
        return
    assert isinstance(found, Notification | Unknown | Failure)
