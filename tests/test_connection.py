"""How clients of ours reach the broker."""

from pydantic import SecretStr

from loyaltystream.kafka.connection import RECONNECT_MS, properties
from loyaltystream.settings import KafkaSettings

PAUSE = "reconnect.backoff.max.ms"


def test_a_broker_that_is_back_is_soon_looked_for() -> None:
    """No client pauses for the library's ten seconds between two attempts to connect."""
    assert properties(KafkaSettings())[PAUSE] == RECONNECT_MS < 10_000


def test_a_deployment_may_pause_for_longer() -> None:
    """What the settings say of a client wins where exactly-once does not depend on it."""
    kafka = KafkaSettings(client={PAUSE: SecretStr("20000")})
    assert properties(kafka)[PAUSE] == "20000"
