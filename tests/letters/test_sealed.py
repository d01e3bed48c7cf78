"""Sealed letters: with the key as any other, without it told, never sent again half or changed."""

from collections.abc import Sequence

import msgspec

from loyaltystream.audit.findings import Place
from loyaltystream.avro import schemas
from loyaltystream.avro.wire import FRAME_BYTES
from loyaltystream.letters.counting import count
from loyaltystream.letters.letter import Letter
from loyaltystream.letters.replaying import Stay
from loyaltystream.letters.screen import render, render_list
from loyaltystream.letters.state import OPEN, States
from loyaltystream.letters.telling import to_table, to_whole_table
from loyaltystream.sealing.ring import NO_KEYS, KeyRing
from tests.audit.world import CUSTOMERS, fill, viewed
from tests.core import TOPICS, read_letter
from tests.letters.test_screen import shown
from tests.letters.town import PATCH, desk_of, letters_of, replay
from tests.sealing.rings import BOTH, NEW, OLD
from tests.why.test_why import id_of
from tests.why.world import Town, lively


def sealed_town(*rings: KeyRing) -> Town:
    """Return a town in which one wrong event after the other was sealed by those rings."""
    town = Town()
    for number, ring in enumerate(rings):
        town.seal(ring)
        town.place(viewed(number, number, fields={"price": 1}))
        town.run()
    return town


def tamper(town: Town, letter: Place) -> None:
    """Change a byte of a letter's sealed original where it lies."""
    [record] = [
        one
        for one in town.log.all(TOPICS.dead_letter)
        if (one.partition, one.offset) == (letter.partition, letter.offset)
    ]
    table = read_letter(record.value)
    table["value"]["bytes"] = table["value"]["bytes"][:-1] + b"\0"
    frame = (record.value or b"")[:FRAME_BYTES]
    value = frame + schemas.encode(schemas.load(schemas.DEAD_LETTER), table)
    town.log.replace(TOPICS.dead_letter, record, value=value)


def stays(town: Town, letters: Sequence[Letter]) -> dict[Stay, int]:
    """Return how many letters stay, by why."""
    staying = desk_of(town).sort(letters, PATCH).staying
    return {stay: len(found) for stay, found in staying.items()}


def test_letters_of_two_keys_and_of_none_come_back() -> None:
    """After a rotation letters under the old key, under the new one and plain ones are replayed."""
    town = sealed_town(NO_KEYS, OLD, BOTH)
    letters = letters_of(town)
    assert [one.original.key_id for one in letters] == [None, "old", "new"]
    found = desk_of(town).sort(letters, PATCH)
    assert not found.staying
    desk_of(town).repair(found.resent, PATCH)
    assert len(replay(town, desk_of(town), letters)) == 3
    verdicts = [town.why().of_id(id_of(number)).arrivals[-1].verdict for number in range(3)]
    assert verdicts == ["accepted"] * 3


def test_a_letter_whose_key_is_gone_stays_with_its_reason() -> None:
    """Without its key a letter is listed and counted as ever, stays, and can be discarded."""
    town = sealed_town(OLD, BOTH)
    town.ring = NEW
    gone, _ = letters = letters_of(town)
    assert stays(town, letters) == {Stay.SEALED: 1}
    assert count(letters).letters == 2
    assert desk_of(town).discard([gone], "no key any more") == [gone]


def test_a_changed_original_is_never_sent_again() -> None:
    """A letter whose sealed original was tampered with stays, though the key is there."""
    town = sealed_town(OLD)
    [letter] = letters_of(town)
    tamper(town, letter.place)
    assert stays(town, letters_of(town)) == {Stay.ALTERED: 1}


def test_a_sealed_letter_lies_where_its_event_does() -> None:
    """Its record has no key and is in its original's partition all the same."""
    town = Town()
    town.seal(OLD)
    placed = {town.place(viewed(n, n, fields={})).partition for n in range(12)}
    town.run()
    records = town.log.all(TOPICS.dead_letter)
    assert {record.key for record in records} == {None}
    assert {record.partition for record in records} == placed
    for letter in letters_of(town):
        assert letter.origin.partition == letter.place.partition


def test_no_letter_of_any_verdict_names_a_customer() -> None:
    """Whatever the verdict, no sealed letter holds an identifier, its key and headers included."""
    town = Town()
    town.seal(OLD)
    fill_and_notify(town)
    records = town.log.all(TOPICS.dead_letter)
    assert len(records) > 6
    for record in records:
        said = b"".join([record.key or b"", record.value or b"", *(v for _, v in record.headers)])
        assert not [name for name in CUSTOMERS if name.encode() in said]


def fill_and_notify(town: Town) -> None:
    """Give every verdict in a town, and every outcome of NOTIFY."""
    fill(town)
    town.notify()


def test_without_the_key_a_letter_tells_which_one_is_missing() -> None:
    """Org, event and reasons are shown, and the id of the key; nothing is taken for absent."""
    town = sealed_town(OLD)
    town.ring = NO_KEYS
    [letter] = letters_of(town)
    missing = "sealed under a key that letters.keys does not have (old)"
    for reveal in (False, True):
        text = shown(render(letter, OPEN, reveal=reveal))
        assert "it has no value" not in text
        told = (missing, "key sealed", "REQUIRED: missing", "productViewed", "org 1800")
        assert [one for one in told if one in text] == list(told)
        table = to_whole_table(letter, States(), reveal=reveal)
        assert table["sealed"] == {"alg": "AES-GCM", "keyId": "old", "locked": "NO_KEY"}
        assert (table["event"], table["orgId"]) == (None, 1800)
    assert missing in shown(render_list([letter], States(), 1))


def test_with_the_key_a_letter_looks_like_any_other() -> None:
    """Marks, masks and all: a seal that opens is only told to programs."""
    plain, sealed = (sealed_town(ring) for ring in (NO_KEYS, OLD))
    [before], [after] = letters_of(plain), letters_of(sealed)
    for reveal in (False, True):
        assert shown(render(before, OPEN, reveal=reveal)) == shown(
            render(after, OPEN, reveal=reveal)
        )
    assert to_table(before, States())["sealed"] is None
    assert to_table(after, States())["sealed"] == {
        "alg": "AES-GCM",
        "keyId": "old",
        "locked": None,
    }


def test_why_opens_letters_to_find_an_id_or_a_customer() -> None:
    """What only the original tells is found in sealed letters too, and missed in words."""
    town = Town()
    town.seal(OLD)
    key = f"1800|mobile|{CUSTOMERS[1]}".encode()
    town.send(b'{"eventId": "lost-1"', 0, key=key)
    town.place(viewed(1, 1, fields={}))
    town.run()
    assert len(town.why().of_id("lost-1").arrivals) == 1
    assert len(town.why().of_customer(key).arrivals) == 2
    town.ring = NO_KEYS
    note = "not every letter could be opened: sealed under a key that letters.keys does not have"
    for answer in (town.why().of_id("lost-1"), town.why().of_customer(key)):
        assert not answer.found
        assert answer.notes == (f"{note} (old)",)
    [rejected] = town.why().of_id(id_of(1)).arrivals
    assert rejected.reasons == ("REQUIRED",)


def test_a_sealed_replay_remembers_how_often_it_came() -> None:
    """The count of attempts lies in the sealed headers: a second letter has the second attempt."""
    town = sealed_town(OLD)
    for attempt in (1, 2):
        letters = letters_of(town)
        [resent] = replay(town, desk_of(town), letters[-1:])
        assert resent.attempt == attempt


def test_the_same_town_sealed_has_the_same_letters() -> None:
    """Sealing changes neither which letters there are nor what they say."""
    plain, sealed = lively(), Town()
    sealed.seal(OLD)
    fill_and_notify(sealed)
    plain.notify()
    for before, after in zip(letters_of(plain), letters_of(sealed), strict=True):
        original = msgspec.structs.replace(after.original, alg="none", key_id=None)
        assert msgspec.structs.replace(after, original=original) == before
