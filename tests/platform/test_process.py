"""A process is known by its mark, and lives on by itself."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loyaltystream.platform import process
from loyaltystream.platform.process import Command, Started
from tests.platform.fakes import HANG, until


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    one = _launch(tmp_path, HANG)
    yield one
    process.end(one, grace_s=0)


def _launch(directory: Path, source: str) -> Started:
    mark = process.new_mark()
    command = Command((sys.executable, "-c", source, mark), directory)
    return process.launch(command, mark, output=directory / "out")


def test_a_started_process_is_found(started: Started) -> None:
    """A process that runs is found by what was noted of it, with its memory."""
    running = process.find(started)
    assert running is not None
    assert running.pid == started.pid
    assert running.memory_bytes > 0


def test_a_process_has_a_session_of_its_own(started: Started) -> None:
    """A ^C or a closed terminal, meant for us, does not reach it."""
    assert started.pid is not None
    assert os.getsid(started.pid) == started.pid != os.getsid(0)


def test_a_process_gets_only_the_environment_that_it_is_given(tmp_path: Path) -> None:
    """Nothing of our environment, JAVA_TOOL_OPTIONS for one, reaches a process."""
    mark = process.new_mark()
    source = "import os; print(sorted(os.environ.keys() - {'LC_CTYPE'}))"
    command = Command((sys.executable, "-c", source, mark), tmp_path, {"CLASSPATH": "x"})
    started = process.launch(command, mark, output=tmp_path / "out")
    until(lambda: process.find(started) is None)
    assert (tmp_path / "out").read_text() == "['CLASSPATH']\n"


def test_a_recycled_pid_is_somebody_else(started: Started) -> None:
    """The same process id under another mark is not ours: it is neither found nor ended."""
    stale = replace(started, mark=process.new_mark())
    assert process.find(stale) is None
    process.end(stale, grace_s=0)
    assert process.find(started) is not None


def test_a_process_is_found_by_its_mark_alone(started: Started) -> None:
    """A process whose id nobody could note is found all the same, and no other one is."""
    running = process.find(Started(started.mark))
    assert running is not None
    assert running.pid == started.pid
    assert process.find(Started(process.new_mark())) is None


def test_a_zombie_does_not_run() -> None:
    """A process that ended and that nobody has waited for counts as ended."""
    mark = process.new_mark()
    with subprocess.Popen([sys.executable, "-c", "", mark]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process.find(Started(mark, child.pid)) is None


def test_a_process_that_sigstop_holds_still_runs(started: Started) -> None:
    """A frozen process is there; ending it works at once all the same."""
    assert started.pid is not None
    os.kill(started.pid, signal.SIGSTOP)
    assert process.find(started) is not None
    process.end(started, grace_s=30)
    assert process.find(started) is None


def test_a_process_that_will_not_end_is_killed(tmp_path: Path) -> None:
    """Who takes no notice of SIGTERM meets SIGKILL after the grace."""
    ready = tmp_path / "ready"
    source = (
        "import pathlib, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"pathlib.Path({str(ready)!r}).touch();{HANG}"
    )
    stubborn = _launch(tmp_path, source)
    until(ready.exists)
    process.end(stubborn, grace_s=0.1)
    assert process.find(stubborn) is None


def test_ending_what_has_ended_is_nothing(started: Started) -> None:
    """A second end finds nobody, and says nothing."""
    process.end(started, grace_s=10)
    process.end(started, grace_s=10)
    assert process.find(started) is None
    assert process.find(None) is None
