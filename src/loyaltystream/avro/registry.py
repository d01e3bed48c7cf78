"""The schema registry: looks ids up, registers schemas, fetches writers' schemas. Does I/O.

Subjects follow TopicRecordNameStrategy: `<topic>-<full name>`, one compatibility history for each
record type on each topic.

A registry's word that it has no such schema condemns records, so it has to be its own: 404 from
something else on the way (a proxy whose registry starts again) is an outage.
"""

import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from confluent_kafka.schema_registry import Schema as RegistrySchema
from confluent_kafka.schema_registry import SchemaRegistryClient, SchemaRegistryError
from confluent_kafka.schema_registry.error import OAuthTokenError

from loyaltystream.avro.schemas import Schema, parse, text
from loyaltystream.clients import RegistrySettings
from loyaltystream.errors import ConfigurationError, RetryableBrokerError, SchemaError

COMPATIBILITY: Final = "FULL_TRANSITIVE"
_AVRO: Final = "AVRO"
_LAST_ID: Final = 2**31 - 1
_NONE: Final = frozenset({40401, 40402, 40403})  # no such subject, version, schema
_REFUSED: Final = frozenset({409, 422})
_SIGN_IN: Final = frozenset({401, 403})
_TOLD: Final = 300
_PAUSE_S: Final = 1.0

PATIENCE: Final[Mapping[str, float]] = {"timeout": 5.0, "max.retries": 2, "retries.wait.ms": 250}
"""Of the client, which by itself would wait for ever: whoever asks can't be told to stop."""
_NUMBERS: Final = PATIENCE.keys() | {
    "cache.capacity",
    "cache.latest.ttl.sec",
    "retries.max.wait.ms",
}
_FILES: Final = frozenset({"ssl.ca.location", "ssl.certificate.location", "ssl.key.location"})

T = TypeVar("T")


class Registry:
    """One registry, asked over HTTP.

    Args:
        settings: its address and how to sign in.
        pause: waits for seconds, before one that has forgotten schemas is asked again.

    Raises:
        ConfigurationError: if a property of its client is wrong.
    """

    def __init__(
        self, settings: RegistrySettings, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self.url = settings.url
        self._client = _connect(settings)
        self._pause = pause
        self._writers: dict[int, Schema] = {}
        self._demanded: tuple[str, Schema, int] | None = None

    def ask(self) -> None:
        """Ask for next to nothing, to learn whether the registry answers.

        Raises:
            RetryableBrokerError: if it does not.
            SchemaError: if it refuses.
        """
        self._ask("asking for the compatibility level", self._client.get_compatibility)

    def find(self, topic: str, schema: Schema) -> int | None:
        """Return the id that a schema has on a topic, or None if it is not registered there.

        Raises:
            RetryableBrokerError: if the registry does not answer.
            SchemaError: if it refuses.
        """
        subject = subject_of(topic, schema)
        return self._ask(
            f"looking up {subject}",
            lambda: _id_in(self._client.lookup_schema(subject, _registered(schema)).schema_id),
        )

    def demand(self, topic: str, schema: Schema) -> int:
        """Return the id that a schema has on a topic.

        Raises:
            SchemaError: if it has none; `init` registers it.
            RetryableBrokerError: if the registry does not answer.
        """
        found = self.find(topic, schema)
        if found is None:
            raise SchemaError(
                f"schema {subject_of(topic, schema)} is not registered at {self.url}; "
                f"`loyaltystream init` registers all of them"
            )
        self._demanded = topic, schema, found
        return found

    def register(self, topic: str, schema: Schema) -> int:
        """Register a schema under full transitive compatibility; return its id.

        Raises:
            SchemaError: if it is not compatible with every version before it.
            RetryableBrokerError: if the registry does not answer.
        """
        subject = subject_of(topic, schema)
        doing = f"registering {subject}"
        self._ask(
            doing, lambda: self._client.set_compatibility(subject_name=subject, level=COMPATIBILITY)
        )
        found = self._ask(
            doing, lambda: _id_in(self._client.register_schema(subject, _registered(schema)))
        )
        # Apicurio keeps a rule for a subject only once it has a version.
        self._ask(
            doing, lambda: self._client.set_compatibility(subject_name=subject, level=COMPATIBILITY)
        )
        if found is None:
            raise SchemaError(f"{doing}: {self.url} has no such subject")
        return found

    def compatibility(self, topic: str, schema: Schema) -> str | None:
        """Return the level that a schema's subject has, its own or else the registry's.

        None: the registry tells neither.

        Raises:
            RetryableBrokerError: if the registry does not answer.
            SchemaError: if it refuses.
        """
        subject = subject_of(topic, schema)
        doing = f"reading the compatibility of {subject}"
        own = self._ask(doing, lambda: self._client.get_compatibility(subject))
        return own or self._ask(doing, lambda: self._client.get_compatibility(None))

    def versions(self, topic: str, schema: Schema) -> list[Schema]:
        """Return every version that a schema's record has on a topic, the oldest first.

        Raises:
            RetryableBrokerError: if the registry does not answer.
            SchemaError: if it refuses.
        """
        subject = subject_of(topic, schema)
        doing = f"reading the versions of {subject}"
        numbers = sorted(self._ask(doing, lambda: self._client.get_versions(subject)) or [])
        found = (self._ask(doing, partial(self._client.get_version, subject, n)) for n in numbers)
        # The client gives a version that it knows; None is one that was deleted meanwhile.
        return [parse(json.loads(each.schema.schema_str or "null")) for each in found if each]

    def writer_schema(self, schema_id: int) -> Schema | None:
        """Return the schema of that id, or None if the registry has confirmed that it has none.

        Raises:
            RetryableBrokerError: if the registry does not answer, or has forgotten what it said.
            SchemaError: if what it has is not an Avro record.
        """
        if schema_id not in self._writers:
            if schema_id > _LAST_ID:  # no registry gives these, and each refuses them differently
                return None
            found = self._ask(f"fetching schema {schema_id}", lambda: self._fetch(schema_id))
            if found is None:
                self._demand_unchanged(schema_id)
                return None  # asked again next time: it may be registered by then
            self._writers[schema_id] = found
        return self._writers[schema_id]

    def forget(self) -> None:
        """Ask for every schema anew: what was told so far may be another registry's word."""
        self._writers.clear()
        self._distrust_client()

    def _demand_unchanged(self, missing: int) -> None:
        """Refuse to believe a registry that no longer gives the id that it gave before.

        Raises:
            RetryableBrokerError: if it does not.
        """
        if self._demanded is None:
            return
        topic, schema, known = self._demanded
        self._distrust_client()
        if (found := self.find(topic, schema)) != known:
            self._pause(_PAUSE_S)
            now = "has not" if found is None else f"gives id {found}"
            raise RetryableBrokerError(
                f"{self.url} has no schema {missing}, but can't be believed: it gave "
                f"{subject_of(topic, schema)} the id {known}, and now {now}. It was emptied or "
                f"restored; put its schemas back under their ids"
            )

    def _distrust_client(self) -> None:
        """Have the client ask anew; what was decoded by stays."""
        self._client.clear_caches()  # type: ignore[no-untyped-call]  # the library leaves it so

    def _fetch(self, schema_id: int) -> Schema:
        found = self._client.get_schema(schema_id)
        if found.schema_type != _AVRO:
            raise SchemaError(f"schema {schema_id} at {self.url} is {found.schema_type}, not Avro")
        try:
            content = json.loads(found.schema_str or "")
        except RecursionError as error:
            raise SchemaError(f"schema {schema_id} at {self.url} is nested too deep") from error
        return parse(content)

    def _ask(self, doing: str, call: Callable[[], T]) -> T | None:
        try:
            return call()
        except SchemaRegistryError as error:
            if error.error_code in _NONE:
                return None
            status, said = error.http_status_code, str(error.error_message)[:_TOLD]
            where = f"{doing} at {self.url}: {said} ({status})"
            if status in _REFUSED:
                raise SchemaError(where) from error
            if status in _SIGN_IN:
                raise ConfigurationError(f"{where}; registry.client says how to sign in") from error
            raise RetryableBrokerError(where) from error
        except (
            OAuthTokenError,
            OSError,
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
        ) as error:
            # The last ones: it answered, but not as a registry does, and the client keeps that.
            self._distrust_client()
            told = f"{type(error).__name__}: {error}"[:_TOLD]
            raise RetryableBrokerError(f"{doing} at {self.url}: {told}") from error
        except Exception as error:
            # The client lets its HTTP library's own errors through; all of them are the way there.
            if type(error).__module__.partition(".")[0].startswith("httpx"):
                raise RetryableBrokerError(f"{doing} at {self.url}: {error}") from error
            raise


def _connect(settings: RegistrySettings) -> SchemaRegistryClient:
    given = {name: value.get_secret_value() for name, value in settings.client.items()}
    properties: dict[str, Any] = {**PATIENCE, **given, "url": settings.url}
    for name in _NUMBERS & given.keys():
        try:
            properties[name] = float(given[name])
        except ValueError as error:
            raise ConfigurationError(f"registry.client: {name} is not a number") from error
    for name in _FILES & given.keys():
        if not Path(given[name]).exists():
            raise ConfigurationError(f"registry.client: {name} names no file that is there")
    try:
        return SchemaRegistryClient(properties)
    except (ValueError, TypeError, OSError) as error:
        raise ConfigurationError(f"registry.client: {error}") from error


def _id_in(answer: object) -> int:
    if not isinstance(answer, int):
        raise TypeError("an answer without an id")
    return answer


def subject_of(topic: str, schema: Schema) -> str:
    """Return the subject of a record type on a topic: TopicRecordNameStrategy."""
    return f"{topic}-{schema['name']}"


def _registered(schema: Schema) -> RegistrySchema:
    return RegistrySchema(text(schema), _AVRO)
