"""A notification's record in, the one that sends it again out. Pure.

Key, value and headers stay as they are, to the byte; further headers say that it comes again, from
where, and why.
"""

from typing import Final

import msgspec

from loyaltystream.events import Record
from loyaltystream.topology import Output

FROM_HEADER: Final = "re-emitted-from"
AT_HEADER: Final = "re-emitted-at"
ID_HEADER: Final = "re-emit-id"


class Target(msgspec.Struct, frozen=True):
    """The subscriber's own topic.

    Attributes:
        topic_id: of the topic itself: one that was made anew under its name has another.
    """

    topic: str
    topic_id: str
    partitions: int


class Marker(msgspec.Struct, frozen=True):
    """Makes the records of one re-emission.

    Attributes:
        source: the topic of notifications.
        reemit_id: the re-emission's name.
        at_ms: when it runs.
    """

    source: str
    target: Target
    reemit_id: str
    at_ms: int

    def output(self, record: Record) -> Output:
        """Return the record that sends a notification again, placed by its key as the first was."""
        place = f"{self.source}/{record.partition}/{record.offset}"
        headers = [
            *record.headers,
            (FROM_HEADER, place.encode()),
            (AT_HEADER, b"%d" % self.at_ms),
            (ID_HEADER, self.reemit_id.encode()),
        ]
        # What has no key would be scattered: it stays with its neighbours.
        partition = record.partition % self.target.partitions if record.key is None else None
        return Output(self.target.topic, record.key, record.value, partition, headers)
