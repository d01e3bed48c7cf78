"""What both stages tell of traced events, from records to spans; no broker."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import Record
from loyaltystream.pipeline import Plan
from loyaltystream.tracing.context import Parent, made_span_id
from loyaltystream.tracing.judged import tracing_judged
from loyaltystream.tracing.notified import tracing_notified
from loyaltystream.tracing.sampling import sampler_of_ingest, sampler_of_notify
from loyaltystream.tracing.spans import Kind, Moments, Span, Work
from loyaltystream.verdicts import Verdict
from tests.core import NOW_MS, TOPICS, Partition, event, header, ingest, outputs, raw, record
from tests.laws.strategies import LAW, logs
from tests.laws.test_logs import DEFINITIONS
from tests.notifications.shop import (
    REGISTERED,
    SHOP,
    accept,
    causing,
    happened,
    notify,
    transaction,
)
from tests.tracing.town import INGEST, NOTIFY, PRODUCER, TRACED, UNTRACED

MOMENTS = Moments(NOW_MS * 1_000_000 + 500, NOW_MS * 1_000_000 + 900)


def judge(share: float = 0.0) -> Partition:
    """Return an empty partition whose records are traced."""
    sample = sampler_of_ingest(TOPICS.ingest, share).sample
    return Partition(ingest(trace=tracing_judged(sample)))


def spans(plan: Plan, work: Work = INGEST) -> list[Span]:
    """Return the spans of a plan, as behind its commit."""
    return [span for traced in plan.traced for span in work.spans(traced, MOMENTS)]


def noted(records: list[Record], definitions: Definitions = SHOP, share: float = 0.0) -> Plan:
    """Return what NOTIFY makes of routed records."""
    stage = notify(trace=tracing_notified(sampler_of_notify(share).sample))
    return stage.plan(records, definitions=definitions, generation=3)


def test_a_verdict_stands_below_its_producer() -> None:
    """A traced event has one span below the producer's, with its place and what became of it."""
    [span] = spans(judge().commit([record(raw(event()), headers=[TRACED])]))
    assert (span.kind, span.name, span.parent) == (
        Kind.CONSUMER,
        f"process {TOPICS.ingest}",
        PRODUCER,
    )
    assert span.span_id == made_span_id("ingest", TOPICS.ingest, 0, 0)
    assert span.attributes == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": TOPICS.ingest,
        "messaging.destination.partition.id": "0",
        "messaging.kafka.offset": 0,
        "messaging.consumer.group.name": "shop.ingest",
        "loyaltystream.stage": "ingest",
        "loyaltystream.outcome": "accepted",
        "loyaltystream.org": 1800,
        "loyaltystream.event": "productViewed",
    }


def test_every_verdict_is_told_with_its_reasons() -> None:
    """Accepted, duplicate, conflict and rejected events each have their span, and no other has."""
    again = event(fields=event()["fields"] | {"price": 1.0})
    sent = [event(), event(), again, event(eventId="bad", fields={"price": "dear"})]
    records = [
        *(record(raw(one), offset, headers=[TRACED]) for offset, one in enumerate(sent)),
        record(raw(event(eventId="unseen")), 4, headers=[UNTRACED]),
        record(raw(event(eventId="silent")), 5),
    ]
    told = {
        span.attributes["messaging.kafka.offset"]: (
            span.attributes["loyaltystream.outcome"],
            span.attributes.get("loyaltystream.reasons"),
        )
        for span in spans(judge().commit(records))
    }
    assert told == {
        0: ("accepted", None),
        1: ("duplicate", ["DUPLICATE_EVENT_ID"]),
        2: ("conflict", ["CONFLICT"]),
        3: ("rejected", ["REQUIRED", "TYPE"]),
    }


def test_what_an_unknown_event_calls_itself_is_not_told() -> None:
    """A name that nobody defined may be anything, a customer's among it: no span has it."""
    named = event(eventName="919812345678")
    [span] = spans(judge().commit([record(raw(named), headers=[TRACED])]))
    assert "loyaltystream.event" not in span.attributes
    assert span.attributes["loyaltystream.reasons"] == ["UNKNOWN_EVENT"]
    [span] = spans(judge().commit([record(b"{", headers=[TRACED])]))
    assert span.attributes["loyaltystream.outcome"] == "rejected"


def test_a_span_is_from_the_append_to_the_commit() -> None:
    """It begins when Kafka had the record, and a broker's clock that is ahead turns nothing."""
    for appended_ms, began_ns in (
        (NOW_MS, NOW_MS * 1_000_000),
        (NOW_MS + 60_000, MOMENTS.submitted_ns),
        (-1, MOMENTS.submitted_ns),
    ):
        arrived = record(raw(event()), headers=[TRACED], timestamp_ms=appended_ms)
        [span] = spans(judge().commit([arrived]))
        assert (span.began_ns, span.ended_ns) == (began_ns, MOMENTS.committed_ns)
        assert span.marks == [("transaction.submitted", MOMENTS.submitted_ns)]


def test_notifications_stand_below_what_caused_them() -> None:
    """NOTIFY's span is below the producer's, and below it is one for each notification."""
    plan = noted(accept(REGISTERED, headers=[TRACED]))
    [output] = outputs(plan, TOPICS.notifications)
    first, second = spans(plan, NOTIFY)
    assert (first.parent, first.attributes["loyaltystream.outcome"]) == (PRODUCER, "notified")
    assert first.attributes["loyaltystream.event"] == "customerRegistered"
    assert (second.kind, second.name) == (Kind.PRODUCER, f"send {TOPICS.notifications}")
    assert second.parent == Parent(PRODUCER.trace_id, first.span_id)
    assert second.attributes["messaging.message.id"] == header(output, "ce_id")
    assert second.attributes["loyaltystream.notification"] == "customerAdded"


def test_an_event_without_a_context_is_one_trace_through_both_stages() -> None:
    """Its root is INGEST's span, and NOTIFY's is below that though no header says so."""
    partition = judge(1.0)
    partition.definitions = SHOP
    plan = partition.commit([record(raw(REGISTERED))])
    [root] = spans(plan)
    [routed] = outputs(plan, TOPICS.emf)
    read = Record(0, 12, NOW_MS, routed.key, routed.value, routed.headers)
    below, notification = spans(noted([read], share=1.0), NOTIFY)
    assert root.parent.span_id is None
    assert below.parent == Parent(root.parent.trace_id, root.span_id)
    assert notification.parent.trace_id == root.parent.trace_id


def test_what_can_not_be_mapped_and_what_causes_nothing_is_told() -> None:
    """An unmapped event's span has its reason, a silent one's has none and nothing below it."""
    definitions = causing(transaction(billNumber={"path": "fields.text", "required": True}))
    [span] = spans(
        noted(accept(happened(), definitions=definitions, headers=[TRACED]), definitions), NOTIFY
    )
    assert span.attributes["loyaltystream.outcome"] == "unmapped"
    assert span.attributes["loyaltystream.reasons"] == ["UNMAPPED"]
    [span] = spans(
        noted(accept(happened(), definitions=causing(), headers=[TRACED]), causing()), NOTIFY
    )
    assert span.attributes["loyaltystream.outcome"] == "silent"
    assert span.attributes["loyaltystream.org"] == 1800


def test_judged_again_it_has_the_same_ids() -> None:
    """A batch that is judged again after an abort, and in another generation, makes equal spans."""
    arrived = [record(raw(event()), headers=[TRACED]), record(raw(event()), 1)]
    assert spans(judge(1.0).commit(arrived)) == spans(judge(1.0).commit(arrived))
    read = accept(REGISTERED, headers=[TRACED])
    assert spans(noted(read), NOTIFY) == spans(noted(read), NOTIFY)


@LAW
@given(logs(), st.sampled_from([1, 3]))
def test_tracing_changes_no_byte(log: list[Record], partitions: int) -> None:
    """Whatever comes, plans are those without tracing, and spans tell each verdict that is one."""
    plain = Partition(ingest(partitions=partitions), DEFINITIONS).judge(log)
    trace = tracing_judged(sampler_of_ingest(TOPICS.ingest, 1.0).sample)
    traced = Partition(ingest(partitions=partitions, trace=trace), DEFINITIONS).judge(log)
    told = Counter(one.outcome for one in traced.traced)
    told[Verdict.TOMBSTONE] = plain.tally.verdicts[Verdict.TOMBSTONE]
    assert +told == +plain.tally.verdicts
    assert len({one.offset for one in traced.traced}) == len(traced.traced)
    assert replace(traced, traced=(), overlay={}, delta=None) == replace(
        plain, overlay={}, delta=None
    )
