"""How quickly history may go, and when it has to wait for live events. Pure but for its clock."""

from collections.abc import Callable
from typing import Final, NamedTuple

from loyaltystream.errors import RetryableBrokerError
from loyaltystream.sending import Pace

LOOK_EVERY_S: Final = 2.0


class Gauge(NamedTuple):
    """Asks how many records of the ingest topic wait to be judged, and says how many may."""

    lag: Callable[[], int]
    most: int


class Lane:
    """Lets records pass at a bounded rate, and none while too many wait to be judged.

    Args:
        pace: the rate.
        gauge: tells how many records wait.
        clock: seconds that only grow.
        sleep: waits so many seconds.
        held: told how many wait, each time that it is too many; None: the broker does not tell.
    """

    def __init__(
        self,
        pace: Pace,
        gauge: Gauge,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        held: Callable[[int | None], None],
    ) -> None:
        self._pace = pace
        self._gauge = gauge
        self._clock = clock
        self._sleep = sleep
        self._held = held
        self._due_s = clock()

    def wait(self) -> None:
        """Wait until the next record may go.

        Raises:
            BrokerError: if the broker refuses to say how many wait.
        """
        self._pace.wait()
        if self._clock() < self._due_s:
            return
        while (waiting := self._waiting()) is None or waiting > self._gauge.most:
            self._held(waiting)
            self._sleep(LOOK_EVERY_S)
        self._due_s = self._clock() + LOOK_EVERY_S

    def _waiting(self) -> int | None:
        try:
            return self._gauge.lag()
        except RetryableBrokerError:
            return None  # an import of days outlives a broker that is away for a while
