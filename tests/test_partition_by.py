"""Events placed by their ids: unique in the whole org, and no order of customers."""

import pytest

from loyaltystream.definitions.files import demand_placeable
from loyaltystream.errors import ConfigurationError, StateError
from loyaltystream.events import ORIGIN_HEADER
from loyaltystream.keys import (
    KEY_RULE_VERSION,
    event_key,
    key_rule,
    murmur2,
    place,
    tell_rule,
)
from loyaltystream.memory.changelog import Layout
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.memory.recovery import restore
from loyaltystream.partitioning import PartitionBy
from loyaltystream.rules import Rules
from loyaltystream.sending import Keyer
from tests.audit.world import PARTITIONS, World, viewed
from tests.core import SHOP, TOPICS, layout, raw

BY_ID = Rules(partition_by=PartitionBy.EVENT_ID)


def home_of(number: int) -> int:
    """Return the partition of an event's id."""
    key = event_key(1800, viewed(number)["eventId"])
    return int(place(murmur2([key]), PARTITIONS)[0])


def test_events_are_placed_by_their_ids() -> None:
    """An event that lies elsewhere is sent to its id's partition, under that key."""
    world = World(BY_ID)
    for number in range(12):
        world.send(raw(viewed(number, 1, occurredAt=world.now_ms)), number % PARTITIONS)
    world.run()
    sent_back = [record for record in world.log.all(TOPICS.ingest) if record.header(ORIGIN_HEADER)]
    assert 0 < len(sent_back) < 12
    assert {record.partition for record in sent_back} == set(range(PARTITIONS))
    routed = world.log.all(TOPICS.emf)
    expected = {event_key(1800, viewed(number)["eventId"]): home_of(number) for number in range(12)}
    assert {record.key: record.partition for record in routed} == expected
    findings = world.audit()
    assert findings.exact, findings.to_json()


def test_a_resend_is_told_wherever_it_comes() -> None:
    """In any partition a copy is a duplicate, and one of another customer a conflict."""
    world = World(BY_ID)
    for partition in range(PARTITIONS):
        world.send(raw(viewed(7, 1, occurredAt=world.now_ms)), partition)
        world.send(raw(viewed(7, 2, occurredAt=world.now_ms)), partition)
        world.run()
    findings = world.audit()
    assert findings.exact, findings.to_json()
    judged = [found.judged for found in findings.partitions]
    assert sum(found.get("accepted", 0) for found in judged) == 1
    assert sum(found.get("duplicate", 0) for found in judged) == PARTITIONS - 1
    assert sum(found.get("conflict", 0) for found in judged) == PARTITIONS


def test_the_audit_does_not_take_one_strategy_for_the_other() -> None:
    """A log that was made by customer is not exact by event id."""
    world = World()
    for number in range(12):
        world.place(viewed(number, number % 4, occurredAt=world.now_ms))
    world.run()
    assert world.audit().exact
    world.rules = BY_ID
    assert not world.audit().exact


def test_a_memory_is_of_one_strategy() -> None:
    """What was remembered under one strategy is refused under the other, by name."""
    by_id = Layout(layout().hash_check, key_rule(PartitionBy.EVENT_ID), 1)
    assert key_rule(PartitionBy.CUSTOMER) == KEY_RULE_VERSION
    world = World()
    world.send(raw(viewed(1)), 0)
    world.run()
    records = [record.value or b"" for record in world.log.topics[TOPICS.changelog][0]]
    with pytest.raises(StateError, match=r"rule 1, by customer.*rule 1, by event_id"):
        restore(records, by_id, committed=1, fresh=lambda: 0)
    assert PartitionMemory(by_id, 0).layout != layout()
    assert tell_rule(7) == "7, by customer"


def test_unique_keys_need_customers_together() -> None:
    """A definition with a unique key is refused where a customer's events lie anywhere."""
    definitions = list(SHOP)
    assert demand_placeable(definitions, PartitionBy.CUSTOMER) == definitions
    with pytest.raises(ConfigurationError, match=r"1800/orderPlaced.*1801/orderBilled"):
        demand_placeable(definitions, PartitionBy.EVENT_ID)
    plain = [found for found in definitions if not found.unique_fields]
    assert demand_placeable(plain, PartitionBy.EVENT_ID) == plain


def test_what_is_sent_has_the_key_of_its_id() -> None:
    """`send` keys an event as the pipeline does, also where its definition is not known."""
    keyer = Keyer(SHOP, BY_ID)
    known = viewed(3)
    assert keyer.key(raw(known)) == f"1800|{known['eventId']}".encode()
    assert keyer.key(raw(known | {"eventName": "neverDefined"})) == keyer.key(raw(known))
    assert keyer.key(raw(known | {"eventId": ""})) is None
    assert keyer.key(b"{") is None
