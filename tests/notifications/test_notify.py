"""The whole stage: records of EMFConsumer in, a plan out."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.avro import schemas
from loyaltystream.avro.schemas import Schema
from loyaltystream.avro.wire import frame
from loyaltystream.definitions.registry import Definitions
from loyaltystream.errors import ConfigurationError, RetryableBrokerError
from loyaltystream.events import Record
from loyaltystream.notify import Notify
from loyaltystream.pipeline import Plan
from loyaltystream.rules import Rules
from loyaltystream.topology import Output
from tests.core import (
    EVENT_SCHEMA_ID,
    LETTER_SCHEMA_ID,
    NOW_MS,
    TOPICS,
    event,
    header,
    outputs,
    read_letter,
)
from tests.laws.strategies import LAW
from tests.notifications.shop import (
    REGISTERED,
    SCHEMA_IDS,
    SHOP,
    accept,
    causing,
    happened,
    notify,
    plan,
    read_notification,
    transaction,
)

_OPENED = event(eventId="opened", eventName="appOpened", fields={"platform": "ios"})
_OTHER_ID = 9


def outcomes(made: Plan) -> dict[str, int]:
    return {outcome.value: count for outcome, count in made.tally.outcomes.items() if count}


def at(number: int, value: bytes | None, key: bytes | None = b"k") -> Record:
    return Record(0, number, NOW_MS, key, value, [("h", b"v")])


def letters(made: Plan) -> list[dict[str, Any]]:
    return [read_letter(output.value) for output in outputs(made, TOPICS.dead_letter)]


def test_a_notification_carries_its_history() -> None:
    """A notification's headers name its cause, make it a CloudEvent, and pass the trace on."""
    trace = ("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    [output] = plan(accept(REGISTERED, headers=[trace])).outputs
    value = read_notification(output)
    assert output.partition is None
    assert output.topic == TOPICS.notifications
    assert list(output.headers) == [
        ("src", b"EMFConsumer/0/0/0/3"),
        ("ce_specversion", b"1.0"),
        ("ce_id", value["eventId"].encode()),
        ("ce_type", b"loyalty.notification.v1.customerAdded"),
        ("ce_source", b"/loyaltystream/1800"),
        ("ce_time", b"2025-11-24T16:00:00.000Z"),
        ("content-type", b"application/avro"),
        ("cause-id", REGISTERED["eventId"].encode()),
        ("cause-src", b"behavioral-events/0/0"),
        ("cause-rule", b"customerRegistered/1/customer-added"),
        trace,
    ]


def test_an_event_may_cause_several_notifications() -> None:
    """Every rule makes its own notification, with an id and an index of its own."""
    definitions = causing(
        transaction(), transaction(billNumber={"const": "2"}), {"type": "CouponRedeem"}
    )
    made = plan(accept(happened(), definitions=definitions), definitions)
    values = [read_notification(output) for output in made.outputs]
    assert [value["eventName"] for value in values] == [
        "transactionAdded",
        "transactionAdded",
        "CouponRedeem",
    ]
    assert len({value["eventId"] for value in values}) == 3
    sources = [header(output, "src") for output in made.outputs]
    assert sources == [f"EMFConsumer/0/0/{index}/3" for index in range(3)]
    assert outcomes(made) == {"notified": 1}


def test_the_same_input_makes_the_same_bytes() -> None:
    """A batch that is planned again, by another process or in other parts, is the same."""
    records = accept(REGISTERED, _OPENED, REGISTERED | {"eventId": "another"})
    whole = plan(records).outputs
    assert notify().plan(records, definitions=SHOP, generation=3).outputs == whole
    assert [output for record in records for output in plan([record]).outputs] == whole


def test_a_plan_remembers_nothing() -> None:
    """The stage has no memory: its plan holds outputs, the next offset and a tally."""
    made = plan(accept(REGISTERED, _OPENED))
    assert (made.partition, made.next_offset, made.delta, made.overlay) == (0, 2, None, {})


def test_an_event_without_rules_is_silent() -> None:
    """An event whose definition causes nothing is counted and writes nothing."""
    made = plan(accept(_OPENED))
    assert made.outputs == []
    assert outcomes(made) == {"silent": 1}


def test_a_tombstone_is_counted() -> None:
    """A record without a value causes nothing and is counted as what it is."""
    made = plan([at(0, None), at(4, None)])
    assert (made.outputs, made.next_offset) == ([], 5)
    assert outcomes(made) == {"tombstone": 2}


def test_a_letter_keeps_the_record_and_its_place() -> None:
    """A letter of stage notify holds the record of EMFConsumer as it was, to be sent again."""
    [record] = accept(REGISTERED)
    made = notify().plan([record], definitions=Definitions([], EVENT_SCHEMA_ID), generation=3)
    [output] = made.outputs
    assert (output.topic, output.partition, output.key) == (TOPICS.dead_letter, 0, record.key)
    assert header(output, "src") == "EMFConsumer/0/0/0/3"
    assert (header(output, "verdict"), header(output, "reason")) == ("rejected", "UNKNOWN_EVENT")
    [letter] = letters(made)
    assert letter["stage"] == "notify"
    assert (letter["originTopic"], letter["originPartition"], letter["originOffset"]) == (
        "EMFConsumer",
        0,
        0,
    )
    assert letter["originTimestamp"].timestamp() * 1000 == record.timestamp_ms
    assert letter["value"]["bytes"] == record.value
    assert letter["key"]["bytes"] == record.key
    assert [entry["name"] for entry in letter["headers"]] == [name for name, _ in record.headers]
    assert (letter["orgId"], letter["eventName"], letter["eventId"]) == (
        1800,
        "customerRegistered",
        REGISTERED["eventId"],
    )
    assert outcomes(made) == {"unmapped": 1}
    assert dict(made.tally.reasons) == {"UNKNOWN_EVENT": 1}


def test_a_half_mapped_event_is_not_sent() -> None:
    """If one of an event's notifications can't be made, none of them is sent."""
    definitions = causing(transaction(), transaction(amount="fields.text", discount="fields.text"))
    made = plan(accept(happened(text="x"), definitions=definitions), definitions)
    assert outputs(made, TOPICS.notifications) == []
    [letter] = letters(made)
    assert [found["message"].split(":")[0] for found in letter["violations"]] == [
        "notifications[1].data.amount",
        "notifications[1].data.discount",
    ]
    assert letter["definitionVersion"] == 1


@pytest.mark.parametrize(
    ("value", "code", "message"),
    [
        (b"", "AVRO_FRAME", "not in the registry's wire format"),
        (b"{}", "AVRO_FRAME", "not in the registry's wire format"),
        (frame(99) + b"x", "SCHEMA_ID", "the registry has no schema 99"),
        (
            frame(_OTHER_ID) + b"x",
            "SCHEMA_ID",
            "schema 9 is not one of loyalty.event.v1.BehavioralEvent",
        ),
        (frame(10), "SCHEMA_ID", "schema 10: UnknownType"),
        (
            frame(EVENT_SCHEMA_ID),
            "AVRO_DECODE",
            "not a loyalty.event.v1.BehavioralEvent: cut off at byte 0",
        ),
    ],
)
def test_bytes_that_are_no_event_become_a_letter(value: bytes, code: str, message: str) -> None:
    """What is not a framed BehavioralEvent is a letter, and the next record is still done."""
    known: dict[int, Schema] = {
        EVENT_SCHEMA_ID: schemas.load(schemas.BEHAVIORAL_EVENT),
        _OTHER_ID: schemas.load(schemas.DEAD_LETTER),
        10: {
            "type": "record",
            "name": "loyalty.event.v1.BehavioralEvent",
            "fields": [{"name": "f", "type": "nothing"}],
        },
    }
    [good] = accept(REGISTERED)
    stage = _stage(known)
    made = stage.plan([at(0, value), good], definitions=SHOP, generation=0)
    [letter] = letters(made)
    [found] = letter["violations"]
    assert (found["code"], found["message"]) == (code, message)
    assert outcomes(made) == {"unmapped": 1, "notified": 1}


def _stage(known: dict[int, Schema], asked: list[int] | None = None) -> Notify:
    def writer_schema(schema_id: int) -> Schema | None:
        if asked is not None:
            asked.append(schema_id)
        return known.get(schema_id)

    return Notify(
        TOPICS,
        letters=notify()._letters,
        schema_ids=SCHEMA_IDS,
        writer_schema=writer_schema,
        rules=Rules(),
    )


def test_bytes_left_over_are_a_letter() -> None:
    """A value that goes on after its event is not half believed."""
    [good] = accept(REGISTERED)
    made = plan([at(0, (good.value or b"") + b"\0")])
    [letter] = letters(made)
    assert letter["violations"][0]["message"].endswith("1 bytes are left over")


def test_a_time_that_no_clock_shows_is_a_letter() -> None:
    """An ingestion time beyond year 9999 has no text, so the event can't be told on."""
    schema = schemas.load(schemas.BEHAVIORAL_EVENT)
    [good] = accept(REGISTERED)
    value = schemas.decode(schema, None, (good.value or b"")[5:]) | {"ingestedAt": 2**62}
    made = plan([at(0, frame(EVENT_SCHEMA_ID) + schemas.encode(schema, value))])
    assert letters(made)[0]["violations"][0]["path"] == "ingestedAt"


def test_events_of_other_releases_are_read() -> None:
    """An event is read by the schema that it was written with, and seen as this release does."""
    older = schemas.load(schemas.BEHAVIORAL_EVENT)
    fields = [field for field in older["fields"] if field["name"] != "extensions"]
    fields.append({"name": "later", "type": "string", "default": ""})
    other = {**older, "fields": fields, "__fastavro_parsed__": None}
    [good] = accept(REGISTERED)
    value = schemas.decode(older, None, (good.value or b"")[5:]) | {"later": "x"}
    buffer = BytesIO()
    plain = {key: part for key, part in other.items() if not key.startswith("__")}
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(plain), value)
    stage = _stage({11: plain})
    foreign = Record(0, 0, NOW_MS, good.key, frame(11) + buffer.getvalue(), good.headers)
    made = stage.plan([foreign], definitions=SHOP, generation=3)
    assert made.outputs[0].value == plan([good]).outputs[0].value


def test_the_registry_is_asked_once_an_id() -> None:
    """Known schemas are kept; an unknown id is asked again, for somebody may register it."""
    asked: list[int] = []
    stage = _stage({EVENT_SCHEMA_ID: schemas.load(schemas.BEHAVIORAL_EVENT)}, asked)
    good = accept(REGISTERED, REGISTERED | {"eventId": "another"})
    stage.plan([*good, at(2, frame(99)), at(3, frame(99))], definitions=SHOP, generation=0)
    assert asked == [EVENT_SCHEMA_ID, 99, 99]


def test_a_registry_that_is_away_stops_the_batch() -> None:
    """If the registry can't be asked, nothing is judged: the failure goes to the runner."""

    def away(schema_id: int) -> Schema | None:
        raise RetryableBrokerError(f"schema {schema_id}: the registry does not answer")

    stage = Notify(
        TOPICS,
        letters=notify()._letters,
        schema_ids=SCHEMA_IDS,
        writer_schema=away,
        rules=Rules(),
    )
    with pytest.raises(RetryableBrokerError, match="does not answer"):
        stage.plan(accept(REGISTERED), definitions=SHOP, generation=0)


def test_a_notification_that_no_broker_takes_is_a_letter() -> None:
    """A notification larger than a record may be is a letter, not a worker that never gets on."""
    rule = transaction(billNumber="fields.text", billClientId="fields.text")
    definitions = causing(rule)
    records = accept(happened(text="x" * 3000), definitions=definitions)
    made = notify(max_record_bytes=6000).plan(records, definitions=definitions, generation=0)
    [output] = made.outputs
    assert header(output, "reason") == "TOO_LARGE"


def test_every_schema_needs_its_id() -> None:
    """A stage that could not write one of its types does not start."""
    with pytest.raises(ConfigurationError, match=r"no schema id for loyalty\.notification\.v1"):
        Notify(
            TOPICS,
            letters=notify()._letters,
            schema_ids={},
            writer_schema=lambda _: None,
            rules=Rules(),
        )


_GOOD = accept(
    REGISTERED,
    _OPENED,
    event(
        eventName="purchaseCompleted",
        eventId="bad",
        fields={
            "billNumber": "1",
            "amount": 1,
            "transactionId": 1,
            "basket": {"lineItemCount": "many"},
        },
    ),
)
_VALUES = st.sampled_from([record.value for record in _GOOD]) | st.none()
_BROKEN = st.builds(
    lambda value, cut, more: (value or b"")[:cut] + more,
    _VALUES,
    st.integers(0, 300),
    st.binary(max_size=40),
)


@LAW
@given(st.lists(_VALUES | _BROKEN | st.binary(max_size=60), min_size=1, max_size=12))
def test_every_record_has_exactly_one_outcome(values: Sequence[bytes | None]) -> None:
    """Whatever bytes come: no exception, and records = notified + silent + unmapped + tombstone."""
    records = [at(number, value) for number, value in enumerate(values)]
    made = plan(records)
    assert made.tally.consumed == len(records)
    assert made.tally.verdicts == {}
    caused = {_offset(output) for output in outputs(made, TOPICS.notifications)}
    dead = [_offset(output) for output in outputs(made, TOPICS.dead_letter)]
    assert len(caused) == outcomes(made).get("notified", 0)
    assert len(dead) == len(set(dead)) == outcomes(made).get("unmapped", 0)
    assert caused.isdisjoint(dead)
    assert made.next_offset == len(records)


def _offset(output: Output) -> int:
    return int((header(output, "src") or "").split("/")[2])


def test_the_letters_of_both_stages_look_alike() -> None:
    """A letter of notify is written with the same schema as one of ingest."""
    made = plan([at(0, b"?")])
    assert (made.outputs[0].value or b"")[:5] == frame(LETTER_SCHEMA_ID)
