"""Passes on what a loop tells, and has spans made of what committed. Does no I/O but a clock.

A transaction that did not commit leaves no span: its events are judged again, and then have one.
"""

import time
from collections.abc import Callable, Sequence

from loyaltystream.pipeline import Plan
from loyaltystream.ports import Telemetry
from loyaltystream.tracing.spans import Moments, Take, Work


class TracedTelemetry:
    """Passes everything on, and gives away the spans of committed records.

    Args:
        telemetry: told everything.
        work: whose spans they are.
        take: takes them.
        now_ns: the time, in epoch nanoseconds.
    """

    def __init__(
        self,
        telemetry: Telemetry,
        work: Work,
        take: Take,
        *,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._telemetry = telemetry
        self._work = work
        self._take = take
        self._now_ns = now_ns
        self._submitted_ns = 0
        self.aborted = telemetry.aborted
        self.renewed = telemetry.renewed
        self.waiting = telemetry.waiting
        self.turned = telemetry.turned
        self.opening = telemetry.opening
        self.owns = telemetry.owns

    def submitted(self) -> None:
        """Note when a commit began."""
        self._submitted_ns = self._now_ns()
        self._telemetry.submitted()

    def committed(self, plans: Sequence[Plan]) -> None:
        """Give away the spans of all that is traced."""
        self._telemetry.committed(plans)
        moments = Moments(self._submitted_ns, max(self._now_ns(), self._submitted_ns))
        traced = [one for plan in plans for one in plan.traced]
        if traced:
            self._take([span for one in traced for span in self._work.spans(one, moments)])
