"""Worker processes of a run: real ones, of a settings file that nobody can work with."""

from pathlib import Path

import pytest

from loyaltystream.demo.workers import Worker, initialise
from loyaltystream.errors import PlatformError


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    file = tmp_path / "loyaltystream.toml"
    file.write_text("[kafka]\nbootstrap_server = 'misspelt'\n")
    return file


def _watch(worker: Worker) -> None:
    while True:
        worker.demand_life()


def test_a_worker_that_cannot_start_is_quoted(broken: Path) -> None:
    """A worker that ends by itself is an error with what it said last and where its log is."""
    worker = Worker("ingest", broken, 18_000)
    worker.demand_life()
    worker.start()
    assert worker.pid
    with pytest.raises(PlatformError, match="the ingest worker ended with 2") as caught:
        _watch(worker)
    assert str(worker.log) in str(caught.value)
    worker.stop()


def test_a_killed_worker_is_not_mourned(broken: Path) -> None:
    """A worker that was killed on purpose is no error, and can be started again."""
    worker = Worker("ingest", broken, 18_000)
    worker.start()
    worker.kill()
    worker.demand_life()
    assert worker.pid is None
    worker.kill()
    worker.stop()


def test_an_init_that_fails_is_quoted(broken: Path) -> None:
    """A set-up that fails ends the run with what it said."""
    with pytest.raises(PlatformError, match="init` failed"):
        initialise(broken)
