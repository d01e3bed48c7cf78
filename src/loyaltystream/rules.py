"""What a valid event is, beyond its own definition: the settings that decide verdicts. Pure.

All of them enter a verdict, so a replay under other rules may judge differently.
"""

from collections.abc import Mapping

import msgspec

from loyaltystream.dialects.sources import Dialects
from loyaltystream.events import ResendingOf, WaiverOf, no_resending, no_waiver
from loyaltystream.partitioning import PartitionBy
from loyaltystream.times import DAY_MS


class Rules(msgspec.Struct, frozen=True):
    """The rules that one deployment judges by.

    Attributes:
        max_event_bytes: a larger value is rejected unread.
        max_record_bytes: what the ingest topic takes, keys and headers included.
        strict_fields: whether a field that the definition lacks is a violation.
        country_codes: per org, digits put before national mobile numbers.
        window_days: how long an eventId is remembered.
        partition_by: what an event's partition is chosen by.
        dialects: whose events are whose, where they do not say so.
        waiver_of: tells which checks a record's headers spare it, if we signed them.
        resending_of: tells which accepted event was sent to stage notify again, by us.
    """

    max_event_bytes: int = 524_288
    max_record_bytes: int = 1_048_576
    strict_fields: bool = False
    country_codes: Mapping[int, str] = {}
    window_days: int = 30
    partition_by: PartitionBy = PartitionBy.CUSTOMER
    dialects: Dialects = Dialects()
    waiver_of: WaiverOf = no_waiver
    resending_of: ResendingOf = no_resending

    @property
    def window_ms(self) -> int:
        """How long an eventId is remembered, in milliseconds."""
        return self.window_days * DAY_MS
