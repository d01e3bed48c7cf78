"""How clients reach the broker and the registry: two tables of the settings. Pure."""

from typing import Annotated, Final

from pydantic import Field, SecretStr, field_validator

from loyaltystream.section import FROM_TEXT, Section

# What loyaltystream has to decide about its clients: a stray value loses or doubles events.
OWNED_CLIENT_PROPERTIES: Final = frozenset(
    {
        "auto.commit.enable",
        "auto.offset.reset",
        "bootstrap.servers",
        "delivery.timeout.ms",
        "enable.auto.commit",
        "enable.auto.offset.store",
        "enable.idempotence",
        "group.id",
        "group.instance.id",
        "group.protocol",
        "isolation.level",
        "message.timeout.ms",
        "metadata.broker.list",
        "partitioner",
        "partition.assignment.strategy",
        "session.timeout.ms",
        "transaction.timeout.ms",
        "transactional.id",
    }
)

POLL_INTERVAL = "max.poll.interval.ms"
DEFAULT_POLL_INTERVAL_MS = 300_000
"""The client library's own."""

ClientProperties = Annotated[dict[str, SecretStr], FROM_TEXT]


class KafkaSettings(Section):
    """The broker, and what any librdkafka client needs to reach it (TLS, SASL)."""

    bootstrap_servers: str = Field("127.0.0.1:9092", min_length=1)
    client: ClientProperties = Field({})

    @field_validator("client")
    @classmethod
    def _leaves_our_properties_alone(cls, client: dict[str, SecretStr]) -> dict[str, SecretStr]:
        if owned := sorted(OWNED_CLIENT_PROPERTIES & client.keys()):
            raise ValueError(f"may not set {', '.join(owned)}: loyaltystream decides these")
        return client


def poll_interval_ms(kafka: KafkaSettings) -> int:
    """Return how long a worker may go without a poll before its group goes on without it."""
    told = kafka.client.get(POLL_INTERVAL)
    return DEFAULT_POLL_INTERVAL_MS if told is None else int(told.get_secret_value())


class RegistrySettings(Section):
    """The schema registry (any Confluent-compatible one), and its client's properties."""

    url: str = Field("http://127.0.0.1:8081/apis/ccompat/v7", pattern=r"^https?://")
    client: ClientProperties = Field({})
