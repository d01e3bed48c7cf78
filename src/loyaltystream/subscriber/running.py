"""Poll, hand over, commit: a subscriber's main loop.

Does I/O: Kafka, the registry, signals, a thread.
"""

import signal
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType
from typing import Final

from loyaltystream import kit_events
from loyaltystream.avro.registry import Registry
from loyaltystream.errors import (
    ConfigurationError,
    ReactionError,
    RetryableBrokerError,
)
from loyaltystream.feeds import Feed, Letterbox
from loyaltystream.kafka.feed import GroupFeed, Pace
from loyaltystream.kafka.letterbox import TopicLetterbox
from loyaltystream.subscriber.desk import AWAIT_S, Desk
from loyaltystream.subscriber.hand import Hand
from loyaltystream.subscriber.outcomes import Tally
from loyaltystream.subscriber.reactions import Calling, Reactions, plainly
from loyaltystream.subscriber.subscription import Subscription
from loyaltystream.subscriber.window import Seen, Window

_ENOUGH: Final = 200  # records that may be worked on: no need to poll for more
_POLL_AT_LEAST_S: Final = 1.0


class Subscriber:
    """Hands every notification of a topic to the reaction of its type.

    Args:
        subscription: where, as whom, how patiently.
        reactions: what to do.
        seen: which notifications were handled already; by default the last 100,000 of this process.
        calling: calls one of the functions, as `loyaltystream.otel.reacting.traced` says.

    Raises:
        ConfigurationError: if there is no reaction at all.
    """

    def __init__(
        self,
        subscription: Subscription,
        reactions: Reactions,
        *,
        seen: Seen | None = None,
        calling: Calling = plainly,
    ) -> None:
        if not reactions:
            raise ConfigurationError("there is no reaction to any notification")
        self._subscription = subscription
        letters = subscription.dead_letter_topic
        self._letterbox: Letterbox | None = (
            TopicLetterbox(subscription.kafka(), letters) if letters else None
        )
        desk = Desk(
            subscription,
            reactions,
            seen=Window() if seen is None else seen,
            writers=Registry(subscription.registry()),
            letterbox=self._letterbox,
            calling=calling,
        )
        self._hand = Hand(desk.treat)
        self._stopping = threading.Event()

    @property
    def tally(self) -> Tally:
        """What became of the records so far."""
        return self._hand.tally

    def stop(self) -> None:
        """Have `run` return soon: what is worked on ends, and is committed. From any thread."""
        self._stopping.set()

    def run(self) -> Tally:
        """Work until SIGTERM, SIGINT or `stop`; return what became of the records.

        To be called once.

        Raises:
            ReactionError: if a reaction failed for good without a dead letter topic, or hangs.
            StateError: if records were removed before they were read.
            LoyaltyStreamError: if broker or settings don't let it go on.
        """
        with ExitStack() as stack:
            stack.enter_context(_signals(self._stopping.set))
            if self._letterbox is not None:
                stack.callback(self._letterbox.close)
                self._await(self._letterbox.open)
            feed = self._make_feed()
            feed.join(self._give_up)
            self._hand.start()
            try:
                self._loop(feed)
            finally:
                self._leave(feed)
        self._hand.check()
        kit_events.subscriber_stopped(tally=str(self.tally))
        return self.tally

    def _make_feed(self) -> Feed:
        told = self._subscription
        return GroupFeed(
            told.kafka(),
            topic=told.topic,
            group=told.group,
            start=told.start,
            pace=Pace(commit_s=told.commit_s, session_s=told.session_s),
        )

    def _loop(self, feed: Feed) -> None:
        while not self._stopping.is_set():
            self._hand.await_room(_ENOUGH, _POLL_AT_LEAST_S)
            self._hand.check()
            self._demand_progress()
            try:
                self._hand.take(feed.poll(self._hand.full()))
            except RetryableBrokerError as error:
                kit_events.broker_awaited(why=str(error))
                self._stopping.wait(AWAIT_S)
            self._store(feed)

    def _demand_progress(self) -> None:
        if (busy_s := self._hand.busy_s()) > self._subscription.patience_s:
            raise ReactionError(
                f"a reaction has not returned for {busy_s:.0f} s (patience_s); its notification is "
                f"not committed, and comes again in the process that has its partition next"
            )

    def _give_up(self, partitions: Collection[int]) -> Mapping[int, int]:
        return self._hand.drop(partitions, self._subscription.leave_s)

    def _store(self, feed: Feed) -> None:
        offsets = self._hand.unstored()
        feed.store(offsets)
        self._hand.note_stored(offsets)

    def _leave(self, feed: Feed) -> None:
        """End the work at hand and leave the group, each in a bounded time."""
        leave_s = self._subscription.leave_s
        if not self._hand.stop(0 if self._hangs() else leave_s):
            kit_events.reaction_abandoned()
        self._store(feed)
        # The client waits for a broker that is away as long as it takes.
        leaving = threading.Thread(target=feed.close, name="leaving", daemon=True)
        leaving.start()
        leaving.join(leave_s)
        if leaving.is_alive():
            kit_events.group_unheard()

    def _hangs(self) -> bool:
        return self._hand.busy_s() > self._subscription.patience_s

    def _await(self, call: Callable[[], None]) -> None:
        """Call until the broker answers, or we are to stop."""
        while not self._stopping.is_set():
            try:
                return call()
            except RetryableBrokerError as error:
                kit_events.broker_awaited(why=str(error))
                self._stopping.wait(AWAIT_S)
        return None


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """Stop on SIGTERM and SIGINT; whoever runs in another thread than the main one calls `stop`."""

    def heard(_number: int, _frame: FrameType | None) -> None:
        stop()

    with ExitStack() as stack:
        with suppress(ValueError):  # not in the main thread
            for number in (signal.SIGTERM, signal.SIGINT):
                stack.callback(signal.signal, number, signal.signal(number, heard))
        yield
