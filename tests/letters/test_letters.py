"""Which letters are found, and what they say of what was sent."""

from collections.abc import Iterable, Sequence

import msgspec
import pytest

from loyaltystream.audit import Place
from loyaltystream.avro.dead_letter import KEPT_BYTES, MAX_VIOLATIONS, LetterEncoder
from loyaltystream.errors import ConfigurationError
from loyaltystream.events import Origin, Record
from loyaltystream.letters.choosing import Choice, Shelf, place_of
from loyaltystream.letters.counting import count
from loyaltystream.letters.letter import Letter, LetterReader
from loyaltystream.steps.stages import Rejected
from loyaltystream.verdicts import Reason, Verdict, Violation
from tests.audit.world import viewed
from tests.core import LETTER_SCHEMA_ID, NOW_MS, TOPICS
from tests.why.world import SearchedLog, Town, bought, lively, writer_schema

TOPIC = TOPICS.dead_letter


def shelf(town: Town) -> Shelf:
    """Return all letters of a town."""
    return Shelf(SearchedLog(town.log), TOPIC, LetterReader(writer_schema))


def read(record: Record, violations: Sequence[Violation], limit: int = 1_048_576) -> Letter:
    """Return the letter that a record becomes, as it is read back."""
    rejected = Rejected(record, Origin("in", 1, 2, NOW_MS), NOW_MS, tuple(violations))
    value = LetterEncoder("ingest", LETTER_SCHEMA_ID, limit).encode(rejected)
    source = [("src", b"in/4/7/0/9")]
    letter = LetterReader(writer_schema).read(TOPIC, Record(4, 5, NOW_MS + 9, None, value, source))
    assert isinstance(letter, Letter), letter
    return letter


def ids(letters: Iterable[Letter]) -> set[str | None]:
    """Return the eventIds in letters."""
    return {letter.event_id for letter in letters}


def test_a_letter_holds_its_record() -> None:
    """Value, key and headers come back as they were sent, with where and why."""
    sent = Record(4, 7, NOW_MS, b"\xffkey", b"{broken", [("a", b"1"), ("a", b"\xff")])
    letter = read(sent, [Violation(Reason.JSON_SYNTAX, "", "no")])
    original = letter.original
    assert (original.value, original.key) == (sent.value, sent.key)
    assert list(original.headers) == list(sent.headers)
    assert letter.place == Place(TOPIC, 4, 5)
    assert (letter.origin, letter.origin_ms) == (Place("in", 1, 2), NOW_MS)
    assert letter.source is not None
    assert (letter.source.partition, letter.source.offset) == (4, 7)
    assert letter.reasons == (Reason.JSON_SYNTAX,)


def test_a_large_record_is_kept_in_part() -> None:
    """Of a record that would not fit the beginning is kept, its size and its checksum."""
    letter = read(Record(0, 0, NOW_MS, b"k", b"x" * 200_000), [], limit=100_000)
    assert (letter.original.truncated, letter.original.size) == (True, 200_000)
    assert len(letter.original.value or b"") == KEPT_BYTES
    assert letter.original.sha256 is not None


def test_violations_beyond_the_first_are_counted() -> None:
    """A letter names a hundred violations and says how many there were."""
    many = [Violation(Reason.TYPE, f"fields.f{number}", "text") for number in range(150)]
    letter = read(Record(0, 0, NOW_MS, None, b"{}"), many)
    assert (len(letter.complaints), letter.complaint_count) == (MAX_VIOLATIONS, 150)


@pytest.mark.parametrize("value", [b"", b"\0\0\0\0", b"\0\0\0\0\x63abc", b"\0\0\0\0\x08abc", None])
def test_what_is_no_letter_is_told(value: bytes | None) -> None:
    """Bytes that are no letter are told with the reason, never raised."""
    found = LetterReader(writer_schema).read(TOPIC, Record(0, 0, 0, None, value))
    assert isinstance(found, str)


def test_a_choice_finds_letters_by_what_they_say() -> None:
    """Reason, verdict, event, id, org and stage each choose among all letters."""
    town = lively()
    town.place(bought(1, basket={"count": "many"}))
    town.run()
    town.notify()
    everything = shelf(town).find(Choice())
    assert len(everything) == len(town.log.all(TOPIC))
    late = shelf(town).find(Choice(verdict="late"))
    assert ids(late) == {viewed(101)["eventId"]}
    conflicts = shelf(town).find(Choice(reasons=frozenset({"CONFLICT", "TOO_LATE"})))
    assert {letter.verdict for letter in conflicts} == {Verdict.CONFLICT, Verdict.LATE}
    assert ids(shelf(town).find(Choice(event_id=viewed(100)["eventId"]))) == {
        viewed(100)["eventId"]
    }
    assert ids(shelf(town).find(Choice(event_name="orderBilled"))) == {viewed(106)["eventId"]}
    assert ids(shelf(town).find(Choice(stage="notify"))) == {viewed(1)["eventId"]}
    assert shelf(town).find(Choice(org_id=1801)) == []
    assert not any(letter.org_id is None for letter in shelf(town).find(Choice(org_id=1800)))


def test_a_choice_by_time_is_half_open() -> None:
    """A letter that was written at the first moment is chosen, one at the last is not."""
    town = lively()
    first, *_, last = shelf(town).find(Choice())
    chosen = shelf(town).find(Choice(since_ms=first.written_ms, until_ms=last.written_ms))
    assert first in chosen
    assert last not in chosen


def test_an_unreadable_letter_is_told_and_passed_over() -> None:
    """One damaged letter hides no other."""
    town = lively()
    before = len(shelf(town).find(Choice()))
    town.log.append(TOPIC, Record(0, 0, NOW_MS, None, b"damaged"))
    found = shelf(town)
    assert len(found.find(Choice())) == before
    assert len(found.unreadable) == 1


def test_a_letter_is_found_by_its_place() -> None:
    """Partition and offset name a letter; an offset without one names none."""
    town = lively()
    one = shelf(town).find(Choice())[3]
    assert shelf(town).get(place_of(f"{one.place.partition}/{one.place.offset}", TOPIC)) == one
    assert shelf(town).get(place_of(str(one.place), TOPIC)) == one
    assert shelf(town).get(place_of("0/999999", TOPIC)) is None
    assert shelf(town).get(place_of("77/0", TOPIC)) is None


@pytest.mark.parametrize("text", ["", "1", "1/", "a/1", "1/-1", "other/1/2"])
def test_what_names_no_letter_is_refused(text: str) -> None:
    """A mistyped letter is told with the form that it should have."""
    with pytest.raises(ConfigurationError, match="PARTITION/OFFSET"):
        place_of(text, TOPIC)


def test_letters_are_counted_by_kind() -> None:
    """Every letter counts once for each of its reasons, the most frequent kind first."""
    letters = shelf(lively()).find(Choice())
    counts = count(letters)
    assert counts.letters == len(letters)
    assert sum(found.letters for found in counts.counts) == sum(len(one.reasons) for one in letters)
    assert [found.letters for found in counts.counts] == sorted(
        (found.letters for found in counts.counts), reverse=True
    )
    [late] = [found for found in counts.counts if found.kind.verdict == "late"]
    assert msgspec.to_builtins(late.kind) == {
        "orgId": 1800,
        "eventName": "productViewed",
        "stage": "ingest",
        "verdict": "late",
        "reason": "TOO_LATE",
    }
    assert late.first_ms == late.last_ms
