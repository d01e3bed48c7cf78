"""An honest log is exact, however it came about."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from loyaltystream.audit import Fault, Findings, Notice
from loyaltystream.definitions.registry import Definitions
from loyaltystream.verdicts import Verdict
from tests.audit.world import CUSTOMERS, World, busy, ordered, viewed
from tests.core import BILLED, EVENT_SCHEMA_ID, NOW_MS, SHOP, TOPICS, VIEWED, define

DAY_MS = 86_400_000


def explain(findings: Findings) -> str:
    """Return why an audit is not exact, for a failing test's output."""
    return findings.to_json()


def test_a_log_with_every_verdict_is_exact_and_adds_up() -> None:
    """An honest log is proved exact, and each partition's verdicts add up to what it consumed."""
    findings = busy().audit()
    assert findings.exact, explain(findings)
    assert not findings.notices
    assert all(partition.adds_up and not partition.lag for partition in findings.partitions)
    total = {
        verdict: sum(partition.found.get(verdict, 0) for partition in findings.partitions)
        for verdict in Verdict
    }
    assert all(total.values()), total
    assert [partition.found for partition in findings.partitions] == [
        partition.judged for partition in findings.partitions
    ]


def test_an_empty_deployment_is_exact() -> None:
    """Where nothing was sent nothing is wrong."""
    findings = World().audit()
    assert findings.exact
    assert [partition.consumed for partition in findings.partitions] == [0, 0, 0]


def test_unjudged_events_are_lag_and_not_a_fault() -> None:
    """Events beyond the committed offset are counted as lag."""
    world = busy()
    world.place(viewed(500))
    findings = world.audit()
    assert findings.exact
    assert sum(partition.lag for partition in findings.partitions) == 1


def test_findings_are_told_as_json() -> None:
    """The JSON says whether the log is exact, and how each partition adds up."""
    told = json.loads(busy().audit().to_json())
    assert told["exact"] is True
    assert {"adds_up", "lag", "found", "first", "committed"} <= told["partitions"][0].keys()


def test_a_resend_after_the_window_is_accepted_again() -> None:
    """An id may be used again when its window is over; that is no fault."""
    world = World()
    world.place(viewed(1, occurredAt=None))
    world.run()
    world.now_ms += 40 * DAY_MS
    world.place(viewed(1, occurredAt=None))
    world.run()
    findings = world.audit()
    assert findings.exact, explain(findings)
    assert sum(partition.found.get("accepted", 0) for partition in findings.partitions) == 2


def test_the_same_id_under_another_customer_is_a_notice() -> None:
    """One id accepted for customers of different partitions is listed, and the log stays exact."""
    world = World()
    world.place(viewed(1, 0))
    for customer in range(1, len(CUSTOMERS)):
        world.place(viewed(1, customer))
    world.run()
    findings = world.audit()
    assert findings.exact, explain(findings)
    assert findings.notices == {Notice.SAME_ID_OTHER_CUSTOMER: 2}
    assert findings.details[0].event_id == viewed(1)["eventId"]


def test_another_definition_version_is_a_notice() -> None:
    """Events judged before a definition changed are no fault of the log."""
    world = busy()
    changed = [one for one in SHOP if one.event_name != "productViewed"]
    changed += [define(VIEWED | {"version": 2}), define(BILLED | {"version": 2})]
    world.definitions = Definitions(changed, EVENT_SCHEMA_ID)
    world.place(viewed(600))
    world.run()
    findings = world.audit()
    assert findings.exact, explain(findings)
    assert set(findings.notices) == {Notice.OTHER_DEFINITION}


def test_a_stricter_definition_does_not_condemn_what_was_judged_before_it() -> None:
    """What an older definition accepted stays known to the audit's memory as to the worker's."""
    world = World()
    for number in range(6):
        world.place(viewed(number, number))
    world.run()
    for number in range(6):
        world.place(viewed(number, number))
    world.run()
    stricter = VIEWED | {"version": 2, "actions": ["EMFConsumer"]}
    stricter["fields"] = [
        field | {"attributes": field["attributes"] | {"isRequired": {"value": "true"}}}
        if field["name"] == "note"
        else field
        for field in VIEWED["fields"]
    ]
    world.definitions = Definitions([define(stricter)], EVENT_SCHEMA_ID)
    for number in range(6):
        fields = {"sku": "S", "note": "N"}
        world.place(viewed(number + 10, number, fields=fields))
    world.run()
    findings = world.audit()
    assert findings.exact, explain(findings)
    assert set(findings.notices) == {Notice.OTHER_DEFINITION}


def test_a_head_cut_by_retention_is_audited_from_the_changelog() -> None:
    """Resends of events that are no longer retained are proved by the changelog alone."""
    world = busy()
    for number in range(12):
        world.place(viewed(number, number, occurredAt=NOW_MS + 1000 * number))
    world.run()
    for partition, (_, end) in world.log.settled_bounds(TOPICS.ingest).items():
        world.log.cut(TOPICS.ingest, partition, end // 2)
    findings = world.audit()
    assert findings.exact, explain(findings)
    for found in findings.partitions:
        assert found.first >= found.retained_from > 0
        assert found.consumed


def test_outputs_removed_by_retention_are_a_notice() -> None:
    """What an output topic no longer holds is counted apart, and the rest is proved."""
    world = busy()
    slot, end = (TOPICS.duplicates, 0), world.log.ends[TOPICS.duplicates, 0]
    world.log.cut(*slot, end)
    for topic in (TOPICS.emf, TOPICS.ei):
        world.log.cut(topic, 1, 3)
    findings = world.audit()
    assert findings.exact, explain(findings)
    assert set(findings.notices) == {Notice.OUTPUT_EXPIRED}


def test_a_changelog_cut_within_the_window_leaves_resends_unproven() -> None:
    """A resend of an event from before the retained changelog is told apart from a fault."""
    world = World()
    world.place(viewed(1))
    world.place(viewed(2))
    world.run(batch=1)
    world.place(viewed(1))
    world.run(batch=1)
    home = next(place for place, (_, end) in world.log.settled_bounds(TOPICS.ingest).items() if end)
    world.log.cut(TOPICS.ingest, home, 1)
    world.log.cut(TOPICS.changelog, home, 2)
    findings = world.audit()
    assert findings.exact, explain(findings)
    assert findings.notices == {Notice.MEMORY_EXPIRED: 1}


def test_records_before_the_changelog_are_not_claimed_to_be_proven() -> None:
    """Where the changelog does not reach, the audit says so and proves the rest."""
    world = busy()
    world.log.cut(TOPICS.changelog, 0, 2)
    findings = world.audit()
    assert findings.faults == {Fault.UNPROVEN: 1}
    assert findings.partitions[0].first > 0


def test_an_audit_beside_running_workers_is_exact() -> None:
    """Outputs that are committed while the audit looks around are left to the next audit."""
    world = busy()
    for number in range(200, 220):
        world.place(viewed(number, number % 12))
    bounds = world.log.settled_bounds

    def working(topic: str) -> object:
        if topic == TOPICS.emf:
            world.step(0)
        return bounds(topic)

    world.log.settled_bounds = working  # type: ignore[method-assign, assignment]  # a worker goes on
    findings = world.audit()
    assert findings.exact, explain(findings)


events = st.one_of(
    st.builds(viewed, st.integers(0, 8), st.integers(0, 3)),
    st.builds(ordered, st.integers(9, 14), st.sampled_from(["A", "B"]), st.integers(0, 3)),
    st.builds(lambda n, c: viewed(n, c, fields={"sku": "other"}), st.integers(0, 4), st.just(1)),
    st.builds(lambda n: viewed(n, 2, fields={}), st.integers(0, 4)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(events, st.integers(0, 2)), max_size=30), st.integers(1, 7))
def test_any_log_of_the_real_judge_is_exact(
    sent: list[tuple[dict[str, object], int]], batch: int
) -> None:
    """Whatever is sent in whatever order and batches, the worker and the audit agree."""
    world = World()
    for value, astray in sent:
        world.place(value, astray=astray)
    world.run(batch=batch)
    findings = world.audit()
    assert findings.exact, explain(findings)
