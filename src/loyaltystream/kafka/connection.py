"""How every client of ours reaches the broker. Does I/O: none itself; makes clients' properties."""

import logging
from typing import Any, Final

from loyaltystream.settings import KafkaSettings

# The client's own stubs leave the logger out.
Properties = dict[str, Any]

# librdkafka's own lines go through `logging`, not to stderr behind our back.
LOGGER: Final = logging.getLogger("librdkafka")

RECONNECT_MS: Final = 1_000
"""The longest pause between two attempts to connect. The client's own, 10 s, is added to every
outage: a broker that was back for 9 s was still not looked for (seen)."""

MAX_MESSAGE_BYTES: Final = 4_194_304
"""What a client of ours will send or take at most; the broker's topics say less."""


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
