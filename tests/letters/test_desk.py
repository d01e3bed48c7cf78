"""Letters that come back: mended, sent once, and told about for ever."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyaltystream.errors import RetryableBrokerError
from loyaltystream.events import Origin, Record
from loyaltystream.letters.letter import Letter
from loyaltystream.letters.replaying import MAX_ATTEMPTS, Stay
from loyaltystream.letters.state import States, Step, name_of
from loyaltystream.verdicts import DEAD_VERDICTS, Reason, Verdict
from tests.audit.world import CUSTOMERS, home_of, viewed
from tests.core import TOPICS, raw
from tests.letters.town import PATCH, TownWriter, body, desk_of, forecast, letters_of, replay
from tests.why.test_why import id_of
from tests.why.world import Town, lively


def wrong(count: int) -> Town:
    """Return a town with so many events that lack a field, among good ones."""
    town = Town()
    for number in range(count):
        town.place(viewed(number, number % 12, fields={"price": 1}), astray=number % 4 == 3)
        town.place(viewed(1000 + number, number % 12))
    town.run()
    return town


def replayed(town: Town) -> Counter[str]:
    """Return how often each letter's event lies on the ingest topic again."""
    return Counter(
        (record.header("replay-of") or b"").decode()
        for record in town.log.all(TOPICS.ingest)
        if record.header("replay-of") and not record.header("src")
    )


def test_a_wrong_event_is_found_repaired_and_replayed() -> None:
    """What was wrong is found, mended and accepted, and its whole story is told."""
    town = wrong(3)
    [letter] = letters_of(town, event_id=id_of(1))
    found = desk_of(town).sort([letter], PATCH)
    assert forecast(town, found.resent).verdicts == {"accepted": 1}
    desk_of(town).repair(found.resent, PATCH)
    assert desk_of(town).states.of(letter.place).state is Step.REPAIRED
    replay(town, desk_of(town), [letter])
    before, after = town.why().of_id(id_of(1)).arrivals
    assert (before.verdict, after.verdict) == (Verdict.REJECTED, Verdict.ACCEPTED)
    assert before.handled == "replayed, attempt 1"
    assert after.replay is not None
    assert after.replay.letter == str(letter.place)
    assert (after.received, after.received_ms) == (before.received, before.received_ms)
    [routed] = [
        record for record in town.log.all(TOPICS.ei) if id_of(1).encode() in (record.value or b"")
    ]
    assert b"SKU-1" in (routed.value or b"")


def test_a_replay_is_judged_as_of_its_first_arrival() -> None:
    """An event without a time of its own keeps the time at which it first arrived."""
    town = Town()
    event = viewed(1, fields={})
    del event["occurredAt"]
    town.place(event)
    town.run()
    [letter] = letters_of(town)
    desk = desk_of(town)
    desk.repair(desk.sort([letter], PATCH).resent, PATCH)
    town.now_ms += 3_600_000
    replay(town, desk_of(town), [letter])
    [_, after] = town.why().of_id(id_of(1)).arrivals
    assert after.received_ms == letter.origin_ms


def test_a_log_with_replays_is_exact() -> None:
    """The audit takes a replay for what it is: one more record, judged once."""
    town = lively()
    replay(town, desk_of(town), letters_of(town))
    findings = town.audit()
    assert findings.exact, findings.to_json()
    assert sum(replayed(town).values()) >= 10


def test_a_replay_of_everything_changes_nothing() -> None:
    """Whatever is sent again is told by its id, or refused once more: nothing is routed twice."""
    town = lively()
    before = len(town.log.all(TOPICS.emf)), len(town.log.all(TOPICS.ei))
    replay(town, desk_of(town), letters_of(town))
    assert (len(town.log.all(TOPICS.emf)), len(town.log.all(TOPICS.ei))) == before


def test_a_letter_is_sent_once() -> None:
    """A replay that is run again sends nothing."""
    town = wrong(4)
    letters = letters_of(town)
    assert len(replay(town, desk_of(town), letters)) == 4
    assert desk_of(town).sort(letters).staying == {Stay.DONE: letters}
    assert set(replayed(town).values()) == {1}


def test_a_letter_with_which_a_newer_version_dealt_stays() -> None:
    """Of a word that is not known here nothing is made: the letter is neither sent nor put away."""
    town = wrong(2)
    letters = letters_of(town)
    desk = desk_of(town)
    named = [name_of(letter.place).encode() for letter in letters]
    desk.states = States([Record(0, 0, 0, name, b'{"state": "lent"}') for name in named])
    assert desk.sort(letters).staying == {Stay.STRANGE: letters}
    assert desk.discard(letters, "a test") == []


@given(dies_at=st.integers(0, 6), late=st.booleans(), at_once=st.integers(1, 4))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_killed_replay_goes_on_where_it_was(*, dies_at: int, late: bool, at_once: int) -> None:
    """Wherever it is killed, and whether that write was committed or not, each is sent once."""
    town = wrong(6)
    letters = letters_of(town)
    writer = TownWriter(town, dies_at, late=late)
    desk = desk_of(town, writer)
    try:
        list(desk.replay(desk.sort(letters).resent, at_once=at_once))
    except RetryableBrokerError:
        replay(town, desk_of(town), letters, at_once)
    assert set(replayed(town).values()) == {1}
    assert len(replayed(town)) == 6
    states = desk_of(town).states
    assert {states.of(letter.place).state for letter in letters} == {Step.REPLAYED}


def test_a_replay_goes_to_the_partition_of_its_event() -> None:
    """A letter from a wrong partition comes back in the right one, under its event's key."""
    town = wrong(4)
    [letter] = letters_of(town, event_id=id_of(3))
    desk = desk_of(town)
    desk.repair(desk.sort([letter], PATCH).resent, PATCH)
    assert letter.place.partition != home_of(CUSTOMERS[3])
    replay(town, desk_of(town), [letter])
    [sent] = [one for one in town.log.all(TOPICS.ingest) if one.header("replay-of")]
    assert sent.partition == home_of(CUSTOMERS[3])
    assert sent.key == f"1800|mobile|{CUSTOMERS[3]}".encode()
    assert town.why().of_id(id_of(3)).arrivals[-1].verdict == Verdict.ACCEPTED


def test_a_producers_headers_come_along() -> None:
    """What the producer wrote beside the value is there again; what we wrote is ours anew."""
    town = Town()
    headers = [("traceparent", b"00-aa-bb-01"), ("src", b"forged"), ("replay-of", b"forged")]
    town.send(raw(viewed(1, fields={})), home_of(CUSTOMERS[0]), headers=headers)
    town.run()
    [letter] = letters_of(town)
    [made] = desk_of(town).sort([letter]).resent
    assert dict(made.output.headers)["traceparent"] == b"00-aa-bb-01"
    assert [name for name, _ in made.output.headers].count("replay-of") == 1
    assert "src" not in dict(made.output.headers)
    origin = Origin.from_header(dict(made.output.headers)["origin"])
    assert origin is not None
    assert (origin.partition, origin.offset) == (letter.origin.partition, letter.origin.offset)
    assert made.attempt == 1


def test_an_event_comes_back_so_often_and_no_more() -> None:
    """Each refusal is a letter of its own; what was refused too often stays with a person."""
    town = wrong(1)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        *_, letter = letters_of(town)
        [sent] = replay(town, desk_of(town), [letter])
        assert sent.attempt == attempt
    *_, last = letters_of(town)
    assert desk_of(town).sort([last]).staying == {Stay.ATTEMPTS: [last]}


def test_a_discarded_letter_stays_away() -> None:
    """No replay takes a letter that somebody put away, and the reason is kept."""
    town = wrong(3)
    letters = letters_of(town)
    assert desk_of(town).discard(letters[:1], "a test till") == letters[:1]
    assert desk_of(town).discard(letters[:1], "again") == []
    assert len(replay(town, desk_of(town), letters)) == 2
    state = desk_of(town).states.of(letters[0].place)
    assert (state.state, state.reason) == (Step.DISCARDED, "a test till")
    [arrival] = town.why().of_id(str(letters[0].event_id)).arrivals
    assert arrival.handled == "discarded, a test till"


def test_a_patch_that_does_not_apply_leaves_the_letter_alone() -> None:
    """What can't be mended that way stays, and is told."""
    town = Town()
    town.send(b"{broken", 0)
    town.place(viewed(1, fields={}))
    town.run()
    patch = [{"op": "remove", "path": "/fields/nothing"}]
    broken, whole = letters_of(town)
    assert desk_of(town).sort([broken, whole], patch).staying == {Stay.PATCH: [broken, whole]}


def test_a_second_patch_takes_the_place_of_the_first() -> None:
    """The last repair counts."""
    town = wrong(1)
    letters = letters_of(town)
    for value in ("first", "second"):
        patch = [{"op": "add", "path": "/fields/sku", "value": value}]
        desk = desk_of(town)
        desk.repair(desk.sort(letters, patch).resent, patch)
    [made] = desk_of(town).sort(letters).resent
    assert body(made.value)["fields"]["sku"] == "second"


def test_few_letters_go_in_each_transaction() -> None:
    """A transaction holds as many letters as it is told to, and each letter's state with it."""
    town = wrong(7)
    writer = TownWriter(town)
    desk = desk_of(town, writer)
    list(desk.replay(desk.sort(letters_of(town)).resent, at_once=3))
    assert writer.sizes == [6, 6, 2]


def foretold_and_found(town: Town, letters: list[Letter]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what the forecast says of letters, and what then becomes of them."""
    made = desk_of(town).sort(letters).resent
    foretold = forecast(town, made).letters
    replay(town, desk_of(town), letters)
    names = {str(one.letter.place): name_of(one.letter.place) for one in made}
    found = {}
    for record in town.log.all(TOPICS.ingest):
        letter = (record.header("replay-of") or b"").decode()
        if letter in names and not record.header("src"):
            found[names[letter]] = _verdict(
                town, f"{TOPICS.ingest}/{record.partition}", record.offset
            )
    return foretold, found


def _verdict(town: Town, slot: str, offset: int) -> str:
    source = f"{slot}/{offset}/".encode()
    for topic in (TOPICS.emf, TOPICS.ei, TOPICS.duplicates, TOPICS.dead_letter, TOPICS.ingest):
        for record in town.log.all(topic):
            if (record.header("src") or b"").startswith(source):
                said = (record.header("verdict") or b"").decode()
                return said or ("rekeyed" if topic == TOPICS.ingest else "accepted")
    return "nothing"


def test_what_was_foretold_comes_true() -> None:
    """The forecast of every letter of every kind is the verdict that its replay then gets."""
    town = lively()
    town.place(viewed(700, 3, fields={}))
    town.place(viewed(700, 3))
    town.run()
    foretold, found = foretold_and_found(town, letters_of(town))
    assert foretold == found
    assert set(found.values()) == {Verdict.REJECTED, Verdict.CONFLICT, Verdict.LATE}


def test_a_mended_copy_of_an_accepted_event_is_foretold_as_a_duplicate() -> None:
    """The forecast knows what was accepted since, and by what content."""
    town = wrong(2)
    [same] = letters_of(town, event_id=id_of(0))
    [other] = letters_of(town, event_id=id_of(1))
    town.place(viewed(0, 0, fields={"price": 1, "sku": "SKU-1"}))
    town.place(viewed(1, 1, fields={"price": 2, "sku": "SKU-1"}))
    town.run()
    desk = desk_of(town)
    desk.repair(desk.sort([same, other], PATCH).resent, PATCH)
    foretold, found = foretold_and_found(town, [same, other])
    assert foretold == found
    assert foretold == {
        name_of(same.place): Verdict.DUPLICATE,
        name_of(other.place): Verdict.CONFLICT,
    }


def test_a_forecast_counts_reasons_and_writes_nothing() -> None:
    """A preview says why letters would come back, and leaves the topics as they are."""
    town = wrong(5)
    before = dict(town.log.ends)
    told = forecast(town, desk_of(town).sort(letters_of(town)).resent)
    assert told.verdicts == {"rejected": 5}
    assert told.reasons == {Reason.REQUIRED: 5}
    assert sum(told.verdicts.get(verdict.value, 0) for verdict in DEAD_VERDICTS) == 5
    assert dict(town.log.ends) == before


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_to_send_sends_nothing(count: int) -> None:
    """Without letters no transaction is opened."""
    town = wrong(count)
    writer = TownWriter(town)
    assert list(desk_of(town, writer).replay([])) == []
    assert writer.sizes == []


@pytest.mark.parametrize(
    ("dialect", "key"),
    [(b"canonical", f"1800|mobile|{CUSTOMERS[0]}".encode()), (b"voucherify", b"as it came")],
)
def test_an_event_is_keyed_as_its_own_headers_say(dialect: bytes, key: bytes) -> None:
    """Headers that name a dialect decide whose event it is, in a replay as at first."""
    town = Town()
    headers = [("x-event-dialect", dialect)]
    town.send(raw(viewed(1, fields={})), home_of(CUSTOMERS[0]), key=b"as it came", headers=headers)
    town.run()
    [made] = desk_of(town).sort(letters_of(town)).resent
    assert made.output.key == key
