"""The definitions in force: one view that a whole batch is judged by. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from loyaltystream.avro.behavioral_event import EventEncoder
from loyaltystream.definitions.customers import Customers, CustomersByKind, customers_by_kind
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.definitions.plain import ReadPlain, compile_plain
from loyaltystream.definitions.psi import STARRED, Psi
from loyaltystream.definitions.theirs import (
    TheirCustomersByKind,
    Theirs,
    their_customers_by_kind,
)
from loyaltystream.errors import ConfigurationError
from loyaltystream.memo import Memo
from loyaltystream.notifications.mapping import compile_rules
from loyaltystream.notifications.program import MapEvent

DISABLED: Final = "the event is disabled"
UNDEFINED: Final = "no definition of this name in this org"
"""Why nothing is there to judge an event by."""

NO_SCHEMA: Final = 0
"""The schema id of definitions that only judge: nothing of theirs is encoded."""


class CompiledDefinition(msgspec.Struct, frozen=True):
    """A definition with the functions made from it.

    Attributes:
        customers: by country code, reads the customers of plain events.
        plain: reads the fields of plain events; None where none is.
        theirs: the same for plain events of other dialects.
        rules: makes the notifications that an event causes; None where there are none.
    """

    definition: EventDefinition
    customers: Memo[str, Customers]
    plain: ReadPlain | None
    encoder: EventEncoder
    theirs: Theirs
    rules: MapEvent | None = None


class Definitions:
    """Compiled definitions by org and event name; a new version of any is a new view.

    Args:
        definitions: one at most for each org and name; of several the last counts.
        schema_id: the registry's id of the schema that accepted events are encoded with.
        psi: how sensitive values are hidden.

    Raises:
        ConfigurationError: if notifications can't be made as a definition says; `parse_definition`
            accepts no such definition.
    """

    def __init__(
        self, definitions: Iterable[EventDefinition], schema_id: int, psi: Psi = STARRED
    ) -> None:
        people = known_customers()
        compiled = {
            (definition.org_id, definition.event_name): compile_definition(
                definition, people, schema_id, psi
            )
            for definition in definitions
        }
        self.by_name = {name: one for name, one in compiled.items() if not one.definition.disabled}
        """All in force, by org and name; not to be changed."""
        self._disabled = {name: one for name, one in compiled.items() if one.definition.disabled}

    @property
    def revision(self) -> int:
        """Which state of the topic of definitions this is; 0: they are of another source."""
        return 0

    def get(self, org_id: int, event_name: str) -> CompiledDefinition | None:
        """Return the definition of that name in that org, or None."""
        return self.by_name.get((org_id, event_name))

    def find(self, org_id: int, event_name: str) -> EventDefinition | None:
        """Return the same, as it was defined."""
        compiled = self.get(org_id, event_name)
        return None if compiled is None else compiled.definition

    def of_version(self, org_id: int, event_name: str, version: int) -> CompiledDefinition | None:
        """Return what accepted events of a version are mapped by; files hold one version only."""
        del version
        name = org_id, event_name
        return self.by_name.get(name) or self._disabled.get(name)

    def knows(self, org_id: int, event_name: str, version: int | None) -> bool:
        """Say whether events may have been judged by that version, None: by no definition."""
        compiled = self.get(org_id, event_name)
        return version == (compiled.definition.version if compiled else None)

    def absence(self, org_id: int, event_name: str) -> str:
        """Return why there is no definition of a name to judge by."""
        if (org_id, event_name) in self._disabled:
            return DISABLED
        return UNDEFINED

    def __iter__(self) -> Iterator[EventDefinition]:
        return (compiled.definition for compiled in self.by_name.values())

    def __len__(self) -> int:
        return len(self.by_name)


class KnownCustomers(NamedTuple):
    """What is remembered of customers; all definitions of a source share it."""

    ours: CustomersByKind
    theirs: TheirCustomersByKind


def known_customers() -> KnownCustomers:
    """Return that nothing is remembered yet."""
    return KnownCustomers(customers_by_kind(), their_customers_by_kind())


def compile_definition(
    definition: EventDefinition, people: KnownCustomers, schema_id: int, psi: Psi
) -> CompiledDefinition:
    """Return a definition with the functions made from it.

    Args:
        definition: which one.
        people: what is remembered of customers.
        schema_id: the registry's id of the schema that accepted events are encoded with.
        psi: how sensitive values are hidden.

    Raises:
        ConfigurationError: if notifications can't be made as it says.
    """
    encoder = EventEncoder(definition, schema_id, psi)
    kind = definition.org_id, definition.customer.identifier_type
    return CompiledDefinition(
        definition,
        people.ours[kind],
        compile_plain(definition, encoder.frame(), psi),
        encoder,
        Theirs(definition, encoder, people.theirs[kind]),
        _compile_rules(definition),
    )


def _compile_rules(definition: EventDefinition) -> MapEvent | None:
    compiled = compile_rules(definition)
    if compiled.problems:
        problems = "; ".join(compiled.problems)
        raise ConfigurationError(f"{definition.org_id}/{definition.event_name}: {problems}")
    return compiled.rules
