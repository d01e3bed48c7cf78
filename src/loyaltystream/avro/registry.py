"""The schema registry: looks ids up, registers schemas, fetches writers' schemas. Does I/O.

Subjects follow TopicRecordNameStrategy: `<topic>-<full name>`, one compatibility history for each
record type on each topic.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from confluent_kafka.schema_registry import Schema as RegistrySchema
from confluent_kafka.schema_registry import SchemaRegistryClient, SchemaRegistryError

from loyaltystream.avro.schemas import Schema, parse, text
from loyaltystream.errors import RetryableBrokerError, SchemaError
from loyaltystream.settings import RegistrySettings

COMPATIBILITY: Final = "FULL_TRANSITIVE"
_NOT_FOUND: Final = 404
_REFUSED: Final = frozenset({409, 422})

T = TypeVar("T")


class Registry:
    """One registry, asked over HTTP.

    Args:
        settings: its address and how to sign in.
    """

    def __init__(self, settings: RegistrySettings) -> None:
        self.url = settings.url
        client = {name: value.get_secret_value() for name, value in settings.client.items()}
        self._properties = {**client, "url": settings.url}
        self._client = SchemaRegistryClient(self._properties)
        self._writers: dict[int, Schema | None] = {}

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
        found = self._ask(
            f"looking up {subject}",
            lambda: self._client.lookup_schema(subject, _registered(schema)),
        )
        return None if found is None else found.schema_id

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
        found = self._ask(doing, lambda: self._client.register_schema(subject, _registered(schema)))
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
            RetryableBrokerError: if the registry does not answer.
            SchemaError: if what it has is not Avro.
        """
        if schema_id not in self._writers:
            found = self._ask(f"fetching schema {schema_id}", lambda: self._fetch(schema_id))
            if found is None:
                return None  # asked again next time: it may be registered by then
            self._writers[schema_id] = found
        return self._writers[schema_id]

    def forget(self) -> None:
        """Ask for every schema anew: what was told so far may be another registry's word."""
        self._writers.clear()
        self._client = SchemaRegistryClient(self._properties)  # it remembers what it was told, too

    def _fetch(self, schema_id: int) -> Schema:
        content = self._client.get_schema(schema_id).schema_str
        try:
            return parse(json.loads(content or "null"))
        except SchemaError as error:
            raise SchemaError(f"schema {schema_id} at {self.url} is not a record") from error

    def _ask(self, doing: str, call: Callable[[], T]) -> T | None:
        try:
            return call()
        except SchemaRegistryError as error:
            if error.http_status_code == _NOT_FOUND:
                return None
            where = f"{doing} at {self.url}: {error.error_message}"
            if error.http_status_code in _REFUSED:
                raise SchemaError(where) from error
            raise RetryableBrokerError(where) from error
        except (OSError, ValueError) as error:
            raise RetryableBrokerError(f"{doing} at {self.url}: {error}") from error
        except Exception as error:
            # The client lets its HTTP library's own errors through; all of them are the way there.
            if type(error).__module__.partition(".")[0].startswith("httpx"):
                raise RetryableBrokerError(f"{doing} at {self.url}: {error}") from error
            raise


def subject_of(topic: str, schema: Schema) -> str:
    """Return the subject of a record type on a topic: TopicRecordNameStrategy."""
    return f"{topic}-{schema['name']}"


def _registered(schema: Schema) -> RegistrySchema:
    return RegistrySchema(text(schema), "AVRO")
