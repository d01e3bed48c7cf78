"""What a notification says of its cause, in its headers and in its envelope."""

import msgspec
import pytest

from loyaltystream.events import Record
from loyaltystream.notifications.envelope import Cause, cause_of, rule_header
from loyaltystream.topology import Output
from tests.core import header
from tests.definitions.topic import Topic
from tests.notifications.shop import (
    accept,
    body,
    causing,
    happened,
    plan,
    read_notification,
    transaction,
)


def test_a_cause_is_named_by_its_id_and_its_source() -> None:
    """Of an event its id and the record that was judged are told, without generation."""
    assert cause_of("é-1", b"behavioral-events/3/1042/0/17") == Cause(
        "behavioral-events/3/1042",
        (("cause-id", "é-1".encode()), ("cause-src", b"behavioral-events/3/1042")),
    )


@pytest.mark.parametrize(
    "source",
    [
        None,
        b"",
        b"behavioral-events/3/1042",
        b"a/b/c/0/1",
        b"t" * 300 + b"/1/2/0/1",
        b"\xff/1/2/0/1",
    ],
)
def test_a_source_that_is_none_is_not_told(source: bytes | None) -> None:
    """What INGEST did not write names no record; the event's id is told all the same."""
    assert cause_of("e-1", source) == Cause(None, (("cause-id", b"e-1"),))


def test_a_rule_is_named_by_definition_version_and_id() -> None:
    """Event name and version hold no slash, so a rule's id may."""
    assert rule_header("orderPaid", 2, "paid/é") == ("cause-rule", "orderPaid/2/paid/é".encode())


def caused(output: Output) -> dict[str, str | None]:
    return {name: header(output, f"cause-{name}") for name in ("id", "src", "rule")}


def test_each_notification_names_its_rule() -> None:
    """Several notifications of an event tell the same event and source, and each its own rule."""
    definitions = causing(transaction() | {"id": "one"}, transaction(), version=4)
    events = [happened() | {"eventId": "e-0"}, happened() | {"eventId": "e-1"}]
    made = plan(accept(*events, definitions=definitions), definitions).outputs
    assert [caused(output) for output in made] == [
        {"id": event, "src": f"behavioral-events/0/{offset}", "rule": f"thingHappened/4/{rule}"}
        for offset, event in enumerate(["e-0", "e-1"])
        for rule in ("one", "1")
    ]
    for output in made:
        value, told = read_notification(output), caused(output)
        assert value["causeEventId"] == told["id"]
        assert value["causeSource"] == told["src"]
        named = f"thingHappened/{value['causeDefinitionVersion']}/{value['causeRule']}"
        assert named == told["rule"]


def test_the_version_is_of_the_rule_that_made_it() -> None:
    """An event that another version maps than judged it tells the one that mapped it."""
    topic = Topic()
    topic.create(body(transaction()))
    accepted = accept(happened(), definitions=topic.history().view())
    topic.replace(body(transaction() | {"id": "mended"}))
    told = [
        caused(plan(accepted, definitions).outputs[0])["rule"]
        for definitions in (topic.history().view(), causing(transaction(), version=7))
    ]
    # The topic has the version that judged it; files have the last one only.
    assert told == ["thingHappened/1/0", "thingHappened/7/0"]


def test_an_event_without_a_source_is_notified_of() -> None:
    """A record of EMFConsumer without our header has notifications, which tell no source."""
    definitions = causing(transaction())
    [accepted] = accept(happened(), definitions=definitions)
    bare: Record = msgspec.structs.replace(accepted, headers=[])
    [output] = plan([bare], definitions).outputs
    assert read_notification(output)["causeSource"] is None
    assert [name for name, _ in output.headers if name.startswith("cause-")] == [
        "cause-id",
        "cause-rule",
    ]


def test_an_import_and_a_trace_stand_beside_it() -> None:
    """The headers of the event's own way keep their places behind the cause."""
    definitions = causing(transaction())
    [accepted] = accept(happened(), definitions=definitions)
    more = [*accepted.headers, ("import-id", b"old"), ("traceparent", b"00-1-2-01")]
    [output] = plan([msgspec.structs.replace(accepted, headers=more)], definitions).outputs
    assert [name for name, _ in output.headers][-3:] == ["cause-rule", "import-id", "traceparent"]
    assert header(output, "cause-src") == "behavioral-events/0/0"
