"""The definitions in force: one view that a whole batch is judged by. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from loyaltystream.avro.behavioral_event import EventEncoder
from loyaltystream.definitions.customers import Customers, CustomersByKind, customers_by_kind
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.definitions.plain import ReadPlain, compile_plain
from loyaltystream.errors import ConfigurationError
from loyaltystream.memo import Memo
from loyaltystream.notifications.mapping import CompiledRule, compile_rules

DISABLED: Final = "the event is disabled"
UNDEFINED: Final = "no definition of this name in this org"
"""Why nothing is there to judge an event by."""


class CompiledDefinition(msgspec.Struct, frozen=True):
    """A definition with the functions made from it.

    Attributes:
        customers: by country code, reads the customers of plain events.
        plain: reads the fields of plain events; None where none is.
        rules: one for each notification that an event causes.
    """

    definition: EventDefinition
    customers: Memo[str, Customers]
    plain: ReadPlain | None
    encoder: EventEncoder
    rules: tuple[CompiledRule, ...] = ()


class Definitions:
    """Compiled definitions by org and event name; a new version of any is a new view.

    Args:
        definitions: one at most for each org and name; of several the last counts.
        schema_id: the registry's id of the schema that accepted events are encoded with.

    Raises:
        ConfigurationError: if notifications can't be made as a definition says; `parse_definition`
            accepts no such definition.
    """

    def __init__(self, definitions: Iterable[EventDefinition], schema_id: int) -> None:
        customers = customers_by_kind()
        compiled = {
            (definition.org_id, definition.event_name): compile_definition(
                definition, customers, schema_id
            )
            for definition in definitions
        }
        self._compiled = {
            name: one for name, one in compiled.items() if not one.definition.disabled
        }
        self._disabled = {name: one for name, one in compiled.items() if one.definition.disabled}

    @property
    def revision(self) -> int:
        """Which state of the topic of definitions this is; 0: they are of another source."""
        return 0

    def get(self, org_id: int, event_name: str) -> CompiledDefinition | None:
        """Return the definition of that name in that org, or None."""
        return self._compiled.get((org_id, event_name))

    def of_version(self, org_id: int, event_name: str, version: int) -> CompiledDefinition | None:
        """Return what accepted events of a version are mapped by; files hold one version only."""
        del version
        name = org_id, event_name
        return self._compiled.get(name) or self._disabled.get(name)

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
        return (compiled.definition for compiled in self._compiled.values())

    def __len__(self) -> int:
        return len(self._compiled)


def compile_definition(
    definition: EventDefinition, customers: CustomersByKind, schema_id: int
) -> CompiledDefinition:
    """Return a definition with the functions made from it.

    Args:
        definition: which one.
        customers: shared by all definitions of a view.
        schema_id: the registry's id of the schema that accepted events are encoded with.

    Raises:
        ConfigurationError: if notifications can't be made as it says.
    """
    return CompiledDefinition(
        definition,
        customers[definition.org_id, definition.customer.identifier_type],
        compile_plain(definition),
        EventEncoder(definition, schema_id),
        _compile_rules(definition),
    )


def _compile_rules(definition: EventDefinition) -> tuple[CompiledRule, ...]:
    compiled = compile_rules(definition)
    if compiled.problems:
        problems = "; ".join(compiled.problems)
        raise ConfigurationError(f"{definition.org_id}/{definition.event_name}: {problems}")
    return compiled.rules
