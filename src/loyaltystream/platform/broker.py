"""Apache Kafka in one node that is broker and controller. Does I/O: files, one JVM to format, TCP.

All paths in its configuration are relative to its directory, so that no character of a path can
mean something to Kafka (a comma in `log.dirs` would).
"""

import socket
import struct
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import ClassVar

from loyaltystream.errors import PlatformError
from loyaltystream.platform import disk, jvm
from loyaltystream.platform.installation import Installed
from loyaltystream.platform.ports import LOOPBACK, free_port
from loyaltystream.platform.process import Command

CONFIGURATION = "server.properties"
LOGGING = "log4j2.xml"
STORE = "data"
FORMAT_S = 60
SAID_CHARACTERS = 2000
PROBE_S = 2
METADATA_KEY, METADATA_VERSION = 3, 4
CONTROLLER_PORTS = range(24_000, 27_000)

# The full JIT and the collector that Kafka's own scripts choose: benchmarks run on this broker.
OPTIONS = (
    "-Xms256m",
    "-Xmx512m",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
    f"-Dlog4j2.configurationFile={LOGGING}",
)
FORMAT_OPTIONS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", OPTIONS[-1])

ONE_NODE = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "default.replication.factor": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    # After a kill -9 the controller holds the old registration this long before it takes the new
    # one: with Kafka's 9 s a restart takes 11.7 s, with 2 s it takes 3.6 s (measured).
    "broker.session.timeout.ms": 2000,
    "broker.heartbeat.interval.ms": 400,
}
FOR_CLIENTS = {
    "auto.create.topics.enable": "false",
    "message.max.bytes": 2 * disk.MIB,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    "transaction.max.timeout.ms": 15 * 60 * 1000,
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,
}
SMALL = {
    "offsets.topic.num.partitions": 5,
    "transaction.state.log.num.partitions": 5,
    "share.coordinator.state.topic.num.partitions": 5,
    "log.retention.hours": 7 * 24,
    "log.segment.bytes": 128 * disk.MIB,
    # Kafka's 128 MB would be a quarter of the heap, taken at the start.
    "log.cleaner.dedupe.buffer.size": 16 * disk.MIB,
    "num.network.threads": 2,
    "num.io.threads": 4,
}


@dataclass(frozen=True)
class Detour:
    """A second listener of the broker, whose clients are told a proxy's port for the broker's own.

    A client that comes in through the proxy so stays behind it for every connection that follows.
    """

    port: int
    advertised_port: int


@dataclass(frozen=True)
class Broker:
    """The program that `platform.broker` runs.

    A detour is only for tests of bad networks; further settings, the id of a cluster that is more
    than this broker, and options of its JVM behind ours for tests of other brokers.
    """

    installed: Callable[[], Installed]
    detour: Detour | None = None
    further: Mapping[str, str] = field(default_factory=dict)
    cluster: str | None = None
    options: Sequence[str] = ()

    name: ClassVar[str] = "kafka"
    setting: ClassVar[str] = "platform.kafka_port"
    ports: ClassVar[range] = range(20_000, 24_000)
    patience_s: ClassVar[float] = 120
    grace_s: ClassVar[float] = 15

    def prepare(self, directory: Path, port: int) -> None:
        """Write its configuration, and format its store if there is none.

        Raises:
            PlatformError: if the store cannot be formatted.
        """
        logging = resources.files(__package__).joinpath(LOGGING).read_text(encoding="utf-8")
        disk.write_whole(directory / LOGGING, logging)
        controller_port = free_port(CONTROLLER_PORTS)
        if not (directory / STORE / "meta.properties").exists():
            # Formatted under another name: a store has the right one only when it is complete.
            fresh = f"{STORE}.new"
            disk.remove(directory / fresh)
            self._write_configuration(directory, (port, controller_port), store=fresh)
            self._format(directory)
            (directory / fresh).rename(directory / STORE)
        self._write_configuration(directory, (port, controller_port), store=STORE)

    def command(self, directory: Path, mark: str) -> Command:
        """Return the command line of the broker."""
        options = (mark, *OPTIONS, *self.options)
        argv = jvm.argv(directory, options, ("kafka.Kafka", CONFIGURATION))
        return Command(argv, directory, jvm.environment(self.installed().class_path))

    def address(self, port: int) -> str:
        """Return its `bootstrap.servers`."""
        return f"{LOOPBACK}:{port}"

    def answers(self, port: int) -> bool:
        """Tell whether the cluster's metadata name a broker: one that the controller has let in."""
        try:
            return _count_brokers(port) > 0
        except (OSError, struct.error):
            return False

    def _write_configuration(self, directory: Path, ports: tuple[int, int], *, store: str) -> None:
        port, controller_port = ports
        here = {
            "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
            "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
            "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
            "log.dirs": store,
        }
        settings: dict[str, object] = {**ONE_NODE, **FOR_CLIENTS, **SMALL, **here}
        if (detour := self.detour) is not None:
            settings["listeners"] = f"{here['listeners']},DETOUR://{LOOPBACK}:{detour.port}"
            settings["advertised.listeners"] = (
                f"{here['advertised.listeners']},DETOUR://{LOOPBACK}:{detour.advertised_port}"
            )
            protocols = "listener.security.protocol.map"
            settings[protocols] = f"{settings[protocols]},DETOUR:PLAINTEXT"
        disk.write_whole(directory / CONFIGURATION, jvm.properties({**settings, **self.further}))

    def _format(self, directory: Path) -> None:
        cluster = self.cluster or new_cluster()
        program = ("kafka.tools.StorageTool", "format", f"--cluster-id={cluster}")
        argv = jvm.argv(directory, FORMAT_OPTIONS, (*program, f"--config={CONFIGURATION}"))
        try:
            subprocess.run(  # noqa: S603 (a command of ours, without a shell)
                argv,
                cwd=directory,
                env=dict(jvm.environment(self.installed().class_path)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=FORMAT_S,
                check=True,
            )
        except subprocess.SubprocessError as error:
            said = getattr(error, "stdout", None) or b""
            raise PlatformError(
                f"kafka: {directory} could not be formatted ({type(error).__name__}):\n"
                + said.decode("utf-8", "replace").strip()[-SAID_CHARACTERS:]
            ) from error


def new_cluster() -> str:
    """Return an id for a cluster, in Kafka's own form."""
    return urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")


def _count_brokers(port: int) -> int:
    # A Metadata request, version 4, of no topics: kafka.apache.org/protocol. Asked by hand since
    # this room has no Kafka client, and a fenced broker accepts connections all the same.
    header = struct.pack(">hhih", METADATA_KEY, METADATA_VERSION, 1, -1)
    request = header + struct.pack(">ib", 0, 0)
    with socket.create_connection((LOOPBACK, port), timeout=PROBE_S) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        with connection.makefile("rb") as reply:
            _size, _correlation, _throttle, brokers = struct.unpack(">iiii", reply.read(16))
    return int(brokers)
