"""The local platform: Kafka and a schema registry of your own, without Docker.

Does I/O: network (once), cache, its directory, processes.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from loyaltystream.platform import disk, maven, starting
from loyaltystream.platform.broker import Broker, Detour
from loyaltystream.platform.installation import Installation, Installed
from loyaltystream.platform.pins import read_pins
from loyaltystream.platform.program import Program
from loyaltystream.platform.registry import Registry
from loyaltystream.platform.report import Report, Silence
from loyaltystream.platform.service import Service, ServiceState
from loyaltystream.platform.site import Site
from loyaltystream.platform.starting import Start
from loyaltystream.settings import PlatformSettings


@dataclass(frozen=True)
class Addresses:
    """What clients of the platform have to know."""

    bootstrap_servers: str
    registry_url: str


@dataclass(frozen=True)
class Variation:
    """What tests have otherwise than everybody.

    Attributes:
        detour: a way to the broker through somebody's proxy, or with another protocol, beside the
            straight one.
        broker: settings of the broker that are not ours.
        registry: settings of the registry that are not ours.
        cluster: the id of the cluster that the broker is one of; None: it is one by itself.
        options: of the broker's JVM; the last one counts.
    """

    detour: Detour | None = None
    broker: Mapping[str, str] = field(default_factory=dict)
    registry: Mapping[str, str] = field(default_factory=dict)
    cluster: str | None = None
    options: Sequence[str] = ()


class LocalPlatform:
    """One Kafka broker and one registry in a directory, on the loopback interface.

    They outlive the process that started them. Everything is read from the directory each time, so
    that any number of these objects, here or in other processes, agree.
    """

    def __init__(
        self,
        settings: PlatformSettings,
        *,
        report: Report | None = None,
        download: maven.Download = maven.download,
        variation: Variation | None = None,
    ) -> None:
        """Describe the platform of `settings`; nothing is read or started yet.

        Args:
            settings: Where it lives, and on which ports.
            report: Told what happens; by default nobody is.
            download: Fetches an archive that the cache lacks.
            variation: What is otherwise, for tests.
        """
        self.directory = settings.directory.expanduser().absolute()
        cache = settings.cache or Path.home() / ".cache" / "loyaltystream"
        self.cache = cache.expanduser().absolute()
        self._report = report or Silence()
        self._download = download
        varied = variation or Variation()
        broker = Broker(
            self._get_installed, varied.detour, varied.broker, varied.cluster, varied.options
        )
        self.broker = self._service(broker, settings.kafka_port)
        registry = Registry(self._get_installed, varied.registry)
        self.registry = self._service(registry, settings.registry_port)

    def start(self) -> Addresses:
        """Start what does not run, wait until both serve clients, and return their addresses.

        Raises:
            ConfigurationError: if a port that a setting chose is taken; nothing was started.
            PlatformError: if anything else is in the way; what this call started was ended again.
        """
        with self._locked():
            # The registry first: the broker has its store formatted meanwhile.
            Start(self._report).bring_up([self.registry.site, self.broker.site])
        return Addresses(str(self.broker.address), str(self.registry.address))

    def stop(self) -> list[str]:
        """End what runs, and nothing else; return the names of what ran.

        Raises:
            PlatformError: if something does not end even by SIGKILL.
        """
        with self._readable():
            return [service.name for service in (self.broker, self.registry) if service.stop()]

    def status(self) -> list[ServiceState]:
        """Return what can be told of both services now."""
        with self._readable():
            return [self.broker.state(), self.registry.state()]

    def logs(self, *, lines: int) -> dict[str, list[str]]:
        """Return the last lines of each service's log, by its name."""
        with self._readable():
            return {one.name: one.last_lines(lines) for one in (self.broker, self.registry)}

    def _service(self, program: Program, port: int) -> Service:
        site = Site(program, self.directory / program.name, port)
        return Service(site, self._locked, Start(self._report))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        told = partial(self._report.fact, f"waiting for another start or stop in {self.directory}")
        with self._readable(), disk.locked(self.directory / "lock", waiting=told):
            yield

    def _readable(self) -> AbstractContextManager[None]:
        return disk.translated(self.directory, setting=starting.SETTING)

    def _get_installed(self) -> Installed:
        return self._installed

    @cached_property
    def _installed(self) -> Installed:
        return Installation(read_pins(), self.cache, self._download, self._report).ready()
