"""What all rounds of a run stand on: a broker, a registry, and the proxy before the broker.

Does I/O: starts and stops a local platform of its own.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final

from loyaltystream.platform import Addresses, Detour, LocalPlatform, Variation
from loyaltystream.platform.ports import free_port
from loyaltystream.settings import PlatformSettings, load
from tests.chaos.proxy import LOOPBACK, Proxy
from tests.chaos.stalls import Stalls

DETOUR_PORTS: Final = range(27_000, 28_000)


class Ground:
    """A platform that may be broken, and how it is reached.

    Attributes:
        addresses: the broker straight, and the registry.
        proxy: the only way of workers to the broker.
        stalls: when the machine stood still.
    """

    def __init__(self, platform: LocalPlatform, proxy: Proxy, addresses: Addresses) -> None:
        self.platform = platform
        self.proxy = proxy
        self.addresses = addresses
        self.stalls = Stalls()

    @property
    def detour(self) -> str:
        """How workers reach the broker."""
        return f"{LOOPBACK}:{self.proxy.port}"

    def signal_broker(self, number: signal.Signals) -> None:
        """Send the broker's process a signal."""
        if (pid := self.platform.broker.pid) is not None:
            os.kill(pid, number)

    def kill_registry(self) -> None:
        """Kill the registry's process."""
        if (pid := self.platform.registry.pid) is not None:
            os.kill(pid, signal.SIGKILL)


@contextmanager
def laid(directory: Path, random: Random) -> Iterator[Ground]:
    """Yield a running platform behind a proxy; it is stopped in the end."""
    proxy = Proxy(random)
    port = free_port(DETOUR_PORTS)
    settings = PlatformSettings(
        directory=directory, cache=load().platform.cache, kafka_port=0, registry_port=0
    )
    proxy.upstream = port
    platform = LocalPlatform(settings, variation=Variation(Detour(port, proxy.start())))
    try:
        ground = Ground(platform, proxy, platform.start())
        yield ground
        ground.stalls.close()
    finally:
        platform.broker.stop()
        platform.stop()
        proxy.stop()
