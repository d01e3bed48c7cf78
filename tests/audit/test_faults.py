"""Each fault, planted in an honest log, is found under its name and in its place."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyaltystream.audit import Detail, Fault, Findings, Notice, Place
from loyaltystream.definitions.model import Action
from loyaltystream.definitions.psi import Conceal, Psi, hashed, starred
from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import Record
from loyaltystream.memory import changelog
from loyaltystream.memory.partition import PartitionMemory
from tests.audit.world import PARTITIONS, World, busy, ordered, viewed
from tests.core import EVENT_SCHEMA_ID, GOOD, SHOP, TOPICS, layout

OUTPUT_TOPICS = (TOPICS.emf, TOPICS.ei, TOPICS.duplicates, TOPICS.dead_letter)


def found(findings: Findings, fault: Fault) -> list[Detail]:
    """Return the details of one kind, which has to be there."""
    details = [detail for detail in findings.details if detail.kind is fault]
    assert len(details) == findings.faults.get(fault), findings.faults
    assert not findings.exact
    return details


def source(record: Record) -> Place:
    """Return the place in an output's `src` header."""
    topic, partition, offset, *_ = dict(record.headers)["src"].decode().split("/")
    return Place(topic, int(partition), int(offset))


def rekeyed(world: World) -> Record:
    """Return a re-keyed record of the ingest topic."""
    return next(one for one in world.log.all(TOPICS.ingest) if one.header("origin"))


@pytest.mark.parametrize("topic", OUTPUT_TOPICS)
def test_a_deleted_output_is_missing(topic: str) -> None:
    """An output that was lost is named with the event that caused it, and what it should be."""
    world = busy()
    lost = world.log.all(topic)[1]
    world.log.delete(topic, lost)
    findings = world.audit()
    (detail,) = found(findings, Fault.MISSING)
    assert detail.place == source(lost)
    assert f"{topic}/{lost.partition}" in detail.text
    assert findings.faults == {Fault.MISSING: 1}


@pytest.mark.parametrize("topic", OUTPUT_TOPICS)
def test_a_doubled_output_is_repeated(topic: str) -> None:
    """An output that stands in its topic twice is named with both places."""
    world = busy()
    once = world.log.all(topic)[0]
    again = world.log.append(topic, once)
    findings = world.audit()
    (detail,) = found(findings, Fault.REPEATED)
    assert (detail.place, detail.output) == (
        source(once),
        Place(topic, again.partition, again.offset),
    )
    assert findings.faults == {Fault.REPEATED: 1}


def test_an_output_in_another_topic_is_misrouted() -> None:
    """The right record in the wrong topic is named with where it belongs."""
    world = busy()
    strayed = world.log.all(TOPICS.duplicates)[0]
    world.log.delete(TOPICS.duplicates, strayed)
    placed = world.log.append(TOPICS.ei, strayed)
    (detail,) = found(world.audit(), Fault.MISROUTED)
    assert detail.place == source(strayed)
    assert detail.output == Place(TOPICS.ei, placed.partition, placed.offset)
    assert TOPICS.duplicates in detail.text


def test_an_output_in_another_partition_is_misrouted() -> None:
    """An accepted event outside its partition would be out of its customer's order."""
    world = busy()
    strayed = world.log.all(TOPICS.emf)[0]
    world.log.delete(TOPICS.emf, strayed)
    beside = msgspec.structs.replace(strayed, partition=(strayed.partition + 1) % PARTITIONS)
    placed = world.log.append(TOPICS.emf, beside)
    findings = world.audit()
    (detail,) = found(findings, Fault.MISROUTED)
    assert detail.output == Place(TOPICS.emf, placed.partition, placed.offset)
    assert findings.faults == {Fault.MISROUTED: 1}


def test_an_accepted_event_among_the_duplicates_is_a_wrong_verdict() -> None:
    """An event that nobody had seen, and that was withheld as a resend, is found."""
    world = World()
    world.place(ordered(1, "A"))
    world.run()
    (routed,) = world.log.all(TOPICS.emf)
    world.log.delete(TOPICS.emf, routed)
    headers = [*routed.headers, ("verdict", b"duplicate"), ("key-kind", b"event-id")]
    world.log.append(TOPICS.duplicates, msgspec.structs.replace(routed, headers=headers))
    (detail,) = found(world.audit(), Fault.WRONG_VERDICT)
    assert detail.text == "accepted, and not duplicate"
    assert detail.event_id == viewed(1)["eventId"]


def test_a_letter_with_another_verdict_is_a_wrong_verdict() -> None:
    """A rejected event that its letter calls late is found."""
    world = busy()
    letter = next(
        one for one in world.log.all(TOPICS.dead_letter) if one.header("verdict") == b"rejected"
    )
    headers = [
        (name, b"late" if name == "verdict" else content) for name, content in letter.headers
    ]
    world.log.replace(TOPICS.dead_letter, letter, headers=headers)
    (detail,) = found(world.audit(), Fault.WRONG_VERDICT)
    assert detail.text == "rejected, and not late"


CHANGES: list[tuple[str, Callable[[Record], dict[str, object]]]] = [
    ("key", lambda _: {"key": b"1800|mobile|1"}),
    ("value", lambda record: {"value": (record.value or b"")[:-1] + b"\x02"}),
    ("headers", lambda record: {"headers": [*record.headers, ("late", b"true")]}),
]


@pytest.mark.parametrize(("part", "change"), CHANGES)
def test_a_changed_output_has_the_wrong_content(
    part: str, change: Callable[[Record], dict[str, object]]
) -> None:
    """An output whose key, value or headers were changed is named with the part that differs."""
    world = busy()
    output = world.log.all(TOPICS.emf)[0]
    world.log.replace(TOPICS.emf, output, **change(output))
    findings = world.audit()
    (detail,) = found(findings, Fault.WRONG_CONTENT)
    assert detail.text.startswith(part)
    assert findings.faults == {Fault.WRONG_CONTENT: 1}


@pytest.mark.parametrize("clear_to", [frozenset[Action](), frozenset({Action.EMF})])
@pytest.mark.parametrize("conceal", [starred, hashed("a secret of sixteen or more")])
def test_a_leaked_sensitive_value_is_found(
    conceal: Callable[[int, str], Conceal], clear_to: frozenset[Action]
) -> None:
    """EIConsumer has to hide what is sensitive: a record with the clear value is found."""
    leaking, keeping = (
        Definitions(SHOP, EVENT_SCHEMA_ID, Psi(conceal, allowed))
        for allowed in (frozenset(Action), clear_to)
    )
    world, other = World(definitions=keeping), World(definitions=leaking)
    fields = {"pan": "4929000000006", "income": 51234.75, "born": "1984-02-29", "bank": "Alpine"}
    for one in (world, other):
        one.place(viewed(1, eventName="cardLinked", fields=fields))
        one.run()
    assert world.audit().exact
    ([hidden], [clear]) = (one.log.all(TOPICS.ei) for one in (world, other))
    assert b"4929000000006" in (clear.value or b"")
    assert b"4929000000006" not in (hidden.value or b"")
    world.log.replace(TOPICS.ei, hidden, value=clear.value)
    findings = world.audit()
    (detail,) = found(findings, Fault.WRONG_CONTENT)
    assert detail.output == Place(TOPICS.ei, hidden.partition, hidden.offset)
    assert detail.text.startswith("value")
    assert findings.faults == {Fault.WRONG_CONTENT: 1}
    assert "4929000000006" not in findings.to_json()


def test_an_output_without_a_src_header_is_named() -> None:
    """An output that does not tell its source is found, and so is what its source lacks."""
    world = busy()
    output = world.log.all(TOPICS.ei)[0]
    world.log.replace(TOPICS.ei, output, headers=())
    findings = world.audit()
    (detail,) = found(findings, Fault.NO_SOURCE)
    assert detail.place == Place(TOPICS.ei, output.partition, output.offset)
    assert findings.faults == {Fault.NO_SOURCE: 1, Fault.MISSING: 1}


@pytest.mark.parametrize("text", [b"", b"x", b"behavioral-events/0/-1/0/5", b"a/b/1/2/3", b"\xff"])
def test_an_unusable_src_header_is_no_source(text: bytes) -> None:
    """A header that names no record is as good as none."""
    world = busy()
    output = world.log.all(TOPICS.ei)[0]
    world.log.replace(TOPICS.ei, output, headers=[("src", text)])
    assert found(world.audit(), Fault.NO_SOURCE)


@pytest.mark.parametrize("where", ["behavioral-events/0/100000/0/5", "behavioral-events/9/1/0/5"])
def test_an_output_of_no_record_is_unexpected(where: str) -> None:
    """An output whose source does not exist is found."""
    world = busy()
    output = world.log.all(TOPICS.ei)[0]
    world.log.append(TOPICS.ei, msgspec.structs.replace(output, headers=[("src", where.encode())]))
    assert len(found(world.audit(), Fault.UNEXPECTED)) == 1


def test_outputs_beyond_the_committed_offset_are_unexpected() -> None:
    """Outputs that were committed without their offset would come again; every one is named."""
    world = busy()
    before = world.log.committed("ingest", TOPICS.ingest)[0]
    for customer in range(12):
        world.place(viewed(300 + customer, customer))
    while world.step(0):
        pass
    world.log.offsets["ingest", TOPICS.ingest][0] = before
    findings = world.audit()
    details = found(findings, Fault.UNEXPECTED)
    assert all(detail.place.offset >= before for detail in details)
    assert all("beyond the committed offset" in detail.text for detail in details)
    assert findings.faults[Fault.CHANGELOG_END] >= 1


def test_a_skipped_offset_is_named_with_all_that_is_missing() -> None:
    """An event that was committed without being judged shows as a gap and as missing outputs."""
    world = World()
    for number in range(4):
        world.place(viewed(number))
        world.run()
    (partition,) = {record.partition for record in world.log.all(TOPICS.ingest)}
    for topic in (TOPICS.emf, TOPICS.ei):
        world.log.delete(topic, world.log.all(topic)[1])
    world.log.delete(TOPICS.changelog, world.log.all(TOPICS.changelog)[1])
    findings = world.audit()
    (detail,) = found(findings, Fault.OFFSET_SKIPPED)
    assert detail.place == Place(TOPICS.ingest, partition, 1)
    assert findings.faults == {Fault.OFFSET_SKIPPED: 1, Fault.MISSING: 2}
    assert findings.partitions[partition].unaccounted == 1
    assert not findings.partitions[partition].adds_up


def test_an_offset_skipped_at_the_end_is_named() -> None:
    """A commit beyond the last judged record loses what lies between."""
    world = World()
    world.place(viewed(0))
    world.run()
    record = world.place(viewed(1))
    world.log.offsets["ingest", TOPICS.ingest][record.partition] = record.offset + 1
    findings = world.audit()
    assert findings.faults == {Fault.OFFSET_SKIPPED: 1, Fault.MISSING: 2}


def test_a_resend_of_a_skipped_event_is_rightly_accepted() -> None:
    """What was never judged was never seen: its resend is no second acceptance."""
    world = World()
    record = world.place(viewed(0))
    world.place(viewed(1))
    world.run()
    partition = record.partition
    skipped = world.place(viewed(2))
    world.log.offsets["ingest", TOPICS.ingest][partition] = skipped.offset + 1
    world.memories[partition]._next_offset = skipped.offset + 1
    world.place(viewed(2))
    world.run()
    findings = world.audit()
    assert findings.faults == {Fault.OFFSET_SKIPPED: 1, Fault.MISSING: 2}


def test_a_lost_changelog_record_is_a_gap() -> None:
    """A changelog record whose events have outputs was lost, not skipped."""
    world = World()
    for number in range(4):
        world.place(viewed(number))
        world.run()
    world.log.delete(TOPICS.changelog, world.log.all(TOPICS.changelog)[2])
    findings = world.audit()
    (detail,) = found(findings, Fault.CHANGELOG_GAP)
    assert detail.place.offset == 2
    assert findings.faults == {Fault.CHANGELOG_GAP: 1}


def test_a_lost_first_changelog_record_is_a_gap() -> None:
    """Outputs from before the first changelog record tell that one was lost there."""
    world = World()
    for number in range(3):
        world.place(viewed(number))
        world.run()
    world.log.delete(TOPICS.changelog, world.log.all(TOPICS.changelog)[0])
    assert world.audit().faults == {Fault.CHANGELOG_GAP: 1}


def test_a_group_that_began_later_than_its_topic_is_a_notice() -> None:
    """Events from before the offset that an operator chose are not counted as lost."""
    world = World()
    record = world.place(viewed(0))
    world.memories[record.partition]._next_offset = 1
    world.place(viewed(1))
    world.run()
    findings = world.audit()
    assert findings.exact, findings
    assert findings.notices == {Notice.NEVER_READ: 1}


def test_a_doubled_changelog_record_is_an_overlap() -> None:
    """Two changelog records of the same offsets would teach the memory twice."""
    world = World()
    world.place(viewed(0))
    world.run()
    world.log.append(TOPICS.changelog, world.log.all(TOPICS.changelog)[0])
    assert world.audit().faults.keys() == {Fault.CHANGELOG_OVERLAP}


def test_a_damaged_changelog_record_is_named() -> None:
    """One flipped byte is found by the checksum, and what the record covered is a gap."""
    world = busy()
    record = world.log.topics[TOPICS.changelog][0][1]
    value = bytearray(record.value or b"")
    value[20] ^= 1
    world.log.replace(TOPICS.changelog, record, value=bytes(value))
    findings = world.audit()
    (detail,) = found(findings, Fault.CHANGELOG_DAMAGED)
    assert detail.place == Place(TOPICS.changelog, 0, record.offset)
    assert findings.faults == {Fault.CHANGELOG_DAMAGED: 1, Fault.CHANGELOG_GAP: 1}


def change_delta(world: World, **changes: object) -> None:
    """Write the first changelog record anew, with other content and a right checksum."""
    record = world.log.all(TOPICS.changelog)[0]
    delta = msgspec.structs.replace(changelog.decode(record.value or b""), **changes)
    world.log.replace(TOPICS.changelog, record, value=changelog.encode(delta))


DELTAS: list[tuple[dict[str, object], Fault]] = [
    ({"sections": []}, Fault.CHANGELOG_IDS),
    ({"clock_ms": 1}, Fault.CHANGELOG_CLOCK),
    ({"layout": changelog.Layout(b"8 bytes.", 1, PARTITIONS)}, Fault.CHANGELOG_LAYOUT),
]


@pytest.mark.parametrize(("changes", "fault"), DELTAS)
def test_a_changelog_record_that_says_something_else_is_named(
    changes: dict[str, object], fault: Fault
) -> None:
    """The changelog has to hold the accepted ids, the clock and the layout, and nothing else."""
    world = busy()
    change_delta(world, **changes)
    assert world.audit().faults == {fault: 1}


def test_a_changelog_that_goes_beyond_the_committed_offset_is_named() -> None:
    """The changelog and the offsets are of one transaction, so they end together."""
    world = World()
    for number in range(2):
        world.place(viewed(number))
    last = world.place(viewed(2))
    world.run()
    world.log.offsets["ingest", TOPICS.ingest][last.partition] -= 1
    faults = world.audit().faults
    assert faults == {Fault.CHANGELOG_END: 1, Fault.UNEXPECTED: 2}


def test_a_blind_memory_accepts_twice() -> None:
    """With dedup switched off a resend is accepted again, and its id is named."""
    world = World()
    world.place(viewed(1))
    world.run(blind=True)
    again = world.place(viewed(1))
    world.run(blind=True)
    findings = world.audit()
    (detail,) = found(findings, Fault.ACCEPTED_TWICE)
    assert detail.place == Place(TOPICS.ingest, again.partition, again.offset)
    assert detail.event_id == GOOD["eventId"][:-12] + f"{1:012x}"
    assert findings.faults == {
        Fault.ACCEPTED_TWICE: 1,
        Fault.WRONG_VERDICT: 1,
        Fault.CHANGELOG_IDS: 1,
    }


def test_a_customer_judged_in_two_partitions_is_accepted_twice() -> None:
    """An astray event that was judged where it lay, and its resend at home, are one id twice."""
    world = World()
    astray = world.place(viewed(1), astray=1)
    world.place(viewed(1))
    world.run()
    back = rekeyed(world)
    world.log.delete(TOPICS.ingest, back)
    for topic in (TOPICS.emf, TOPICS.ei):
        (routed,) = world.log.all(topic)
        headers = [
            (name, f"{TOPICS.ingest}/{astray.partition}/0/{topic == TOPICS.ei:d}/5".encode())
            for name, _ in routed.headers
        ]
        world.log.append(
            topic,
            msgspec.structs.replace(routed, partition=astray.partition, headers=headers),
        )
    (detail,) = found(world.audit(), Fault.ACCEPTED_TWICE)
    assert detail.event_id == viewed(1)["eventId"]


def test_an_output_before_those_of_earlier_events_is_out_of_order() -> None:
    """Within a partition outputs follow the order of the events."""
    world = World()
    for number in range(3):
        world.place(viewed(number))
    world.run()
    first, second, _ = world.log.all(TOPICS.emf)
    world.log.replace(TOPICS.emf, first, headers=second.headers, key=second.key, value=second.value)
    world.log.replace(TOPICS.emf, second, headers=first.headers, key=first.key, value=first.value)
    assert world.audit().faults == {Fault.OUT_OF_ORDER: 1}


def test_a_lost_rekeyed_record_is_missing() -> None:
    """A record that was sent back and did not arrive is a lost event."""
    world = busy()
    lost = rekeyed(world)
    world.log.delete(TOPICS.ingest, lost)
    details = found(world.audit(), Fault.MISSING)
    assert source(lost) in {detail.place for detail in details}


def test_events_lost_by_retention_are_unproven() -> None:
    """Events that were removed before anybody judged them can't be proved to be anything."""
    world = busy()
    for customer in range(12):
        world.place(viewed(700 + customer, customer))
    first = world.log.committed("ingest", TOPICS.ingest)[0] + 2
    world.log.cut(TOPICS.ingest, 0, first)
    findings = world.audit()
    assert Fault.UNPROVEN in findings.faults


def test_a_cut_changelog_does_not_excuse_a_new_event_among_the_duplicates() -> None:
    """An event that is younger than the retained changelog can't be a resend of a forgotten one."""
    world = World()
    sent = world.place(viewed(0))
    for number in range(1, 3):
        world.run()
        world.now_ms += 600_000
        sent = world.place(viewed(number, occurredAt=world.now_ms))
    world.run()
    world.log.delete(TOPICS.ei, world.log.all(TOPICS.ei)[-1])
    routed = world.log.all(TOPICS.emf)[-1]
    world.log.delete(TOPICS.emf, routed)
    headers = [*routed.headers, ("verdict", b"duplicate")]
    world.log.append(TOPICS.duplicates, msgspec.structs.replace(routed, headers=headers))
    world.log.cut(TOPICS.ingest, sent.partition, sent.offset)
    world.log.cut(TOPICS.changelog, sent.partition, 2)
    assert world.audit().faults == {Fault.WRONG_VERDICT: 1}


def test_a_memory_that_was_lost_and_left_is_unproven() -> None:
    """What was judged before an accepted loss is not proved; what came after it is."""
    world = World()
    record = world.place(viewed(1))
    world.run()
    world.place(viewed(2))
    world.run()
    world.log.delete(TOPICS.changelog, world.log.all(TOPICS.changelog)[1])
    memory = PartitionMemory(layout(PARTITIONS), 2)
    memory.covers_from_ms = world.now_ms
    world.memories[record.partition] = memory
    world.place(viewed(3, occurredAt=world.now_ms))
    world.now_ms += 600_000
    world.place(viewed(4, occurredAt=world.now_ms))
    world.run()
    findings = world.audit()
    assert findings.faults == {Fault.UNPROVEN: 1}
    partition = findings.partitions[record.partition]
    assert (partition.first, partition.found) == (2, {"accepted": 1, "late": 1})


def test_no_customer_is_named() -> None:
    """Findings name places and event ids, never a customer."""
    world = busy()
    for topic in OUTPUT_TOPICS:
        for output in world.log.all(topic):
            world.log.replace(topic, output, key=b"x")
    assert "9198" not in world.audit().to_json()


HONEST = busy()
SPOTS = [(topic, record) for topic in OUTPUT_TOPICS for record in HONEST.log.all(topic)] + [
    (TOPICS.ingest, record) for record in HONEST.log.all(TOPICS.ingest) if record.header("origin")
]


def copy_of_honest() -> World:
    """Return a world with a log of its own."""
    world = World()
    for topic, partitions in HONEST.log.topics.items():
        world.log.topics[topic] = [list(records) for records in partitions]
    world.log.ends = dict(HONEST.log.ends)
    world.log.offsets = {slot: dict(offsets) for slot, offsets in HONEST.log.offsets.items()}
    return world


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(SPOTS),
    st.sampled_from(OUTPUT_TOPICS),
    st.integers(0, PARTITIONS - 1),
    st.sampled_from(["delete", "double", "move"]),
)
def test_no_single_tampering_goes_unseen(
    spot: tuple[str, Record], target: str, partition: int, how: str
) -> None:
    """Any output that is deleted, doubled or moved anywhere makes the log not exact."""
    world = copy_of_honest()
    topic, record = spot
    is_last = world.log.topics[topic][record.partition][-1] == record
    if how != "double":
        world.log.delete(topic, record)
    if how != "delete":
        world.log.append(target, msgspec.structs.replace(record, partition=partition))
    # The last record of a partition, moved to its end, stands where it stood.
    unchanged = how == "move" and is_last and (target, partition) == (topic, record.partition)
    assert world.audit().exact is unchanged
