"""Records in, valid events out: read in their dialect and held against their definitions. Pure.

A plain event takes the short way (`validation/plain.py`). Whatever that does not accept takes the
careful one (`validation/careful.py`): accepted with the same result, or with every violation.
"""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from loyaltystream.definitions.registry import Definitions
from loyaltystream.dialects import canonical, reading
from loyaltystream.dialects.sources import Dialect
from loyaltystream.dialects.survey import NOT_PLAIN, quotation_marks
from loyaltystream.events import ORIGIN_HEADER, Decoded, Origin, Record, ValidEvent
from loyaltystream.rules import Rules
from loyaltystream.steps.stages import ReadBatch, Rejected
from loyaltystream.times import SKEW_MS
from loyaltystream.validation.careful import validate
from loyaltystream.validation.plain import check_plain
from loyaltystream.validation.theirs import check_theirs
from loyaltystream.verdicts import Violation

_USUALLY_PLAIN: Final = frozenset({"auto", "canonical"})


def read(  # noqa: C901 (one loop: a call for each event costs more)
    records: Sequence[Record], *, topic: str, clock_ms: int, definitions: Definitions, rules: Rules
) -> ReadBatch:
    """Return the valid events in the records of one partition, and what is wrong with the others.

    Args:
        records: in offset order.
        topic: where they were read.
        clock_ms: the partition's clock before the first.
        definitions: what events are held against.
        rules: what a valid event is, beyond its definition.
    """
    batch = ReadBatch([], [], 0, clock_ms)
    accept, find, envelope_of = batch.valid.append, definitions.by_name.get, canonical.read_envelope
    country_codes, by_name = rules.country_codes, definitions.by_name
    is_usual = rules.dialects.assumed in _USUALLY_PLAIN
    longest = min(canonical.MAX_PLAIN_BYTES, rules.max_event_bytes)
    surveyed, waiver_of = quotation_marks(records, longest=longest), rules.waiver_of
    for record, marks in zip(records, surveyed, strict=True):
        raw, moment_ms = record.value, record.timestamp_ms
        clock_ms = max(clock_ms, moment_ms)
        if raw is None:
            batch.tombstones += 1
            continue
        # A record without a broker's time gets the clock's.
        arrived_ms = moment_ms if moment_ms > 0 else clock_ms
        origin = _first_arrival(record, topic, clock_ms) if record.headers else None
        origin = origin or Origin(topic, record.partition, record.offset, arrived_ms)
        is_ours = is_usual if not record.headers else _may_be_ours(record, rules)
        if record.headers and waiver_of(record) is not None:
            marks = NOT_PLAIN  # noqa: PLW2901 (the careful way asks again, and knows what to do)
        event = envelope_of(raw) if is_ours and marks != NOT_PLAIN else None
        if event is not None:
            compiled = find((event.orgId, event.eventName))
            if compiled is not None:
                country_code = country_codes.get(event.orgId, "") if country_codes else ""
                valid = check_plain(record, origin, clock_ms, event, marks, compiled, country_code)
                if valid is not None:
                    accept(valid)
                    continue
        elif marks != NOT_PLAIN:
            valid = check_theirs(record, origin, clock_ms, marks, by_name=by_name, rules=rules)
            if valid is not None:
                accept(valid)
                continue
        batch.add(read_carefully(record, origin, clock_ms, definitions=definitions, rules=rules))
    batch.clock_ms = clock_ms
    return batch


def read_carefully(
    record: Record, origin: Origin, clock_ms: int, *, definitions: Definitions, rules: Rules
) -> ValidEvent | Rejected:
    """Return the valid event in one record, or every violation in it.

    A record that is spared a check says so on its event, which goes by the id that it was given.
    """
    found = reading.read(record, origin, find=definitions.find, rules=rules)
    if isinstance(found, Violation):
        return Rejected(record, origin, clock_ms, (found,))
    waiver = rules.waiver_of(record) if record.headers else None
    event, violations = found
    if waiver is None:
        decoded = Decoded(record, origin, clock_ms, event, violations)
        return validate(decoded, definitions=definitions, rules=rules)
    decoded = Decoded(record, origin, clock_ms, waiver.named(event), violations)
    judged = validate(decoded, definitions=definitions, rules=rules)
    return replace(judged, waiver=waiver) if isinstance(judged, ValidEvent) else judged


def _may_be_ours(record: Record, rules: Rules) -> bool:
    """Say whether neither a header nor the setting names another dialect than ours."""
    return reading.told_dialect(record, rules.dialects) in {None, Dialect.CANONICAL}


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
