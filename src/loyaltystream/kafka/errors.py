"""Says the client library's errors in our words, once. Pure.

librdkafka sorts its errors in four: fatal, abortable, retriable, and none of these, which its own
guide says to treat as fatal.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from confluent_kafka import KafkaError, KafkaException

from loyaltystream.errors import (
    AbortableTransactionError,
    BrokerError,
    FatalBrokerError,
    RetryableBrokerError,
)

# Outside of transactions the library does not say which errors pass; these do.
_PASSING: Final = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001 (public, underscored by librdkafka)
        KafkaError._NOENT,  # noqa: SLF001 (no leader yet: the broker has just come back)
        KafkaError._RESOLVE,  # noqa: SLF001
        KafkaError._TIMED_OUT,  # noqa: SLF001
        KafkaError._TIMED_OUT_QUEUE,  # noqa: SLF001
        KafkaError._TRANSPORT,  # noqa: SLF001
        KafkaError._WAIT_COORD,  # noqa: SLF001
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.OFFSET_NOT_AVAILABLE,  # a new leader that does not know yet what is committed
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.UNSTABLE_OFFSET_COMMIT,
    }
)


def translate(error: KafkaException | KafkaError, doing: str) -> BrokerError:
    """Return our error for one of the client's, saying what was being done."""
    cause = error.args[0] if isinstance(error, KafkaException) else error
    if not isinstance(cause, KafkaError):
        return FatalBrokerError(f"{doing}: {cause}")
    text = f"{doing}: {cause.str() or cause.name()} ({cause.name()})"
    if cause.fatal():
        return FatalBrokerError(text)
    if cause.txn_requires_abort():
        return AbortableTransactionError(text)
    if cause.retriable() or cause.code() in _PASSING:
        return RetryableBrokerError(text)
    return FatalBrokerError(text)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Run client calls; what they raise leaves as one of ours.

    Raises:
        BrokerError: of the kind that says whether a retry, an abort or a new client helps.
    """
    try:
        yield
    except KafkaException as error:
        raise translate(error, doing) from error
