"""What is served over HTTP, as the settings say it: tables `[http]` and `[gateway]`. Pure."""

from pathlib import Path

from pydantic import Field

from loyaltystream.section import Port, Section


class HttpSettings(Section):
    """What is served over HTTP, and the file that says who may ask."""

    host: str = "127.0.0.1"
    port: Port = 8080
    tokens: Path = Path("tokens.toml")


class GatewaySettings(Section):
    """Where the gateway takes events, and how much it holds that Kafka does not have yet."""

    host: str = "127.0.0.1"
    port: Port = 8090
    connections: int = Field(1_000, ge=1)
    batch_bytes: int = Field(4_194_304, ge=1024)
    queue_records: int = Field(10_000, ge=1_000)
    message_timeout_ms: int = Field(5_000, ge=100)
    rate: float = Field(0, ge=0)
    questions: int = Field(2, ge=1, le=64)
