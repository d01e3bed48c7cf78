"""Whatever is posted has a documented answer, and what is acknowledged is read as it was told."""

import json
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.dialects import reading
from loyaltystream.dialects.sources import Dialect
from loyaltystream.events import Origin
from loyaltystream.gateway.intake import Intake, Offer
from loyaltystream.gateway.usual import read_usual
from loyaltystream.sending import Keyer
from tests.core import DEFINITIONS, SHOP, event, raw
from tests.facts import Facts, write
from tests.gateway.conftest import PATHS, RULES, Counter
from tests.laws.strategies import LAW, VALUES

CANONICAL = Dialect.CANONICAL
STATUSES = {200, 202, 403, 404, 413, 415, 422}
ELSEWHERE = Origin("behavioral-events", 3, 1042, 0)
KINDS = ["application/json", "application/x-ndjson", "application/cloudevents+json", "text/plain"]


@pytest.fixture(scope="module")
def desk() -> Counter:
    """Return a gateway for all that is sent."""
    return Counter()


def places(document: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the paths of all keys in a document."""
    if not isinstance(document, dict):
        return []
    found = [(*path, key) for key in document]
    return found + [deeper for key in document for deeper in places(document[key], (*path, key))]


@st.composite
def changed(draw: st.DrawFn) -> tuple[Dialect, bytes]:
    """Draw an event of a dialect with some of its parts replaced by anything, or left out."""
    dialect = draw(st.sampled_from(Dialect))
    document = json.loads(write(Facts(), dialect).value)
    for _ in range(draw(st.integers(0, 3))):
        *path, last = draw(st.sampled_from(places(document)))
        holder = document
        for key in path:
            holder = holder[key]
        if draw(st.booleans()):
            holder[last] = draw(VALUES)
        elif len(holder) > 1:
            del holder[last]
    return dialect, json.dumps(document).encode()


@LAW
@given(sent=changed(), asked=st.none() | st.text("ab|\x7f \xe9", max_size=3))
def test_what_is_told_is_what_is_read(
    desk: Counter, sent: tuple[Dialect, bytes], asked: str | None
) -> None:
    """The id in an acknowledgement is the one that INGEST reads in the record, wherever it lies."""
    dialect, body = sent
    headers = {} if asked is None else {"idempotency_key": asked}
    desk.channel.taken.clear()
    answer = desk.post(PATHS[dialect], body, **headers)
    assert answer.status_code in STATUSES, answer.text
    assert len(desk.channel.taken) == answer.is_success
    if answer.is_success:
        [record] = desk.records()
        read = reading.read(record, ELSEWHERE, find=DEFINITIONS.find, rules=RULES)
        assert isinstance(read, tuple)
        assert read[0].event_id == unquote(answer.headers["x-event-id"])
        assert read[0].org_id == 1800


@LAW
@given(
    body=st.binary(max_size=64) | VALUES.map(lambda value: json.dumps(value).encode()),
    path=st.sampled_from([*PATHS.values(), "/events/batch"]),
    kind=st.sampled_from(KINDS),
)
def test_any_bytes_have_an_answer(desk: Counter, body: bytes, path: str, kind: str) -> None:
    """No body makes the gateway fail."""
    answer = desk.post(path, body, kind=kind)
    assert answer.status_code in STATUSES, answer.text


def test_a_good_event_is_among_them(desk: Counter) -> None:
    """The statuses that are allowed here are not all of one kind."""
    assert desk.post("/events", event()).status_code == 202
    assert desk.post("/events", event(), kind="text/plain").status_code == 415


@LAW
@given(sent=changed(), spaced=st.booleans())
def test_the_quick_reading_means_the_same(sent: tuple[Dialect, bytes], *, spaced: bool) -> None:
    """What is taken quickly is taken with care as well, under the same id, org, key and headers."""
    _, body = sent
    offer = Offer(json.dumps(json.loads(body), indent=1).encode() if spaced else body, CANONICAL)
    intake = Intake(Keyer(SHOP, RULES), RULES, str)
    if read_usual(offer.value) is not None:
        assert intake.take(offer) == intake._take_careful(offer)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"quantity"', b'"sku"'),
        (b'"fields": {', b'"fields": {}, "fields": {'),
        (b'"type"', b'"value"'),
        (b'"occurredAt"', b'"unheardOf"'),
        (b'"productViewed"', b'"product\\u0056iewed"'),
        (b'"0b6f3c1e', b'"|'),
        (b'"0b6f3c1e', b'"\x7f'),
        (b'"eventId": "', b'"eventId": "' + b"x" * 256),
        (b"1800", b"-1"),
        (b"1800", b"9223372036854775808"),
        (b"1299.5", b"1" * 310),
        (b"1299.5", b"1e400"),
        (b"1299.5", b"[" * 70 + b"]" * 70),
    ],
)
def test_what_is_unusual_is_read_with_care(old: bytes, new: bytes) -> None:
    """Whatever might be refused, or read otherwise, is left to the careful reading."""
    usual = raw(event())
    assert read_usual(usual) is not None
    assert old in usual
    assert read_usual(usual.replace(old, new)) is None
