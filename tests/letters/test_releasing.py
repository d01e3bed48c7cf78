"""Held letters that a person releases: each once, under a new id, and told about under both."""

from collections import Counter
from io import StringIO

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from loyaltystream.audit import Fault
from loyaltystream.errors import RetryableBrokerError
from loyaltystream.events import Check
from loyaltystream.letters.letter import Letter
from loyaltystream.letters.replaying import MAX_ATTEMPTS, Stay
from loyaltystream.letters.screen import render
from loyaltystream.letters.signing import released_id
from loyaltystream.letters.state import Step
from loyaltystream.partitioning import PartitionBy
from loyaltystream.rules import Rules
from loyaltystream.verdicts import Verdict
from loyaltystream.why.screen import render as render_why
from tests.audit.world import ordered, viewed
from tests.core import NOW_MS, TOPICS, read_event
from tests.letters.town import (
    TownWriter,
    audit,
    desk_of,
    forecast,
    letters_of,
    release,
    replay,
)
from tests.sealing.rings import NEW, OLD
from tests.why.test_why import id_of
from tests.why.world import SIGNER, Town, lively


def screen_text(made: RenderableType) -> str:
    """Return what a person sees."""
    text = StringIO()
    Console(file=text, width=220, highlight=False).print(made)
    return text.getvalue()


DAY_MS = 86_400_000


def held_of(town: Town) -> list[Letter]:
    """Return the letters that hold a conflict or a late event."""
    return [one for one in letters_of(town) if one.held_by is not None]


def new_id(letter: Letter) -> str:
    """Return the id that a letter's event goes by once it is released."""
    return released_id(str(letter.place))


def released(town: Town) -> Counter[str]:
    """Return how often each letter's release lies on the ingest topic, as it was sent."""
    return Counter(
        (record.header("release-of") or b"").decode()
        for record in town.log.all(TOPICS.ingest)
        if record.header("release-of") and not record.header("src")
    )


def many(count: int) -> Town:
    """Return a town in which so many events are late."""
    town = Town()
    for number in range(count):
        town.place(viewed(1000 + number, number % 12))
        town.place(viewed(number, number % 12, occurredAt=NOW_MS - 40 * DAY_MS))
    town.run()
    return town


def test_each_kind_of_held_letter_is_released() -> None:
    """Conflicts by id and by unique key, and a late event: all are accepted, and all is exact."""
    town = lively()
    held = held_of(town)
    assert {one.held_by for one in held} == set(Check)
    before = len(town.log.all(TOPICS.ei)) + len(town.log.all(TOPICS.emf))
    found = desk_of(town).sort_held(held).resent
    assert forecast(town, found).verdicts == {"accepted": len(held)}
    release(town, desk_of(town), held)
    town.notify()
    for letter in held:
        *_, after = town.why().of_id(new_id(letter)).arrivals
        assert (after.verdict, after.event_id) == (Verdict.ACCEPTED, new_id(letter))
        assert after.late == (letter.held_by is Check.LATE)
    assert len(town.log.all(TOPICS.ei)) + len(town.log.all(TOPICS.emf)) > before
    findings = audit(town)
    assert findings.exact, findings.to_json()
    assert sum(one.replayed for one in findings.partitions) >= len(held)


def test_the_whole_story_is_told_for_both_ids() -> None:
    """Held, released with its reason, accepted as another: by either id, in that order."""
    town = many(1)
    [letter] = held_of(town)
    release(town, desk_of(town), [letter], reason="the till was offline")
    before, after = town.why().of_id(id_of(0)).arrivals
    assert town.why().of_id(new_id(letter)).arrivals == (before, after)
    assert before.handled == (
        f"released, attempt 1, the till was offline; as event {new_id(letter)}"
    )
    assert after.replay is not None
    assert (after.replay.letter, after.replay.spared) == (str(letter.place), ("late",))
    assert (after.received, after.received_ms) == (before.received, before.received_ms)
    told = screen_text(render_why(town.why().of_id(id_of(0))))
    order = ["late", "released, attempt 1", "spared: late", "accepted"]
    places = [told.index(word) for word in order]
    assert places == sorted(places)
    assert "late, which its release spares it" in told
    state = desk_of(town).states.of(letter.place)
    assert (state.state, state.reason) == (Step.RELEASED, "the till was offline")
    assert new_id(letter) in screen_text(render(letter, state, reveal=False))


def test_the_record_of_a_release_leads_to_its_story() -> None:
    """By its place, waiting or judged, it is the released event and no other."""
    town = many(1)
    [letter] = held_of(town)
    desk = desk_of(town)
    list(desk.release(desk.sort_held([letter]).resent, reason="asked for"))
    [waiting] = town.why().of_id(new_id(letter)).arrivals[1:]
    assert (waiting.verdict, waiting.event_id) == ("waiting", new_id(letter))
    town.run()
    *_, after = town.why().of_place(waiting.judged).arrivals
    assert (after.judged, after.verdict) == (waiting.judged, Verdict.ACCEPTED)


def test_outputs_carry_the_new_id_alone() -> None:
    """What is routed of a released event knows nothing of the id that its body has."""
    town = many(1)
    [letter] = held_of(town)
    release(town, desk_of(town), [letter])
    routed = [
        record
        for record in town.log.all(TOPICS.ei)
        if read_event(record.value)["eventId"] == new_id(letter)
    ]
    assert [record.header("late") for record in routed] == [b"true"]
    assert id_of(0).encode() not in (routed[0].value or b"")


def test_a_sealed_letter_is_released_by_whoever_has_its_key() -> None:
    """Its event comes in as any other; without the key it stays, and nothing is lost."""
    town = Town()
    town.seal(NEW)
    town.place(viewed(1))
    town.place(viewed(2, occurredAt=NOW_MS - 40 * DAY_MS))
    town.run()
    [letter] = held_of(town)
    release(town, desk_of(town), [letter])
    before, after = town.why().of_id(new_id(letter)).arrivals
    assert (before.event_id, after.verdict) == (id_of(2), Verdict.ACCEPTED)
    assert audit(town).exact
    town.ring = OLD
    [locked] = held_of(town)
    town.log.topics[TOPICS.letter_state].clear()
    assert desk_of(town).sort_held([locked]).staying == {Stay.SEALED: [locked]}


def test_only_held_letters_are_released() -> None:
    """What was rejected is to be repaired; what was dealt with is done; each says so."""
    town = lively()
    letters = letters_of(town)
    staying = desk_of(town).sort_held(letters).staying
    rejected = [one for one in letters if one.verdict == Verdict.REJECTED]
    assert staying == {Stay.NOT_HELD: rejected}
    [held, other, *_] = held_of(town)
    desk_of(town).discard([held], "a test till")
    release(town, desk_of(town), [other])
    for sort in (desk_of(town).sort_held, desk_of(town).sort):
        assert sort([held, other]).staying == {Stay.DONE: [held, other]}


def test_a_release_that_is_run_again_sends_nothing() -> None:
    """Each letter is released once, and nothing changes by asking again."""
    town = many(4)
    assert len(release(town, desk_of(town), held_of(town))) == 4
    assert release(town, desk_of(town), held_of(town)) == []
    assert set(released(town).values()) == {1}


@given(dies_at=st.integers(0, 6), late=st.booleans(), at_once=st.integers(1, 4))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_killed_release_goes_on_where_it_was(*, dies_at: int, late: bool, at_once: int) -> None:
    """Wherever it is killed, and whether that write was committed or not, each is sent once."""
    town = many(6)
    letters = held_of(town)
    desk = desk_of(town, TownWriter(town, dies_at, late=late))
    try:
        found = desk.sort_held(letters).resent
        list(desk.release(found, reason="asked for", at_once=at_once))
    except RetryableBrokerError:
        release(town, desk_of(town), letters, at_once=at_once)
    town.run()
    assert set(released(town).values()) == {1}
    assert len(released(town)) == 6
    assert audit(town).exact


def test_a_copy_of_a_release_is_a_duplicate() -> None:
    """Somebody who writes its record again, headers and all, causes nothing by it."""
    town = many(1)
    [letter] = held_of(town)
    [sent] = release(town, desk_of(town), [letter])
    home = next(one.partition for one in town.log.all(TOPICS.ingest) if one.header("release-of"))
    town.send(sent.value, home, headers=sent.output.headers)
    town.send(sent.value, (home + 1) % 3, headers=sent.output.headers)
    town.run()
    assert [one.verdict for one in town.why().of_id(new_id(letter)).arrivals] == [
        "late",
        "accepted",
        "duplicate",
        "duplicate",
    ]
    assert audit(town).exact


def test_a_released_event_that_is_held_again_is_spared_both() -> None:
    """A late event whose unique key conflicts too is released twice, and then accepted."""
    town = Town()
    fields = {"orderId": "B", "amount": 1}
    town.place(viewed(1, eventName="orderBilled", fields=fields))
    past = NOW_MS - 40 * DAY_MS
    town.place(viewed(2, eventName="orderBilled", fields=fields | {"note": "x"}, occurredAt=past))
    town.run()
    [first] = held_of(town)
    assert first.held_by is Check.UNIQUE_KEY
    release(town, desk_of(town), [first])
    [_, second] = held_of(town)
    assert (second.held_by, second.event_id) == (Check.LATE, new_id(first))
    release(town, desk_of(town), [second])
    told = town.why().of_id(id_of(2)).arrivals
    assert [one.verdict for one in told] == ["conflict", "late", "accepted"]
    assert told[-1].event_id == new_id(second)
    assert town.why().of_id(new_id(second)).arrivals == told
    assert town.why().of_id(new_id(first)).arrivals == told
    assert audit(town).exact


def test_a_released_event_may_repeat_a_unique_key() -> None:
    """What came under its key meanwhile makes it a duplicate, told under its new id."""
    town = Town()
    town.place(viewed(1))
    town.place(ordered(2, "A-1", occurredAt=NOW_MS - 40 * DAY_MS))
    town.place(ordered(3, "A-1"))
    town.run()
    [letter] = held_of(town)
    found = desk_of(town).sort_held([letter]).resent
    assert forecast(town, found).verdicts == {"duplicate": 1}
    release(town, desk_of(town), [letter])
    *_, after = town.why().of_id(new_id(letter)).arrivals
    assert (after.verdict, after.event_id) == (Verdict.DUPLICATE, new_id(letter))
    assert after.first is not None
    assert after.first.event_id == id_of(3)
    assert audit(town).exact


def test_a_released_event_that_was_rejected_is_replayed_as_what_it_was() -> None:
    """Mended and sent again it keeps the id that its release gave it, and what it was spared."""
    town = many(1)
    [letter] = held_of(town)
    desk = desk_of(town)
    desk.repair(desk.sort([letter]).resent, [{"op": "remove", "path": "/fields/sku"}])
    release(town, desk_of(town), [letter])
    [wrong] = [one for one in letters_of(town) if one.verdict == Verdict.REJECTED]
    assert wrong.event_id == new_id(letter)
    desk = desk_of(town)
    patch = [{"op": "add", "path": "/fields/sku", "value": "SKU-1"}]
    desk.repair(desk.sort([wrong], patch).resent, patch)
    replay(town, desk_of(town), [wrong])
    *_, after = town.why().of_id(id_of(0)).arrivals
    assert (after.verdict, after.event_id, after.late) == ("accepted", new_id(letter), True)
    assert audit(town).exact


def test_an_event_is_released_so_often_and_no_more() -> None:
    """A release counts among the times that an event may come back."""
    town = many(1)
    for _ in range(MAX_ATTEMPTS):
        replay(town, desk_of(town), held_of(town))
    last = held_of(town)[-1]
    assert desk_of(town).sort_held([last]).staying == {Stay.ATTEMPTS: [last]}


def test_releases_by_event_id_go_to_the_partition_of_the_new_one() -> None:
    """Where ids place events, the id that counts is the one that the event goes by."""
    rules = Rules(waiver_of=SIGNER.waiver_of, partition_by=PartitionBy.EVENT_ID)
    [held] = held_of(many(1))
    town = many(1)
    town.rules = rules
    [made] = desk_of(town).sort_held([held]).resent
    assert made.output.key == f"1800|{new_id(held)}".encode()


def test_a_forged_release_is_judged_as_what_it_is() -> None:
    """The audit believes our signature alone, as the judge does."""
    town = many(1)
    [letter] = held_of(town)
    forged = [("replay-of", b"dead/0/1"), ("replay-attempt", b"1"), ("replay-mac", b"00")]
    claim = [*forged, ("release-of", b"dead/0/1"), ("release-waives", b"late")]
    town.send(letter.original.value, letter.place.partition, headers=claim)
    town.run()
    assert [one.verdict for one in town.why().of_id(id_of(0)).arrivals] == ["late", "late"]
    assert audit(town).exact


def test_an_audit_sees_a_waiver_that_was_not_heeded() -> None:
    """Had a worker not heeded a release, or heeded a claim, the audit would say so."""
    town = many(1)
    release(town, desk_of(town), held_of(town))
    [record] = [one for one in town.log.all(TOPICS.ingest) if one.header("release-of")]
    headers = [
        (name, b"event-id" if name == "release-waives" else content)
        for name, content in record.headers
    ]
    town.log.replace(TOPICS.ingest, record, headers=headers)
    assert Fault.WRONG_VERDICT in audit(town).faults


@given(st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_people_do_accepts_nothing_twice(data: st.DataObject) -> None:
    """Replays and releases of any letters in any order: every accepted id is there once."""
    town = lively()
    for _ in range(data.draw(st.integers(1, 4))):
        letters = letters_of(town)
        some = data.draw(st.lists(st.sampled_from(letters), unique_by=lambda one: one.place))
        if data.draw(st.booleans()):
            release(town, desk_of(town), some)
        else:
            replay(town, desk_of(town), some)
    town.notify()
    ids = Counter(
        (read_event(record.value)["eventId"], record.partition)
        for record in town.log.all(TOPICS.ei)
    )
    assert set(ids.values()) == {1}
    findings = audit(town)
    assert findings.exact, findings.to_json()
