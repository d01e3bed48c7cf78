"""The topics of a deployment by their role, and what a record for one of them is. Pure."""

from typing import Final

import msgspec

from loyaltystream.events import Header

INSYNC: Final = "min.insync.replicas"
SAFE_COPIES: Final = 3
SAFE_INSYNC: Final = 2
"""With so many copies a record counts as written once so many of them have it: one broker may go,
and nothing is lost, and writing goes on."""


class Topics(msgspec.Struct, frozen=True):
    """Names of all topics, prefix included."""

    ingest: str
    emf: str
    ei: str
    notifications: str
    duplicates: str
    dead_letter: str
    changelog: str
    definitions: str
    letter_state: str


class Output(msgspec.Struct, frozen=True, gc=False):
    """A record to be written; without a partition it is placed by its key, as Java clients do."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None
    headers: list[Header]


class SourceHeaders:
    """Makes the header that says which record caused an output.

    The value is topic/partition/offset/ix/gen: ix counts the outputs of one source record, gen is
    the generation of the consumer group that it was read in (design.md section 2).
    """

    def __init__(self, topic: str, partition: int, generation: int) -> None:
        self.start = f"{topic}/{partition}/"
        self.end = f"/{generation}"

    def header(self, offset: int, index: int) -> Header:
        """Return the header of the `index`-th output of the record at `offset`."""
        return "src", f"{self.start}{offset}/{index}{self.end}".encode()
