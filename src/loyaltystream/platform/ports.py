"""Chooses ports on the loopback interface, and says who holds one. Does I/O: sockets, processes."""

import errno
import random
import socket

from loyaltystream.errors import PlatformError
from loyaltystream.platform.process import port_holder

LOOPBACK = "127.0.0.1"
ATTEMPTS = 200


def obstacle(port: int) -> str | None:
    """Return why no server could listen on `port` now; None if one could."""
    with socket.socket() as probe:
        # As a JVM does: connections of a dead server that linger do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            return (
                f"held by {port_holder(port)}"
                if error.errno == errno.EADDRINUSE
                else f"refused: {error}"
            )
    return None


def free_port(among: range) -> int:
    """Return a port of `among`, any, on which a server could listen now.

    The platform's ranges lie below every system's range for outgoing connections. Inside that, a
    client that tries again while its broker is down ends up connected to itself, and the broker
    finds its own port taken.

    Raises:
        PlatformError: if there is none.
    """
    for port in random.SystemRandom().sample(among, min(len(among), ATTEMPTS)):
        if obstacle(port) is None:
            return port
    raise PlatformError(
        f"no free port on {LOOPBACK} from {among[0]} to {among[-1]}; choose one with "
        "platform.kafka_port and platform.registry_port"
    )
