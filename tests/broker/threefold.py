"""A cluster of three real brokers: any of the second and third can be killed, and comes back.

The first one is also the only controller, which so outlives the others: with one broker of three
left, it is still told what to do. No broker is told `min.insync.replicas`: what topics have of it
is `init`'s own word.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from confluent_kafka.admin import AdminClient, TopicMetadata

from loyaltystream.platform import LocalPlatform, Variation, jvm
from loyaltystream.platform.broker import Broker, new_cluster
from loyaltystream.platform.installation import Installation
from loyaltystream.platform.maven import download
from loyaltystream.platform.pins import read_pins
from loyaltystream.platform.ports import LOOPBACK, free_port
from loyaltystream.platform.report import Silence
from loyaltystream.settings import PlatformSettings, load
from tests.shop import eventually

NODES: Final = (1, 2, 3)
CONTROLLER_PORTS: Final = range(28_000, 29_000)
SMALL: Final = ("-Xms64m", "-Xmx256m", "-XX:TieredStopAtLevel=1")
"""They live for a minute: nothing gets warm."""

PATIENCE_S: Final = 120.0
TOOL_S: Final = 60


class Threefold:
    """Three brokers that are one cluster, by their numbers.

    Attributes:
        bootstrap: the addresses of all three.
    """

    def __init__(self, nodes: Mapping[int, LocalPlatform]) -> None:
        self._nodes = nodes
        self.bootstrap = ",".join(str(node.broker.address) for node in nodes.values())
        self._admin = AdminClient({"bootstrap.servers": self.bootstrap})

    def start(self, *numbers: int) -> None:
        """Start brokers, and wait until all are there and every copy is in sync."""
        with ThreadPoolExecutor(len(numbers)) as pool:
            list(pool.map(lambda number: self._nodes[number].broker.start(), numbers))
        eventually(lambda: self.alive() == set(NODES), "all are registered", PATIENCE_S)
        eventually(self._is_in_sync, "all copies are in sync", PATIENCE_S)

    def kill(self, *numbers: int) -> None:
        """Kill brokers as a power cut does, all at once."""
        pids = [self._nodes[number].broker.pid for number in numbers]
        for pid in pids:
            assert pid is not None
            os.kill(pid, signal.SIGKILL)

    def alive(self) -> set[int]:
        """Return the numbers of the brokers that the controller has let in."""
        return set(self._admin.list_topics(timeout=10).brokers)

    def topics(self, prefix: str = "") -> list[TopicMetadata]:
        """Return what the cluster tells of topics."""
        found = self._admin.list_topics(timeout=10).topics
        return [topic for name, topic in found.items() if name.startswith(prefix)]

    def leaders(self, topic: str) -> set[int]:
        """Return which brokers lead partitions of a topic."""
        partitions = self._admin.list_topics(topic, timeout=10).topics[topic].partitions
        return {partition.leader for partition in partitions.values()}

    def memory_bytes(self) -> int:
        """Return what all three take."""
        return sum(node.broker.state().memory_bytes for node in self._nodes.values())

    def _is_in_sync(self) -> bool:
        return all(
            len(partition.isrs) == len(partition.replicas)
            for topic in self.topics()
            for partition in topic.partitions.values()
        )


@contextmanager
def threefold(directory: Path) -> Iterator[Threefold]:
    """Yield a running cluster; whatever of it runs in the end is ended, each by its id."""
    cluster, controller = new_cluster(), free_port(CONTROLLER_PORTS)
    ports = _free_ports()
    with ExitStack() as stack:
        nodes = {
            number: stack.enter_context(
                _node(
                    directory / str(number),
                    ports[number],
                    _settings(number, ports, controller),
                    cluster,
                )
            )
            for number in NODES
        }
        made = Threefold(nodes)
        made.start(*NODES)
        yield made


def run_tool(command: str, bootstrap: str, directory: Path) -> None:
    """Run a line of Kafka's own `kafka-configs.sh`, as a person would who was told it.

    The archive that the platform has brings the program, not the script around it.
    """
    script, *arguments = command.replace("BROKER", bootstrap).split()
    assert script == "kafka-configs.sh"
    cache = load().platform.cache or Path.home() / ".cache" / "loyaltystream"
    installed = Installation(read_pins(), cache, download, Silence()).ready()
    options = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx128m")
    done = subprocess.run(
        jvm.argv(directory, options, ("kafka.admin.ConfigCommand", *arguments)),
        env=dict(jvm.environment(installed.class_path)),
        capture_output=True,
        text=True,
        timeout=TOOL_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _free_ports() -> dict[int, int]:
    ports: set[int] = set()
    while len(ports) < len(NODES):
        ports.add(free_port(Broker.ports))
    return dict(zip(NODES, ports, strict=True))


@contextmanager
def _node(
    directory: Path, port: int, settings: Mapping[str, str], cluster: str
) -> Iterator[LocalPlatform]:
    node = LocalPlatform(
        PlatformSettings(
            directory=directory, cache=load().platform.cache, kafka_port=port, registry_port=0
        ),
        variation=Variation(broker=settings, cluster=cluster, options=SMALL),
    )
    try:
        yield node
    finally:
        node.stop()


def _settings(number: int, ports: Mapping[int, int], controller: int) -> dict[str, str]:
    leads = number == NODES[0]
    listeners = [f"PLAINTEXT://{LOOPBACK}:{ports[number]}"]
    if leads:
        listeners.append(f"CONTROLLER://{LOOPBACK}:{controller}")
    return {
        "node.id": str(number),
        "process.roles": "broker,controller" if leads else "broker",
        "listeners": ",".join(listeners),
        "controller.quorum.voters": f"{NODES[0]}@{LOOPBACK}:{controller}",
        "offsets.topic.replication.factor": "3",
        "transaction.state.log.replication.factor": "3",
        "transaction.state.log.min.isr": "2",
    }
