"""How letters look to people and to programs, and whose event they do not show."""

import io
from typing import Any

import msgspec
import pytest
from rich.console import Console, RenderableType

from loyaltystream.events import Record
from loyaltystream.letters.choosing import Choice
from loyaltystream.letters.counting import count
from loyaltystream.letters.letter import Letter
from loyaltystream.letters.screen import render, render_counts, render_list
from loyaltystream.letters.state import OPEN, LetterState, States, Step
from loyaltystream.letters.telling import to_table, to_whole_table
from loyaltystream.verdicts import Reason, Violation
from tests.audit.world import CUSTOMERS, home_of, viewed
from tests.core import NOW_MS, raw
from tests.letters.test_letters import read, shelf
from tests.why.world import Town, lively


def shown(made: RenderableType) -> str:
    """Return the text that a wide terminal shows."""
    text = io.StringIO()
    Console(file=text, width=220, highlight=False).print(made)
    return text.getvalue()


@pytest.fixture
def letter() -> Letter:
    """Return the letter of an event that lacks a field, under its customer's key."""
    town = Town()
    key = f"1800|mobile|{CUSTOMERS[0]}".encode()
    headers = [("traceparent", b"00-aa-bb-01"), ("x-phone", CUSTOMERS[0].encode())]
    value = raw(viewed(1, fields={"price": "dear"}))
    town.send(value, home_of(CUSTOMERS[0]), key=key, headers=headers)
    town.run()
    [found] = shelf(town).find(Choice())
    return found


def test_an_event_is_shown_with_its_marks(letter: Letter) -> None:
    """Each line where something is wrong says what."""
    lines = shown(render(letter, OPEN, reveal=False)).splitlines()
    assert any('"price": "dear"   <-- TYPE:' in line for line in lines)
    assert any("sku: ?   <-- REQUIRED: missing" in line for line in lines)
    assert sum("<--" in line for line in lines) == 2


def test_nobody_sees_whose_event_it_is(letter: Letter) -> None:
    """Neither screen nor JSON holds the customer's identifier, in value, key or headers."""
    said = (
        shown(render(letter, OPEN, reveal=False)),
        str(to_whole_table(letter, States(), reveal=False)),
    )
    for text in said:
        assert CUSTOMERS[0] not in text
        assert "1800|mobile|***" in text
        assert "00-aa-bb-01" in text
        assert "dear" in text


def test_whoever_asks_sees_it(letter: Letter) -> None:
    """With --reveal value, key and headers are shown whole."""
    said = (
        shown(render(letter, OPEN, reveal=True)),
        str(to_whole_table(letter, States(), reveal=True)),
    )
    for text in said:
        assert text.count(CUSTOMERS[0]) == 3


def test_bytes_that_are_no_json_are_shown_when_asked_for() -> None:
    """Nobody knows what broken bytes hold, so they are hidden until somebody asks."""
    sent = shown_letter(b'{"mobile": "919812345678"')
    assert "919812345678" not in shown(render(sent, OPEN, reveal=False))
    assert "919812345678" in shown(render(sent, OPEN, reveal=True))
    assert "base64" not in to_whole_table(sent, States(), reveal=False)
    assert "base64" in to_whole_table(sent, States(), reveal=True)


def test_a_letter_without_a_value_says_so() -> None:
    """A record that had no value is told as that."""
    assert "it has no value" in shown(render(shown_letter(None), OPEN, reveal=True))


def test_what_strangers_wrote_cannot_steer_a_terminal() -> None:
    """Control characters of a value are shown as escapes."""
    text = shown(render(shown_letter(b"\x1b[2J{"), OPEN, reveal=True))
    assert "\x1b" not in text


def shown_letter(value: bytes | None) -> Letter:
    """Return the letter of a record with that value."""
    sent = Record(0, 0, NOW_MS, None, value)
    return read(sent, [Violation(Reason.JSON_SYNTAX, "", "not JSON")])


def test_nobody_sees_what_is_sensitive() -> None:
    """Of a letter's event, values under sensitive names are hidden, until somebody reveals them."""
    pan, names = "canary-4929", {"pan"}
    sent = read(
        Record(0, 0, NOW_MS, None, raw(viewed(1, fields={"pan": pan, "bank": "Alpine"}))),
        [Violation(Reason.UNKNOWN_EVENT, "eventName", "unknown")],
    )
    patch = [{"op": "replace", "path": "/fields/pan", "value": pan}]
    repaired = LetterState(Step.REPAIRED, NOW_MS, patch=patch)
    name = f"{sent.place.partition}/{sent.place.offset}".encode()
    states = States([Record(0, 0, NOW_MS, name, msgspec.json.encode(repaired))])
    for reveal in (False, True):
        said = (
            shown(render(sent, repaired, names, reveal=reveal)),
            str(to_whole_table(sent, states, names, reveal=reveal)),
        )
        assert [pan in text for text in said] == [reveal, reveal]
        assert all("Alpine" in text for text in said)
    assert pan not in str(to_table(sent, states))
    assert "/fields/pan" in str(to_table(sent, states))


def test_a_list_says_how_many_there_are() -> None:
    """The last letters are listed by what they are called, and how many there are in all."""
    letters = shelf(lively()).find(Choice())
    text = shown(render_list(letters[-3:], States(), len(letters)))
    assert f"3 of {len(letters)} letters" in text
    for one in letters[-3:]:
        assert f"{one.place.partition}/{one.place.offset}" in text
    assert "no letters" in shown(render_list([], States(), 0))


def test_counts_are_a_table() -> None:
    """Every kind has its line."""
    text = shown(render_counts(count(shelf(lively()).find(Choice()))))
    assert all(reason in text for reason in ("TOO_LATE", "CONFLICT", "JSON_SYNTAX", "EMPTY"))


def test_a_letter_in_a_list_has_no_event(letter: Letter) -> None:
    """What is listed for programs says what is wrong, and holds nothing of the event."""
    table: dict[str, Any] = to_table(letter, States())
    assert [found["path"] for found in table["violations"]] == ["fields.sku", "fields.price"]
    assert not {"event", "key", "headers"} & table.keys()
    assert "dear" not in str(table)
