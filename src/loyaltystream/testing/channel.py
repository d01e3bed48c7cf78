"""A topic in memory that the gateway posts to. Does no I/O."""

from collections.abc import Sequence

from loyaltystream.errors import LoyaltyStreamError
from loyaltystream.gateway.channel import FullError, Told, TooLargeError
from loyaltystream.gateway.intake import Posting


class MemoryChannel:
    """Takes what there is room for, and tells at once.

    Args:
        room: how many records may wait; those of one call wait together.
        largest: how many bytes a value may have.

    Attributes:
        taken: what is written.
        away: told instead, as while no broker is there.
    """

    def __init__(self, room: int = 10_000, largest: int = 1_048_576) -> None:
        self._room = room
        self._largest = largest
        self.taken: list[Posting] = []
        self.away: LoyaltyStreamError | None = None
        self.closed = False

    def post(self, postings: Sequence[Posting], told: Told) -> None:
        """Take records in order, and tell once all are written, or why they are not."""
        if len(postings) > self._room:
            told(FullError(f"there is room for {self._room}"))
        elif self.away is not None:
            told(self.away)
        elif any(len(posting.value) > self._largest for posting in postings):
            told(TooLargeError("no record of that size"))
        else:
            self.taken += postings
            told(None)

    def close(self) -> None:
        """Take nothing any more."""
        self.closed = True
