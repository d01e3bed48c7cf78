"""Ports on the loopback interface."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from loyaltystream.errors import PlatformError
from loyaltystream.platform import ports
from loyaltystream.platform.broker import CONTROLLER_PORTS, Broker
from loyaltystream.platform.registry import Registry


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((ports.LOOPBACK, 0)) as server:
        port: int = server.getsockname()[1]
        yield port


def test_a_taken_port_is_told_with_its_holder(taken: int) -> None:
    """Who stands in the way is named with the process id."""
    assert f"(pid {os.getpid()}, in {Path.cwd()})" in (ports.obstacle(taken) or "")


def test_a_port_that_only_root_may_take_is_no_taken_port() -> None:
    """A port that is refused for another reason says that reason."""
    reason = ports.obstacle(1)
    assert reason is None or reason.startswith("refused")


def test_a_taken_port_is_never_free(taken: int) -> None:
    """A free port is found beside a taken one; where there is none, the settings are named."""
    assert ports.free_port(range(taken, taken + 20)) != taken
    with pytest.raises(PlatformError, match=r"platform\.kafka_port"):
        ports.free_port(range(taken, taken + 1))


def test_the_listeners_of_a_platform_never_compete() -> None:
    """Broker, controller and registry look for free ports in ranges that do not meet."""
    ranges = [Broker.ports, CONTROLLER_PORTS, Registry.ports]
    assert len({port for ports_ in ranges for port in ports_}) == sum(map(len, ranges))
    assert max(map(max, ranges)) < 32_768
