"""Lines become records: which bytes, under which key, at what pace."""

import io
import json
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.definitions.registry import Definitions
from loyaltystream.dialects import canonical
from loyaltystream.dialects.strict_json import parse
from loyaltystream.events import Decoded, Header, Origin, ValidEvent
from loyaltystream.rules import Rules
from loyaltystream.sending import Keyer, Line, Pace, Posted, largest_value, lines, post
from loyaltystream.validation.careful import validate
from loyaltystream.verdicts import Violation
from tests.core import DIALECTS, EVENT_SCHEMA_ID, NOW_MS, SHOP, TOPICS, event, raw, record
from tests.laws.strategies import BYTES, LAW, definitions, events_of

RULES = Rules(country_codes={1800: "91"})
KEYER = Keyer(SHOP, RULES)


class Tape:
    """A channel that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes | None, bytes | None]] = []
        self.headers: list[Header] = []

    def send(self, value: bytes | None, key: bytes | None, headers: Sequence[Header]) -> None:
        """Keep it."""
        self.sent.append((value, key))
        self.headers += headers


def customer(kind: str, value: str) -> dict[str, object]:
    """Return a customer with one identifier."""
    return {"identifiers": [{"type": kind, "value": value}]}


def read(text: bytes, max_bytes: int = 100) -> list[Line]:
    """Return the lines of a text."""
    return list(lines(io.BytesIO(text), max_bytes=max_bytes))


def test_a_key_is_the_normalised_identifier_that_the_definition_names() -> None:
    """However a mobile number is written, its events come under one key."""
    for written in ("9812345678", "+91 98123 45678", "0091-98123-45678", "919812345678"):
        value = raw(event(customer=customer("MOBILE", written)))
        assert KEYER.key(value) == b"1800|mobile|919812345678"


def test_of_several_identifiers_the_one_that_counts_makes_the_key() -> None:
    """A newsletter is keyed by e-mail address, even if a mobile number stands before it."""
    identifiers = [
        {"type": "mobile", "value": "919812345678"},
        {"type": "email", "value": " Asha@Example.COM "},
    ]
    value = raw(event(eventName="newsletterOpened", customer={"identifiers": identifiers}))
    assert KEYER.key(value) == b"1800|email|asha@example.com"


def test_without_a_definition_or_an_identifier_there_is_no_key() -> None:
    """Nobody can tell the key of a broken line, an unknown event, or a nameless customer."""
    unknown = [
        b"",
        b"{",
        b"[]",
        b"\xff\x00",
        raw(event(eventName="neverHeardOf")),
        raw(event(orgId=9)),
        raw(event(orgId="eighteen hundred")),
        raw(event(customer=customer("email", "asha@example.com"))),
        raw(event(customer=customer("mobile", "call me"))),
        raw(event(customer=customer("mobile", ""))),
    ]
    assert [KEYER.key(value) for value in unknown] == [None] * len(unknown)


@LAW
@given(st.data())
def test_an_accepted_event_has_the_key_that_it_was_sent_under(data: st.DataObject) -> None:
    """Whatever the pipeline accepts was sent under the very key that it computes."""
    usual = data.draw(st.booleans())
    definition = data.draw(definitions(usual=usual))
    value = data.draw(events_of(definition, usual=usual))
    parsed = parse(value, max_bytes=RULES.max_event_bytes)
    if isinstance(parsed, Violation):
        return
    found = canonical.read_careful(parsed)
    decoded = Decoded(record(value), Origin(TOPICS.ingest, 0, 0, NOW_MS), NOW_MS, *found)
    view = Definitions([definition], EVENT_SCHEMA_ID)
    valid = validate(decoded, definitions=view, rules=RULES)
    if isinstance(valid, ValidEvent):
        assert Keyer([definition], RULES).key(value) == valid.key


@LAW
@given(BYTES)
def test_any_bytes_can_be_asked_for_their_key(value: bytes | None) -> None:
    """No bytes make it fail to say that there is no key."""
    KEYER.key(value or b"")


def test_a_line_is_its_bytes_without_the_line_end() -> None:
    """Broken lines, odd bytes and the white space around stay; blank lines are left out."""
    found = read(b' {"a":1} \r\n\n  \t\n\xff\x00{broken\nlast')
    assert [(line.number, line.value) for line in found] == [
        (1, b' {"a":1} '),
        (4, b"\xff\x00{broken"),
        (5, b"last"),
    ]


def test_a_line_that_no_record_can_hold_is_told_and_skipped() -> None:
    """A line of any length costs no more memory than a record, and the next one is found."""
    found = read(b"x" * 300_000 + b"\n" + b"y" * 100 + b"\r\n" + b"z" * 101 + b"\nw")
    assert [(line.number, line.value) for line in found] == [
        (1, None),
        (2, b"y" * 100),
        (3, None),
        (4, b"w"),
    ]
    assert sum(line.size for line in found) == 300_001 + 102 + 102 + 1


def test_every_line_is_sent_in_order_and_counted() -> None:
    """Good and broken lines go out as they are; only what no record can hold stays behind."""
    good, tape, posted, calls = raw(event()), Tape(), Posted(), []
    text = b"\n".join([good, b"{broken", b"x" * 5000, b"", good])
    post(
        lines(io.BytesIO(text), max_bytes=2000),
        tape,
        keyer=KEYER,
        posted=posted,
        passed=lambda: calls.append(posted.read_bytes),
    )
    key = b"1800|mobile|919812345678"
    assert tape.sent == [(good, key), (b"{broken", None), (good, key)]
    assert (posted.without_key, posted.too_large) == (1, [3])
    assert len(calls) == 4
    assert calls[-1] == len(text) - 1  # the blank line apart


def test_dialect_and_source_go_with_every_record() -> None:
    """Headers that say how lines are to be read decide their key, and stand on their records."""
    headers = [("x-event-dialect", b"capillary"), ("x-event-source", b"front-desk")]
    keyer = Keyer(SHOP, Rules(dialects=DIALECTS), headers)
    line = b'{"event_name": "Room Reserved", "Phone": "+91 98123 45678", "Hotel Name": "Lotus"}'
    tape, posted = Tape(), Posted()
    post(read(line), tape, keyer=keyer, posted=posted, passed=lambda: None)
    assert tape.sent == [(line, b"1800|mobile|919812345678")]
    assert tape.headers == headers
    others = Keyer(SHOP, Rules(dialects=DIALECTS))
    assert others.key(line) is None
    assert others.key(line, headers) == b"1800|mobile|919812345678"


def test_sent_are_those_that_the_broker_has() -> None:
    """A record counts when it was delivered, not when it was handed over."""
    posted = Posted()
    post(read(b"{}\n{}"), Tape(), keyer=KEYER, posted=posted, passed=lambda: None)
    assert posted.sent == 0
    posted.delivered()
    assert posted.sent == 1


def test_the_largest_line_leaves_room_for_its_key() -> None:
    """A record is value, key and what is around them."""
    rules = Rules()
    longest = max(rules.max_event_bytes, len(json.dumps(event())))
    assert longest < largest_value(rules) < rules.max_record_bytes


class Hours:
    """A clock whose sleeps last a little longer than asked for."""

    def __init__(self) -> None:
        self.now_s = 50.0

    def clock(self) -> float:
        """Return the time."""
        return self.now_s

    def sleep(self, seconds: float) -> None:
        """Let it pass."""
        self.now_s += seconds + 0.001


def test_a_rate_is_kept_although_sleeps_last_longer() -> None:
    """A thousand records at 500 a second take two seconds."""
    hours = Hours()
    pace = Pace(500, clock=hours.clock, sleep=hours.sleep)
    for _ in range(1000):
        pace.wait()
    assert round(hours.now_s - 50.0, 1) == 2.0


def test_a_pause_is_not_made_up_for() -> None:
    """After an hour of silence records still come at their rate, not all at once."""
    hours = Hours()
    pace = Pace(10, clock=hours.clock, sleep=hours.sleep)
    pace.wait()
    hours.now_s += 3600
    began_s = hours.now_s
    for _ in range(21):
        pace.wait()
    assert hours.now_s - began_s > 1.8
