"""A worker's directory belongs to one process at a time, whatever the disk is like."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loyaltystream.errors import ConfigurationError
from loyaltystream.occupancy import occupied


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file grow for a while."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_one_inside_is_named(tmp_path: Path) -> None:
    """Whoever finds a directory taken is told which process has it."""
    with (
        occupied(tmp_path / "worker"),
        pytest.raises(ConfigurationError, match=str(os.getpid())),
        occupied(tmp_path / "worker"),
    ):
        pass


def test_a_full_disk_keeps_nobody_out(tmp_path: Path) -> None:
    """On a full disk a worker takes its directory, and nobody else can."""
    with (
        full_disk(),
        occupied(tmp_path / "worker"),
        pytest.raises(ConfigurationError, match="already runs here"),
        occupied(tmp_path / "worker"),
    ):
        pass
