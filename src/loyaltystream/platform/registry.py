"""Apicurio Registry, which speaks the Confluent API, on a store that outlives it.

Does I/O: files, HTTP. Its own default keeps schemas in memory: a restart would forget them all and
hand out their ids anew. H2 with WRITE_DELAY=0 has a schema on disk before it is acknowledged.
"""

import http.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from loyaltystream.platform import disk, jvm
from loyaltystream.platform.installation import Installed
from loyaltystream.platform.ports import LOOPBACK
from loyaltystream.platform.process import Command

API = "/apis/ccompat/v7"
CONFIGURATION = Path("config") / "application.properties"
PROBE_S = 5

# Without the second compiler it starts in 1.7 s instead of 2.6, and nobody measures this one.
OPTIONS = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")

SETTINGS = {
    "quarkus.http.host": LOOPBACK,
    # A second listener, which Quarkus would open to the world on port 9000.
    "quarkus.management.host": LOOPBACK,
    "quarkus.management.port": 0,
    "quarkus.otel.sdk.disabled": "true",
    "quarkus.banner.enabled": "false",
    "quarkus.http.access-log.enabled": "false",
    "quarkus.log.level": "WARN",
    'quarkus.log.category."io.apicurio".level': "WARN",
    'quarkus.log.category."io.quarkus".level': "INFO",
    # It warns of keys in its own configuration.
    'quarkus.log.category."io.quarkus.config".level': "ERROR",
    "quarkus.log.console.enabled": "false",
    "quarkus.log.file.enabled": "true",
    "quarkus.log.file.json.enabled": "false",
    "quarkus.log.file.path": "registry.log",
    "quarkus.log.file.format": "%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %c{1} %s%e%n",
    "quarkus.log.file.rotation.max-file-size": "10M",
    "quarkus.log.file.rotation.max-backup-index": 1,
    "quarkus.log.file.rotation.rotate-on-boot": "false",
    "apicurio.storage.kind": "sql",
    "apicurio.storage.sql.kind": "h2",
    "apicurio.datasource.url": "jdbc:h2:file:./registry;WRITE_DELAY=0",
    "apicurio.datasource.username": "registry",
    "apicurio.datasource.password": "registry",
}


@dataclass(frozen=True)
class Registry:
    """The program that `platform.registry` runs; further settings are for tests of other ones."""

    installed: Callable[[], Installed]
    further: Mapping[str, str] = field(default_factory=dict)

    name: ClassVar[str] = "registry"
    setting: ClassVar[str] = "platform.registry_port"
    ports: ClassVar[range] = range(27_000, 30_000)
    patience_s: ClassVar[float] = 120
    grace_s: ClassVar[float] = 10

    def prepare(self, directory: Path, port: int) -> None:
        """Write its configuration, where Quarkus looks for it."""
        (directory / CONFIGURATION).parent.mkdir(exist_ok=True)
        settings = {"quarkus.http.port": port, **SETTINGS, **self.further}
        disk.write_whole(directory / CONFIGURATION, jvm.properties(settings))

    def command(self, directory: Path, mark: str) -> Command:
        """Return the command line of the registry."""
        program = ("-jar", str(self.installed().registry / "quarkus-run.jar"))
        return Command(jvm.argv(directory, (mark, *OPTIONS), program), directory, jvm.environment())

    def address(self, port: int) -> str:
        """Return the URL that a client of Confluent's registry takes."""
        return f"http://{LOOPBACK}:{port}{API}"

    def answers(self, port: int) -> bool:
        """Tell whether it lists its subjects."""
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=PROBE_S)
        try:
            connection.request("GET", f"{API}/subjects")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
