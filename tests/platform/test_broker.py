"""How the broker is set up, and what counts as an answer of it."""

import struct
from pathlib import Path

import pytest

from loyaltystream.errors import PlatformError
from loyaltystream.platform.broker import CONFIGURATION, Broker, Detour
from loyaltystream.platform.installation import Installed
from tests.platform.fakes import answering


def _installed() -> Installed:
    return Installed(class_path=(Path("/nowhere/kafka.jar"),), registry=Path("/nowhere"))


def _prepared(broker: Broker, directory: Path) -> dict[str, str]:
    """Return what a broker with a formatted store reads."""
    (directory / "data").mkdir()
    (directory / "data" / "meta.properties").touch()
    broker.prepare(directory, 20_123)
    lines = (directory / CONFIGURATION).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def configuration(tmp_path: Path) -> dict[str, str]:
    """Return what a usual broker reads."""
    return _prepared(Broker(_installed), tmp_path)


def test_the_broker_can_be_reached_from_here_only(configuration: dict[str, str]) -> None:
    """Both listeners, and the address that clients are told, are on the loopback interface."""
    listeners = configuration["listeners"].split(",")
    assert listeners[0] == "PLAINTEXT://127.0.0.1:20123"
    assert listeners[1].startswith("CONTROLLER://127.0.0.1:")
    assert configuration["advertised.listeners"] == listeners[0]


def test_a_detour_leads_back_to_its_proxy(tmp_path: Path) -> None:
    """Who comes in by the second listener is told the proxy's port, and all others the broker's."""
    configuration = _prepared(Broker(_installed, Detour(20_124, 30_000)), tmp_path)
    assert configuration["listeners"].endswith(",DETOUR://127.0.0.1:20124")
    assert configuration["advertised.listeners"] == (
        "PLAINTEXT://127.0.0.1:20123,DETOUR://127.0.0.1:30000"
    )
    assert configuration["listener.security.protocol.map"].endswith(",DETOUR:PLAINTEXT")


def test_no_topic_comes_to_be_by_a_slip(configuration: dict[str, str]) -> None:
    """A topic that nobody made does not appear because somebody asked for it."""
    assert configuration["auto.create.topics.enable"] == "false"


def test_every_internal_topic_is_at_home_on_one_node(configuration: dict[str, str]) -> None:
    """Whatever Kafka keeps for itself has one replica, or it would wait for a second node."""
    replicas = {k: v for k, v in configuration.items() if k.endswith("replication.factor")}
    assert len(replicas) == 4
    assert set(replicas.values()) == {"1"}
    assert {v for k, v in configuration.items() if k.endswith("min.isr")} == {"1"}


def test_a_timed_out_transaction_is_aborted_within_a_second(configuration: dict[str, str]) -> None:
    """A dead worker holds up its neighbours no longer than its own timeout and a second."""
    every = configuration["transaction.abort.timed.out.transaction.cleanup.interval.ms"]
    assert int(every) == 1000


def test_no_path_can_mean_something_to_kafka(configuration: dict[str, str], tmp_path: Path) -> None:
    """The configuration names its store from the broker's own directory."""
    assert configuration["log.dirs"] == "data"
    assert str(tmp_path) not in "".join(configuration.values())


def test_a_store_that_cannot_be_formatted_is_an_error(tmp_path: Path) -> None:
    """What the formatting said is in the error, and no store is left half-made."""
    (tmp_path / "tmp").mkdir()
    with pytest.raises(PlatformError, match=r"kafka\.tools\.StorageTool"):
        Broker(_installed).prepare(tmp_path, 20_123)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("reply", "answers"),
    [
        (struct.pack(">iiii", 12, 1, 0, 1), True),
        (struct.pack(">iiii", 12, 1, 0, 0), False),
        (b"", False),
        (b"HTTP", False),
    ],
    ids=["one broker", "a broker still fenced", "hangs up", "is no Kafka"],
)
def test_only_a_broker_in_service_answers(reply: bytes, *, answers: bool) -> None:
    """A port that accepts, or a broker that the controller has not let in yet, is no answer."""
    with answering(reply) as port:
        assert Broker(_installed).answers(port) is answers


def test_where_nobody_listens_nobody_answers() -> None:
    """A refused connection is no answer, and no error."""
    assert Broker(_installed).answers(1) is False
