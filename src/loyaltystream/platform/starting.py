"""Starts services: claims ports, launches processes, waits for answers.

Does I/O: sockets, files, processes. The caller holds the platform's lock.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from loyaltystream.errors import ConfigurationError, PlatformError
from loyaltystream.platform import disk, process
from loyaltystream.platform.ports import LOOPBACK, free_port, obstacle
from loyaltystream.platform.process import Started
from loyaltystream.platform.record import write_record
from loyaltystream.platform.report import Report
from loyaltystream.platform.site import Site
from loyaltystream.settings import variable

POLL_S = 0.05
RELEASE_S = 2
ROOM_BYTES = 256 * disk.MIB
FULL_BYTES = 8 * disk.MIB
SETTING = "platform.directory"


@dataclass(frozen=True)
class Start:
    """What a start needs beside the sites: whom to tell, and how much room there is."""

    report: Report
    free: Callable[[Path], int] = disk.free_bytes

    def bring_up(self, sites: Sequence[Site]) -> None:
        """Start the programs that do not run, at the same time; return once all serve clients.

        Raises:
            ConfigurationError: if a chosen port is taken; nothing was started.
            PlatformError: if one does not come up; whatever this call started is ended again.
        """
        down = [site for site in sites if not self._serves(site)]
        for site in sites:
            if site in down:
                self._claim_port(site)
            else:
                self._compare_port(site)
        try:
            for site in down:
                self._launch(site)
            for site in down:
                self._demand_service(site)
        except BaseException:
            for site in down:
                end(site)
            raise

    def _compare_port(self, site: Site) -> None:
        if site.chosen_port not in {0, site.record.port}:
            self.report.fact(
                f"{site.program.name} runs on port {site.record.port}; {site.program.setting} = "
                f"{site.chosen_port} counts once it was stopped"
            )

    def _claim_port(self, site: Site) -> None:
        port = _demand(site) if site.chosen_port else self._kept_or_fresh(site)
        with disk.translated(site.directory, setting=SETTING):
            site.directory.mkdir(parents=True, exist_ok=True)
            write_record(site.directory, replace(site.record, port=port))

    def _kept_or_fresh(self, site: Site) -> int:
        kept = site.record.port
        if kept is None:
            return free_port(site.program.ports)
        why = _lasting_obstacle(site, kept)
        if why is None:
            return kept
        fresh = free_port(site.program.ports)
        self.report.fact(f"{site.program.name} moves to port {fresh}: {kept} is {why}")
        return fresh

    def _launch(self, site: Site) -> None:
        record = site.record
        mark = process.new_mark()
        command = site.program.command(site.directory, mark)
        with disk.translated(site.directory, setting=SETTING):
            disk.demand_room(site.directory, ROOM_BYTES, setting=SETTING, free=self.free)
            disk.remove(site.directory / "tmp")
            (site.directory / "tmp").mkdir()
            site.program.prepare(site.directory, record.port or 0)
            if site.log.exists():
                site.log.replace(site.log.with_name(f"{site.log.name}.1"))
            # Noted before and after: whatever ends us in between, the next start finds it.
            write_record(site.directory, replace(record, started=Started(mark)))
            started = process.launch(command, mark, output=site.output)
            write_record(site.directory, replace(record, started=started))

    def _demand_service(self, site: Site) -> None:
        if not self._serves(site):
            raise PlatformError(site.last_words("ended while it started"))

    def _serves(self, site: Site) -> bool:
        """Wait until the program answers, or has ended: one that was just killed runs a moment."""
        program = site.program
        deadline = time.monotonic() + program.patience_s
        while (running := site.running) is not None:
            # Asked in this order: somebody else may answer on the port of one that has ended.
            if program.answers(site.record.port or 0) and site.running:
                self.report.fact(f"{program.name}: serves {site.address} (pid {running.pid})")
                return True
            # Neither of them ends when it cannot write; the registry does not even log it.
            if self.free(site.directory) < FULL_BYTES:
                raise PlatformError(
                    site.last_words(f"cannot start: {site.directory} is on a full disk")
                )
            if time.monotonic() > deadline:
                silent = f"(pid {running.pid}) gave no answer at {site.address} for "
                raise PlatformError(site.last_words(f"{silent}{program.patience_s:.0f} s"))
            time.sleep(POLL_S)
        return False


def end(site: Site) -> bool:
    """End the program by SIGTERM, or after its grace by SIGKILL; return whether it ran."""
    started = site.record.started
    if started is None or process.find(started) is None:
        return False
    process.end(started, grace_s=site.program.grace_s)
    return True


def _lasting_obstacle(site: Site, port: int) -> str | None:
    # A process that was killed is gone from sight a moment before its sockets are.
    deadline = time.monotonic() + (RELEASE_S if site.record.started else 0)
    while (why := obstacle(port)) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    return why


def _demand(site: Site) -> int:
    port, setting = site.chosen_port, site.program.setting
    if why := _lasting_obstacle(site, port):
        raise ConfigurationError(
            f"{setting} = {port}: {LOOPBACK}:{port} is {why}; stop that, or choose another port; "
            f"0 takes a free one: {setting} = 0, or {variable(setting)}=0"
        )
    return port
