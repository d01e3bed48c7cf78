"""How the registry is set up, and what counts as an answer of it."""

from pathlib import Path

import pytest

from loyaltystream.platform.installation import Installed
from loyaltystream.platform.ports import LOOPBACK
from loyaltystream.platform.registry import CONFIGURATION, Registry
from tests.platform.fakes import answering


def _installed() -> Installed:
    return Installed(class_path=(), registry=Path("/nowhere"))


@pytest.fixture
def configuration(tmp_path: Path) -> dict[str, str]:
    Registry(_installed).prepare(tmp_path, 27_123)
    lines = (tmp_path / CONFIGURATION).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_a_schema_is_on_disk_before_it_is_acknowledged(configuration: dict[str, str]) -> None:
    """The registry keeps its schemas in a file, and writes without delay."""
    assert configuration["apicurio.storage.kind"] == "sql"
    assert configuration["apicurio.datasource.url"] == "jdbc:h2:file:./registry;WRITE_DELAY=0"


def test_both_of_its_listeners_are_on_the_loopback_interface(
    configuration: dict[str, str],
) -> None:
    """Neither the API nor what Quarkus opens for its own management is open to the world."""
    assert configuration["quarkus.http.host"] == configuration["quarkus.management.host"]
    assert configuration["quarkus.http.host"] == LOOPBACK
    assert configuration["quarkus.http.port"] == "27123"


@pytest.mark.parametrize(
    ("reply", "answers"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", True),
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", False),
        (b"", False),
        (b"what?\r\n", False),
    ],
    ids=["lists its subjects", "still starts", "hangs up", "is no web server"],
)
def test_only_a_registry_in_service_answers(reply: bytes, *, answers: bool) -> None:
    """Nothing but a list of subjects is an answer."""
    with answering(reply) as port:
        assert Registry(_installed).answers(port) is answers


def test_its_address_is_what_a_client_takes() -> None:
    """The address is the URL of the Confluent-compatible API."""
    assert Registry(_installed).address(8081) == "http://127.0.0.1:8081/apis/ccompat/v7"
