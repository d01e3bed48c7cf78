"""What the dialects but ours have in common: headers, sources, names, identifiers, ids. Pure.

Their readers note violations under the canonical event's paths, and in `paths` where the document
has what stands there (`RawEvent.place`).
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from loyaltystream.content import canonical_json
from loyaltystream.dialects.inspection import Inspection, is_blank, spelled
from loyaltystream.dialects.sources import DEFAULT, Source
from loyaltystream.events import Identifier, Origin, RawEvent, Record
from loyaltystream.uuids import uuid5_text
from loyaltystream.verdicts import Reason, Violation

DIALECT_HEADER: Final = "x-event-dialect"
SOURCE_HEADER: Final = "x-event-source"
ID_HEADER: Final = "x-event-id"
TIME_HEADER: Final = "x-event-time"

HEADERS: Final = (DIALECT_HEADER, SOURCE_HEADER, ID_HEADER, TIME_HEADER)

NAMESPACE: Final = UUID("b3e2d1c0-6c1a-4f5e-9d0b-52f7a8c4e617")
"""Of all derived ids. Never changes: a resend is known by its id."""

Reading = tuple[RawEvent, tuple[Violation, ...]]
S = TypeVar("S", bound=Source)


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """A record, the JSON object in it, and where that first arrived."""

    record: Record
    origin: Origin
    value: dict[str, Any]

    def header(self, name: str) -> str | None:
        """Return a header's text, or None where it is absent or empty."""
        return header_text(self.record, name)


def header_text(record: Record, name: str) -> str | None:
    """Return a header's text, or None where it is absent or empty."""
    return _text(record.header(name))


def our_headers(record: Record) -> dict[str, str | None]:
    """Return the texts of all headers that tell how a record is to be read."""
    headers = dict(record.headers)
    return {name: _text(headers.get(name)) for name in HEADERS}


def _text(value: bytes | None) -> str | None:
    if not value:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return "\0"  # names nothing, and is no usable id or time


def source_of(
    look: Inspection, arrival: Arrival, sources: Mapping[str, S], *, setting: str, unknown: S
) -> tuple[str, S]:
    """Return the name of the source that an event comes from, and what is known of it."""
    told = arrival.header(SOURCE_HEADER)
    name = told or DEFAULT
    found = sources.get(name)
    if found is None:
        what = (
            f"the header's name is not among them in {setting}"
            if told
            else (f"no header {SOURCE_HEADER}, and no {DEFAULT} in {setting}")
        )
        look.refuse(Reason.NO_ORG, "orgId", f"whose event it is can't be told: {what}")
    return name, found or unknown


def renamed(
    look: Inspection, fields: Mapping[str, Any], source: Source, paths: dict[str, str], prefix: str
) -> dict[str, Any]:
    """Return fields under the names that our definitions have for them."""
    if not source.fields:
        return dict(fields)
    ours: dict[str, Any] = {}
    for theirs, value in fields.items():
        if value is None:
            continue
        name = source.fields.get(theirs, theirs)
        if name in ours:
            look.refuse(Reason.DUP_KEY, f"fields.{name}", "two keys of the event have this name")
        if name != theirs:
            paths[f"fields.{name}"] = prefix + theirs
        ours[name] = value
    return ours


def identifiers_of(
    look: Inspection, customer: Mapping[str, Any], kinds: Mapping[str, str], paths: dict[str, str]
) -> tuple[Identifier, ...]:
    """Return the identifiers of a customer: their keys in order, each with our type."""
    identifiers: list[Identifier] = []
    for key, kind in kinds.items():
        value = spelled(customer.get(key))
        if value is None or value == "":
            continue
        path = f"customer.identifiers[{len(identifiers)}].value"
        paths[path] = f"{paths['customer']}.{key}"
        identifiers.append(Identifier(kind, look.text(value, path)))
    if not identifiers and not any(found.path == "customer" for found in look.violations):
        look.refuse(Reason.NO_CUSTOMER, "customer.identifiers", "at least one is needed")
    return tuple(identifiers)


def first_known(*values: object) -> object:
    """Return the first value that is not blank, or None."""
    return next((value for value in values if not is_blank(value)), None)


def identify(
    look: Inspection, sent: object, arrival: Arrival, *, scope: str | None
) -> tuple[str, str]:
    """Return an event's id, and whether it was SUPPLIED or DERIVED.

    A derived one is made of the body where that names its moment: a sender's retry is the same
    event. Else two like bodies may be two events, and the place of the first arrival tells them
    apart (domain.md 4.4).

    Args:
        look: takes what is wrong with an id.
        sent: the id that the document or a header has; None: there is none.
        arrival: what is to be identified.
        scope: where the body is the only one of its kind; None: it names no moment.
    """
    if sent is not None:
        return look.event_id(spelled(sent)), "SUPPLIED"
    if scope is not None:
        return id_of_body(scope, canonical_json(arrival.value)), "DERIVED"
    return id_of_place(arrival.origin), "DERIVED"


def id_of_body(scope: str, text: str) -> str:
    """Return the id of an event that is known by its document, as canonical JSON."""
    return uuid5_text(NAMESPACE.bytes + f"{scope}|{text}".encode())


def id_of_place(origin: Origin) -> str:
    """Return the id of an event that is known by where it first arrived."""
    return f"{origin.topic}-{origin.partition}-{origin.offset}"
