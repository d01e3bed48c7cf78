"""What `why` says of events of every verdict, from the topics alone."""

import json

import msgspec
import pytest

from loyaltystream.audit import Place
from loyaltystream.errors import ConfigurationError
from loyaltystream.events import Record
from loyaltystream.letters.signing import Replay
from loyaltystream.verdicts import NotifyOutcome, Reason, Verdict
from loyaltystream.why.arrivals import reveal_key
from loyaltystream.why.story import Arrival, State
from tests.audit.world import CUSTOMERS, PARTITIONS, home_of, ordered, viewed
from tests.core import NOW_MS, ORDERED, TOPICS, define, raw
from tests.why.world import SIGNER, SearchedLog, Town, bought, lively


def id_of(number: int) -> str:
    """Return the id of an event that `viewed` or `ordered` makes."""
    return str(viewed(number)["eventId"])


def told(town: Town, number: int) -> tuple[Arrival, ...]:
    """Return the arrivals of an event."""
    return town.why().of_id(id_of(number)).arrivals


def at(record: Record, topic: str = TOPICS.ingest) -> Place:
    """Return where a record stands."""
    return Place(topic, record.partition, record.offset)


@pytest.fixture(scope="module")
def town() -> Town:
    """Return a town that nobody changes any more."""
    return lively()


def test_an_accepted_event_tells_where_it_went(town: Town) -> None:
    """An accepted event is told with its place, its version and every routed record."""
    [arrival] = told(town, 1)
    assert arrival.verdict == Verdict.ACCEPTED
    assert (arrival.event_name, arrival.org_id, arrival.version) == ("productViewed", 1800, 1)
    assert {one.place.topic for one in arrival.routed} == {TOPICS.emf, TOPICS.ei}
    for one in arrival.routed:
        [record] = town.log.records(
            one.place.topic, one.place.partition, one.place.offset, one.place.offset + 1
        )
        source = (record.header("src") or b"").decode()
        assert source.startswith(f"{arrival.judged}/")
        assert one.at_ms == record.timestamp_ms
    [sent] = town.log.records(
        TOPICS.ingest, arrival.judged.partition, arrival.judged.offset, arrival.judged.offset + 1
    )
    assert json.loads(sent.value or b"")["eventId"] == id_of(1)
    assert (arrival.received, arrival.received_ms) == (arrival.judged, sent.timestamp_ms)
    assert arrival.size == len(sent.value or b"")


def test_an_astray_event_tells_both_of_its_places(town: Town) -> None:
    """A re-keyed event is told from its first arrival on."""
    [arrival] = told(town, 10)
    assert arrival.verdict == Verdict.ACCEPTED
    assert arrival.received != arrival.judged
    [first] = town.log.records(
        TOPICS.ingest,
        arrival.received.partition,
        arrival.received.offset,
        arrival.received.offset + 1,
    )
    assert json.loads(first.value or b"")["eventId"] == id_of(10)
    assert arrival.received_ms == first.timestamp_ms


def test_a_duplicate_names_the_first_sighting(town: Town) -> None:
    """A resend is told with the event that was accepted before it."""
    first, again = told(town, 3)
    assert (first.verdict, again.verdict) == (Verdict.ACCEPTED, Verdict.DUPLICATE)
    assert again.reasons == (Reason.DUPLICATE_EVENT_ID,)
    assert again.first is not None
    assert again.first.place == first.judged
    assert again.kept is not None
    assert again.kept.topic == TOPICS.duplicates


def test_a_conflict_names_what_it_conflicts_with(town: Town) -> None:
    """The same id with other content is told with its letter and the first sighting."""
    first, other = told(town, 4)
    assert (first.verdict, other.verdict) == (Verdict.ACCEPTED, Verdict.CONFLICT)
    assert other.first is not None
    assert other.first.place == first.judged
    assert [found.code for found in other.complaints] == [Reason.CONFLICT]
    assert other.kept is not None
    assert other.kept.topic == TOPICS.dead_letter


def test_a_rejected_event_tells_every_violation(town: Town) -> None:
    """A rejected event is told with the violations of its letter, each at its path."""
    [arrival] = told(town, 100)
    assert arrival.verdict == Verdict.REJECTED
    assert [(found.code, found.path) for found in arrival.complaints] == [
        (Reason.REQUIRED, "fields.sku")
    ]
    assert arrival.version == 1


def test_a_late_event_tells_that_it_is(town: Town) -> None:
    """A late event is told by its letter."""
    [arrival] = told(town, 101)
    assert (arrival.verdict, arrival.reasons) == (Verdict.LATE, (Reason.TOO_LATE,))


def test_a_late_event_that_is_accepted_says_so(town: Town) -> None:
    """An event that its definition accepts although it is late is told as late."""
    [arrival] = told(town, 107)
    assert (arrival.verdict, arrival.late) == (Verdict.ACCEPTED, True)


@pytest.mark.parametrize(
    ("number", "verdict", "first"),
    [(103, Verdict.DUPLICATE, 102), (106, Verdict.CONFLICT, 105)],
)
def test_another_event_with_the_unique_key_is_named(
    town: Town, number: int, verdict: Verdict, first: int
) -> None:
    """What repeats a unique key names the other event that was accepted under it."""
    [arrival] = told(town, number)
    [other] = told(town, first)
    assert arrival.verdict == verdict
    assert arrival.first is not None
    assert (arrival.first.event_id, arrival.first.place) == (id_of(first), other.judged)


def test_what_no_topic_knows_was_never_seen(town: Town) -> None:
    """Of an id that nobody sent it is said how far back the topics reach."""
    answer = town.why().of_id("nobody sent this")
    assert (answer.found, answer.arrivals) == (False, ())
    assert {reach.topic for reach in answer.reach} == {
        TOPICS.changelog,
        TOPICS.duplicates,
        TOPICS.dead_letter,
        TOPICS.ingest,
    }
    assert all(reach.whole for reach in answer.reach)


def test_topics_that_lost_their_beginning_say_since_when_they_tell() -> None:
    """Behind retention, never seen is said of what is left."""
    town = lively()
    [*_, last] = town.log.records(TOPICS.dead_letter, 0, 0, 2**62)
    town.log.cut(TOPICS.dead_letter, 0, last.offset)
    reach = {one.topic: one for one in town.why().of_id("nobody sent this").reach}
    assert reach[TOPICS.duplicates].whole
    assert not reach[TOPICS.dead_letter].whole
    assert reach[TOPICS.dead_letter].since_ms == last.timestamp_ms


def test_an_org_sees_its_own_events_only(town: Town) -> None:
    """The same id in another org is another event."""
    assert town.why().of_id(id_of(1), 1800).found
    assert not town.why().of_id(id_of(1), 1801).found


def test_an_event_that_waits_is_found() -> None:
    """An event that nobody has judged yet is told as waiting."""
    town = lively()
    record = town.place(viewed(900))
    [arrival] = told(town, 900)
    assert (arrival.verdict, arrival.judged) == (State.WAITING, at(record))


def test_an_id_in_escapes_is_found() -> None:
    """An id that its producer wrote with JSON escapes is the same id."""
    town = Town()
    body = raw(viewed(1) | {"eventId": "tea & caf\u00e9/1"}).replace(b"/1", b"\\/1")
    town.send(body, home_of(CUSTOMERS[0]))
    town.run()
    town.send(body, home_of(CUSTOMERS[0]))
    town.run()
    answer = town.why().of_id("tea & caf\u00e9/1")
    assert [one.verdict for one in answer.arrivals] == [Verdict.ACCEPTED, Verdict.DUPLICATE]


def test_an_event_that_waits_is_found_by_its_headers() -> None:
    """An event whose id stands in its headers alone, as a gateway stamps it, is told as waiting."""
    town = Town()
    document = viewed(1)
    del document["eventId"]
    town.send(raw(document), 0, headers=[("x-event-id", b"stamped")])
    [arrival] = town.why().of_id("stamped", 1800).arrivals
    assert arrival.verdict == State.WAITING


def test_a_duplicate_is_found_by_its_headers() -> None:
    """A duplicate whose bytes say no id, as other dialects write them, is found by its header."""
    town = lively()
    [kept] = [
        one for one in town.log.all(TOPICS.duplicates) if one.header("key") == id_of(3).encode()
    ]
    town.log.replace(TOPICS.duplicates, kept, value=b'{"event": "opened"}')
    _, again = told(town, 3)
    assert (again.verdict, again.event_id) == (Verdict.DUPLICATE, id_of(3))


def test_an_unreadable_record_is_found_by_an_id_in_its_bytes() -> None:
    """Half an event is rejected without an id, and found by the id in its bytes."""
    town = Town()
    town.send(raw(viewed(1))[:-3], 0)
    town.run()
    [arrival] = told(town, 1)
    assert (arrival.verdict, arrival.reasons) == (Verdict.REJECTED, (Reason.JSON_SYNTAX,))
    assert arrival.text is not None


def test_an_accepted_event_behind_retention_is_still_known() -> None:
    """The changelog outlives the records: it tells among which offsets an id was accepted."""
    town = lively()
    for topic in (TOPICS.emf, TOPICS.ei, TOPICS.ingest):
        for partition in range(PARTITIONS):
            town.log.cut(topic, partition, town.log.ends[topic, partition])
    [arrival] = told(town, 1)
    assert arrival.verdict == Verdict.ACCEPTED
    assert (arrival.routed, arrival.received_ms) == ((), None)
    assert "no longer retained" in (arrival.text or "")


def test_a_duplicate_outlives_its_first_sighting() -> None:
    """A resend whose first sighting is no longer known says so."""
    town = lively()
    for partition in range(PARTITIONS):
        town.log.cut(TOPICS.changelog, partition, town.log.ends[TOPICS.changelog, partition])
    [arrival] = told(town, 3)
    assert arrival.first is not None
    assert (arrival.first.place, arrival.first.text) == (None, "no longer retained")


def test_changelogs_of_another_secret_are_told() -> None:
    """What was remembered under another hash key can't be found by its id, which is said."""
    town = lively()
    why = town.why()
    why._at = why._search._at = msgspec.structs.replace(
        why._at, layout=msgspec.structs.replace(why._at.layout, key_rule=99)
    )
    answer = why.of_id(id_of(1))
    assert not answer.found
    assert any("another hash key" in note for note in answer.notes)


def test_a_notification_is_told_with_its_cause() -> None:
    """What an accepted event caused is told by type, id and place."""
    town = Town()
    for number in range(6):
        town.place(bought(number))
    town.run()
    town.notify()
    [arrival] = told(town, 3)
    assert arrival.notify == NotifyOutcome.NOTIFIED
    [made] = arrival.notified
    assert made.name == "transactionAdded"
    [record] = town.log.records(
        made.place.topic, made.place.partition, made.place.offset, made.place.offset + 1
    )
    assert made.id == (record.header("ce_id") or b"").decode()
    emf = arrival.routed[0].place
    assert (record.header("src") or b"").decode().startswith(f"{emf}/")


def test_each_event_is_told_with_its_own_notifications() -> None:
    """What a customer's next event caused is not told of this one."""
    town = Town()
    for number in range(5):
        town.place(bought(number))
    town.run()
    town.notify()
    made = [told(town, number)[0].notified for number in range(5)]
    assert [len(one) for one in made] == [1] * 5
    assert len({one[0].id for one in made}) == 5


def test_an_event_without_notifications_is_silent() -> None:
    """An event that causes none is told as silent once NOTIFY has come to it, else as waiting."""
    town = Town()
    town.place(viewed(1))
    town.run()
    assert told(town, 1)[0].notify == State.WAITING
    town.notify()
    assert told(town, 1)[0].notify == NotifyOutcome.SILENT


def test_an_event_that_cannot_be_mapped_names_the_letter() -> None:
    """An accepted event that no notification can be made of is told with that letter's reasons."""
    town = Town()
    town.place(bought(1, basket={"count": "many"}))
    town.run()
    town.notify()
    [arrival] = told(town, 1)
    assert (arrival.verdict, arrival.notify) == (Verdict.ACCEPTED, NotifyOutcome.UNMAPPED)
    assert arrival.notify_letter is not None
    assert {found.code for found in arrival.refused} == {Reason.UNMAPPED}


def test_a_record_leads_to_its_event(town: Town) -> None:
    """Any record of ours, input or output, leads to the whole story of its event."""
    whole = told(town, 4)
    places = [whole[0].judged, whole[0].routed[1].place, whole[1].judged]
    places += [place for one in whole if (place := one.kept) is not None]
    for place in places:
        assert town.why().of_place(place).arrivals == whole, place


def test_a_record_without_an_id_is_told_by_its_letter(town: Town) -> None:
    """Bytes that are no event are told by the letter that names them as its source."""
    broken = next(one for one in town.log.all(TOPICS.ingest) if one.value == b"{")
    [arrival] = town.why().of_place(at(broken)).arrivals
    assert (arrival.verdict, arrival.judged) == (Verdict.REJECTED, at(broken))
    assert arrival.reasons == (Reason.JSON_SYNTAX,)


def test_a_tombstone_is_told(town: Town) -> None:
    """A record without a value is told as a tombstone."""
    empty = next(one for one in town.log.all(TOPICS.ingest) if one.value is None)
    [arrival] = town.why().of_place(at(empty)).arrivals
    assert arrival.verdict == Verdict.TOMBSTONE


def test_a_record_that_is_not_there_was_never_seen(town: Town) -> None:
    """An offset that no record has leads nowhere."""
    assert not town.why().of_place(Place(TOPICS.ingest, 0, 10**9)).found


def test_a_topic_of_somebody_else_is_refused(town: Town) -> None:
    """Records of other topics say nothing that we know of."""
    with pytest.raises(ConfigurationError, match="no topic of this deployment"):
        town.why().of_place(Place("theirs", 0, 0))


def test_a_unique_key_leads_to_the_event_that_has_it(town: Town) -> None:
    """The values of a unique key lead to the event that was accepted under it."""
    definition, key = define(ORDERED), f"1800|mobile|{CUSTOMERS[6]}".encode()
    answer = town.why().of_unique_key(definition, key, {"orderId": "A-1", "amount": "5"})
    assert [one.event_id for one in answer.arrivals] == [id_of(102)]
    other = town.why().of_unique_key(definition, key, {"orderId": "A-9", "amount": "5"})
    assert not other.found


def test_a_unique_key_needs_all_of_its_values(town: Town) -> None:
    """Too few values, or one of the wrong type, is a mistake that is told."""
    with pytest.raises(ConfigurationError, match="needs orderId, amount"):
        town.why().of_unique_key(define(ORDERED), b"1800|mobile|1", {"orderId": "A", "amount": "x"})


def test_a_customer_leads_to_all_of_her_events(town: Town) -> None:
    """A partition key leads to accepted, repeated and rejected events of its customer."""
    answer = town.why().of_customer(f"1800|mobile|{CUSTOMERS[6]}".encode())
    found = [(one.event_id, one.verdict) for one in answer.arrivals]
    assert found == [
        (id_of(6), Verdict.ACCEPTED),
        (id_of(18), Verdict.ACCEPTED),
        (id_of(102), Verdict.ACCEPTED),
        (id_of(103), Verdict.DUPLICATE),
        (id_of(104), Verdict.ACCEPTED),
    ]
    rejected = town.why().of_customer(f"1800|mobile|{CUSTOMERS[1]}".encode())
    assert (id_of(100), Verdict.REJECTED) in [
        (one.event_id, one.verdict) for one in rejected.arrivals
    ]


def test_keys_are_masked_unless_somebody_asks(town: Town) -> None:
    """A customer's identifier is seen by whoever says that he wants to see it."""
    masked, shown = town.why(), town.why(show_key=reveal_key)
    assert CUSTOMERS[1] not in masked.of_id(id_of(1)).to_json()
    assert masked.of_id(id_of(1)).arrivals[0].key == "1800|mobile|***"
    assert shown.of_id(id_of(1)).arrivals[0].key == f"1800|mobile|{CUSTOMERS[1]}"


def test_a_replay_names_its_letter() -> None:
    """An event that came back says from which letter, if it was really us who sent it."""
    town = Town()
    value = raw(viewed(1))
    headers = SIGNER.headers(Replay("behavioral-events.dead-letter/0/5", 2), value)
    sent = town.send(value, home_of(CUSTOMERS[0]), headers=headers)
    forged = town.send(raw(viewed(2)), home_of(CUSTOMERS[0]), headers=headers)
    town.run()
    [arrival], [other] = told(town, 1), told(town, 2)
    assert arrival.replay is not None
    assert arrival.replay.letter.endswith("/0/5")
    assert (arrival.replay.attempt, arrival.replay.at_ms) == (2, sent.timestamp_ms)
    assert (other.judged, other.replay) == (at(forged), None)


def test_routed_records_are_found_without_reading_all_of_them() -> None:
    """Of six thousand routed records a third are read at most."""
    town = Town()
    for number in range(3000):
        town.place(viewed(number, number % 12, occurredAt=NOW_MS))
    town.run(batch=100)
    log = SearchedLog(town.log)
    [arrival] = town.why(log=log).of_id(id_of(2000)).arrivals
    assert len(arrival.routed) == 2
    assert log.reads < 2000


def test_the_same_id_in_two_orgs_is_two_stories() -> None:
    """Without an org both events are told, with one of them only its own."""
    town = Town()
    town.place(viewed(1))
    other = ordered(1, "A") | {"orgId": 1801}
    key = f"1801|mobile|{CUSTOMERS[0]}".encode()
    for partition in range(PARTITIONS):
        town.send(raw(other), partition, key=key)
    town.run()
    both = {one.org_id for one in told(town, 1)}
    assert both == {1800, 1801}
    assert {one.org_id for one in town.why().of_id(id_of(1), 1801).arrivals} == {1801}
