"""A decoded event in, the valid one out, or every violation in it. Pure."""

from collections.abc import Sequence
from typing import Final

import msgspec

from loyaltystream import content
from loyaltystream.definitions.checking import TypedFields, check_fields
from loyaltystream.definitions.registry import CompiledDefinition, Definitions
from loyaltystream.events import Decoded, Identifier, RawEvent, ValidEvent
from loyaltystream.keys import (
    MAX_IDENTIFIER_CHARACTERS,
    normalise_identifier,
    partition_key,
)
from loyaltystream.rules import Rules
from loyaltystream.steps.stages import HEADER_ALLOWANCE, Rejected
from loyaltystream.times import SKEW_MS
from loyaltystream.verdicts import Reason, Violation

_IDENTIFIER_DETAILS: Final = {
    Reason.MOBILE: "not usable as a mobile number: 6 to 15 digits",
    Reason.EMAIL: "not usable as an email address",
    Reason.SIZE: f"an identifier has {MAX_IDENTIFIER_CHARACTERS} characters at most",
    Reason.NO_CUSTOMER: "blank",
}


def validate(decoded: Decoded, *, definitions: Definitions, rules: Rules) -> ValidEvent | Rejected:
    """Return the valid event, or every violation of its definition and of the rules."""
    event, violations = decoded.event, list(decoded.violations)
    org_id = None if any(found.path == "orgId" for found in violations) else event.org_id
    compiled = None if org_id is None else definitions.get(org_id, event.event_name)
    if _is_ahead(event, decoded):
        detail = "more than 5 minutes ahead of the broker"
        violations.append(Violation(Reason.TIME_FUTURE, "occurredAt", detail))
    country_code = rules.country_codes.get(event.org_id, "")
    identifiers = _normalise_all(event, country_code, violations)
    typed = TypedFields()
    key = None
    if compiled is not None:
        typed = check_fields(compiled.definition, event.fields, strict=rules.strict_fields)
        violations += typed.violations
        key = _key(event.org_id, compiled, identifiers)
        if key is None and not any(found.path.startswith("customer") for found in violations):
            needed = compiled.definition.customer.identifier_type
            detail = f"no identifier of type {needed}, which the definition names"
            violations.append(Violation(Reason.NO_CUSTOMER, "customer.identifiers", detail))
    elif event.event_name and org_id is not None:
        detail = definitions.absence(org_id, event.event_name)
        violations.append(Violation(Reason.UNKNOWN_EVENT, "eventName", detail))
    if violations or compiled is None or key is None:
        return _reject(decoded, event, org_id, compiled, violations)
    normalised = msgspec.structs.replace(event, identifiers=tuple(identifiers))
    return _fit(_accept_carefully(decoded, normalised, compiled, typed, key), rules)


def _key(
    org_id: int, compiled: CompiledDefinition, identifiers: Sequence[Identifier]
) -> str | None:
    """Return the partition key: the first identifier of the type that the definition names."""
    needed = compiled.definition.customer.identifier_type
    for identifier in identifiers:
        if identifier.type == needed or identifier.type.lower() == needed.lower():
            return partition_key(org_id, needed, identifier.value)
    return None


def _fit(event: ValidEvent, rules: Rules) -> ValidEvent | Rejected:
    """Return the event if it can be routed: in Avro it may be larger than in JSON."""
    size = max(len(event.value), len(event.masked or b"")) + len(event.key)
    if size <= rules.max_record_bytes - HEADER_ALLOWANCE:
        return event
    detail = f"{size} bytes as a routed record, {rules.max_record_bytes} allowed"
    return Rejected.of(event, Violation(Reason.TOO_LARGE, "", detail))


def _is_ahead(event: RawEvent, decoded: Decoded) -> bool:
    """Say whether the event claims the future; where the broker has told no time, none does."""
    moment = event.occurred_at_ms
    return moment is not None and 0 < decoded.clock_ms < moment - SKEW_MS


def _normalise_all(
    event: RawEvent, country_code: str, violations: list[Violation]
) -> list[Identifier]:
    """Return the identifiers that can be normalised; each other one adds a violation."""
    identifiers = []
    for position, known in enumerate(event.identifiers):
        if not known.value or not known.type:
            continue  # noted when it was read
        value = normalise_identifier(known.type, known.value, country_code)
        if isinstance(value, Reason):
            path = f"customer.identifiers[{position}].value"
            violations.append(Violation(value, path, _IDENTIFIER_DETAILS[value]))
        else:
            identifiers.append(msgspec.structs.replace(known, value=value))
    return identifiers


def _accept_carefully(
    decoded: Decoded,
    event: RawEvent,
    compiled: CompiledDefinition,
    typed: TypedFields,
    key: str,
) -> ValidEvent:
    definition = compiled.definition
    ingested_at_ms = decoded.origin.timestamp_ms
    unique = [typed.value(field.name) for field in definition.unique_fields]
    value, masked = compiled.encoder.careful(
        event, ingested_at_ms=ingested_at_ms, scalars=typed.scalars, nested=typed.nested
    )
    return ValidEvent(
        record=decoded.record,
        origin=decoded.origin,
        clock_ms=decoded.clock_ms,
        org_id=event.org_id,
        event_name=event.event_name,
        event_id=event.event_id,
        occurred_at_ms=ingested_at_ms if event.occurred_at_ms is None else event.occurred_at_ms,
        key=key.encode(),
        fingerprint=content.fingerprint(
            content.escape(event.event_name),
            content.escape(key),
            content.fields_text(event.fields),
        ),
        unique_values=content.unique_texts(unique) if unique else None,
        definition=definition,
        value=value,
        masked=masked,
    )


def _reject(
    decoded: Decoded,
    event: RawEvent,
    org_id: int | None,
    compiled: CompiledDefinition | None,
    violations: Sequence[Violation],
) -> Rejected:
    return Rejected(
        decoded.record,
        decoded.origin,
        decoded.clock_ms,
        tuple(event.placed(found) for found in violations),
        version=compiled.definition.version if compiled else None,
        event_name=event.event_name or None,
        event_id=event.event_id or None,
        org_id=org_id,
    )
