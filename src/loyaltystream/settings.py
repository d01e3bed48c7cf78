"""Every setting, read once from files and the environment, frozen, all mistakes at once.

Does I/O: reads files and the environment, and is the only room that does. The environment wins over
files: `LOYALTYSTREAM_KAFKA__BOOTSTRAP_SERVERS` is `bootstrap_servers` of table `[kafka]`. Files of
one setting each, named as it is, lie in `$LOYALTYSTREAM_SECRETS`; they win over the TOML file.
"""

import os
import socket
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from loyaltystream import mistakes
from loyaltystream.clients import KafkaSettings, RegistrySettings
from loyaltystream.definitions.model import DAY_CLASSES
from loyaltystream.dialects.sources import Dialects
from loyaltystream.errors import ConfigurationError, SettingsError
from loyaltystream.partitioning import PartitionBy
from loyaltystream.sealing.keys import LetterSettings
from loyaltystream.section import FROM_TEXT, Port, Section
from loyaltystream.served import GatewaySettings, HttpSettings
from loyaltystream.topology import Topics
from loyaltystream.tracing.settings import TraceSettings

ENVIRONMENT_PREFIX = mistakes.ENVIRONMENT_PREFIX
FILE_VARIABLE = mistakes.FILE_VARIABLE
SECRETS_VARIABLE = mistakes.SECRETS_VARIABLE
DEFAULT_FILE = Path("loyaltystream.toml")

variable = mistakes.variable

Milliseconds = Annotated[int, Field(gt=0)]
Days = Annotated[int, Field(gt=0)]
TopicName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,200}$")]
CountryCode = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,3}$")]


class TopicSettings(Section):
    """Names and shape of all topics; every name gets the prefix."""

    prefix: str = Field("", pattern=r"^[A-Za-z0-9._-]{0,48}$")
    ingest: TopicName = "behavioral-events"
    emf: TopicName = "EMFConsumer"
    ei: TopicName = "EIConsumer"
    notifications: TopicName = "loyalty-notifications"
    duplicates: TopicName = "behavioral-events.duplicates"
    dead_letter: TopicName = "behavioral-events.dead-letter"
    changelog: TopicName = "dedup-changelog"
    definitions: TopicName = "event-definitions"
    letter_state: TopicName = "dead-letter-state"
    partitions: int = Field(6, ge=1, le=4096)
    replication_factor: int = Field(1, ge=1, le=9)
    retention_days: Days = 7

    @model_validator(mode="after")
    def _are_distinct(self) -> Self:
        names = [getattr(self, role) for role in TOPIC_ROLES]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} is named for more than one topic")
        return self


TOPIC_ROLES = Topics.__struct_fields__


class WorkerSettings(Section):
    """One worker process: who it is, how much it takes at a time, how long it waits."""

    group_prefix: str = Field("loyaltystream", pattern=r"^[A-Za-z0-9._-]{1,48}$")
    instance: str = Field(default_factory=socket.gethostname, pattern=r"^[A-Za-z0-9._-]{1,64}$")
    state_dir: Path = Path(".loyaltystream/state")
    batch_records: int = Field(5000, ge=1, le=50_000)
    batch_ms: Milliseconds = 100
    # Beyond these bounds the client refuses them, in words that name no setting of ours.
    session_timeout_ms: int = Field(15_000, gt=0, le=300_000)
    transaction_timeout_ms: int = Field(8_000, ge=1_000)
    message_timeout_ms: int = Field(7_000, ge=100)

    @model_validator(mode="after")
    def _timeouts_hold_together(self) -> Self:
        # A hung commit must die before its member is evicted, and a message before its transaction.
        chain = {
            "3 x batch_ms": 3 * self.batch_ms,
            "message_timeout_ms": self.message_timeout_ms,
            "transaction_timeout_ms": self.transaction_timeout_ms,
            "session_timeout_ms": self.session_timeout_ms,
        }
        if sorted(chain.values()) != list(chain.values()) or len({*chain.values()}) < len(chain):
            order = " < ".join(f"{name} ({value})" for name, value in chain.items())
            raise ValueError(f"the timeouts must rise in this order: {order}")
        return self


class MemorySettings(Section):
    """What is remembered of seen events, and for how long."""

    hash_key: SecretStr | None = Field(None, min_length=16)
    window_days: Days = Field(30, ge=7)
    max_bytes: int = Field(0, ge=0)
    snapshot_ids: int = Field(1_000_000, ge=1_000)
    snapshot_minutes: int = Field(10, ge=1, le=1_440)


class RuleSettings(Section):
    """What a valid event is, beyond its own definition."""

    definitions: Path = Path("definitions")
    max_event_bytes: int = Field(524_288, ge=1024, le=900_000)
    strict_fields: bool = False
    country_codes: Annotated[dict[int, CountryCode], FROM_TEXT] = Field({})
    partition_by: PartitionBy = PartitionBy.CUSTOMER
    psi: Literal["mask", "hash"] = "mask"
    psi_on_emf: Literal["masked", "clear"] = "masked"


class DefinitionSettings(Section):
    """Where event definitions come from, and what they may say."""

    source: Literal["files", "topic"] = "files"
    profile: Literal["extended", "vendor"] = "extended"
    max_window_days: int = 400
    token: SecretStr | None = Field(None, min_length=1)

    @field_validator("max_window_days")
    @classmethod
    def _is_a_class(cls, days: int) -> int:
        if days not in DAY_CLASSES:
            raise ValueError(f"one of {', '.join(map(str, DAY_CLASSES))}")
        return days


class TelemetrySettings(Section):
    """Logs and metrics."""

    log_format: Literal["auto", "json", "console"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    metrics_host: str = "127.0.0.1"
    metrics_port: Port = 9464


class PlatformSettings(Section):
    """The local Kafka and registry; port 0 takes a free one and keeps it."""

    directory: Path = Path(".loyaltystream/platform")
    cache: Path | None = None
    kafka_port: Port = 9092
    registry_port: Port = 8081


class Settings(BaseSettings):
    """All settings of a process; `load` is the way to have one."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter="__",
        enable_decoding=False,
        extra="forbid",
        frozen=True,
    )

    kafka: KafkaSettings = KafkaSettings()
    registry: RegistrySettings = RegistrySettings()
    topics: TopicSettings = TopicSettings()
    worker: WorkerSettings = WorkerSettings()
    memory: MemorySettings = MemorySettings()
    rules: RuleSettings = RuleSettings()
    dialects: Dialects = Dialects()
    definitions: DefinitionSettings = DefinitionSettings()
    letters: LetterSettings = LetterSettings()
    http: HttpSettings = HttpSettings()
    gateway: GatewaySettings = GatewaySettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    traces: TraceSettings = TraceSettings()
    platform: PlatformSettings = PlatformSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 (the base class names the arguments)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (never read)
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the environment before files, and the file whose content comes as arguments last."""
        apart = NestedSecretsSettingsSource(
            file_secret_settings, secrets_prefix="", secrets_nested_delimiter="."
        )
        return env_settings, apart, init_settings


def load(file: Path | None = None) -> Settings:
    """Return the settings of `file`, or of `$LOYALTYSTREAM_SETTINGS`, or of ./loyaltystream.toml.

    Raises:
        SettingsError: naming every mistake, where it stands and what is allowed.
        ConfigurationError: if a file can't be read.
    """
    named = file or (Path(found) if (found := os.environ.get(FILE_VARIABLE)) else None)
    path = named or DEFAULT_FILE
    tables = _read(path) if named or path.exists() else {}
    folder = os.environ.get(SECRETS_VARIABLE)
    telling = mistakes.Mistakes(
        os.environ, list(setting_names()), path=path, apart=_files(folder) if folder else ()
    )
    lines = [*telling.unknown_variables(), *telling.unknown_files()]
    try:
        settings = Settings(_secrets_dir=folder, **tables)
    except ValidationError as error:
        lines += [telling.describe(dict(problem)) for problem in error.errors(include_url=False)]
    else:
        if not lines:
            return settings
    raise SettingsError(lines)


def setting_names() -> Iterator[str]:
    """Yield every setting as `table.name`, in order of definition."""
    for table, field in Settings.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, Section):
            yield from (f"{table}.{name}" for name in section.model_fields)


def _files(folder: str) -> list[Path]:
    """Return the files of a directory; Kubernetes has hidden ones of its own there."""
    try:
        return sorted(file for file in Path(folder).iterdir() if not file.name.startswith("."))
    except OSError as error:
        raise ConfigurationError(
            f"{SECRETS_VARIABLE}: {error}; it names a directory with a file for each setting"
        ) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"settings file {path}: not there; name another or none"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"settings file {path}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"settings file {path} is not TOML: {error}") from error
