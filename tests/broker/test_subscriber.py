"""Subscribers on the real broker: reactions that fail, hang or are killed lose nothing."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from loyaltystream.errors import StateError
from loyaltystream.platform import Addresses
from loyaltystream.subscriber import Outcome, Reactions, Subscriber, Tally
from loyaltystream.subscriber.records import PointsIssued
from tests.broker.town import Town, issued, leave
from tests.shop import eventually

pytestmark = pytest.mark.broker

CUSTOMERS = 20


@pytest.fixture
def town(proven_cluster: Addresses, tmp_path: Path) -> Iterator[Town]:
    """Return an empty topic of notifications."""
    made = Town(proven_cluster, tmp_path)
    yield made
    made.close()


def test_a_reaction_that_raises_loses_and_doubles_nothing(town: Town) -> None:
    """One that recovers is handled once; one that does not is a letter with its bytes and key."""
    reactions, got = Reactions(), []

    @reactions.on(PointsIssued)
    def note(notification: PointsIssued) -> None:
        got.append(notification)
        times = got.count(notification)
        if notification.refId == "fail" or (notification.refId == "twice" and times < 3):
            raise ConnectionError("no connection")

    orders = {3: "twice", 7: "fail"}
    sent = [issued(customer, orders.get(customer, "0")) for customer in range(CUSTOMERS)]
    town.send(sent)
    subscriber = Subscriber(town.subscription(), reactions)
    tally = run_until_done(town, subscriber)
    assert (tally[Outcome.HANDLED], tally[Outcome.DEAD_LETTER]) == (CUSTOMERS - 1, 1)
    assert {each.eventId: got.count(each) for each in sent} == {
        each.eventId: {"twice": 3, "fail": 5}.get(each.refId or "", 1) for each in sent
    }
    [letter] = town.letters()
    [original] = [each for each in town.records() if each.key == letter.key]
    assert letter.value == original.value
    assert letter.header("ce_type") == original.header("ce_type")
    assert letter.header("dead-letter-error") == b"ConnectionError"
    origin = f"{town.topic}/{original.partition}/{original.offset}"
    assert letter.header("dead-letter-origin") == origin.encode()


def run_until_done(town: Town, subscriber: Subscriber) -> Tally:
    """Run a subscriber in a thread until everything is committed."""
    thread = threading.Thread(target=subscriber.run)
    thread.start()
    try:
        town.drain()
    finally:
        subscriber.stop()
        thread.join(30)
    return subscriber.tally


@pytest.mark.parametrize("store", [False, True], ids=["window", "store"])
def test_a_subscriber_that_is_killed_loses_nothing(town: Town, *, store: bool) -> None:
    """Behind a SIGKILL only what was not committed comes again; with a store, one each at most."""
    ids = town.send(issued(number % CUSTOMERS, "0.01") for number in range(400))
    behind: list[dict[int, int]] = []
    for count in (60, 150):
        process = town.start(store=store, commit_s=0.3)
        town.await_done(count)
        process.kill()
        process.wait()
        behind.append(town.committed())
    process = town.start(store=store)
    town.drain()
    assert leave(process) == 0, town.log()
    done = town.done()
    assert set(done) == set(ids)
    places = town.places()
    for each in (each for each in ids if done[each] > 1):
        partition, offset = places[each]
        assert any(offset >= committed.get(partition, 0) for committed in behind)
    if store:
        assert sum(done.values()) - len(ids) <= 2  # one that was at work, for each kill
    first_done = list(dict.fromkeys(town.lines("done")))
    for customer in range(CUSTOMERS):
        mine = ids[customer::CUSTOMERS]
        assert [each for each in first_done if each in mine] == mine
    assert town.letters() == []


def test_a_subscriber_that_is_asked_to_leave_doubles_nothing(town: Town) -> None:
    """SIGTERM ends the reaction at work, commits it, and the next process goes on behind it."""
    ids = town.send(issued(number % CUSTOMERS, "0.05") for number in range(80))
    for count in (10, 30):
        process = town.start(commit_s=60)
        town.await_done(count)
        assert leave(process) == 0, town.log()
    process = town.start()
    town.drain()
    assert leave(process) == 0
    assert town.done() == dict.fromkeys(ids, 1)
    assert town.lines("begun") == town.lines("done")


def test_a_reaction_that_hangs_ends_the_subscriber(town: Town) -> None:
    """Behind its patience the process ends with a word; the notification is not committed."""
    [stuck] = town.send([issued(1, "hang")])
    others = town.send(issued(customer) for customer in range(2, CUSTOMERS))
    process = town.start(patience_s=3, leave_s=1)
    assert process.wait(60) == 1
    assert "has not returned for" in town.log()
    partition, offset = town.places()[stuck]
    assert town.committed().get(partition, 0) <= offset
    assert town.done().total() == len(town.done())
    assert set(town.done()) <= set(others)
    assert stuck in town.lines("begun")
    # Whoever starts it again, with the reaction mended, misses nothing.
    reactions, got = Reactions(), []
    reactions.on(PointsIssued)(lambda notification: got.append(notification.eventId))
    run_until_done(town, Subscriber(town.subscription(), reactions))
    assert {*got, *town.done()} == {stuck, *others}


def test_members_that_come_and_go_double_nothing(town: Town) -> None:
    """Two members share the partitions out while they work: each notification is handled once."""
    ids = town.send(issued(number % CUSTOMERS, "0.03") for number in range(400))
    first = town.start()
    town.await_done(20)
    second = town.start()
    town.await_done(150)
    assert leave(first) == 0, town.log()
    town.drain()
    assert leave(second) == 0, town.log()
    assert town.done() == dict.fromkeys(ids, 1)
    first_done, second_done = town.lines("stopped")
    assert "0 handled" not in {first_done[:9], second_done[:9]}
    for customer in range(CUSTOMERS):
        mine = set(ids[customer::CUSTOMERS])
        assert [each for each in town.lines("done") if each in mine] == ids[customer::CUSTOMERS]


def test_a_slow_reaction_holds_up_neither_the_group_nor_its_own_commit(town: Town) -> None:
    """While a reaction takes seconds another member can join, and what it did is done once."""
    town.send([issued(1, "6")])
    first = town.start()
    eventually(lambda: town.lines("begun"), "it is begun")
    second = town.start()
    others = town.send(issued(customer) for customer in range(2, CUSTOMERS))
    town.drain()
    assert leave(first) == leave(second) == 0, town.log()
    assert set(town.done().values()) == {1}
    assert len(town.done()) == 1 + len(others)
    assert town.lines("begun").count(town.lines("begun")[0]) == 1


def test_a_gap_in_the_log_is_not_jumped_over(town: Town) -> None:
    """What retention has removed before the group has read it ends the subscriber with a word."""
    town.send([issued(1)])
    reactions = Reactions()
    reactions.on(PointsIssued)(lambda _: None)
    run_until_done(town, Subscriber(town.subscription(), reactions))
    town.send(issued(1) for _ in range(5))
    [partition] = town.committed()
    town.remove(partition, 4)
    with pytest.raises(StateError, match=rf"{town.topic}/{partition}: .* does not hold offset 1,"):
        Subscriber(town.subscription(), reactions).run()
    assert town.committed() == {partition: 1}
