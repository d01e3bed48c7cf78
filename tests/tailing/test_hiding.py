"""What a tail hides of records: sensitive values wherever they stand, and what can't be read."""

import json

import pytest

from loyaltystream.avro import schemas
from loyaltystream.definitions.model import Action
from loyaltystream.definitions.psi import Psi, sensitive_names, starred
from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import Record
from loyaltystream.letters.state import LetterState, Step
from loyaltystream.tailing.decoding import Content, reader_of
from loyaltystream.tailing.hiding import hide
from loyaltystream.tailing.screen import render
from loyaltystream.tailing.shown import Shown, to_line
from tests.core import (
    EVENT_SCHEMA_ID,
    LETTER_SCHEMA_ID,
    LINKED,
    NOW_MS,
    SHOP,
    TOPICS,
    Partition,
    define,
    event,
    ingest,
    outputs,
    raw,
    record,
)
from tests.sealing.rings import NEW, OLD

PAN, INCOME = "canary-4929000000006", 51234.758
NAMES = sensitive_names(define(LINKED).fields)
FIELDS = {"pan": PAN, "income": INCOME, "bank": "Alpine"}
GOOD = raw(event(eventId="a", eventName="cardLinked", fields=FIELDS))
SCHEMAS = {
    LETTER_SCHEMA_ID: schemas.load(schemas.DEAD_LETTER),
    EVENT_SCHEMA_ID: schemas.load(schemas.BEHAVIORAL_EVENT),
}


def content(value: bytes | None, role: str | None) -> Content:
    """Return what lies in a topic of that role."""
    return reader_of(role, SCHEMAS.get)(value)


def told(value: bytes | None, role: str | None) -> str:
    """Return all that a tail tells of a value, to people and to programs."""
    shown = Shown("topic", Record(0, 0, NOW_MS, None, value), hide(content(value, role), NAMES))
    return f"{render(shown).plain}\n{to_line(shown)}"


def letter_of(value: bytes) -> bytes | None:
    """Return the dead letter of a value."""
    [output] = outputs(Partition().judge([record(value)]), TOPICS.dead_letter)
    return output.value


def assert_hidden(text: str) -> None:
    """Check that neither value is there, whole or in part."""
    assert "canary" not in text
    assert "51234" not in text


@pytest.mark.parametrize("role", ["ingest", "duplicates", None])
def test_an_event_is_shown_without_what_is_sensitive(role: str | None) -> None:
    """Of an event as it came, sensitive values are stars; all else is there."""
    text = told(GOOD, role)
    assert_hidden(text)
    assert text.count("Alpine") == 2
    flat = told(json.dumps({"event_name": "cardLinked", **FIELDS}).encode(), role)
    assert_hidden(flat)


def test_a_routed_event_in_clear_is_shown_without() -> None:
    """Where EMFConsumer may have values in clear, a screen still may not."""
    view = Definitions(SHOP, EVENT_SCHEMA_ID, Psi(starred, frozenset(Action)))
    [routed] = outputs(Partition(definitions=view).judge([record(GOOD)]), TOPICS.emf)
    assert PAN.encode() in (routed.value or b"")
    text = told(routed.value, "emf")
    assert_hidden(text)
    assert "Alpine" in text


@pytest.mark.parametrize(
    "value",
    [
        GOOD.replace(b"cardLinked", b"cardLinkd"),
        GOOD.replace(b"51234.758", b'"51234.758x"'),
        GOOD[:-1],
        GOOD.replace(b"Alpine", b"\xff"),
    ],
)
def test_a_letter_is_shown_without(value: bytes) -> None:
    """Whatever was wrong with it: an event of no definition, or one that can't be read at all."""
    text = told(letter_of(value), "dead_letter")
    assert_hidden(text)
    assert "original value" in text


@pytest.mark.parametrize(
    "value", [GOOD[:-1], b"\x00\x00\x00\x00\x63" + GOOD, b"pan=" + PAN.encode()]
)
@pytest.mark.parametrize("role", ["ingest", "emf", None])
def test_what_cant_be_read_is_not_shown(value: bytes, role: str | None) -> None:
    """Of bytes that can't be decoded nobody can tell which are sensitive."""
    text = told(value, role)
    assert_hidden(text)
    assert "--reveal" in text


def test_a_sealed_letter_is_opened_and_shown_without() -> None:
    """Whoever has its key sees as much of a letter as if nothing were sealed; others see less."""
    sent = record(GOOD.replace(b"cardLinked", b"cardLinkd"))
    [sealed] = outputs(Partition(ingest(ring=OLD)).judge([sent]), TOPICS.dead_letter)
    opened, locked = (
        hide(reader_of("dead_letter", SCHEMAS.get, ring)(sealed.value), NAMES)
        for ring in (OLD, NEW)
    )
    assert "Alpine" in str(opened.value)
    assert_hidden(str(opened.value))
    assert locked == reader_of("dead_letter", SCHEMAS.get, NEW)(sealed.value)
    assert_hidden(str(locked.value))


def test_a_patch_tells_where_and_not_what() -> None:
    """Whoever mends a letter writes values of its event."""
    patch = [{"op": "replace", "path": "/fields/pan", "value": PAN}]
    state = LetterState(Step.REPAIRED, NOW_MS, patch=patch)
    text = told(json.dumps({"state": state.state, "patch": patch}).encode(), "letter_state")
    assert_hidden(text)
    assert "/fields/pan" in text


def test_without_sensitive_fields_everything_is_shown() -> None:
    """A deployment that marks nothing sees its records as they are."""
    for value, role in ((GOOD, "ingest"), (letter_of(GOOD[:-1]), "dead_letter"), (b"x", None)):
        assert hide(content(value, role), ()) == content(value, role)
