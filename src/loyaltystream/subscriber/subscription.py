"""What a subscriber has to be told: where to read, as whom, and what to do when a reaction fails.

Pure: the environment is read by whoever makes one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from pydantic import ValidationError

from loyaltystream.clients import KafkaSettings, RegistrySettings
from loyaltystream.errors import ConfigurationError

_POSITIVE: Final = ("backoff_s", "backoff_max_s", "patience_s", "leave_s", "commit_s", "session_s")
_NAMES: Final = {"bootstrap_servers": "bootstrap_servers", "url": "registry_url"}
_CHOICES: Final = {"unknown_types": ("skip", "refuse"), "start": ("earliest", "latest")}


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """The settings of a subscriber.

    Raises:
        ConfigurationError: naming everything that is wrong, at once.
    """

    group: str
    """The consumer group: members that have it in common share the partitions out."""
    bootstrap_servers: str = "127.0.0.1:9092"
    """Where the broker is."""
    registry_url: str = "http://127.0.0.1:8081/apis/ccompat/v7"
    """Where the schema registry is."""
    topic: str = "loyalty-notifications"
    """What is read."""
    dead_letter_topic: str | None = None
    """Where what can't be handled goes; None: the subscriber stops in front of it."""
    unknown_types: Literal["skip", "refuse"] = "skip"
    """What becomes of a type that this version does not know: passed over, or a dead letter."""
    start: Literal["earliest", "latest"] = "earliest"
    """Where a group begins that has never committed anything."""
    attempts: int = 5
    """How often a reaction is called for a notification at most."""
    backoff_s: float = 0.5
    """The pause behind the first failure; it doubles with each further one."""
    backoff_max_s: float = 30.0
    """The longest pause."""
    patience_s: float = 300.0
    """How long a reaction may take; one that takes longer hangs, and the subscriber ends."""
    leave_s: float = 10.0
    """How long a reaction is waited for when its partition, or the process, has to go."""
    commit_s: float = 1.0
    """How often offsets are committed: what a killed process has handled since, comes again."""
    session_s: float = 15.0
    """How long a member that is not heard of, as after a kill, keeps its partitions."""
    kafka_client: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Further properties of the Kafka client, as TLS and SASL."""
    registry_client: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Further properties of the registry's client."""

    def __post_init__(self) -> None:
        wrong = [*self._misnamed(), *self._misjudged()]
        for make, client in ((self.kafka, "kafka_client"), (self.registry, "registry_client")):
            try:
                make()
            except ValidationError as error:
                names = _NAMES | {"client": client}
                wrong += [f"{names[str(at['loc'][0])]}: {at['msg']}" for at in error.errors()]
        if wrong:
            lines = [f"  - {line}" for line in wrong]
            raise ConfigurationError("\n".join(["the subscription is not usable:", *lines]))

    def kafka(self) -> KafkaSettings:
        """Return how the broker is reached."""
        return KafkaSettings.model_validate(
            {"bootstrap_servers": self.bootstrap_servers, "client": dict(self.kafka_client)}
        )

    def registry(self) -> RegistrySettings:
        """Return how the registry is reached."""
        return RegistrySettings.model_validate(
            {"url": self.registry_url, "client": dict(self.registry_client)}
        )

    def backoff(self, failures: int) -> float:
        """Return the pause in seconds behind so many failures."""
        # Beyond 2^30 no pause is short enough for any bound that somebody would set.
        return min(self.backoff_s * float(1 << min(failures - 1, 30)), self.backoff_max_s)

    def _misnamed(self) -> Iterator[str]:
        for name in ("group", "topic"):
            if not getattr(self, name):
                yield f"{name}: may not be empty"
        if self.dead_letter_topic == self.topic:
            yield "dead_letter_topic: is the topic that is read; name another"

    def _misjudged(self) -> Iterator[str]:
        for name in _POSITIVE:
            if not getattr(self, name) > 0:
                yield f"{name}: {getattr(self, name)} is not a number of seconds above 0"
        for name, choices in _CHOICES.items():
            if (chosen := getattr(self, name)) not in choices:
                yield f"{name}: {chosen!r} is none of {', '.join(choices)}"
        if self.attempts < 1:
            yield f"attempts: {self.attempts} is not at least 1"
