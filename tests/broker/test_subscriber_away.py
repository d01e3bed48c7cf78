"""Subscribers while their broker is away; on a platform made to be killed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loyaltystream.platform import LocalPlatform
from tests.broker.town import Town, issued, leave
from tests.cluster import kill_broker
from tests.shop import eventually

pytestmark = pytest.mark.broker


@pytest.fixture
def town(fragile: LocalPlatform, tmp_path: Path) -> Iterator[Town]:
    """Return an empty topic of notifications on that platform, which is up."""
    made = Town(fragile.start(), tmp_path)
    yield made
    made.close()


def test_a_killed_broker_is_waited_for(fragile: LocalPlatform, town: Town) -> None:
    """What comes again behind an outage is known to the process that did it: all is done once."""
    ids = town.send(issued(number % 20, "0.05") for number in range(200))
    process = town.start(commit_s=0.5)
    town.await_done(30)
    kill_broker(fragile)
    eventually(lambda: "offsets.uncommitted" in town.log(), "a commit has failed", 60)
    fragile.broker.start()
    ids += town.send(issued(number) for number in range(20))
    town.drain()
    assert process.poll() is None, town.log()
    assert leave(process) == 0, town.log()
    assert town.done() == dict.fromkeys(ids, 1)
    assert town.letters() == []


def test_an_absent_broker_is_waited_for(fragile: LocalPlatform, town: Town) -> None:
    """A subscriber that starts before its broker says so, leaves when asked, and works later."""
    ids = town.send(issued(number) for number in range(20))
    kill_broker(fragile)
    first, second = town.start(), town.start()
    eventually(lambda: town.log().count("broker.awaited") >= 2, "they say that they wait", 60)
    assert leave(first, 30) == 0, town.log()
    fragile.broker.start()
    town.drain()
    assert leave(second) == 0, town.log()
    assert town.done() == dict.fromkeys(ids, 1)


def test_a_subscriber_leaves_while_its_broker_is_away(fragile: LocalPlatform, town: Town) -> None:
    """SIGTERM is heard without a broker; what could not be committed comes again later."""
    ids = town.send(issued(number, "0.05") for number in range(100))
    process = town.start(commit_s=60)
    town.await_done(10)
    kill_broker(fragile)
    assert leave(process, 60) == 0, town.log()
    fragile.broker.start()
    process = town.start()
    town.drain()
    assert leave(process) == 0, town.log()
    assert set(town.done()) == set(ids)
