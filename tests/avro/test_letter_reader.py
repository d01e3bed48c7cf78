"""What a dead letter holds of its event."""

import msgspec

from loyaltystream.avro.letter_reader import event_of_letter
from loyaltystream.events import Record
from tests.core import NOW_MS, TOPICS, Partition, event, outputs, raw, record


def letter_of(value: bytes) -> Record:
    """Return the letter of an event that is rejected, as its topic holds it."""
    plan = Partition().commit([record(value, 7)])
    [written] = outputs(plan, TOPICS.dead_letter)
    return Record(3, 11, NOW_MS + 90, written.key, written.value, written.headers)


def test_the_event_is_as_it_arrived() -> None:
    """Bytes and time of arrival come out again; the place is the letter's."""
    value = raw(event(fields={}))
    found = event_of_letter(letter_of(value))
    assert found is not None
    assert (found.value, found.timestamp_ms) == (value, NOW_MS)
    assert (found.partition, found.offset, found.key, found.headers) == (3, 11, None, ())


def test_what_holds_no_whole_event_is_passed_over() -> None:
    """Tombstones, other bytes, letters that were cut and those of stage notify hold none."""
    letter = letter_of(raw(event(fields={})))
    for value in (None, b"", b"{}", (letter.value or b"")[:-3], b"\0\0\0\0\1x"):
        assert event_of_letter(msgspec.structs.replace(letter, value=value)) is None
    assert event_of_letter(letter_of(b"{" * 1_200_000)) is None
    of_notify = (letter.value or b"").replace(b"\x0cingest", b"\x0cnotify", 1)
    assert of_notify != letter.value
    assert event_of_letter(msgspec.structs.replace(letter, value=of_notify)) is None
