"""How a record looks: safe on a terminal, one line for programs, everything there for a person."""

import io
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from loyaltystream.avro import schemas
from loyaltystream.events import Header, Record
from loyaltystream.tailing.decoding import Content, reader_of
from loyaltystream.tailing.screen import render
from loyaltystream.tailing.shown import Shown, moment, to_line, visible
from tests.core import LETTER_SCHEMA_ID, NOW_MS, TOPICS, Partition, event, outputs, raw, record
from tests.laws.strategies import LAW

STEERING = "\x1b[31m\x07\r\n\x00\x7f\x9b\u202e\u2066\u200e\u2028\ufeff\U000e0041"


def shown(
    value: bytes | None,
    *,
    role: str = "ingest",
    key: bytes | None = None,
    headers: Sequence[Header] = (),
) -> Shown:
    """Return a record as it is shown."""
    find = {LETTER_SCHEMA_ID: schemas.load(schemas.DEAD_LETTER)}.get
    one = Record(2, 1042, NOW_MS, key, value, headers)
    return Shown("topic", one, reader_of(role, find)(value))


def screen(one: Shown) -> str:
    """Return what a terminal shows, colours apart."""
    text = io.StringIO()
    Console(file=text, width=200, soft_wrap=True, highlight=False).print(render(one))
    return text.getvalue()


def letter(value: bytes) -> Shown:
    """Return the dead letter of a value."""
    plan = Partition().judge([record(value, 7, key=b"a key")])
    return shown(outputs(plan, TOPICS.dead_letter)[0].value, role="dead_letter")


def test_what_steers_a_terminal_is_an_escape() -> None:
    """Escape sequences, line ends, direction overrides and invisible marks can be seen."""
    seen = visible(STEERING)
    assert seen.isascii()
    assert seen.isprintable()
    assert seen.startswith("\\u001b[31m\\u0007\\u000d\\u000a\\u0000\\u007f\\u009b\\u202e")


def test_words_of_all_scripts_stay_as_they_are() -> None:
    """Names in Devanagari, accents, emoji and the joiners that they need are no attack."""
    for text in ("plain ASCII", "आशा शर्मा", "क्\u200dष", "Zoë", "山田", "👩\u200d🔬", "नमस्\u200cते"):
        assert visible(text) == text


@LAW
@given(st.text(), st.binary(), st.text())
def test_whatever_strangers_wrote_is_shown_safely(text: str, key: bytes, name: str) -> None:
    """No key, header or value puts a control or direction character on the screen."""
    value = json.dumps({"text": text, name: STEERING}, ensure_ascii=False)
    encoded = value.encode("utf-8", "surrogatepass")
    header = (name.encode("utf-8", "ignore").decode(), key)
    for one in (shown(encoded, key=key, headers=[header]), shown(key, key=key), letter(encoded)):
        lines = screen(one)
        assert visible(lines, keep="\n") == lines
        line = to_line(one)
        assert line.isascii()
        assert line.isprintable()
        assert json.loads(line)["offset"] == 1042


def test_a_line_for_programs_has_everything() -> None:
    """Place, time, key, headers and value stand in one object."""
    headers = [("src", b"behavioral-events/3/1042/0/17"), ("src", b"\xff")]
    assert json.loads(to_line(shown(b'{"a": "\xc3\xab"}', key=b"k", headers=headers))) == {
        "topic": "topic",
        "partition": 2,
        "offset": 1042,
        "timestamp": "2025-11-24T16:00:00.000Z",
        "key": "k",
        "headers": [
            {"name": "src", "value": "behavioral-events/3/1042/0/17"},
            {"name": "src", "value": {"base64": "/w=="}},
        ],
        "kind": "json",
        "value": {"a": "ë"},
    }


def test_a_letter_that_cannot_be_opened_says_why() -> None:
    """A line for programs and one for people tell that the key is missing, the rest as ever."""
    value = {"verdict": "rejected", "value": {"alg": "AES-GCM", "keyId": "k1", "bytes": "x"}}
    content = Content(schemas.DEAD_LETTER, value, locked="sealed under a key")
    locked = Shown("t", record(b""), content)
    assert json.loads(to_line(locked))["locked"] == "sealed under a key"
    assert "\n  sealed under a key\n" in screen(locked)
    assert "rejected at" in screen(locked)


def test_a_line_says_why_a_record_was_not_decoded() -> None:
    """The problem stands beside the bytes."""
    line = json.loads(to_line(shown(b"{broken")))
    assert line["kind"] == "undecodable"
    assert line["value"] == "{broken"
    assert line["problem"].startswith("JSON_SYNTAX")


def test_a_person_sees_where_when_and_what() -> None:
    """Place, time, key and headers stand over the value."""
    text = screen(shown(b'{"sku": "SKU-1"}', key=b"1800|mobile|91", headers=[("late", b"true")]))
    head, headers, *value = text.splitlines()
    assert head == "topic/2@1042  2025-11-24T16:00:00.000Z  1800|mobile|91"
    assert headers == "  late=true"
    assert value == ["  {", '    "sku": "SKU-1"', "  }", ""]


def test_markup_in_a_record_is_text() -> None:
    """Brackets that look like ours colour nothing and vanish nowhere."""
    assert "[bold red]x[/]" in screen(shown(b'{"a": "[bold red]x[/]"}', key=b"[link]"))


def test_a_person_sees_every_violation_and_the_original() -> None:
    """A dead letter is a list of what is wrong over the value as it was sent."""
    sent = raw(event(orgId="x", fields=5))
    text = screen(letter(sent))
    assert "rejected at ingest: productViewed" in text
    assert "first at behavioral-events/0/7" in text
    assert "  - TYPE orgId: an integer is needed, not a string" in text
    assert "  - TYPE fields: " in text
    assert f"original value ({len(sent)} bytes):\n    {sent.decode()}" in text


def test_a_letter_says_what_it_holds_back() -> None:
    """Violations beyond the hundredth, a cut value and a sealed one are told as such."""
    value = {
        "stage": "notify",
        "verdict": "rejected",
        "violations": [{"code": "UNMAPPED", "path": "", "message": "m", "vendorCode": 7305}],
        "violationCount": 3,
        "truncated": True,
        "valueBytes": 90_000,
        "valueSha256": "ab12",
        "value": {"alg": "AES-GCM", "keyId": "k1", "bytes": {"base64": "/w=="}},
    }
    text = screen(Shown("t", record(b""), Content(schemas.DEAD_LETTER, value)))
    assert "  - UNMAPPED: m (vendor's 7305)" in text
    assert "and 2 more" in text
    assert "the first part of 90000 bytes, SHA-256 ab12, sealed by AES-GCM with key k1" in text
    assert "base64:/w==" in text


@pytest.mark.parametrize(("value", "said"), [(None, "a tombstone"), (b"{broken", "can't be decod")])
def test_odd_records_are_said_to_be_so(value: bytes | None, said: str) -> None:
    """A tombstone and an undecodable record are told as such."""
    assert said in screen(shown(value))
    assert "no key" in screen(shown(value))


def test_a_letter_without_a_value_says_so() -> None:
    """A letter may come from a record that had none."""
    assert "original value: none" in screen(
        Shown("t", record(b""), Content(schemas.DEAD_LETTER, {}))
    )


@pytest.mark.parametrize(
    ("timestamp_ms", "told"),
    [(-1, None), (0, "1970-01-01T00:00:00.000Z"), (2**62, f"{2**62} ms")],
)
def test_a_time_is_told_where_there_is_one(timestamp_ms: int, told: str | None) -> None:
    """Kafka's -1 is no time, and a number beyond all calendars is told as it is."""
    assert moment(timestamp_ms) == told
