"""A notification's record in, the vendor's JSON out, in one of three shapes. Pure.

The keys of the envelope are always there, an unknown one as null; anywhere else null is left out,
an empty array is written, and a record of which nothing is known is `{}` (domain.md 1.1, 1.2).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import isfinite
from typing import Any, Final

from loyaltystream.errors import SchemaError
from loyaltystream.notifications.catalog import CATALOG, CUSTOMER_IDENTIFIERS
from loyaltystream.notifications.targets import Composite, Listing, Table, Target, load_target
from loyaltystream.rendering.differences import LEFT_OUT_EMPTY, OTHER_SOURCES, fold, places

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)

_FLAT: Final = (
    *("eventName", "eventId", "orgId", "refId", "apiRequestId", "createdAt", "data"),
    "loyaltyEventId",
)
_INSIDE: Final = ("createdAt", "data", "loyaltyEventId", "eventName", "refId", "apiRequestId")
_SOMETIMES: Final = (
    *("eventLogId", "traceAttributes", "causeEventId"),
    *("causeSource", "causeDefinitionVersion", "causeRule"),
)

Json = dict[str, Any]


class Rendering(StrEnum):
    """The shapes of a notification in JSON."""

    FLAT = "flat"
    BODY = "body"
    ATTRIBUTES = "attributes"


def render(
    record: Mapping[str, Any], rendering: Rendering, *, delivered_ms: int | None = None
) -> Json:
    """Return a notification as the vendor's JSON.

    Args:
        record: as fastavro reads it.
        rendering: the shape.
        delivered_ms: when it is delivered, epoch milliseconds; None: when it was created.

    Raises:
        SchemaError: if it is of no known type, or holds a number that JSON can't.
    """
    kind = CATALOG.get(record["eventName"])
    if kind is None:
        raise SchemaError(f"no notification of type {record['eventName']} is known")
    members = load_target(kind.schema).members
    envelope = {name: _write(record.get(name), target) for name, target in members.items()}
    match rendering:
        case Rendering.FLAT:
            return _flat(envelope)
        case Rendering.BODY:
            return {"body": _flat(envelope)}
        case Rendering.ATTRIBUTES:
            return _attributes(envelope, delivered_ms)


def _flat(envelope: Json) -> Json:
    return {name: envelope[name] for name in _FLAT} | _known(envelope, _SOMETIMES)


def _attributes(envelope: Json, delivered_ms: int | None) -> Json:
    inside = {name: envelope[name] for name in _INSIDE}
    if inside["loyaltyEventId"] is None:  # the one key that this shape leaves out
        del inside["loyaltyEventId"]
    return {
        "eventId": envelope["eventId"],
        "eventType": f"{envelope['orgId']}_{envelope['eventName']}",
        "consumerGroupId": "",
        "actionType": "START",
        "timeStamp": envelope["createdAt"] if delivered_ms is None else delivered_ms,
        "attributes": inside | {"orgId": envelope["orgId"]} | _known(envelope, _SOMETIMES),
    }


def _known(envelope: Json, names: tuple[str, ...]) -> Json:
    return {name: envelope[name] for name in names if envelope[name] is not None}


def _write(value: Any, target: Target) -> Any:  # noqa: ANN401 (any JSON value)
    if value is None:
        return None
    match target:
        case Composite():
            return _write_record(value, target)
        case Listing(items=items):
            return [_write(entry, items) for entry in value]
        case Table(values=values):
            return {name: _write(entry, values) for name, entry in value.items()}
        case _ if isinstance(value, datetime):
            return (value - EPOCH) // MILLISECOND
        case _ if isinstance(value, float) and not isfinite(value):
            raise SchemaError(f"a notification holds {value}, which JSON can't")
    return value


def _write_record(record: Mapping[str, Any], target: Composite) -> Json:
    written = {
        name: part
        for name, member in target.members.items()
        if (part := _write(record.get(name), member)) is not None
        and not (part == [] and (target.name, name) in LEFT_OUT_EMPTY)
    }
    if all(part == [] for part in written.values()):
        return {}
    return _spread(written, target) if target.name == CUSTOMER_IDENTIFIERS else written


def _spread(customer: Json, target: Composite) -> Json:
    """Return a customer with one key per source; where the key is taken, the map keeps it."""
    sources = customer.pop(OTHER_SOURCES, None)
    if sources is None:
        return customer
    kept = {name: sources[name] for name in sources if fold(name) in places(target)}
    spread = {name: sources[name] for name in sources if name not in kept}
    return customer | spread | ({OTHER_SOURCES: kept} if kept or not spread else {})
