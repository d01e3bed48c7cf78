"""A registry in memory: what `registering` asks of one."""

from loyaltystream.avro.schemas import Schema
from loyaltystream.errors import SchemaError


class MemoryStore:
    """Keeps versions by subject; refuses what it is told to."""

    url = "memory"

    def __init__(self, *refused: str) -> None:
        self.subjects: dict[tuple[str, str], list[Schema]] = {}
        self._refused = refused

    def versions(self, topic: str, schema: Schema) -> list[Schema]:
        """Return what was registered of a record on a topic."""
        return list(self.subjects.get((topic, schema["name"]), []))

    def register(self, topic: str, schema: Schema) -> int:
        """Keep a version, once."""
        if schema["name"] in self._refused:
            raise SchemaError(f"{schema['name']} is refused")
        known = self.subjects.setdefault((topic, schema["name"]), [])
        if schema not in known:
            known.append(schema)
        return len(known)
