"""An event's definitions as the topic keeps them: all published versions in one record. Pure.

The topic is compacted, so the last record of an event has to say everything: which versions there
were, from which revision of the topic on each was in force, and what is being drafted. With that,
any earlier state of the topic can be told from the last one. A field that is not known here is of a
newer version: it may say that an event is judged otherwise, so it is refused and not passed over.
"""

from typing import Any, Final, Literal

import msgspec

from loyaltystream.definitions.model import EventDefinition
from loyaltystream.definitions.parsing import parse_definition
from loyaltystream.errors import ConfigurationError

MAX_BYTES: Final = 2_097_152
"""An event with all its versions may take this many; the topic takes more."""

State = Literal["draft", "verified", "published", "disabled"]


class StoredVersion(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A published version.

    Attributes:
        revision: of the topic, from which on it is in force.
        published_at_ms: when that was, by the clock of whoever published it.
        published_by: who that was.
        body: of the Create Event API, as it was given.
    """

    version: int
    revision: int
    published_at_ms: int
    published_by: str
    body: dict[str, Any]


class StoredDraft(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What may become the next version; nothing is judged by it."""

    state: Literal["draft", "verified"]
    body: dict[str, Any]


class StoredEvent(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Everything that the topic says of one event.

    Attributes:
        revision: of the topic; each change of any event takes the next one.
        state: of the last version, or of the draft where nothing was ever published.
        version: the last one that was published; 0: none.
        versions: all that were published, the oldest first.
        disabled_from: the revision from which on its events are rejected.
    """

    org_id: int
    event_name: str
    revision: int
    state: State
    version: int
    versions: tuple[StoredVersion, ...] = ()
    draft: StoredDraft | None = None
    disabled_from: int | None = None

    @property
    def name(self) -> tuple[int, str]:
        """Org and event name."""
        return self.org_id, self.event_name

    def published(self, version: int) -> StoredVersion | None:
        """Return a published version, or None."""
        return next((one for one in self.versions if one.version == version), None)

    def at(self, revision: int) -> StoredVersion | None:
        """Return the version in force at a revision, or None.

        At revision 0 that is the first one ever: before there was a topic, events were judged by
        what it then began with.
        """
        if revision == 0:
            return self.versions[0] if self.versions else None
        if self.disabled_from is not None and self.disabled_from <= revision:
            return None
        reached = [one for one in self.versions if one.revision <= revision]
        return reached[-1] if reached else None


def key_of(org_id: int, event_name: str) -> bytes:
    """Return the key of an event's record."""
    return f"{org_id}|{event_name}".encode()


def encode(stored: StoredEvent) -> bytes:
    """Return the value of an event's record."""
    return msgspec.json.encode(stored)


def decode(key: bytes | None, value: bytes) -> StoredEvent:
    """Return what `encode` wrote.

    Raises:
        ConfigurationError: if it is anything else.
    """
    try:
        stored = msgspec.json.decode(value, type=StoredEvent)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ConfigurationError(f"not a stored definition: {error}") from error
    if key != key_of(*stored.name):
        raise ConfigurationError(f"says {stored.org_id}|{stored.event_name}, which is not its key")
    numbers = [one.version for one in stored.versions]
    revisions = [one.revision for one in stored.versions]
    rising = all(sorted({*many}) == many for many in (numbers, revisions))
    if not rising or stored.version != (numbers or [0])[-1] or min(revisions, default=1) < 1:
        raise ConfigurationError("its versions are not in order")
    return stored


def definition_of(stored: StoredEvent, version: StoredVersion) -> EventDefinition:
    """Return a published version as it is compiled.

    Raises:
        ConfigurationError: if this release can't read its body.
    """
    found = parse_definition(stored.org_id, version.body)
    if isinstance(found, EventDefinition) and found.event_name == stored.event_name:
        return found.model_copy(update={"version": version.version, "disabled": False})
    problems = [] if isinstance(found, EventDefinition) else found
    told = "; ".join(problem.line for problem in problems)
    raise ConfigurationError(f"version {version.version}: {told or 'of another event'}")
