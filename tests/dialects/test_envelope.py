"""Ids of events that have none, and the paths that a producer knows."""

import json
from typing import Any
from uuid import uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.content import canonical_json
from loyaltystream.dialects.envelope import (
    NAMESPACE,
    header_text,
    id_of_body,
    id_of_place,
    our_headers,
)
from loyaltystream.dialects.plain import canonical_text
from loyaltystream.events import Origin, RawEvent
from loyaltystream.uuids import uuid5_text
from tests.core import raw, record
from tests.laws.strategies import HEADERS, LAW, NUMBERS, TEXTS, USUAL_TEXTS, VALUES

ORIGIN = Origin("behavioral-events", 3, 1042, 0)


@LAW
@given(st.dictionaries(USUAL_TEXTS, VALUES | NUMBERS | st.floats(-1e3, 1e3), max_size=5))
def test_the_quick_text_of_a_body_is_the_careful_one(body: dict[str, Any]) -> None:
    """A document's text is its canonical JSON, or it is left to the careful way."""
    sent = json.dumps(body, ensure_ascii=False).encode()
    if sent.isascii() and b"\\" not in sent:
        assert canonical_text(sent) in {None, canonical_json(body)}


@pytest.mark.parametrize("number", [0.0, -0.0, 5.0, -5.0, 0.5, 1e14, 100.0, 0.0001, 5, -5, 2**53])
def test_a_body_says_numbers_by_value(number: float) -> None:
    """Five is `5`, however it is sent; a text that looks like a number stays as it is."""
    body = {"a": number, "b": [number, f":{number},"], "c": f"{number}"}
    assert canonical_text(raw(body)) == canonical_json(body)


@pytest.mark.parametrize("sent", [b'{"a":1e400}', b'{"a":1e16}', b'{"a":0.00001}', b"{", b"[]"])
def test_other_bodies_are_left_to_the_careful_way(sent: bytes) -> None:
    """What is no object, or has a number that is written otherwise, has no quick text."""
    assert canonical_text(sent) is None


@LAW
@given(TEXTS)
def test_an_id_is_a_uuid_of_its_name(name: str) -> None:
    """The id of a body is what the standard library's UUID of version 5 is."""
    assert uuid5_text(NAMESPACE.bytes + name.encode()) == str(uuid5(NAMESPACE, name))


def test_an_id_is_of_a_body_in_its_scope_or_of_a_place() -> None:
    """Another org, dialect or body is another id; without a scope the place counts alone."""
    ids = {
        id_of_body(scope, text)
        for text in ('{"a":1}', '{"a":2}')
        for scope in ("1|capillary", "2|capillary", "1|open_loyalty")
    }
    assert len(ids) == 6
    assert id_of_place(ORIGIN) == "behavioral-events-3-1042"


@LAW
@given(HEADERS)
def test_headers_are_read_alike_one_by_one_and_at_once(headers: list[tuple[str, bytes]]) -> None:
    """Of several headers of a name the last counts; one that is no UTF-8 names nothing."""
    arrived = record(b"", headers=headers)
    for name, text in our_headers(arrived).items():
        assert text == header_text(arrived, name)
        last = next((value for key, value in reversed(headers) if key == name), b"")
        assert text == (last.decode(errors="ignore") or None) or text == "\0"


def test_a_path_is_told_as_the_producer_wrote_it() -> None:
    """The longest part of a path that a document has elsewhere is replaced; all else stays."""
    paths = {"fields": "event.body", "fields.hotel": "Hotel", "eventName": "event.type"}
    event = RawEvent("", 0, "", (), {}, paths=paths)
    told = {
        "fields": "event.body",
        "fields.amount": "event.body.amount",
        "fields.a.b": "event.body.a.b",
        "fields.hotel": "Hotel",
        "eventName": "event.type",
        "tillCode": "tillCode",
        "": "",
    }
    assert {path: event.place(path) for path in told} == told
    flat = RawEvent("", 0, "", (), {}, paths={"fields": ""})
    assert flat.place("fields.amount") == "amount"
