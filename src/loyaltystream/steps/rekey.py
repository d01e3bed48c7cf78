"""Valid events in, those in their right partition out; the astray go back to the ingest topic.

Pure. A record is astray when its partition is not the one of its event's key. Sent back once, it
keeps where it first arrived; astray a second time it is a dead letter (design.md section 2).
"""

from collections.abc import Sequence

from msgspec.structs import replace

from loyaltystream.events import SOURCE_HEADER, ValidEvent
from loyaltystream.keys import event_key, murmur2, place
from loyaltystream.partitioning import PartitionBy
from loyaltystream.rules import Rules
from loyaltystream.steps.stages import HEADER_ALLOWANCE, Rejected, Rekeyed
from loyaltystream.verdicts import Reason, Violation

_HEADER_BYTES = 10
"""What each header takes in a record beyond its name and value."""


def rekey(
    events: Sequence[ValidEvent], *, partition: int, partitions: int, rules: Rules
) -> Rekeyed:
    """Return which events lie in the partition of their key.

    Args:
        events: of one partition, in offset order.
        partition: the one they were read from.
        partitions: how many the ingest topic has.
        rules: what keys are made of, and what the ingest topic takes.
    """
    if rules.partition_by is PartitionBy.EVENT_ID:
        events = [replace(event, key=event_key(event.org_id, event.event_id)) for event in events]
    hashed = murmur2([event.key for event in events])
    homes, hashes = place(hashed, partitions).tolist(), hashed.tolist()
    if homes.count(partition) == len(homes):  # as usual
        return Rekeyed(list(events), hashes, [], [])
    rekeyed = Rekeyed([], [], [], [])
    for event, key_hash, home in zip(events, hashes, homes, strict=True):
        if home == partition:
            rekeyed.kept.append(event)
            rekeyed.key_hashes.append(key_hash)
        elif _was_sent_back(event):
            detail = "sent back once, and not in the partition of its key again"
            rekeyed.rejected.append(Rejected.of(event, Violation(Reason.ASTRAY_TWICE, "", detail)))
        elif (size := _bytes_sent_back(event)) > rules.max_record_bytes - HEADER_ALLOWANCE:
            detail = f"in the wrong partition, and its {size} bytes are too many to be sent back"
            rekeyed.rejected.append(Rejected.of(event, Violation(Reason.TOO_LARGE, "", detail)))
        else:
            rekeyed.astray.append((event, home))
    return rekeyed


def _was_sent_back(event: ValidEvent) -> bool:
    """Say whether its record has arrived before, in another place.

    What we signed keeps where its event first arrived from the start: there `src` tells.
    """
    record, origin = event.record, event.origin
    if event.waiver is not None:
        return record.header(SOURCE_HEADER) is not None
    return (origin.partition, origin.offset) != (record.partition, record.offset)


def _bytes_sent_back(event: ValidEvent) -> int:
    record = event.record
    headers = sum(
        len(name.encode()) + len(value or b"") + _HEADER_BYTES for name, value in record.headers
    )
    return len(record.value or b"") + len(event.key) + headers
