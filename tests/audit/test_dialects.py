"""The audit reads every dialect as the worker does: from the records alone."""

from loyaltystream.dialects.sources import Dialect
from loyaltystream.rules import Rules
from loyaltystream.verdicts import Verdict
from tests.audit.world import PARTITIONS, World, home_of
from tests.core import DIALECTS, TOPICS, read_event
from tests.facts import Facts, write

MOBILE = Facts().mobile


def told() -> World:
    """Return a judged log: in each dialect an event, resends, one of them astray, a wrong one."""
    world = World(Rules(dialects=DIALECTS))
    home = home_of(MOBILE)
    for dialect in Dialect:
        facts = Facts(event_id=f"of {dialect}")
        right = write(facts, dialect, told=False)
        wrong = write(facts._replace(event_id=f"wrong {dialect}", fields={}), dialect)
        for partition in (home, home, (home + 1) % PARTITIONS):
            world.send(right.value, partition, headers=right.headers)
        world.send(wrong.value, home, headers=wrong.headers)
    world.run()
    return world


def test_a_log_of_all_dialects_is_exact() -> None:
    """Whatever an event is written in, the audit judges it as the worker did."""
    findings = told().audit()
    assert findings.exact, findings.to_json()
    for verdict, count in {
        Verdict.ACCEPTED: 4,
        Verdict.DUPLICATE: 8,
        Verdict.REKEYED: 4,
        Verdict.REJECTED: 4,
    }.items():
        assert sum(partition.found.get(verdict, 0) for partition in findings.partitions) == count


def test_an_id_made_of_a_place_survives_being_sent_back() -> None:
    """An event that has neither id nor moment is named after the place where it first lay."""
    world = World(Rules(dialects=DIALECTS))
    value = write(Facts(), Dialect.VOUCHERIFY).value
    first = (home_of(MOBILE) + 1) % PARTITIONS
    sent = world.send(value, first)
    world.run()
    [routed] = world.log.all(TOPICS.emf)
    assert routed.partition == home_of(MOBILE)
    event = read_event(routed.value)
    assert event["eventId"] == f"{TOPICS.ingest}-{first}-{sent.offset}"
    assert event["eventIdOrigin"] == "DERIVED"
    assert world.audit().exact


def test_other_sources_are_another_truth() -> None:
    """An audit under settings that lack a source finds what was accepted by it unexplained."""
    world = told()
    world.rules = Rules()
    assert not world.audit().exact
