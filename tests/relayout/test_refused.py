"""What a relayout refuses, and what it says to do."""

import msgspec
import pytest

from loyaltystream.errors import StateError
from loyaltystream.keys import key_rule
from loyaltystream.memory.changelog import Layout, decode, encode
from loyaltystream.partitioning import PartitionBy
from loyaltystream.relayout.guard import guarded
from loyaltystream.relayout.survey import Surveyor, demand_movable
from loyaltystream.relayout.waiting import look_what_waits
from tests.audit.world import viewed
from tests.core import TOPICS, layout
from tests.relayout.world import GrowingWorld, judged, quiet


def test_another_key_rule_can_not_be_moved() -> None:
    """Of a key only its hash is known, so that another rule has nothing to be applied to."""
    old = Layout(layout().hash_check, 0, 3)
    with pytest.raises(StateError, match=r"rule 0(.|\n)*accept-memory-loss"):
        demand_movable(old, layout(6))


def test_another_strategy_can_not_be_moved() -> None:
    """The hash of a customer's key does not tell where her events' ids would be placed."""
    after = Layout(layout().hash_check, key_rule(PartitionBy.EVENT_ID), 6)
    with pytest.raises(StateError, match=r"rule 1, by customer.*rule 1, by event_id"):
        demand_movable(layout(3), after)


def test_another_secret_can_not_be_moved() -> None:
    """Ids of another secret mean nothing here."""
    with pytest.raises(StateError, match=r"memory\.hash_key"):
        demand_movable(Layout(b"8 bytes.", layout().key_rule, 3), layout(6))


def test_fewer_partitions_are_refused() -> None:
    """There is no way back to fewer partitions."""
    with pytest.raises(StateError, match="it is for 6 partitions, the ingest topic has 3"):
        demand_movable(layout(6), layout(3))


def test_a_gap_is_refused_with_its_place() -> None:
    """A log that lacks a record is not moved as if it were whole."""
    world = judged()
    lost = world.log.topics[TOPICS.changelog][1][1]
    world.log.delete(TOPICS.changelog, lost)
    with pytest.raises(StateError, match=r"dedup-changelog/1/\d+: the changelog has a gap"):
        world.survey(6)


def test_a_log_that_lacks_its_end_is_refused() -> None:
    """A log that does not lead to the committed offset is not moved."""
    world = judged()
    world.log.delete(TOPICS.changelog, world.log.topics[TOPICS.changelog][2][-1])
    with pytest.raises(StateError, match="partition 2: the changelog ends at"):
        world.survey(6)


def test_different_layouts_side_by_side_are_refused() -> None:
    """Partitions of which one is of another layout have no memory in common."""
    world = judged()
    for record in list(world.log.topics[TOPICS.changelog][0]):
        delta = msgspec.structs.replace(decode(record.value or b""), layout=layout(2))
        world.log.replace(TOPICS.changelog, record, value=encode(delta))
    with pytest.raises(StateError, match="different layouts"):
        world.survey(6)


def test_a_fresh_deployment_has_nothing_to_move() -> None:
    """Where nothing is remembered, partitions may simply be added."""
    world = GrowingWorld()
    survey = Surveyor(world.log, TOPICS.changelog, layout(6)).survey({}, quiet)
    assert survey.is_done
    assert survey.before is None
    assert world.restored(0).next_offset == 0


def test_a_new_partition_does_not_begin_empty() -> None:
    """Whatever an operator says of its beginning, a partition that was added needs a relayout."""
    world = judged()
    world.grow(6)
    with pytest.raises(StateError, match="it is for 3 partitions, the ingest topic has 6"):
        world.restored(5, 6)
    start = guarded(lambda number: number, world.log, TOPICS.changelog, layout(3))
    assert start(2) == 2


def test_events_that_wait_are_counted() -> None:
    """Before anything is done it is told how many events wait, and which become dead letters."""
    world = judged()
    for number in range(60, 72):
        world.place(viewed(number, number % 12, occurredAt=world.now_ms), astray=1)
    for partition in range(3):
        world.step(partition)
    committed = world.log.committed("ingest", TOPICS.ingest)
    waiting = look_what_waits(world.log, TOPICS.ingest, committed, before=3, after=6)
    here = {
        number: len(list(world.log.records(TOPICS.ingest, number, committed[number], 2**62)))
        for number in range(3)
    }
    assert {number: count for number, count in here.items() if count} == waiting.events
    world.relayout(6)
    world.run()
    letters = [
        record
        for record in world.log.all(TOPICS.dead_letter)
        if record.header("reason") == b"ASTRAY_TWICE"
    ]
    assert waiting.sent_back == len(letters) > 0
    world.exact()
