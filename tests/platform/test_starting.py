"""Starts and stops, with a program that starts in no time in the place of Java."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from loyaltystream.errors import ConfigurationError, PlatformError
from loyaltystream.platform import disk, process
from loyaltystream.platform.record import Record, read_record, write_record
from loyaltystream.platform.service import Service
from loyaltystream.platform.site import Site
from loyaltystream.platform.starting import Start
from tests.platform.fakes import HANG, LISTEN_ON, Script, Told, until


class Case:
    """A service over a script, in a directory."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.told = Told()
        self.script = Script()
        self.made: list[Service] = []

    def service(self, *, port: int = 0, free_bytes: int = 1 << 40) -> Service:
        site = Site(self.script, self.home / self.script.name, port)
        service = Service(site, self.locked, Start(self.told, lambda _path: free_bytes))
        self.made.append(service)
        return service

    @contextmanager
    def locked(self) -> Iterator[None]:
        with disk.locked(self.home / "lock", waiting=lambda: None):
            yield


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    made = Case(tmp_path)
    yield made
    for service in made.made:
        service.stop()


def test_a_service_starts_and_answers(case: Case) -> None:
    """After a start the service runs where it says."""
    service = case.service()
    service.start()
    state = service.state()
    assert state.running
    assert state.pid == service.pid
    assert state.memory_bytes > 0
    assert state.address == service.address
    assert case.script.answers(case.script.prepared[0])


def test_nothing_is_known_before_the_first_start(case: Case) -> None:
    """A service that never started has no process and no address, and looking leaves no trace."""
    service = case.service()
    assert service.state().pid is None
    assert service.address is None
    assert service.stop() is False
    assert list(case.home.iterdir()) == []


def test_a_second_start_changes_nothing(case: Case) -> None:
    """Starting what runs, also from another process's view, leaves it alone."""
    first, second = case.service(), case.service()
    first.start()
    pid = first.pid
    second.start()
    assert (second.pid, second.address) == (pid, first.address)
    assert len(case.script.prepared) == 1


def test_two_starts_at_once_start_one(case: Case) -> None:
    """Two starts in one directory do not fight: the second finds what the first has started."""
    threads = [threading.Thread(target=case.service().start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(case.script.prepared) == 1
    assert {service.pid for service in case.made} == {case.made[0].pid}


def test_a_free_port_is_kept(case: Case) -> None:
    """A service on a free port has the same address after a stop and a start."""
    service = case.service()
    service.start()
    address = service.address
    assert service.stop() is True
    assert service.address == address
    service.start()
    assert service.address == address


def test_a_kept_port_that_somebody_took_is_given_up(case: Case) -> None:
    """A free port that was lost to somebody else is replaced by another one, and that is told."""
    service = case.service()
    service.start()
    service.stop()
    kept = case.script.prepared[0]
    with socket.create_server(("127.0.0.1", kept)):
        service.start()
    assert case.script.prepared[1] != kept
    assert f"{kept} is held by" in "\n".join(case.told.facts)


def test_a_chosen_port_that_is_taken_is_a_wrong_setting(case: Case) -> None:
    """The error names the setting, its variable, who holds the port, and the way out."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(ConfigurationError) as refused:
            case.service(port=port).start()
    message = str(refused.value)
    assert f"platform.kafka_port = {port}" in message
    assert f"(pid {os.getpid()}, " in message
    assert "LOYALTYSTREAM_PLATFORM__KAFKA_PORT=0" in message
    assert case.script.prepared == []


def test_a_port_chosen_anew_counts_from_the_next_start(case: Case) -> None:
    """Another port in the settings does not move what runs; it is told when it will."""
    first = case.service()
    first.start()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    second = case.service(port=port)
    second.start()
    assert second.address == first.address
    assert f"platform.kafka_port = {port} counts once it was stopped" in "\n".join(case.told.facts)
    second.stop()
    second.start()
    assert second.address == f"127.0.0.1:{port}"


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_service_starts_again(case: Case, sign: signal.Signals) -> None:
    """A service that was killed is down, and the next start brings it back where it was."""
    service = case.service()
    service.start()
    before = service.state()
    assert before.pid is not None
    os.kill(before.pid, sign)
    until(lambda: not service.state().running)
    service.start()
    after = service.state()
    assert after.running
    assert after.pid != before.pid
    assert after.address == before.address


def test_a_stale_record_touches_no_stranger(case: Case) -> None:
    """After a reboot the noted id may be anybody's: he is not ended, and the service starts."""
    stranger = process.Started(process.new_mark(), os.getpid())
    service = case.service()
    service.site.directory.mkdir()
    write_record(service.site.directory, Record(None, stranger))
    assert service.pid is None
    assert service.stop() is False
    service.start()
    assert service.pid != os.getpid()


def test_a_start_that_was_killed_half_way_is_taken_up(case: Case) -> None:
    """A process that was started, but not noted, is found again instead of started twice."""
    service = case.service()
    service.start()
    record = service.site.record
    assert record.started is not None
    write_record(service.site.directory, replace(record, started=replace(record.started, pid=None)))
    assert service.pid == record.started.pid
    service.start()
    assert len(case.script.prepared) == 1


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"port": 1, "started": {"pid": 2}}'])
def test_a_record_that_power_loss_broke_is_no_record(tmp_path: Path, text: str) -> None:
    """A record that makes no sense says nothing, and is no reason to fail."""
    (tmp_path / "service.json").write_text(text)
    assert read_record(tmp_path) == Record()


def test_a_service_that_ends_at_once_shows_its_last_words(case: Case) -> None:
    """The error of a program that died has the end of what it said, and the path of its log."""
    case.script.source = "print('no such option: -Xmx'); raise SystemExit(1)"
    service = case.service()
    with pytest.raises(PlatformError, match="no such option: -Xmx") as failed:
        service.start()
    assert str(service.site.log) in str(failed.value)
    assert "ended while it started" in str(failed.value)


def test_a_service_that_died_of_a_full_disk_says_so(case: Case) -> None:
    """A program that ended for want of space is reported as a full disk."""
    case.script.source = "raise SystemExit('java.io.IOException: No space left on device')"
    with pytest.raises(PlatformError, match="is on a full disk"):
        case.service().start()


def test_a_silent_service_is_given_up_and_ended(case: Case) -> None:
    """A program that never answers is an error after its time, and is not left running."""
    case.script.source, case.script.patience_s = HANG, 0.3
    service = case.service()
    with pytest.raises(PlatformError, match=r"gave no answer at 127\.0\.0\.1:\d+ for 0 s"):
        service.start()
    assert service.pid is None


def test_a_failed_start_leaves_running_what_ran_before(case: Case) -> None:
    """A start that fails ends only what it started itself."""
    healthy = case.service()
    healthy.start()
    broken = Script(source="raise SystemExit(1)", name="broken")
    sites = [healthy.site, Site(broken, case.home / "broken", 0)]
    with pytest.raises(PlatformError, match="broken ended"):
        Start(case.told).bring_up(sites)
    assert healthy.pid is not None


def test_a_failed_start_ends_what_it_had_started(case: Case) -> None:
    """A start that fails half-way takes its first half back."""
    other = case.service()
    broken = Script(source="raise SystemExit(1)", name="broken")
    with pytest.raises(PlatformError, match="broken ended"):
        Start(case.told).bring_up([other.site, Site(broken, case.home / "broken", 0)])
    assert other.pid is None
    assert case.script.prepared != []


def test_a_full_disk_stops_a_start_before_it_begins(case: Case) -> None:
    """Where there is no room to run, nothing is started, and the setting is named."""
    service = case.service(free_bytes=disk.MIB)
    with pytest.raises(PlatformError, match=r"disk too full.*platform\.directory"):
        service.start()
    assert service.pid is None


def test_a_disk_that_fills_up_while_a_service_starts_is_named(case: Case) -> None:
    """A program that hangs for want of space is ended at once, and the disk is named."""
    case.script.source = HANG
    service = case.service()
    room = iter([1 << 40])
    start = replace(service.begin, free=lambda _path: next(room, 0))
    with pytest.raises(PlatformError, match="is on a full disk"):
        start.bring_up([service.site])
    assert service.pid is None


def test_a_stubborn_service_is_stopped_all_the_same(case: Case) -> None:
    """A program that will not end on request is killed after its grace."""
    case.script.source, case.script.grace_s = LISTEN_ON, 0.1
    service = case.service()
    service.start()
    assert service.stop() is True
    assert service.pid is None


def test_the_log_of_the_run_before_is_kept(case: Case) -> None:
    """A start begins a log, and the one before it is still there to read."""
    service = case.service()
    service.site.directory.mkdir()
    service.site.log.write_text("what happened\n")
    service.start()
    assert service.last_lines(5) == []
    assert service.site.log.with_name("script.log.1").read_text() == "what happened\n"
