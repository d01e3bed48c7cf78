"""Keeps up with the definitions in force, beside the requests. Does I/O: asks for them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from loyaltystream.errors import LoyaltyStreamError
from loyaltystream.gateway.application import Gateway
from loyaltystream.gateway.intake import Intake

FOLLOW_S: Final = 5.0


async def keep_up(
    gateway: Gateway,
    follow: Callable[[], Intake],
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> None:
    """Take events by what is defined: an event that was just defined has a key soon."""
    while True:
        await pause(FOLLOW_S)
        try:
            gateway.intake = await asyncio.to_thread(follow)
        except LoyaltyStreamError as error:
            gateway.not_followed(error)
