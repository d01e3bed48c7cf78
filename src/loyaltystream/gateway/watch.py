"""What the gateway tells of itself. Pure."""

from typing import Protocol


class Watch(Protocol):
    """Told what was answered, as `telemetry.gateway.GatewayTelemetry` is."""

    def answered(self, route: str, status: int, events: int) -> None:
        """Count an answer, and the events that it acknowledges."""

    def not_written(self, why: str) -> None:
        """Note that events could not be written."""

    def not_told(self, why: str) -> None:
        """Note that it could not be told what became of an event."""

    def not_followed(self, why: str) -> None:
        """Note that the definitions in force could not be asked for."""
