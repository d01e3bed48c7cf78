"""Whether a member that its group refuses still has its name to itself. Does I/O: asks the group.

A group knows a static member by its name, and refuses whoever had the name before: another worker's
join takes it from us, but so does a join of our own that the broker hears late, behind its own
repetition. What the group tells of its members does not tell these two apart (it keeps the client
id and the host of whoever had the name first). Time does: nobody's heart beats for a late join, and
the group lets go of it after a session.
"""

import math
import time
from collections.abc import Callable
from typing import Final

from confluent_kafka.admin import AdminClient

from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import BrokerError, FatalBrokerError, RetryableBrokerError
from loyaltystream.kafka.connection import connect, properties
from loyaltystream.kafka.groups import describe

SESSIONS: Final = 2.0
"""For so many sessions nobody else's name outlives its last heartbeat."""

_OUTAGE_S: Final = 120.0
_LOOK_EVERY_S: Final = 1.0
_ANSWER_S: Final = 5.0

IsTaken = Callable[[], bool]


class Claim:
    """A member's claim to its name.

    Args:
        member: the name.
        session_s: after which silence the group lets go of it.
        is_taken: asks the group whether it has a member of that name.
        now_s: a clock that only rises.
    """

    def __init__(
        self,
        member: str,
        *,
        session_s: float,
        is_taken: IsTaken,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._member = member
        self._patience_s = SESSIONS * session_s
        self._is_taken = is_taken
        self._now_s = now_s
        self._why: str | None = None  # what the group said, as long as it refuses us
        self._refused_s = self._explained_s = self._away_s = self._looked_s = -math.inf

    @property
    def is_refused(self) -> bool:
        """Whether the group refuses us, and nobody has found out yet why."""
        return self._why is not None

    def note_outage(self) -> None:
        """Note that no broker answers; behind that the group may refuse us once."""
        self._away_s = self._now_s()

    def note_refusal(self, why: str) -> None:
        """Note that the group refuses us."""
        if self._why is None:
            self._why, self._refused_s = why, self._now_s()

    def renew(self) -> None:
        """Take the name again, if nobody else has it.

        Raises:
            RetryableBrokerError: if that can't be told yet; to be called again.
            FatalBrokerError: if another worker has it.
        """
        now_s = self._now_s()
        # Each outage explains one refusal, however soon the next one comes.
        explained = self._away_s > max(self._explained_s, now_s - _OUTAGE_S)
        if explained or not self._look(now_s):
            self._why, self._explained_s = None, now_s
            return
        if now_s - self._refused_s > self._patience_s:
            raise FatalBrokerError(
                f"the group refuses {self._member} for good ({self._why}): another worker joined "
                f"under its name; each needs its own worker.instance"
            )
        raise RetryableBrokerError(
            f"the group refuses {self._member} ({self._why}): it had another join under that name, "
            f"and {self._patience_s:.0f} s tell whether that was another worker's"
        )

    def _look(self, now_s: float) -> bool:
        """Say whether the group still has a member of our name, as of the last time we asked."""
        if now_s - self._looked_s < _LOOK_EVERY_S:
            return True
        self._looked_s = now_s
        try:
            return self._is_taken()
        except BrokerError:
            # A broker that stands still lets go of nobody meanwhile.
            self._refused_s = now_s
            raise


def taken_in(kafka: KafkaSettings, *, group: str, member: str) -> IsTaken:
    """Return what asks a group whether it has a static member of that name.

    What it returns raises BrokerError if the group can't be asked.
    """

    def is_taken() -> bool:
        members = describe(connect(AdminClient, properties(kafka)), group, _ANSWER_S).members
        return any(found.group_instance_id == member for found in members)

    return is_taken
