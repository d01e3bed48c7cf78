"""What a deployment allows of definitions, beyond the rules for all of them. Pure."""

from collections.abc import Iterator
from typing import Final

import msgspec

from loyaltystream.definitions.changing import LIMIT_EXCEEDED
from loyaltystream.definitions.model import EXTENDED_TYPES, EventDefinition
from loyaltystream.definitions.problem import Problem


class Limits(msgspec.Struct, frozen=True):
    """Bounds of one deployment; None: there is none.

    Attributes:
        window_days: the longest uniqueness window.
        extended_types: whether there are more than the vendor's eight types.
        events: active ones of one org.
        fields: of one event, the customer's included.
        name_characters: of a field's name.
        unique_keys: whether there may be any; not where events are placed by their ids.
        told_fields: org and name of fields that leave as an event's id or time.
    """

    window_days: int | None = None
    extended_types: bool = True
    events: int | None = None
    fields: int | None = None
    name_characters: int | None = None
    unique_keys: bool = True
    told_fields: frozenset[tuple[int, str]] = frozenset()

    def refusals(self, definition: EventDefinition, *, others: int | None) -> list[Problem]:
        """Return everything in a definition that is beyond.

        Args:
            definition: which one.
            others: how many active events its org has; None: it is one of them.
        """
        if not self.extended_types and (types := list(_extended(definition))):
            return [Problem(1823, f"{kind} invalid event field type") for kind in types]
        beyond = [*self._beyond(definition, others), *self._told(definition)]
        return [Problem(LIMIT_EXCEEDED, text) for text in beyond]

    def _told(self, definition: EventDefinition) -> Iterator[str]:
        for field in definition.fields:
            if field.psi and (definition.org_id, field.name) in self.told_fields:
                yield (
                    f"{definition.event_name}: {field.name} has isPsiData, and a webhook of this "
                    f"org makes the event's id or time of it (dialects.webhooks)"
                )

    def _beyond(self, definition: EventDefinition, others: int | None) -> Iterator[str]:
        name, fields = definition.event_name, len(definition.fields) + 1
        days = definition.uniqueness_window_days
        if self.window_days is not None and days > self.window_days:
            yield (
                f"{name}: a uniquenessWindow of {days} days, and the changelog is kept for "
                f"{self.window_days} (definitions.max_window_days)"
            )
        if definition.unique_fields and not self.unique_keys:
            yield (
                f"{name}: fields with isUniqueKeyField, and events are placed by their ids "
                f"(rules.partition_by): a unique key is known only where a customer's lie together"
            )
        if self.events is not None and others is not None and others >= self.events:
            yield f"{name}: the org has {others} active events, {self.events} at most"
        if self.fields is not None and fields > self.fields:
            yield f"{name}: {fields} fields, {self.fields} at most"
        longest = self.name_characters
        if longest is not None:
            for field in (definition.customer.name, *(field.name for field in definition.fields)):
                if len(field) > longest:
                    yield f"{name}: a field's name of {len(field)} characters, {longest} at most"


VENDOR: Final = Limits(extended_types=False, events=10, fields=20, name_characters=50)
"""What the vendor's documents say (domain.md 3.3)."""


def _extended(definition: EventDefinition) -> Iterator[str]:
    return (field.type.value for field in definition.fields if field.type in EXTENDED_TYPES)
