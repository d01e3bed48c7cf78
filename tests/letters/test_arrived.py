"""What a dead letter holds of its event."""

import msgspec

from loyaltystream.events import Record
from loyaltystream.letters.letter import LetterReader
from tests.core import NOW_MS, TOPICS, Partition, event, outputs, raw, record
from tests.why.world import writer_schema


def letter_of(sent: Record) -> Record:
    """Return the letter of an event that is rejected, as its topic holds it."""
    plan = Partition().commit([sent])
    [written] = outputs(plan, TOPICS.dead_letter)
    return Record(3, 11, NOW_MS + 90, written.key, written.value, written.headers)


def event_of(letter: Record) -> Record | None:
    """Return the event that a letter holds."""
    read = LetterReader(writer_schema).read(TOPICS.dead_letter, letter)
    return None if isinstance(read, str) else read.arrived()


def test_the_event_is_as_it_arrived() -> None:
    """Bytes and time of arrival come out again; the place is the letter's."""
    value = raw(event(fields={}))
    found = event_of(letter_of(record(value, 7)))
    assert found is not None
    assert (found.value, found.timestamp_ms) == (value, NOW_MS)
    assert (found.partition, found.offset, found.key, found.headers) == (3, 11, None, ())


def test_the_headers_that_name_its_form_are_there() -> None:
    """An event whose headers name its form can be read again as what it was."""
    sent = msgspec.structs.replace(record(raw(event(fields={})), 7), headers=[("form", b"native")])
    found = event_of(letter_of(sent))
    assert found is not None
    assert list(found.headers) == [("form", b"native")]


def test_what_holds_no_whole_event_is_passed_over() -> None:
    """Tombstones, other bytes, letters that were cut and those of stage notify hold none."""
    letter = letter_of(record(raw(event(fields={})), 7))
    for value in (None, b"", b"{}", (letter.value or b"")[:-3], b"\0\0\0\0\1x"):
        assert event_of(msgspec.structs.replace(letter, value=value)) is None
    assert event_of(letter_of(record(b"{" * 1_200_000, 7))) is None
    of_notify = (letter.value or b"").replace(b"\x0cingest", b"\x0cnotify", 1)
    assert of_notify != letter.value
    assert event_of(msgspec.structs.replace(letter, value=of_notify)) is None
