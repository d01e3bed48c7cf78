"""Work on one record in, what becomes of it out.

Does I/O: calls the reactions, the store of seen ids, the registry and the letterbox.

Every step that could have had an effect is kept in the work itself, so that what has to be tried
again is only what has failed: a reaction that returned is never called twice by the same process.
"""

from typing import Final

import msgspec

from loyaltystream.errors import LoyaltyStreamError, ReactionError, RetryableBrokerError
from loyaltystream.feeds import Letterbox
from loyaltystream.subscriber.decoding import Unknown, Writers, read
from loyaltystream.subscriber.letters import describe_error, make_letter
from loyaltystream.subscriber.outcomes import Blame, Delayed, Failure, Outcome, Settled, Work
from loyaltystream.subscriber.reactions import Calling, Reaction, Reactions, plainly
from loyaltystream.subscriber.records import Notification
from loyaltystream.subscriber.subscription import Subscription
from loyaltystream.subscriber.window import Seen

AWAIT_S: Final = 2.0
"""The pause before something outside of the subscriber is asked again."""

Result = Settled | Delayed


class Desk:
    """Treats one record at a time, in one thread.

    Args:
        subscription: how often and how long.
        reactions: the subscriber's functions.
        seen: which notifications were handled already.
        writers: the registry.
        letterbox: where dead letters go; None: there is no such place.
        calling: calls one of the functions.
    """

    def __init__(  # noqa: PLR0913 (all that a subscriber has, put together in one place)
        self,
        subscription: Subscription,
        reactions: Reactions,
        *,
        seen: Seen,
        writers: Writers,
        letterbox: Letterbox | None,
        calling: Calling = plainly,
    ) -> None:
        self._subscription = subscription
        self._reactions = reactions
        self._seen = seen
        self._writers = writers
        self._letterbox = letterbox
        self._calling = calling

    def treat(self, work: Work) -> Result:
        """Return what became of the work that is left on a record.

        Raises:
            ReactionError: if it can't be handled, and there is no place for dead letters.
            LoyaltyStreamError: if such a place does not take it.
        """
        try:
            return self._write_letter(work) if work.failure else self._read(work)
        except RetryableBrokerError as error:
            return Delayed(work, AWAIT_S, str(error))

    def _read(self, work: Work) -> Result:
        value = work.record.value
        if value is None:
            return Settled(Outcome.TOMBSTONE)
        found = read(value, work.record, self._writers)
        if isinstance(found, Failure):
            return self._give_up(work, found)
        if isinstance(found, Unknown):
            return self._pass_over(work, found)
        reaction = self._reactions.to(found.kind)
        if reaction is None:
            return Settled(Outcome.UNWANTED)
        notification = found.decode()
        if isinstance(notification, Failure):
            return self._give_up(work, notification)
        return self._hand_over(work, notification, reaction)

    def _pass_over(self, work: Work, unknown: Unknown) -> Result:
        if self._subscription.unknown_types == "skip":
            return Settled(Outcome.UNKNOWN)
        message = f"{unknown.name} is no type of notification that this version knows"
        return self._give_up(work, Failure(Blame.UNKNOWN_TYPE, "Unknown", message))

    def _hand_over(
        self, work: Work, notification: Notification, reaction: Reaction[Notification]
    ) -> Result:
        if not work.is_handled:
            try:
                if self._seen.has(notification.eventId):
                    return Settled(Outcome.DUPLICATE)
            except Exception as error:  # noqa: BLE001 (a store of theirs)
                return self._await_store(work, error, notification)
            try:
                self._calling(reaction, notification, work.record)
            except BaseException as error:  # noqa: BLE001 (a function of theirs, in our thread)
                return self._fail(work, error, notification)
        handled = msgspec.structs.replace(work, is_handled=True)
        try:
            self._seen.remember(notification.eventId)
        except Exception as error:  # noqa: BLE001 (a store of theirs)
            return self._await_store(handled, error, notification)
        return Settled(Outcome.HANDLED)

    def _await_store(self, work: Work, error: Exception, notification: Notification) -> Result:
        kind, message = describe_error(error, notification)
        return Delayed(work, AWAIT_S, f"the store of seen ids failed: {kind}: {message}")

    def _fail(self, work: Work, error: BaseException, notification: Notification) -> Result:
        """Return the next attempt, or the letter if this one was the last."""
        failed = msgspec.structs.replace(work, attempts=work.attempts + 1)
        kind, message = describe_error(error, notification)
        if failed.attempts >= self._subscription.attempts:
            return self._give_up(failed, Failure(Blame.REACTION_FAILED, kind, message))
        why = (
            f"attempt {failed.attempts} of {self._subscription.attempts} at "
            f"{notification.eventName} failed: {kind}: {message}"
        )
        return Delayed(failed, self._subscription.backoff(failed.attempts), why)

    def _give_up(self, work: Work, failure: Failure) -> Result:
        given_up = msgspec.structs.replace(work, failure=failure)
        try:
            return self._write_letter(given_up)
        except RetryableBrokerError as error:
            return Delayed(given_up, AWAIT_S, str(error))

    def _write_letter(self, work: Work) -> Result:
        failure, record = work.failure, work.record
        if failure is None:
            raise LoyaltyStreamError("a letter was to be written of a record that did not fail")
        if self._letterbox is None:
            raise ReactionError(
                f"{self._subscription.topic}/{record.partition}/{record.offset}: {failure.blame}, "
                f"{failure.error}: {failure.message}; it is not committed, and comes again. Mend "
                f"it, or name a dead_letter_topic"
            )
        self._letterbox.post(make_letter(work, failure, self._subscription))
        return Settled(Outcome.DEAD_LETTER)
