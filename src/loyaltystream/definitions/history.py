"""Records of the topic of definitions in, the view in force out, and any earlier one. Pure.

Versions are read once, and compiled once they judge. A view never changes: what comes later is
another one.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from loyaltystream.definitions.model import EventDefinition
from loyaltystream.definitions.psi import STARRED, Psi
from loyaltystream.definitions.registry import (
    DISABLED,
    UNDEFINED,
    CompiledDefinition,
    Definitions,
    compile_definition,
    known_customers,
)
from loyaltystream.definitions.stored import StoredEvent, StoredVersion, decode, definition_of
from loyaltystream.errors import ConfigurationError
from loyaltystream.events import Record
from loyaltystream.memo import Memo

Name = tuple[int, str]

_VIEWS: Final = 256


class History:
    """All that the topic has said up to some offset.

    Args:
        topic: its name, for telling where a record lies.
        schema_id: the registry's id of the schema that accepted events are encoded with.
        psi: how sensitive values are hidden.

    Attributes:
        topic: likewise.
    """

    def __init__(self, topic: str, schema_id: int, psi: Psi = STARRED) -> None:
        self.topic = topic
        self._schema_id = schema_id
        self._psi = psi
        self._people = known_customers()
        self._events: dict[Name, StoredEvent] = {}
        self._defined: dict[tuple[Name, int], tuple[StoredVersion, EventDefinition]] = {}
        self._compiled: dict[tuple[Name, int], tuple[StoredVersion, CompiledDefinition]] = {}
        self._views: Memo[int, View] = Memo(self._make, _VIEWS)

    @property
    def events(self) -> Mapping[Name, StoredEvent]:
        """Everything that is stored, drafts and disabled events included."""
        return self._events

    @property
    def revision(self) -> int:
        """The last revision."""
        return max((stored.revision for stored in self._events.values()), default=0)

    def learn(self, records: Iterable[Record]) -> bool:
        """Take records, in order of the log; return whether there is another view now.

        Of several records of an event the last counts; one without a value takes the event away.

        Raises:
            ConfigurationError: if one that counts can't be read; nothing is learnt then.
        """
        last = {record.key: record for record in records}
        events = {record.key: self._read(record) for record in last.values()}
        # Another thread may be looking at those that there were.
        known = dict(self._events)
        for key, stored in events.items():
            if stored is not None:
                known[stored.name] = stored
            elif (name := _name(key)) is not None:
                known.pop(name, None)
        if events:
            self._events = known
            self._views = Memo(self._make, _VIEWS)
        return bool(events)

    def view(self) -> "View":
        """Return what is in force now."""
        return self._views[self.revision]

    def at(self, revision: int) -> "View":
        """Return what was in force at a revision."""
        return self._views[min(revision, self.revision)]

    def of_version(self, name: Name, version: int) -> CompiledDefinition | None:
        """Return a published version of an event, or None."""
        stored = self._events.get(name)
        found = stored.published(version) if stored else None
        return self._compile(stored, found) if stored and found else None

    def _make(self, revision: int) -> "View":
        reached = {name: stored.at(revision) for name, stored in self._events.items()}
        compiled = {
            name: self._compile(self._events[name], version)
            for name, version in reached.items()
            if version is not None
        }
        return View(self, compiled, revision, self._schema_id)

    def _compile(self, stored: StoredEvent, version: StoredVersion) -> CompiledDefinition:
        slot = stored.name, version.version
        known = self._compiled.get(slot)
        if known is None or known[0] != version:
            definition = self._definition(stored, version)
            made = compile_definition(definition, self._people, self._schema_id, self._psi)
            known = self._compiled[slot] = version, made
        return known[1]

    def _definition(self, stored: StoredEvent, version: StoredVersion) -> EventDefinition:
        slot = stored.name, version.version
        known = self._defined.get(slot)
        if known is None or known[0] != version:
            known = self._defined[slot] = version, definition_of(stored, version)
        return known[1]

    def _read(self, record: Record) -> StoredEvent | None:
        if record.value is None:
            return None
        try:
            stored = decode(record.key, record.value)
            # Compiled only once events are judged by it: whoever just looks has no need of that.
            for version in stored.versions[-1:]:
                self._definition(stored, version)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"{self.topic}, offset {record.offset}: {error}. Nothing is judged by it: "
                f"start the version that wrote it; if none did, write this event's definition "
                f"again, or remove it by a record of its key without value"
            ) from error
        return stored


class View(Definitions):
    """One state of the topic."""

    def __init__(
        self,
        history: History,
        compiled: Mapping[Name, CompiledDefinition],
        revision: int,
        schema_id: int,
    ) -> None:
        super().__init__((), schema_id)
        self.by_name = dict(compiled)
        self._history = history
        self._revision = revision

    @property
    def revision(self) -> int:
        """Which state of the topic this is."""
        return self._revision

    def of_version(self, org_id: int, event_name: str, version: int) -> CompiledDefinition | None:
        """Return what accepted events of a version are mapped by, however old it is."""
        return self._history.of_version((org_id, event_name), version)

    def knows(self, org_id: int, event_name: str, version: int | None) -> bool:
        """Say whether events may have been judged by that version, None: by no definition."""
        return version is None or self.of_version(org_id, event_name, version) is not None

    def absence(self, org_id: int, event_name: str) -> str:
        """Return why there is no definition of a name to judge by."""
        stored = self._history.events.get((org_id, event_name))
        # Letters hold this text, so it depends on nothing that came behind this revision.
        if stored and stored.disabled_from is not None and stored.disabled_from <= self._revision:
            return DISABLED
        return UNDEFINED


def _name(key: bytes | None) -> Name | None:
    org_id, _, event_name = (key or b"").decode("utf-8", "replace").partition("|")
    return (int(org_id), event_name) if org_id.isascii() and org_id.isdigit() else None
