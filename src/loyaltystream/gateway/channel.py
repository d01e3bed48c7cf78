"""What the gateway needs of Kafka: a place that takes records and says when it has them. Pure."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from loyaltystream.errors import BrokerError, LoyaltyStreamError
from loyaltystream.gateway.intake import Posting

Told = Callable[[LoyaltyStreamError | None], None]
"""Called once, from any thread: None, or why not everything is known to be written."""


class FullError(LoyaltyStreamError):
    """So much waits for the broker already that not all of it was taken."""


class TooLargeError(BrokerError):
    """The broker takes no record of that size."""


class Channel(Protocol):
    """Takes records for the ingest topic."""

    def post(self, postings: Sequence[Posting], told: Told) -> None:
        """Take records in order, and tell once the broker has all of them, or why it has not."""

    def close(self) -> None:
        """Wait until the broker has all that was taken, a bounded time, and let go."""


async def deliver(channel: Channel, postings: Sequence[Posting]) -> None:
    """Return once the broker has all records.

    Raises:
        FullError: if there was no room for all of them.
        TooLargeError: if the broker takes no record of that size.
        BrokerError: if not all of them are known to be written.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[None] = loop.create_future()

    def settle(failure: LoyaltyStreamError | None) -> None:
        if outcome.done():  # whoever waited for it has gone
            return
        if failure is None:
            outcome.set_result(None)
        else:
            outcome.set_exception(failure)

    def told(failure: LoyaltyStreamError | None) -> None:
        loop.call_soon_threadsafe(settle, failure)

    channel.post(postings, told)
    await outcome
