"""What is in a record, and what is said of one that can't be read."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.avro import schemas
from loyaltystream.avro.schemas import Schema
from loyaltystream.avro.wire import frame
from loyaltystream.errors import RetryableBrokerError
from loyaltystream.memory import changelog, relaid
from loyaltystream.memory.changelog import Delta
from loyaltystream.memory.relaid import Moved, Switched
from loyaltystream.memory.units import ENTRY, KeyKind, Section, Unit
from loyaltystream.sealing.ring import NO_KEYS, Locked
from loyaltystream.tailing.decoding import (
    BYTES,
    DELTA,
    JSON,
    MOVED,
    SWITCHED,
    TOMBSTONE,
    UNDECODABLE,
    Content,
    plain,
    reader_of,
)
from loyaltystream.tailing.topics import ROLES
from tests.core import (
    EVENT_SCHEMA_ID,
    LETTER_SCHEMA_ID,
    NOW_MS,
    TOPICS,
    Partition,
    event,
    ingest,
    layout,
    outputs,
    raw,
    record,
)
from tests.laws.strategies import BYTES as ANY_BYTES
from tests.laws.strategies import LAW
from tests.sealing.rings import NEW, OLD

REGISTERED = {
    EVENT_SCHEMA_ID: schemas.load(schemas.BEHAVIORAL_EVENT),
    LETTER_SCHEMA_ID: schemas.load(schemas.DEAD_LETTER),
}


def content(role: str | None, value: bytes | None) -> Content:
    """Return what is in a value of that role's topic."""
    return reader_of(role, REGISTERED.get)(value)


def judged(value: object, topic: str) -> bytes:
    """Return the first record that an event causes in a topic."""
    plan = Partition().judge([record(raw(value))])
    return outputs(plan, topic)[0].value or b""


def test_an_accepted_event_is_read_by_its_writers_schema() -> None:
    """Its fields and times are those that JSON can hold."""
    found = content("emf", judged(event(), TOPICS.emf))
    assert found.kind == schemas.BEHAVIORAL_EVENT
    assert found.problem is None
    assert found.value["eventName"] == "productViewed"
    assert found.value["occurredAt"] == "2025-11-24T16:00:00.000Z"
    json.dumps(found.value, allow_nan=False)


def test_a_dead_letter_has_its_violations_and_the_original_as_text() -> None:
    """Whoever looks at a letter sees why, and what was sent."""
    sent = event(eventName="neverHeardOf")
    found = content("dead_letter", judged(sent, TOPICS.dead_letter))
    assert [violation["code"] for violation in found.value["violations"]] == ["UNKNOWN_EVENT"]
    assert json.loads(found.value["value"]["bytes"]) == sent


def test_a_sealed_letter_is_opened_where_its_key_is() -> None:
    """With the key a sealed letter looks as if nothing were sealed; without it that is told."""
    sent = raw(event(eventName="neverHeardOf"))
    plain_letter, letter = (
        outputs(Partition(ingest(ring=ring)).judge([record(sent)]), TOPICS.dead_letter)[0].value
        for ring in (NO_KEYS, OLD)
    )
    opened = reader_of("dead_letter", REGISTERED.get, OLD)(letter)
    assert opened == content("dead_letter", plain_letter)
    locked = reader_of("dead_letter", REGISTERED.get, NEW)(letter)
    assert locked.locked == Locked.NO_KEY.value
    assert (locked.value["value"]["alg"], locked.value["value"]["keyId"]) == ("AES-GCM", "old")
    assert [found["code"] for found in locked.value["violations"]] == ["UNKNOWN_EVENT"]


def test_a_delta_tells_its_offsets_its_clock_and_how_much_it_accepted() -> None:
    """The ids themselves are hashes that nobody can read, so only their number is told."""
    section = Section(Unit(KeyKind.EVENT_ID, 30), 7, np.zeros(3, ENTRY))
    delta = Delta(layout(4), 10, 25, NOW_MS, 0, [section])
    found = content("changelog", changelog.encode(delta))
    assert found.kind == DELTA
    told = found.value
    assert (told["fromOffset"], told["toOffset"], told["clockMs"]) == (10, 25, NOW_MS)
    assert told["accepted"] == [
        {"kind": "EVENT_ID", "windowDays": 30, "generationCode": 7, "keys": 3}
    ]
    assert told["layout"]["partitions"] == 4
    json.dumps(told)


def test_what_a_relayout_wrote_is_told() -> None:
    """Copies say where they come from, and a switch what comes into force."""
    section = Section(Unit(KeyKind.EVENT_ID, 30), 7, np.zeros(3, ENTRY))
    moved = content("changelog", relaid.encode(Moved(layout(8), 2, 10, 25, NOW_MS, [section])))
    assert moved.kind == MOVED
    assert (moved.value["sourcePartition"], moved.value["moved"][0]["keys"]) == (2, 3)
    switched = content("changelog", relaid.encode(Switched(layout(8), 4, 25, NOW_MS, 0, 3)))
    assert switched.kind == SWITCHED
    told = switched.value
    assert (told["partitionsBefore"], told["layout"]["partitions"]) == (4, 8)
    assert (told["fromOffset"], told["movedHere"]) == (25, 3)
    json.dumps([moved.value, told])


def test_a_raw_topic_holds_json() -> None:
    """An event on the ingest topic is shown as the object that it is, large numbers exact."""
    found = content("ingest", b'{"a": 1.50, "b": 123456789012345678901234567890}')
    assert found == Content(JSON, {"a": 1.5, "b": 123456789012345678901234567890})


@pytest.mark.parametrize("role", [*ROLES.values(), None])
def test_a_record_without_a_value_is_a_tombstone(role: str | None) -> None:
    """On any topic a null value is said to be one."""
    assert content(role, None) == Content(TOMBSTONE, None)


@pytest.mark.parametrize(
    ("role", "value", "why"),
    [
        ("ingest", b"{broken", "JSON_SYNTAX"),
        ("ingest", b'{"a":1,"a":2}', "DUP_KEY"),
        ("ingest", b"[1]", "NOT_OBJECT"),
        ("emf", b'{"a":1}', "not in the registry's wire format"),
        ("emf", frame(99) + b"x", "no schema 99"),
        ("emf", frame(EVENT_SCHEMA_ID) + b"x", "BehavioralEvent"),
        ("changelog", b"\x09", "format 9"),
        ("changelog", changelog.encode(Delta(layout(), 0, 1, 2, 0, []))[:-1], "damaged"),
    ],
)
def test_what_cannot_be_decoded_is_shown_with_the_reason(role: str, value: bytes, why: str) -> None:
    """The reason is told, and all bytes are still there."""
    found = content(role, value)
    assert found.kind == UNDECODABLE
    assert why in (found.problem or "")
    assert found.value == plain(value)


def test_a_silent_registry_is_a_reason_too() -> None:
    """Without the registry a record is shown as bytes, and the next one is tried again."""

    def silent(_schema_id: int) -> Schema | None:
        raise RetryableBrokerError("fetching schema 7: nobody there")

    found = reader_of("emf", silent)(judged(event(), TOPICS.emf))
    assert "nobody there" in (found.problem or "")


def test_a_topic_of_somebody_elses_is_read_by_its_looks() -> None:
    """Framed values are Avro, objects are JSON, all else is text or bytes."""
    assert content(None, judged(event(), TOPICS.emf)).kind == schemas.BEHAVIORAL_EVENT
    assert content(None, b'{"a":1}') == Content(JSON, {"a": 1})
    assert content(None, b"hello") == Content(BYTES, "hello")
    assert content(None, b"\xff\xfe") == Content(BYTES, {"base64": "//4="})
    assert content(None, b"") == Content(BYTES, "")


@LAW
@given(st.sampled_from([*ROLES.values(), None]), ANY_BYTES, st.sampled_from([b"", frame(7), b"\1"]))
def test_any_bytes_can_be_shown(role: str | None, value: bytes | None, start: bytes) -> None:
    """No bytes on any topic end the command."""
    found = content(role, None if value is None else start + value)
    json.dumps(found.value, allow_nan=False)


def test_every_decoded_value_becomes_one_that_json_can_hold() -> None:
    """Times are told in UTC, bytes as text or base64, what JSON has no number for as text."""
    east = timezone(timedelta(hours=5, minutes=30))
    assert plain(
        {
            1: datetime(2026, 1, 31, 13, 30, 0, 5000, tzinfo=east),
            "b": [b"text", b"\xff", None, True, 5],
            "c": (float("nan"), float("-inf"), 0.5, Decimal("1.50")),
            "d": datetime(2026, 1, 31, tzinfo=UTC),
        }
    ) == {
        "1": "2026-01-31T08:00:00.005Z",
        "b": ["text", {"base64": "/w=="}, None, True, 5],
        "c": ["nan", "-inf", 0.5, "1.50"],
        "d": "2026-01-31T00:00:00.000Z",
    }


def test_bottomless_values_have_a_bottom() -> None:
    """A value that is nested without end is cut, not followed."""
    bottomless: list[object] = []
    bottomless.append(bottomless)
    assert "nested deeper" in json.dumps(plain(bottomless))
