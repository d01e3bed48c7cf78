"""How clients of ours reach the broker."""

import pytest
from pydantic import SecretStr

from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import ConfigurationError
from loyaltystream.kafka.connection import (
    RECONNECT_MS,
    SILENCE_MS,
    grouped_properties,
    properties,
    reader_properties,
)
from loyaltystream.kafka.reading import LogReader

PAUSE = "reconnect.backoff.max.ms"
SILENCE = "socket.timeout.ms"


def test_a_broker_that_is_back_is_soon_looked_for() -> None:
    """No client pauses for the library's ten seconds between two attempts to connect."""
    assert properties(KafkaSettings())[PAUSE] == RECONNECT_MS < 10_000


def test_no_consumer_waits_a_minute_on_a_connection_that_is_silent() -> None:
    """Readers and subscribers give such a connection up as soon as a worker does."""
    kafka = KafkaSettings()
    subscriber = grouped_properties(kafka, group="crm", session_timeout_ms=45_000)
    for consumer in (reader_properties(kafka), subscriber):
        assert consumer[SILENCE] == SILENCE_MS < 60_000


def test_a_deployment_may_pause_for_longer() -> None:
    """What the settings say of a client wins where exactly-once does not depend on it."""
    kafka = KafkaSettings(client={PAUSE: SecretStr("20000")})
    assert properties(kafka)[PAUSE] == "20000"


def test_a_deployment_may_wait_for_longer() -> None:
    """What the settings say of silence is not taken back by ours."""
    kafka = KafkaSettings(client={SILENCE: SecretStr("40000")})
    assert reader_properties(kafka)[SILENCE] == "40000"


def test_a_property_that_the_library_refuses_is_told_in_a_line() -> None:
    """A misspelled client property is a wrong setting, and its message names both."""
    kafka = KafkaSettings(client={"sasl.pasword": SecretStr("canary")})
    with pytest.raises(ConfigurationError, match=r"kafka\.client: .*sasl\.pasword") as told:
        LogReader(kafka)
    assert "canary" not in str(told.value)
