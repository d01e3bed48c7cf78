"""An audit over sealed letters: exact with the keys, and honest without one."""

from collections.abc import Callable

import pytest

from loyaltystream.audit import Fault
from loyaltystream.avro import schemas
from loyaltystream.avro.wire import FRAME_BYTES
from loyaltystream.cli.audit import render
from loyaltystream.events import Record
from loyaltystream.sealing.ring import NO_KEYS
from tests.audit.world import fill, viewed
from tests.core import TOPICS, raw, read_letter
from tests.letters.test_screen import shown
from tests.sealing.rings import BOTH, NEW, OLD
from tests.why.world import Town


@pytest.fixture
def town() -> Town:
    """Return a town with plain letters, letters under the old key, and under the new one."""
    town = Town()
    town.place(viewed(900, 1, fields={}))
    town.run()
    town.seal(OLD)
    fill(town)
    town.notify()
    town.seal(BOTH)
    town.send(b"{", 0, key=b"after the rotation")
    town.send(b"x" * 1_100_000, 0, key=b"too large")
    town.place(viewed(901, 2, fields={"sku": "S", "price": "dear"}))
    town.run()
    return town


def test_with_all_keys_the_log_is_exact(town: Town) -> None:
    """Whichever key a letter is under, or none: each is compared, bytes and key included."""
    findings = town.audit(town.derive)
    assert findings.exact, findings.to_json()
    assert not findings.notices


def test_with_keys_and_none_active_the_log_is_exact(town: Town) -> None:
    """An audit needs to know no word about which key was active when."""
    town.seal(BOTH)
    assert town.audit(town.derive).exact


def test_without_a_key_it_is_said_how_much_was_not_compared(town: Town) -> None:
    """One line tells how many letters could not be compared; everything else is proved."""
    town.ring = NEW
    letters = [read_letter(record.value)["value"] for record in town.log.all(TOPICS.dead_letter)]
    under_old = sum(held["keyId"] == "old" for held in letters)
    findings = town.audit(town.derive)
    assert not findings.exact
    assert findings.faults == {Fault.SEALED: under_old}
    assert all(found.adds_up for found in findings.partitions)
    told = [line for line in shown(render(findings)).splitlines() if "was not compared" in line]
    assert len(told) == 1
    assert str(under_old) in told[0]


def test_a_lost_sealed_letter_is_missing_all_the_same(town: Town) -> None:
    """Without keys letters are counted and placed, and one that is not there is named."""
    town.ring = NO_KEYS
    town.log.delete(TOPICS.dead_letter, town.log.all(TOPICS.dead_letter)[3])
    assert town.audit(town.derive).faults[Fault.MISSING] == 1


def test_a_sealed_letter_in_another_place_is_named(town: Town) -> None:
    """Without keys a doubled letter is still a repeated one."""
    town.ring = NO_KEYS
    town.log.append(TOPICS.dead_letter, town.log.all(TOPICS.dead_letter)[3])
    assert town.audit(town.derive).faults[Fault.REPEATED] == 1


def changed_bytes(record: Record) -> Record:
    """Return a sealed letter with another last byte of its tag."""
    table = read_letter(record.value)
    table["value"]["bytes"] = table["value"]["bytes"][:-1] + b"\0"
    value = schemas.encode(schemas.load(schemas.DEAD_LETTER), table)
    return Record(0, 0, 0, record.key, (record.value or b"")[:FRAME_BYTES] + value)


def unsaid(record: Record) -> Record:
    """Return a sealed letter that no longer says what was wrong."""
    table = read_letter(record.value)
    table["violations"] = []
    value = schemas.encode(schemas.load(schemas.DEAD_LETTER), table)
    return Record(0, 0, 0, record.key, (record.value or b"")[:FRAME_BYTES] + value)


@pytest.mark.parametrize(
    "change",
    [changed_bytes, unsaid, lambda record: Record(0, 0, 0, b"1800|mobile|9198", record.value)],
)
def test_a_sealed_letter_that_was_changed_is_found(
    town: Town, change: Callable[[Record], Record]
) -> None:
    """Changed in its seal or in what is readable, or under a customer's key: it is named."""
    letters = town.log.all(TOPICS.dead_letter)
    letter = next(one for one in letters if read_letter(one.value)["value"]["alg"] == "AES-GCM")
    changed = change(letter)
    town.log.replace(TOPICS.dead_letter, letter, key=changed.key, value=changed.value)
    findings = town.audit(town.derive)
    assert findings.faults == {Fault.WRONG_CONTENT: 1}


def test_an_original_that_is_not_what_was_sent_is_found() -> None:
    """The right key over another original than the event's is no letter of it."""
    honest, other = Town(), Town()
    for town, fields in ((honest, {"price": 1}), (other, {"price": 2})):
        town.seal(OLD)
        town.send(raw(viewed(1, 1, fields=fields)), 0)
        town.run()
    [letter], [wrong] = (town.log.all(TOPICS.dead_letter) for town in (honest, other))
    honest.log.replace(TOPICS.dead_letter, letter, value=wrong.value)
    assert Fault.WRONG_CONTENT in honest.audit(honest.derive).faults
