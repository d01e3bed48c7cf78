"""Many events in one request: all of them are taken, or none."""

import json
from typing import Any

import pytest

from loyaltystream.errors import RetryableBrokerError
from loyaltystream.gateway.bodies import MAX_BATCH_EVENTS, NDJSON
from loyaltystream.testing.channel import MemoryChannel
from tests.core import event, raw, verdicts
from tests.gateway.conftest import BATCH_BYTES, Counter, reasons, refused

PATH = "/events/batch"


def many(count: int) -> list[dict[str, Any]]:
    """Return so many events."""
    return [event(eventId=f"e-{number}") for number in range(count)]


def lines(events: list[dict[str, Any]], end: bytes = b"\n") -> bytes:
    """Return events as one line each."""
    return end.join(raw(one) for one in events)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n \n"])
def test_lines_are_events(counter: Counter, end: bytes) -> None:
    """Each line is a record, in their order, whatever ends a line."""
    answer = counter.post(PATH, lines(many(3), end) + end, kind=NDJSON)
    assert answer.status_code == 202
    assert answer.json() == {"accepted": 3, "eventIds": ["e-0", "e-1", "e-2"]}
    assert [one.value for one in counter.channel.taken] == [raw(one) for one in many(3)]
    assert verdicts(counter.judged()) == {"accepted": 3}
    assert counter.watched.answers == [(PATH, 202, 3)]


def test_an_array_is_events(counter: Counter) -> None:
    """The bytes of each element are kept as they stand in the array."""
    sent = json.dumps(many(2), indent=3).encode()
    assert counter.post(PATH, sent).json()["accepted"] == 2
    assert all(one.value in sent for one in counter.channel.taken)
    assert verdicts(counter.judged()) == {"accepted": 2}


def test_a_line_separator_inside_of_a_text_ends_no_line(counter: Counter) -> None:
    """Only a line feed does, as NDJSON has it."""
    sent = event(fields={"sku": "a\u2028b\u0085c\x1cd", "note": "x"})
    body = json.dumps(sent, ensure_ascii=False).replace("\\u001c", "\\u001c").encode()
    assert counter.post(PATH, body, kind=NDJSON).json()["accepted"] == 1


def test_one_that_cannot_be_taken_keeps_all_out(counter: Counter) -> None:
    """The answer says which, and everything that is wrong with them; nothing is written."""
    sent = [event(), event(eventId="", orgId="x"), [], event(eventId="b")]
    answer = counter.post(PATH, sent)
    assert reasons(answer) == [("NO_ID", "eventId"), ("TYPE", "orgId"), ("NOT_OBJECT", "")]
    assert [one["event"] for one in answer.json()["violations"]] == [1, 1, 2]
    assert counter.channel.taken == []


def test_one_that_the_judge_will_reject_is_taken(counter: Counter) -> None:
    """A dead letter among good ones is no reason to keep these waiting."""
    sent = [event(), event(eventId="b", eventName="neverDefined")]
    assert counter.post(PATH, sent).json()["accepted"] == 2
    assert verdicts(counter.judged()) == {"accepted": 1, "rejected": 1}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", NDJSON),
        (b"\n \n", NDJSON),
        (b"[]", "application/json"),
        (b"{}", "application/json"),
        (b"[", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'["\xff"]', "application/json"),
    ],
)
def test_what_is_no_batch_is_refused(counter: Counter, body: bytes, kind: str) -> None:
    """A batch has one event at least, and is lines or an array."""
    refused(counter.post(PATH, body, kind=kind), 422)
    assert counter.channel.taken == []


def test_a_batch_has_its_bounds(counter: Counter) -> None:
    """Neither too many events nor too many bytes."""
    refused(counter.post(PATH, b"[" + b"1," * MAX_BATCH_EVENTS + b"1]"), 413)
    refused(counter.post(PATH, b" " * (BATCH_BYTES + 1)), 413)


def test_one_key_for_many_events_is_refused(counter: Counter) -> None:
    """They would all have the same id."""
    refused(counter.post(PATH, many(2), idempotency_key="k"), 422)
    refused(counter.post(PATH, many(2), x_event_id="k"), 422)


def test_a_batch_is_acknowledged_as_a_whole() -> None:
    """Where not all of it is known to be written, all of it has to come again."""
    counter = Counter(channel=MemoryChannel(room=2))
    refused(counter.post(PATH, many(3)), 429)
    counter.channel.away = RetryableBrokerError("gone")
    refused(counter.post(PATH, many(2)), 503)
    counter.channel.away = None
    assert counter.post(PATH, many(2)).is_success
