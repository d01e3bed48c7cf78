"""A broker and a registry that ask who is there, made for tests: certificates, passwords, rules."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from loyaltystream.clients import KafkaSettings
from loyaltystream.platform import Addresses, Detour, LocalPlatform, Variation
from loyaltystream.platform.ports import LOOPBACK, free_port
from loyaltystream.platform.registry import API
from tests.certificates import Authority, Files
from tests.cluster import own_platform

SECURE_PORTS: Final = range(27_000, 28_000)
LISTENER: Final = "listener.name.detour"

_LOOKED_UP: Final = re.compile(
    r"Principal = User:(?P<who>\S+) is (?P<what>Allowed|Denied) operation = (?P<operation>\w+) "
    r"from host = \S+ on resource = (?P<resource>\w+):LITERAL:(?P<name>\S+) "
    r"for request = (?P<request>\w+)"
)


class Lookup(NamedTuple):
    """A right that a broker looked up, as its log has it."""

    who: str
    allowed: bool
    operation: str
    resource: str
    name: str
    request: str


class Guarded:
    """A platform behind TLS.

    Attributes:
        platform: whose plain listener is for who may do everything.
        addresses: where it is reached by TLS.
        authority: whose certificates it believes.
        kafka: how the plain listener is reached.
    """

    def __init__(self, platform: LocalPlatform, secure: Addresses, authority: Authority) -> None:
        self.platform = platform
        self.addresses = secure
        self.authority = authority
        self.kafka = KafkaSettings(bootstrap_servers=str(platform.broker.address))

    def certified(self, name: str) -> dict[str, str]:
        """Return a client's properties, with a certificate in that name."""
        shown = self.authority.issue(name)
        return {
            "security.protocol": "SSL",
            "ssl.ca.location": str(self.authority.file),
            "ssl.certificate.location": str(shown.certificate),
            "ssl.key.location": str(shown.key),
        }

    def signed(self, name: str) -> dict[str, str]:
        """Return the properties of a registry's client, with a certificate in that name."""
        return {
            name: value
            for name, value in self.certified(name).items()
            if name != "security.protocol"
        }

    def looked_up(self) -> list[Lookup]:
        """Return the rights that were asked for by anybody with a name."""
        log = (self.platform.directory / "kafka" / "kafka.log").read_text()
        return [
            Lookup(
                found["who"],
                found["what"] == "Allowed",
                found["operation"],
                found["resource"],
                found["name"],
                found["request"],
            )
            for found in _LOOKED_UP.finditer(log)
            if found["who"] != "ANONYMOUS"
        ]


@contextmanager
def guarded(directory: Path, protocol: str, further: Mapping[str, str]) -> Iterator[Guarded]:
    """Yield a running platform whose second listener speaks TLS, and whose registry does.

    Args:
        directory: where it lives.
        protocol: of the listener: SSL, or SASL_SSL.
        further: settings of the broker.
    """
    directory.mkdir()
    authority = Authority(directory, "authority")
    server = authority.issue("server")
    port, secure = free_port(SECURE_PORTS), free_port(SECURE_PORTS)
    variation = Variation(
        detour=Detour(port, port),
        broker=_tls(authority, server, directory) | _protocols(protocol) | dict(further),
        registry=_registry_tls(authority, server, secure),
    )
    with own_platform(directory / "platform", variation) as platform:
        platform.start()
        addresses = Addresses(f"{LOOPBACK}:{port}", f"https://{LOOPBACK}:{secure}{API}")
        yield Guarded(platform, addresses, authority)


def _protocols(protocol: str) -> dict[str, str]:
    return {
        "listener.security.protocol.map": (
            f"PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,DETOUR:{protocol}"
        )
    }


def _tls(authority: Authority, server: Files, directory: Path) -> dict[str, str]:
    both = directory / "both.pem"
    both.write_bytes(server.key.read_bytes() + server.certificate.read_bytes())
    return {
        f"{LISTENER}.ssl.keystore.type": "PEM",
        f"{LISTENER}.ssl.keystore.location": str(both),
        f"{LISTENER}.ssl.truststore.type": "PEM",
        f"{LISTENER}.ssl.truststore.location": str(authority.file),
    }


def _registry_tls(authority: Authority, server: Files, port: int) -> dict[str, str]:
    return {
        "quarkus.http.ssl-port": str(port),
        "quarkus.http.ssl.certificate.files": str(server.certificate),
        "quarkus.http.ssl.certificate.key-files": str(server.key),
        "quarkus.http.ssl.certificate.trust-store-files": str(authority.file),
        "quarkus.http.ssl.client-auth": "required",
    }
