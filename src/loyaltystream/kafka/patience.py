"""How long calls are repeated that fail for the moment. Does I/O: calls the client."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from loyaltystream.errors import RetryableBrokerError
from loyaltystream.kafka.errors import translated

PAUSE_S: Final = 0.1

Answer = TypeVar("Answer")


def repeat(call: Callable[[float], Answer], doing: str, deadline: float) -> Answer:
    """Call until it succeeds, and return its answer.

    librdkafka goes on with the same transactional call where it stopped.

    Args:
        call: takes how many seconds it may last.
        doing: what is being done, for the error.
        deadline: on the monotonic clock.

    Raises:
        BrokerError: if it fails otherwise than for the moment, or beyond the deadline.
    """
    while True:
        try:
            with translated(doing):
                return call(max(deadline - time.monotonic(), PAUSE_S))
        except RetryableBrokerError:
            if time.monotonic() > deadline:
                raise
        time.sleep(PAUSE_S)
