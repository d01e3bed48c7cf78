"""Routed events are never too large for the topics that they go to."""

from typing import Any

import pytest

from loyaltystream.rules import Rules
from loyaltystream.topology import Output
from loyaltystream.verdicts import Reason
from tests.core import TOPICS, Partition, event, ingest, outputs, raw, record, verdicts

EXPANDING: dict[str, dict[str, Any]] = {
    "large doubles in an array": {"fields": {"sku": "S", "x": [1e21] * 9_000}},
    "huge doubles in an array": {"fields": {"sku": "S", "x": [1e308] * 9_000}},
    "huge doubles as text": {"fields": {"sku": 1e308} | {f"n{n}": 1e308 for n in range(900)}},
    "many small fields": {"fields": {"sku": "S"} | {f"{n}": 1 for n in range(900)}},
    "control characters": {"fields": {"sku": "S", "x": ["\x01" * 60_000]}},
    "letters": {"fields": {"sku": "S", "x": ["\u00e9" * 100_000]}},
    "a profile of objects": {
        "customer": {
            "identifiers": [{"type": "mobile", "value": "919812345678"}],
            "profile": {f"p{n}": [1e21] * 10 for n in range(900)},
        }
    },
}


def size(output: Output) -> int:
    """Return the bytes of a record, its headers included."""
    headers = sum(len(name) + len(content) + 10 for name, content in output.headers)
    return len(output.value or b"") + len(output.key or b"") + headers


@pytest.mark.parametrize("changes", EXPANDING.values(), ids=EXPANDING.keys())
def test_an_event_grows_little_when_it_is_routed(changes: dict[str, Any]) -> None:
    """In Avro an event has a few times its bytes in JSON at most, and stays below the limit."""
    value = raw(event(**changes))
    plan = Partition().judge([record(value)])
    routed = outputs(plan, TOPICS.emf)
    assert len(routed) == 1
    assert size(routed[0]) <= Rules().max_record_bytes
    assert size(routed[0]) <= 5 * len(value) + 1024


def test_what_would_not_fit_is_a_letter() -> None:
    """An event that is larger as a routed record than any topic takes is rejected for that."""
    rules = Rules(max_event_bytes=3_000, max_record_bytes=4_000)
    value = raw(event(fields={"sku": "S", "x": [1e21] * 150}))
    assert len(value) < rules.max_event_bytes
    plan = Partition(ingest(rules)).judge([record(value)])
    assert verdicts(plan) == {"rejected": 1}
    assert set(plan.tally.reasons) == {Reason.TOO_LARGE}
