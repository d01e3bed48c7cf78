"""What a run of the demo has of its own: settings that nothing outside of it enters. Pure."""

import json
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from loyaltystream.clients import KafkaSettings, RegistrySettings
from loyaltystream.dialects.sources import Dialects
from loyaltystream.platform.local import Addresses
from loyaltystream.section import Section
from loyaltystream.settings import (
    TOPIC_ROLES,
    MemorySettings,
    PlatformSettings,
    RuleSettings,
    Settings,
    TelemetrySettings,
    TopicSettings,
    WorkerSettings,
)
from loyaltystream.topology import Topics


def run_name(now_ms: int) -> str:
    """Return the name of a run that begins now: `demo-20260131-180502`."""
    return f"demo-{datetime.fromtimestamp(now_ms / 1000, UTC):%Y%m%d-%H%M%S}"


def outfit(
    settings: Settings, addresses: Addresses, *, directory: Path, hash_key: str, definitions: Path
) -> Settings:
    """Return the settings of a run; of the given ones only the platform's stay.

    Args:
        settings: the operator's: his topics, groups and secrets are none of the demo's business.
        addresses: of the local platform.
        directory: the run's own; its name is the run's.
        hash_key: the secret of the run's memory.
        definitions: the folder of the shop's event definitions.
    """
    name = directory.name
    return settings.model_copy(
        update={
            "kafka": KafkaSettings(bootstrap_servers=addresses.bootstrap_servers),
            "registry": RegistrySettings(url=addresses.registry_url),
            "topics": TopicSettings(prefix=f"{name}."),
            "worker": WorkerSettings(
                group_prefix=name, instance="demo", state_dir=directory / "state"
            ),
            "memory": MemorySettings(hash_key=SecretStr(hash_key)),
            "rules": RuleSettings(definitions=definitions),
            "dialects": Dialects(),
            "telemetry": TelemetrySettings(log_format="json"),
            "platform": PlatformSettings(
                directory=settings.platform.directory.absolute(),
                cache=settings.platform.cache and settings.platform.cache.absolute(),
                kafka_port=settings.platform.kafka_port,
                registry_port=settings.platform.registry_port,
            ),
        }
    )


def to_toml(settings: Settings) -> str:
    """Return a settings file that says what differs from the defaults, secrets included."""
    lines = []
    for table in type(settings).model_fields:
        section: Section = getattr(settings, table)
        said = section.model_dump(exclude_unset=True, exclude_none=True)
        lines += [f"[{table}]", *(f"{name} = {_literal(value)}" for name, value in said.items())]
    return "\n".join([*lines, ""])


def _literal(value: object) -> str:
    match value:
        case SecretStr():
            return _literal(value.get_secret_value())
        case Path():
            return _literal(str(value))
        case _:
            # What JSON writes of texts, numbers and truth values, TOML reads.
            return json.dumps(value, ensure_ascii=False)


def topics_of(settings: TopicSettings) -> Topics:
    """Return the names of all topics, prefix included."""
    return Topics(**{role: settings.prefix + getattr(settings, role) for role in TOPIC_ROLES})
