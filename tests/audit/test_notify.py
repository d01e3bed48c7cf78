"""The second half: what stage notify made of the accepted events."""

from collections.abc import Iterable, Sequence

import msgspec

from loyaltystream.audit import Fault, Findings, Notice
from loyaltystream.events import Record
from loyaltystream.topology import Output, SourceHeaders
from tests.audit.world import World, busy
from tests.core import TOPICS


def derive(records: Sequence[Record]) -> Iterable[Output]:
    """Notify of two in three events, and reject every seventh of the others."""
    for record in records:
        header = SourceHeaders(TOPICS.emf, record.partition, 9).header
        if record.offset % 3:
            for index in range(2):
                headers = [header(record.offset, index), ("ce_type", b"CouponRedeem")]
                yield Output(TOPICS.notifications, record.key, b"note", None, headers)
        elif record.offset % 7 == 0:
            headers = [header(record.offset, 0), ("verdict", b"rejected")]
            yield Output(TOPICS.dead_letter, record.key, b"letter", record.partition, headers)


def notified() -> World:
    """Return a busy world whose accepted events have all been notified of."""
    world = busy()
    for record in world.log.all(TOPICS.emf):
        for output in derive([record]):
            headers = [
                (name, value.rsplit(b"/", 1)[0] + b"/3" if name == "src" else value)
                for name, value in output.headers
            ]
            # The key of an accepted event is placed alike in every topic.
            written = Record(record.partition, 0, 1, output.key, output.value, headers)
            world.log.append(output.topic, written)
    ends = {number: end for number, (_, end) in world.log.settled_bounds(TOPICS.emf).items()}
    world.log.offsets["notify", TOPICS.emf] = ends
    return world


def audit(world: World) -> Findings:
    """Return the findings over both stages."""
    return world.audit(derive)


def test_rightly_notified_events_are_exact() -> None:
    """Every accepted event has caused its notifications, its letter, or rightly nothing."""
    findings = audit(notified())
    assert findings.exact, findings.to_json()
    counts = [found.found for found in findings.partitions if found.stage == "notify"]
    assert {name for found in counts for name in found} == {"notified", "rejected", "silent"}


def test_without_a_deriver_notifications_are_listed_as_not_audited() -> None:
    """An audit that can't derive notifications says how many it left aside."""
    world = notified()
    outputs = len(world.log.all(TOPICS.notifications))
    findings = world.audit()
    assert findings.exact
    assert findings.notices[Notice.NOT_AUDITED] >= outputs


def test_a_lost_notification_is_missing() -> None:
    """One of an event's notifications that is not there is named."""
    world = notified()
    world.log.delete(TOPICS.notifications, world.log.all(TOPICS.notifications)[1])
    assert audit(world).faults == {Fault.MISSING: 1}


def test_a_doubled_notification_is_repeated() -> None:
    """A customer who is notified twice is found."""
    world = notified()
    world.log.append(TOPICS.notifications, world.log.all(TOPICS.notifications)[0])
    assert audit(world).faults == {Fault.REPEATED: 1}


def test_a_notification_of_something_else_has_the_wrong_content() -> None:
    """A notification whose value its event does not make is found."""
    world = notified()
    world.log.replace(TOPICS.notifications, world.log.all(TOPICS.notifications)[0], value=b"?")
    assert audit(world).faults == {Fault.WRONG_CONTENT: 1}


def test_a_notification_in_another_partition_is_misrouted() -> None:
    """Notifications are placed by their key."""
    world = notified()
    note = world.log.all(TOPICS.notifications)[0]
    world.log.delete(TOPICS.notifications, note)
    beside = msgspec.structs.replace(note, partition=(note.partition + 1) % 3)
    world.log.append(TOPICS.notifications, beside)
    assert audit(world).faults == {Fault.MISROUTED: 1}


def test_notifications_beyond_the_committed_offset_are_unexpected() -> None:
    """Notifications that were committed without their offset would come again."""
    world = notified()
    world.log.offsets["notify", TOPICS.emf] = {}
    faults = audit(world).faults
    assert faults.keys() == {Fault.UNEXPECTED}
