"""Schemas, goldens and the standard pack in, what the catalogue's page shows out."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from loyaltystream.contracts import headers, releases, samples
from loyaltystream.contracts.messages import key_of
from loyaltystream.definitions.packing import pack_bodies
from loyaltystream.notifications.catalog import CATALOG, NotificationType
from loyaltystream.rendering.reader import Notification, read_text
from loyaltystream.rendering.shapes import Rendering, render

STANDARD: Final = Path(__file__).parents[1] / "notifications" / "standard"
GROUPS: Final = {
    "Customers": ("customerAdded", "customerUpdated", "cardUpdated", "requestUpdated"),
    "Transactions": ("transactionAdded", "transactionUpdated"),
    "Points": (
        "pointsIssued",
        "pointsRedeemed",
        "promisedToCurrentPointsConversion",
        "pointsExpired",
        "pointsExpiryReminder",
        "pointsTransferredInitiated",
        "pointsTransferredReceived",
        "redeemedPointsReversed",
        "issuedPointsReversed",
    ),
    "Coupons and rewards": ("CouponIssue", "CouponRedeem", "rewardIssued"),
    "Tiers": ("tierUpgraded", "tierRenewed", "tierDowngraded", "tierDowngradeReminder"),
    "Partner programs": (
        "partnerProgramLinked",
        "partnerProgramUpdated",
        "partnerProgramDelinked",
        "supplementaryMembershipExpiryReminder",
    ),
    "Targets and badges": ("targetAchievedValueUpdated", "badgeEarned"),
}
"""The types, as people look for them."""

_KEY_SENTENCE: Final = (" The record's key is ", " It names no customer: the record's key is ")
_OF_ONE_TYPE: Final = {"eventName", "refId", "data"}
_DELIVERED_AFTER_MS: Final = 250

Schema = Mapping[str, Any]


class Part(msgspec.Struct, frozen=True):
    """A piece of a type's name; `record` is what it leads to."""

    text: str
    record: str = ""


class Field(msgspec.Struct, frozen=True):
    """One field of a record.

    Attributes:
        source: where the standard pack takes it from.
    """

    name: str
    parts: list[Part]
    nullable: bool
    doc: str
    source: str = ""


class Shared(msgspec.Struct, frozen=True):
    """A record that several others hold; `users` are what leads to it."""

    name: str
    doc: str
    fields: list[Field]
    users: list[str]


class Sample(msgspec.Struct, frozen=True):
    """A text in one form."""

    kind: str
    label: str
    text: str


class Type(msgspec.Struct, frozen=True):
    """One type of notification, as the page shows it."""

    name: str
    record: str
    doc: str
    data_doc: str
    key: str
    ce_type: str
    ref_id: str
    ref_doc: str
    loyalty_event_id: str
    causes: list[tuple[str, str]]
    fields: list[Field]
    releases: list[int]
    samples: list[Sample]

    @property
    def words(self) -> str:
        """What the filter looks in."""
        return " ".join([self.name, self.doc, *(field.name for field in self.fields)]).lower()


class Catalogue(msgspec.Struct, frozen=True):
    """Everything on the page."""

    groups: dict[str, list[Type]]
    envelope: list[Field]
    headers: list[tuple[str, str, bool]]
    shared: list[Shared]


def catalogue() -> Catalogue:
    """Return what the page shows."""
    schemas = releases.written()
    types = {name: _type(kind, schemas) for name, kind in CATALOG.items()}
    first = schemas[next(iter(CATALOG.values())).schema]
    described = headers.headers_of("notifications")
    return Catalogue(
        groups={group: [types[name] for name in names] for group, names in GROUPS.items()},
        envelope=[_field(field) for field in first["fields"] if field["name"] not in _OF_ONE_TYPE],
        headers=[
            (name, schema["description"], name in described["required"])
            for name, schema in described["properties"].items()
        ],
        shared=_shared(schemas),
    )


def _type(kind: NotificationType, schemas: Mapping[str, Schema]) -> Type:
    schema = schemas[kind.schema]
    data, ref = (_member(schema, name) for name in ("data", "refId"))
    [record] = [part.record for part in _parts(data["type"])[0] if part.record]
    written = schemas[f"loyalty.notification.v1.{record}"]
    rules = [
        (name, body, rule)
        for name, body in pack_bodies().items()
        for rule in body["notifications"]
        if rule["type"] == kind.name
    ]
    mapped = rules[0][2]["data"]
    each = rules[0][2].get("forEach", {}).get("path", "")
    return Type(
        name=kind.name,
        record=kind.schema,
        doc=meaning(schema["doc"]),
        data_doc=written["doc"],
        key=key_of(kind),
        ce_type=headers.example_headers("", kind.name, 0, 0)["ce_type"],
        ref_id=kind.ref_id,
        ref_doc=ref["doc"],
        loyalty_event_id=kind.loyalty_event_id,
        causes=[(name, body["description"]) for name, body, _ in rules],
        fields=[_field(field, mapped.get(field["name"]), each=each) for field in written["fields"]],
        releases=[*releases.released(kind.schema)],
        samples=_samples(kind.name),
    )


def meaning(doc: str) -> str:
    """Return what a record's doc says before it comes to the key."""
    for sentence in _KEY_SENTENCE:
        doc = doc.partition(sentence)[0]
    return doc


def _member(schema: Schema, name: str) -> dict[str, Any]:
    [found] = [field for field in schema["fields"] if field["name"] == name]
    assert isinstance(found, dict)
    return found


def _field(field: Mapping[str, Any], mapped: object = None, *, each: str = "") -> Field:
    parts, nullable = _parts(field["type"])
    source = _source(mapped).replace("entry", each)
    if field["name"] == "customerIdentifiers" and source in {"", "customer.profile"}:
        source = "customer.identifiers, customer.profile"  # they fill themselves
    return Field(
        name=field["name"],
        parts=parts,
        nullable=nullable,
        doc=field["doc"],
        source=source,
    )


def _parts(schema: Any) -> tuple[list[Part], bool]:
    """Return a type in words, and whether it may be null."""
    match schema:
        case ["null", inner]:
            return _parts(inner)[0], True
        case ["null", *branches]:
            return [Part(", ".join(branches[:-1]) + f" or {branches[-1]}")], True
        case {"items": inner} | {"values": inner}:
            return [Part(f"{schema['type']} of "), *_parts(inner)[0]], False
        case {"logicalType": logical, "type": kind}:
            return [Part(f"{kind} ({logical})")], False
    name = str(schema).rpartition(".")[2]
    return [Part(name, record=name if name != schema else "")], False


def _source(mapped: object) -> str:
    """Return what a template of the pack reads, as far as its leaves have it in common."""
    outer = ("element", "group")
    paths = list(dict.fromkeys(path for path in _paths(mapped) if not path.startswith(outer)))
    if len(paths) == 1:
        return paths[0]
    return ", ".join(dict.fromkeys(".".join(path.split(".")[:2]) for path in paths))


def _paths(mapped: object) -> Iterator[str]:
    match mapped:
        case str():
            yield mapped
        case {"const": value}:
            yield f"always {value}"
        case {"path": str(path)} | {"each": str(path)}:
            yield path
        case dict():
            for part in mapped.values():
                yield from _paths(part)
        case list():
            for part in mapped:
                yield from _paths(part)


def _samples(name: str) -> list[Sample]:
    """Return the event of the golden case, and what it causes, in every form."""
    for path in sorted(STANDARD.glob("*_full.json")):
        case = json.loads(path.read_text())
        for each in case["caused"]:
            if each["notification"]["eventName"] == name:
                return [
                    _sample("event", "Event", case["event"]),
                    _sample("json", "Canonical", each["notification"]),
                    *_renderings(each["notification"]),
                ]
    raise LookupError(name)


def _renderings(notification: Mapping[str, Any]) -> Iterator[Sample]:
    found = read_text(json.dumps(notification))
    assert isinstance(found, Notification), found
    delivered_ms = samples.in_milliseconds(notification["createdAt"]) + _DELIVERED_AFTER_MS
    for rendering in Rendering:
        made = render(found.record, rendering, delivered_ms=delivered_ms)
        yield _sample(rendering.value, rendering.value.capitalize(), made)


def _sample(kind: str, label: str, value: object) -> Sample:
    return Sample(kind, label, json.dumps(value, indent=2, ensure_ascii=False))


def _shared(schemas: Mapping[str, Schema]) -> list[Shared]:
    """Return the records that are neither a notification nor one's own data, by name."""
    own = {kind.schema for kind in CATALOG.values()}
    own |= {f"{name}Data" for name in own}
    users: dict[str, set[str]] = {}
    for full_name, schema in schemas.items():
        for field in schema["fields"]:
            for part in _parts(field["type"])[0]:
                if part.record:
                    users.setdefault(part.record, set()).add(_shown_as(full_name))
    return [
        Shared(
            name=schema["name"],
            doc=schema["doc"],
            fields=[_field(field) for field in schema["fields"]],
            users=sorted(users[schema["name"]], key=str.lower),
        )
        for full_name, schema in schemas.items()
        if schema["namespace"] == "loyalty.notification.v1" and full_name not in own
    ]


def _shown_as(full_name: str) -> str:
    """Return where a record stands on the page: a type by its own name, others by theirs."""
    for kind in CATALOG.values():
        if full_name in {kind.schema, f"{kind.schema}Data"}:
            return kind.name
    return full_name.rpartition(".")[2]
