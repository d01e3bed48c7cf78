"""The thread that reactions run in, so that the group is polled while one takes its time. Does I/O.

One thread: reactions are called one after the other and need not be thread-safe.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping

from loyaltystream import kit_events
from loyaltystream.events import Record
from loyaltystream.subscriber.lanes import Lanes
from loyaltystream.subscriber.outcomes import Delayed, Settled, Tally, Work

Treat = Callable[[Work], Settled | Delayed]


class Hand:
    """Works on records in a thread, until it is told to stop or can't go on.

    Args:
        treat: works on one record; what it raises ends the thread, and is told by `check`.
    """

    def __init__(self, treat: Treat) -> None:
        self._treat = treat
        self._lanes = Lanes()
        self._turn = threading.Condition()
        self._busy: tuple[int, float] | None = None  # the partition, and since when
        self._stopping = False
        self._failure: BaseException | None = None
        self.tally = Tally()
        # A reaction that hangs can't be ended: the process must be able to go without it.
        self._thread = threading.Thread(target=self._work, name="reactions", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def take(self, records: Mapping[int, Iterable[Record]]) -> None:
        """Take records, in offset order in each partition."""
        with self._turn:
            self._lanes.take(records)
            self._turn.notify_all()

    def full(self) -> set[int]:
        """Return the partitions that need no more records for now."""
        with self._turn:
            return self._lanes.full()

    def await_room(self, records: int, timeout_s: float) -> None:
        """Wait until fewer records than that can be worked on, or for so long."""
        with self._turn:
            self._turn.wait_for(
                lambda: self._failure or self._lanes.ready(time.monotonic()) < records, timeout_s
            )

    def busy_s(self) -> float:
        """Return for how long the work on one record has lasted by now."""
        busy = self._busy
        return 0.0 if busy is None else time.monotonic() - busy[1]

    def unstored(self) -> dict[int, int]:
        """Return the offsets behind everything that is settled, where they were not stored yet."""
        with self._turn:
            return self._lanes.unstored()

    def note_stored(self, offsets: Mapping[int, int]) -> None:
        """Note that these offsets are stored, to be committed."""
        with self._turn:
            self._lanes.note_stored(offsets)

    def drop(self, partitions: Collection[int], timeout_s: float) -> dict[int, int]:
        """Give partitions up; return the offsets that are to be committed of them.

        A record of theirs that is worked on is waited for. What it comes to later counts no more.
        """
        with self._turn:
            # Else the next one could be begun before we hear that this one has ended.
            self._lanes.shorten(partitions)
            self._turn.wait_for(
                lambda: self._busy is None or self._busy[0] not in partitions,
                0 if self._stopping else timeout_s,
            )
            offsets = self._lanes.unstored(partitions)
            self._lanes.drop(partitions)
        return offsets

    def stop(self, timeout_s: float) -> bool:
        """Begin nothing more; return whether what is worked on has ended in time."""
        with self._turn:
            self._stopping = True
            self._turn.notify_all()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def check(self) -> None:
        """Raise what ended the thread, if something did.

        Raises:
            LoyaltyStreamError: what `treat` has raised.
        """
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        while (work := self._begin()) is not None:
            try:
                result = self._treat(work)
            except BaseException as error:  # noqa: BLE001 (told by `check`, in the other thread)
                self._end(work, error)
                return
            if isinstance(result, Delayed):
                kit_events.notification_delayed(
                    partition=work.record.partition,
                    offset=work.record.offset,
                    after_s=round(result.after_s, 1),
                    why=result.why,
                )
            self._end(work, result)

    def _begin(self) -> Work | None:
        """Return the next work once it is due, or None when there is to be no more."""
        with self._turn:
            while not self._stopping:
                now_s = time.monotonic()
                if (work := self._lanes.next(now_s)) is not None:
                    self._busy = work.record.partition, now_s
                    return work
                due_s = self._lanes.due_s()
                self._turn.wait(None if due_s is None else max(due_s - now_s, 0))
        return None

    def _end(self, work: Work, result: Settled | Delayed | BaseException) -> None:
        with self._turn:
            self._busy = None
            if isinstance(result, BaseException):
                self._failure = result
            elif self._lanes.settle(work, result, time.monotonic()):
                self.tally.note(result)
            self._turn.notify_all()
