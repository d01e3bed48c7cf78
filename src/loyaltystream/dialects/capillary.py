"""Capillary's dialect: one flat JSON object, whose keys are the fields of its definition. Pure.

Which key names the customer only the definition says, so that it is needed for reading. Source:
domain.md 4.1 and 4.4.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from loyaltystream.definitions.model import EventDefinition, FieldType
from loyaltystream.dialects.envelope import (
    ID_HEADER,
    SOURCE_HEADER,
    Arrival,
    Reading,
    first_known,
    identify,
    renamed,
    source_of,
)
from loyaltystream.dialects.inspection import MAX_NAME_CHARACTERS, Inspection, spelled
from loyaltystream.dialects.sources import Dialect, Webhook
from loyaltystream.events import Identifier, RawEvent
from loyaltystream.times import vendor_ms
from loyaltystream.verdicts import Reason

FindDefinition = Callable[[int, str], EventDefinition | None]
"""Returns the definition of that name in that org, or None."""

NAME: Final = "event_name"
TIME: Final = "eventDateTime"
RESOLVER: Final = "orgResolver"
_PARENT_CHILD: Final = "PARENT_CHILD_ORG"
_UNKNOWN: Final = Webhook(org=0)
_TIME_DETAILS: Final = {
    Reason.TYPE: "a time is text",
    Reason.TIME_FORMAT: "in none of the vendor's 17 date patterns, or outside 2000 to 2099",
}


def read(arrival: Arrival, webhooks: Mapping[str, Webhook], find: FindDefinition) -> Reading:
    """Return the event in a JSON object, as far as it can be read, and every violation in it."""
    look, paths = Inspection(), {"orgId": f"headers.{SOURCE_HEADER}", "fields": ""}
    webhook_id, webhook = source_of(
        look, arrival, webhooks, setting="dialects.webhooks", unknown=_UNKNOWN
    )
    sent = renamed(look, arrival.value, webhook, paths, "")
    resolver = look.optional_table(sent.get(RESOLVER), RESOLVER)
    org_id = _resolve(look, resolver, webhook, paths) if resolver else webhook.org
    name = look.text(sent.get(NAME), "eventName", longest=MAX_NAME_CHARACTERS)
    event_name = webhook.events.get(name, name)
    definition = find(org_id, event_name)
    known = _keys(webhook, definition)
    paths |= {path: paths.get(f"fields.{key}", key) for path, key in known.items()}
    occurred_at_ms = _occurred_at(look, sent.get(TIME), webhook)
    is_timed = occurred_at_ms is not None and names_moment(sent[TIME])
    id_header = arrival.header(ID_HEADER)
    if id_header is not None:
        paths["eventId"] = f"headers.{ID_HEADER}"
    event_id, event_id_origin = identify(
        look,
        first_known(id_header, sent.get(webhook.id_field) if webhook.id_field else None),
        arrival,
        scope=f"{org_id}|{Dialect.CAPILLARY}" if is_timed else None,
    )
    event = RawEvent(
        event_id=event_id,
        org_id=org_id,
        event_name=event_name,
        identifiers=_customer(look, sent, definition, paths),
        fields=_fields(sent, {*known.values(), RESOLVER}, definition),
        occurred_at_ms=occurred_at_ms,
        dialect=Dialect.CAPILLARY.value,
        event_id_origin=event_id_origin,
        till_code=_till(sent, resolver, webhook, definition),
        webhook_id=webhook_id,
        paths=paths,
    )
    return event, tuple(look.violations)


def _keys(webhook: Webhook, definition: EventDefinition | None) -> dict[str, str]:
    """Return which keys are the envelope's, by what they are of ours."""
    known = {"eventName": NAME, "occurredAt": TIME}
    if webhook.id_field:
        known["eventId"] = webhook.id_field
    if definition is not None:
        known["customer.identifiers"] = definition.customer.name
    return known


def _resolve(
    look: Inspection, resolver: Mapping[str, Any], webhook: Webhook, paths: dict[str, str]
) -> int:
    """Return the child org that an event is sent on to: one of those that its webhook may name."""
    paths["orgId"] = f"{RESOLVER}.childOrgId"
    child = spelled(resolver.get("childOrgId"))
    if resolver.get("type") != _PARENT_CHILD:
        paths["orgId"] = f"{RESOLVER}.type"
        look.refuse(Reason.NO_ORG, "orgId", f"{_PARENT_CHILD} is the only type there is")
    elif not isinstance(child, str) or child not in map(str, webhook.child_orgs):
        look.refuse(Reason.NO_ORG, "orgId", "not among the child_orgs of its webhook")
    else:
        return int(child)
    return 0


def _occurred_at(look: Inspection, value: object, webhook: Webhook) -> int | None:
    if value is None or value == "":
        return None
    moment_ms = vendor_ms(value, webhook.time_zone)
    if isinstance(moment_ms, Reason):
        look.refuse(moment_ms, "occurredAt", _TIME_DETAILS[moment_ms])
        return None
    return moment_ms


def names_moment(text: str) -> bool:
    """Say whether a date has a time of day: of one day there may be many like events."""
    return ":" in text


def _customer(
    look: Inspection,
    sent: Mapping[str, Any],
    definition: EventDefinition | None,
    paths: dict[str, str],
) -> tuple[Identifier, ...]:
    if definition is None:
        return ()
    value = spelled(sent.get(definition.customer.name))
    if value is None or value == "":
        look.refuse(Reason.NO_CUSTOMER, "customer.identifiers", "missing")
        return ()
    path = "customer.identifiers[0].value"
    paths[path] = paths["customer.identifiers"]
    return (Identifier(definition.customer.identifier_type, look.text(value, path)),)


def _fields(
    sent: dict[str, Any], known: set[str], definition: EventDefinition | None
) -> dict[str, Any]:
    """Return all keys that are not the envelope's, and those of it that the definition declares."""
    declared = {field.name for field in definition.fields} if definition is not None else set()
    for key in known - declared:
        sent.pop(key, None)
    return sent


def _till(
    sent: Mapping[str, Any],
    resolver: Mapping[str, Any],
    webhook: Webhook,
    definition: EventDefinition | None,
) -> str | None:
    """Return the till of the event itself, else of its resolver, else of its webhook."""
    fields = definition.fields if definition is not None else ()
    named = [sent.get(field.name) for field in fields if field.type is FieldType.TILL_CODE]
    till = spelled(first_known(*named, resolver.get("tillCode"), webhook.till))
    return till if isinstance(till, str) else None
