"""Records in, events out: the bytes are read in their dialect. Pure."""

from collections.abc import Sequence

import msgspec

from loyaltystream.dialects import canonical
from loyaltystream.events import ORIGIN_HEADER, Decoded, Origin, Record
from loyaltystream.rules import Rules
from loyaltystream.steps.stages import DecodedBatch, Rejected
from loyaltystream.times import SKEW_MS
from loyaltystream.verdicts import Violation


def decode(records: Sequence[Record], *, topic: str, clock_ms: int, rules: Rules) -> DecodedBatch:
    """Return the events in the records of one partition.

    Args:
        records: in offset order.
        topic: where they were read.
        clock_ms: the partition's clock before the first.
        rules: how large an event may be.
    """
    batch = DecodedBatch([], [], [], 0)
    for record in records:
        raw, moment_ms = record.value, record.timestamp_ms
        clock_ms = max(clock_ms, moment_ms)
        if raw is None:
            batch.tombstones.append(record)
            continue
        # A record without a broker's time gets the clock's.
        arrived_ms = moment_ms if moment_ms > 0 else clock_ms
        origin = _first_arrival(record, topic, clock_ms) if record.headers else None
        origin = origin or Origin(topic, record.partition, record.offset, arrived_ms)
        plain = canonical.read_plain(raw) if len(raw) <= rules.max_event_bytes else None
        if plain is not None:
            batch.kept.append(Decoded(record, origin, clock_ms, plain))
            continue
        read = canonical.read(raw, max_bytes=rules.max_event_bytes)
        if isinstance(read, Violation):
            batch.rejected.append(Rejected(record, origin, clock_ms, (read,)))
        else:
            batch.kept.append(Decoded(record, origin, clock_ms, *read))
    return msgspec.structs.replace(batch, clock_ms=clock_ms)


def _first_arrival(record: Record, topic: str, clock_ms: int) -> Origin | None:
    """Return where the event first arrived, if it was sent back from there."""
    if written := record.header(ORIGIN_HEADER):
        kept = Origin.from_header(written)
        if kept is not None and _is_ours(kept, written, topic, clock_ms):
            return kept
    return None


def _is_ours(origin: Origin, written: bytes, topic: str, clock_ms: int) -> bool:
    """Say whether we may have written it: anybody can put a header of that name on a record."""
    return (
        origin.to_header()[1] == written
        and origin.topic == topic
        and 0 <= origin.partition < 2**31
        and 0 <= origin.offset < 2**63
        and 0 <= origin.timestamp_ms <= clock_ms + SKEW_MS
    )
