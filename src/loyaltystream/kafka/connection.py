"""How every client of ours reaches the broker. Does I/O: none itself; makes clients."""

import logging
from collections.abc import Callable
from typing import Any, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException

from loyaltystream.access import READER_GROUP
from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import ConfigurationError
from loyaltystream.kafka.errors import translate
from loyaltystream.settings import WorkerSettings

Client = TypeVar("Client")

# The client's own stubs leave the logger out.
Properties = dict[str, Any]

# librdkafka's own lines go through `logging`, not to stderr behind our back.
LOGGER: Final = logging.getLogger("librdkafka")

RECONNECT_MS: Final = 1_000
"""The longest pause between two attempts to connect. The client's own, 10 s, is added to every
outage: a broker that was back for 9 s was still not looked for (seen)."""

MAX_MESSAGE_BYTES: Final = 4_194_304
"""What a client of ours will send or take at most; the broker's topics say less."""

SILENCE_MS: Final = 15_000
"""How long a consumer's request waits on a connection on which nothing comes back, as behind a
firewall that has forgotten it, unless `kafka.client` says so. The client's own, a minute, is that
of each request in turn: members that had to find their coordinator stood still for two (seen)."""

_FETCH_BYTES: Final = 524_288

STATISTICS_MS: Final = 2_000
"""How often a member tells of itself; it costs its thread 0.1 ms, and whoever listens as much."""


def properties(kafka: KafkaSettings, **own: str | float | bool) -> Properties:
    """Return a client's properties: where the broker is, how to sign in, and `own`.

    Names in `own` have underscores for dots. What a deployment sets in `kafka.client` comes first,
    so nothing there can change what exactly-once depends on.
    """
    return {
        "reconnect.backoff.max.ms": RECONNECT_MS,
        **{name: value.get_secret_value() for name, value in kafka.client.items()},
        "bootstrap.servers": kafka.bootstrap_servers,
        "logger": LOGGER,
        **{name.replace("_", "."): value for name, value in own.items()},
    }


def idempotent_properties(kafka: KafkaSettings, **own: str | float | bool) -> Properties:
    """Return the properties of a producer outside any transaction: each record once, in order."""
    return properties(
        kafka,
        enable_idempotence=True,
        partitioner="murmur2_random",
        message_max_bytes=MAX_MESSAGE_BYTES,
        **own,
    )


def _silence(kafka: KafkaSettings) -> Properties:
    return {} if "socket.timeout.ms" in kafka.client else {"socket_timeout_ms": SILENCE_MS}


def reader_properties(kafka: KafkaSettings, **own: str | float | bool) -> Properties:
    """Return the properties of a consumer outside any group, which reads what is committed."""
    outside: Properties = {
        "group_id": READER_GROUP,
        "isolation_level": "read_committed",
        "enable_auto_commit": False,
        "enable_partition_eof": True,
        "auto_offset_reset": "earliest",
        "fetch_message_max_bytes": MAX_MESSAGE_BYTES,
    }
    return properties(kafka, **(_silence(kafka) | outside | own))


def connect(make: Callable[[Properties], Client], properties: Properties) -> Client:
    """Make a client; it reaches for the broker by itself.

    Raises:
        ConfigurationError: if the library refuses a property.
        BrokerError: if it can't make one for another reason.
    """
    try:
        return make(properties)
    except KafkaException as error:
        if error.args[0].code() != KafkaError._INVALID_ARG:  # noqa: SLF001 (public, underscored by librdkafka)
            raise translate(error, "making a client") from error
        raise ConfigurationError(
            f"kafka.client: the client library refuses this ({error.args[0].str()}); "
            f"its properties are listed at https://github.com/confluentinc/librdkafka"
        ) from error


def grouped_properties(
    kafka: KafkaSettings, *, group: str, session_timeout_ms: int, **own: str | float | bool
) -> Properties:
    """Return the properties of a consumer in a group, cooperative, that decides offsets itself."""
    return properties(
        kafka,
        group_id=group,
        session_timeout_ms=session_timeout_ms,
        heartbeat_interval_ms=max(session_timeout_ms // 5, 100),
        partition_assignment_strategy="cooperative-sticky",
        # Without it the group would hand out offsets of transactions that are still open.
        isolation_level="read_committed",
        # The client's own rule would jump over what retention has removed, in silence.
        auto_offset_reset="error",
        enable_auto_offset_store=False,
        **_silence(kafka),
        **own,
    )


def member_properties(
    kafka: KafkaSettings, worker: WorkerSettings, *, group: str, member: str | None
) -> Properties:
    """Return the properties of a consumer that is a member of a group, cooperative.

    It is static under its name; None: it has no name, and the group shares out anew as it leaves.
    """
    return grouped_properties(
        kafka,
        group=group,
        session_timeout_ms=worker.session_timeout_ms,
        **({} if member is None else {"group_instance_id": member}),
        enable_auto_commit=False,
        enable_partition_eof=True,
        # Of each partition in one answer, compressed; a larger record still comes alone.
        fetch_message_max_bytes=_FETCH_BYTES,
        queued_max_messages_kbytes=8_192,
        # By default a full queue is not filled again for a second: it would run dry.
        fetch_queue_backoff_ms=20,
        statistics_interval_ms=STATISTICS_MS,
    )
