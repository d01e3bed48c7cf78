"""When the worker is killed, when it is started again, and when the story is over. Pure."""

from enum import StrEnum
from typing import Final

from loyaltystream.errors import PlatformError

DEAD_S: Final = 1.5
"""So long the worker stays dead, for people to see that nothing moves."""

PATIENCE_S: Final = 60.0
"""Nothing judged for so long means that something is broken."""


class Act(StrEnum):
    """What is to be done now."""

    WAIT = "wait"
    KILL = "kill"
    RESTART = "restart"
    END = "end"


class Script:
    """Directs one run.

    Args:
        due: how many events must get a verdict; the kill comes at half of them.
    """

    def __init__(self, due: int) -> None:
        self._due = due
        self._judged = -1
        self._moved_s = 0.0
        self._killed_s: float | None = None
        self._restarted = False

    @property
    def note(self) -> str:
        """What is going on, for people."""
        if self._killed_s is None:
            return "ingest and notify are at work"
        if not self._restarted:
            return "ingest was killed by SIGKILL, and its open transaction with it"
        if self._judged >= self._due:
            return "every event has its verdict"
        return "ingest is back, and goes on where the last commit ended"

    def next(self, judged: int, *, now_s: float) -> Act:
        """Return what is to be done when so many events have their verdict.

        Raises:
            PlatformError: if nothing has moved for too long.
        """
        if judged != self._judged:
            self._judged, self._moved_s = judged, now_s
        if self._killed_s is None and 2 * judged >= self._due:
            self._killed_s = now_s
            return Act.KILL
        if self._killed_s is not None and not self._restarted:
            if now_s - self._killed_s < DEAD_S:
                return Act.WAIT
            self._restarted = True
            return Act.RESTART
        if judged >= self._due:
            return Act.END
        if now_s - self._moved_s > PATIENCE_S:
            raise PlatformError(
                f"{judged} of {self._due} events have a verdict, and none came for "
                f"{PATIENCE_S:.0f} s; the workers' logs tell more"
            )
        return Act.WAIT
