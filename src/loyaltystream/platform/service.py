"""One service of the platform, to start, to stop and to look at. Does I/O: files, processes."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from loyaltystream.platform import starting
from loyaltystream.platform.site import Site
from loyaltystream.platform.starting import Start
from loyaltystream.platform.tail import last_lines

Lock = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class ServiceState:
    """What can be told of a service from outside."""

    name: str
    running: bool
    pid: int | None
    address: str | None
    memory_bytes: int
    log: Path


@dataclass(frozen=True)
class Service:
    """The broker or the registry; each may be started and stopped on its own."""

    site: Site
    lock: Lock
    begin: Start

    @property
    def name(self) -> str:
        """`kafka` or `registry`."""
        return self.site.program.name

    @property
    def pid(self) -> int | None:
        """The process that runs (also one that SIGSTOP holds); None if none does."""
        return found.pid if (found := self.site.running) else None

    @property
    def address(self) -> str | None:
        """How clients name it, running or not; None before the first start on a free port."""
        return self.site.address

    def state(self) -> ServiceState:
        """Return what can be told of it now."""
        found = self.site.running
        return ServiceState(
            name=self.name,
            running=found is not None,
            pid=found.pid if found else None,
            address=self.address,
            memory_bytes=found.memory_bytes if found else 0,
            log=self.site.log,
        )

    def start(self) -> None:
        """Start it unless it runs, and return once it serves clients.

        Raises:
            ConfigurationError: if the port that a setting chose is taken.
            PlatformError: if it does not come up; it is then ended again.
        """
        with self.lock():
            self.begin.bring_up([self.site])

    def stop(self) -> bool:
        """End it, by SIGTERM or after a while by SIGKILL; return whether it ran."""
        if not self.site.directory.exists():
            return False
        with self.lock():
            return starting.end(self.site)

    def last_lines(self, lines: int) -> list[str]:
        """Return the end of its log."""
        return last_lines(self.site.log, lines)
