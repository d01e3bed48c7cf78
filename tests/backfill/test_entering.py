"""What an import may claim: proven by the log, or by an operator's word, or not at all."""

from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.backfill.beginnings import beginnings
from loyaltystream.backfill.entering import Wish, enter
from loyaltystream.backfill.ledger import read_ledger, to_output
from loyaltystream.backfill.proven import Beginning, Proven, prove
from loyaltystream.errors import ConfigurationError
from loyaltystream.events import Import, Record
from loyaltystream.letters.state import States
from loyaltystream.memory.units import KeyKind, Unit
from loyaltystream.times import SKEW_MS
from tests.audit.world import PARTITIONS, World, busy
from tests.backfill.test_claim import DAY_MS
from tests.core import NOW_MS, TOPICS

UNIT: Final = Unit(KeyKind.EVENT_ID, 30)
BEGAN: Final = UNIT.generation(NOW_MS)
FORGOTTEN_MS: Final = UNIT.begins_ms(BEGAN + 11)
ALL: Final = Proven(NOW_MS, FORGOTTEN_MS, is_all_remembered=True)
OLD: Final = Proven(NOW_MS - 400 * DAY_MS, NOW_MS + 30 * DAY_MS, is_all_remembered=False)


def proven(*found: Beginning, now_ms: int = NOW_MS, since_ms: int | None = None) -> Proven | None:
    """Return what is proven under a window of thirty days."""
    return prove(found, window_days=30, now_ms=now_ms, live_since_ms=since_ms)


def test_as_long_as_nothing_is_forgotten_any_history_may_come() -> None:
    """Until the first accepted id may be forgotten, whatever is not remembered is new."""
    whole = Beginning(is_whole=True, generation=BEGAN)
    later = NOW_MS + 29 * DAY_MS
    assert proven(whole, now_ms=later) == Proven(later, FORGOTTEN_MS, is_all_remembered=True)
    gone = proven(whole, now_ms=FORGOTTEN_MS)
    assert gone is not None
    assert not gone.is_all_remembered


def test_later_only_what_was_late_from_the_first_day_on_may_come() -> None:
    """An event older than a window before the first one was late whenever it came."""
    found = proven(Beginning(is_whole=True, generation=BEGAN), now_ms=NOW_MS + 400 * DAY_MS)
    assert found is not None
    assert found.until_ms == UNIT.begins_ms(BEGAN) - 30 * DAY_MS + SKEW_MS


def test_a_log_that_is_cut_proves_nothing_without_a_word() -> None:
    """An operator may say when it all began; the log may know that it was earlier."""
    cut = Beginning(is_whole=False, generation=BEGAN)
    assert proven(Beginning(is_whole=True, generation=BEGAN), cut) is None
    word_ms = NOW_MS - 300 * DAY_MS
    found = proven(cut, since_ms=word_ms)
    assert found is not None
    assert found.until_ms == word_ms - 30 * DAY_MS + SKEW_MS
    contradicted = proven(cut, since_ms=NOW_MS + 5 * DAY_MS)
    assert contradicted is not None
    assert contradicted.until_ms == UNIT.begins_ms(BEGAN) - 30 * DAY_MS + SKEW_MS


@given(st.integers(0, 2**41), st.sampled_from([7, 30, 400]))
def test_an_id_counts_up_to_the_clock_that_a_claim_ends_with(clock_ms: int, days: int) -> None:
    """The first clock at which a generation does not count any more is told exactly."""
    unit = Unit(KeyKind.EVENT_ID, days)
    generation = unit.generation(clock_ms)
    end_ms = unit.begins_ms(generation + 11)
    assert unit.knows(generation, end_ms - 1)
    assert not unit.knows(generation, end_ms)
    assert unit.generation(unit.begins_ms(generation)) == generation


def test_a_memory_tells_its_beginning() -> None:
    """The changelog's first ids say since when; nobody has to remember it."""
    world = busy()
    found = beginnings(world.log, TOPICS, window_days=30)
    assert {one.is_whole for one in found} == {True}
    assert {one.generation for one in found} == {UNIT.generation(NOW_MS)}


@pytest.mark.parametrize("harm", ["cut", "lost", "other window"])
def test_a_memory_that_lost_its_beginning_is_not_whole(harm: str) -> None:
    """Cut by retention, lost and started empty, or remembered for another window."""
    world = busy()
    if harm == "cut":
        world.log.cut(TOPICS.changelog, 1, 1)
    if harm == "lost":
        world.memories[1].covers_from_ms = world.now_ms
        world.send(None, 1)
        world.run()
    found = beginnings(world.log, TOPICS, window_days=90 if harm == "other window" else 30)
    assert not all(one.is_whole for one in found)


def test_what_waits_before_the_first_judgement_counts() -> None:
    """Events that lay there before any worker came will be accepted at their own clock."""
    world = World()
    world.now_ms = NOW_MS - 6 * DAY_MS
    world.send(b"{", 0)
    found = beginnings(world.log, TOPICS, window_days=30)
    assert {one.generation for one in found} == {None, UNIT.generation(NOW_MS - 6 * DAY_MS)}
    assert len([one for one in found if one.generation is None]) == PARTITIONS


def wish(**changes: Any) -> Wish:
    """Return what somebody asks for."""
    usual = Wish("tills", OLD.until_ms, NOW_MS)
    return msgspec.structs.replace(usual, **changes)


def begun(name: str, before_ms: int, **changes: Any) -> dict[str, Import]:
    """Return an import that there was."""
    return {name: Import(name, OLD.until_ms, before_ms, NOW_MS, **changes)}


@pytest.mark.parametrize(
    ("asked", "known", "told", "says"),
    [
        (wish(import_id="../x"), {}, ALL, "--import-id"),
        (wish(until_ms=NOW_MS + 1), {}, ALL, "has not come yet"),
        (wish(), {}, None, "--live-since"),
        (wish(until_ms=OLD.until_ms + 1), {}, OLD, "too late"),
        (wish(), begun("old", NOW_MS), OLD, "--never-imported"),
        (wish(until_ms=5), begun("tills", NOW_MS + 1), ALL, "--until 20"),
        (wish(quiet=True), begun("tills", NOW_MS + 1), ALL, "--no-notify"),
        (wish(), begun("tills", NOW_MS), ALL, "too long ago"),
    ],
)
def test_what_nobody_can_prove_is_refused_in_one_line(
    asked: Wish, known: dict[str, Import], told: Proven | None, says: str
) -> None:
    """Each refusal says what is wrong and what to do."""
    with pytest.raises(ConfigurationError, match=says) as refused:
        enter(asked, known, lambda: told)
    assert "\n" not in str(refused.value)


def test_an_import_claims_no_more_than_is_proven() -> None:
    """Its claim ends with the proof, and with the first other import that is forgotten."""
    assert enter(wish(), {}, lambda: ALL) == Import("tills", OLD.until_ms, ALL.before_ms, NOW_MS)
    other = begun("other", NOW_MS + 5)
    assert enter(wish(), other, lambda: OLD).before_ms == NOW_MS + 5
    assert enter(wish(), other, lambda: ALL).before_ms == ALL.before_ms
    forgotten = begun("old", NOW_MS)
    assert enter(wish(never_imported=True), forgotten, lambda: OLD).before_ms == OLD.before_ms


def test_an_import_that_goes_on_claims_what_it_claimed() -> None:
    """However often it is repeated, and whatever could be proven by now."""
    known = begun("tills", NOW_MS + 7)
    assert enter(wish(), known, lambda: None) == known["tills"]


def test_imports_are_written_down_beside_the_states_of_letters() -> None:
    """The last word on each is found again, and no letter's state is made of it."""
    world, claims = (
        World(),
        [Import("a", 1, 2, 0), Import("b", 3, 4, 0, quiet=True), Import("a", 5, 6, 0)],
    )
    for claim in claims:
        written = to_output(TOPICS.letter_state, claim)
        world.log.append(TOPICS.letter_state, Record(0, 0, 0, written.key, written.value))
    world.log.append(TOPICS.letter_state, Record(0, 0, 0, b"3/1042", b'{"state":"open"}'))
    world.log.append(TOPICS.letter_state, Record(0, 0, 0, b"import/a", None))
    assert read_ledger(world.log, TOPICS.letter_state) == {"a": claims[2], "b": claims[1]}
    assert States(world.log.all(TOPICS.letter_state)).unreadable == 0
