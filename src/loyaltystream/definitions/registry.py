"""The definitions in force: one view that a whole batch is judged by. Pure."""

from collections.abc import Iterable, Iterator

import msgspec

from loyaltystream.avro.behavioral_event import EventEncoder
from loyaltystream.definitions.customers import Customers, CustomersByKind, customers_by_kind
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.definitions.plain import ReadPlain, compile_plain
from loyaltystream.errors import ConfigurationError
from loyaltystream.memo import Memo
from loyaltystream.notifications.mapping import compile_rules
from loyaltystream.notifications.program import MapEvent


class CompiledDefinition(msgspec.Struct, frozen=True):
    """A definition with the functions made from it.

    Attributes:
        customers: by country code, reads the customers of plain events.
        plain: reads the fields of plain events; None where none is.
        rules: makes the notifications that an event causes; None where there are none.
    """

    definition: EventDefinition
    customers: Memo[str, Customers]
    plain: ReadPlain | None
    encoder: EventEncoder
    rules: MapEvent | None = None


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
        self.by_name = {
            (definition.org_id, definition.event_name): _compile(definition, schema_id, customers)
            for definition in definitions
        }
        """All of them, by org and name; not to be changed."""

    def get(self, org_id: int, event_name: str) -> CompiledDefinition | None:
        """Return the definition of that name in that org, or None."""
        return self.by_name.get((org_id, event_name))

    def __iter__(self) -> Iterator[EventDefinition]:
        return (compiled.definition for compiled in self.by_name.values())

    def __len__(self) -> int:
        return len(self.by_name)


def _compile(
    definition: EventDefinition, schema_id: int, customers: CustomersByKind
) -> CompiledDefinition:
    encoder = EventEncoder(definition, schema_id)
    return CompiledDefinition(
        definition,
        customers[definition.org_id, definition.customer.identifier_type],
        compile_plain(definition, encoder),
        encoder,
        _compile_rules(definition),
    )


def _compile_rules(definition: EventDefinition) -> MapEvent | None:
    compiled = compile_rules(definition)
    if compiled.problems:
        problems = "; ".join(compiled.problems)
        raise ConfigurationError(f"{definition.org_id}/{definition.event_name}: {problems}")
    return compiled.rules
