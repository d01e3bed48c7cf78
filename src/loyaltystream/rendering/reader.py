"""A notification in any of the vendor's shapes in, its record out, or a closed reason. Pure.

Every shape and defect of the vendor's samples is read (domain.md 1.1, 1.3): flat with eight keys or
six, wrapped in a body, in attributes, and the fragment without its brace. So is a record as
`loyaltystream tail --json` shows its value.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from loyaltystream.dialects.strict_json import ANY_SIZE, parse
from loyaltystream.notifications.catalog import NotificationType
from loyaltystream.notifications.targets import Composite, load_target
from loyaltystream.rendering.differences import DELIVERY, HOISTED, fold, type_of
from loyaltystream.rendering.shapes import Json
from loyaltystream.rendering.values import Found, canonical_activity, read_record, sort
from loyaltystream.verdicts import Reason, Violation

_WRAPPERS: Final = ("event", "body", "attributes")
_IDS: Final = ("eventId", "apiRequestId", "loyaltyEventId", "causeEventId")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LABEL: Final = re.compile(rb"\}\s*[A-Za-z]+\s*\Z")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class Unreadable(StrEnum):
    """Why a text is no notification."""

    NOT_JSON = "NOT_JSON"
    NO_EVENT_NAME = "NO_EVENT_NAME"
    UNKNOWN_EVENT = "UNKNOWN_EVENT"
    MISFIT = "MISFIT"


class Refusal(msgspec.Struct, frozen=True):
    """A text that is no notification; `details` name places, never what stands there."""

    reason: Unreadable
    details: tuple[str, ...]


class Notification(msgspec.Struct, frozen=True):
    """A notification that was read.

    Attributes:
        record: as fastavro reads it from Avro.
        unread: paths of what stood there and no record has a place for.
    """

    record: Json
    unread: tuple[str, ...]


def read_text(raw: bytes | str) -> Notification | Refusal:
    """Return the notification in JSON text of any shape, or why there is none."""
    text = raw.encode(errors="surrogatepass") if isinstance(raw, str) else raw
    text = text.removeprefix(_BYTE_ORDER_MARK)
    found = parse(text, max_bytes=ANY_SIZE)
    if isinstance(found, Violation) and found.reason is Reason.JSON_SYNTAX:
        found = parse(_mend(text), max_bytes=ANY_SIZE)
    if isinstance(found, Violation):
        return Refusal(Unreadable.NOT_JSON, (f"{found.reason}: {found.detail}",))
    return read_value(found)


def read_value(value: Mapping[str, Any]) -> Notification | Refusal:
    """Return the notification in parsed JSON of any shape, or why there is none."""
    pairs = _unwrap(value)
    folded = {fold(key): part for key, part in pairs if part is not None}
    facts = folded.get("data")
    keys = {fold(key) for key in facts} if isinstance(facts, dict) else set()
    name = folded.get("eventname") or str(folded.get("eventtype", "")).rpartition("_")[2]
    if not name or not isinstance(name, str):
        return Refusal(Unreadable.NO_EVENT_NAME, ("eventName: no text stands there",))
    kind = type_of(name, keys)
    if kind is None:
        return Refusal(Unreadable.UNKNOWN_EVENT, ("eventName: no notification is called that",))
    return _read_as(kind, pairs)


def _unwrap(value: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the keys and values of the envelope, whatever is wrapped around it."""
    pairs = []
    for key, part in value.items():
        if fold(key) in _WRAPPERS and isinstance(part, dict):
            pairs += _unwrap(part)
        else:
            pairs.append((key, part))
    return pairs


def _read_as(kind: NotificationType, pairs: list[tuple[str, Any]]) -> Notification | Refusal:
    target, found = load_target(kind.schema), Found()
    told = [(key, part) for key, part in pairs if fold(key) not in DELIVERY]
    if all(fold(key) != "eventname" for key, _ in told):
        told.append(("eventName", kind.name))
    if kind.name in HOISTED:
        told = _lower(told, target, found)
    record = read_record(told, target, found, "")
    if found.misfits:
        details = tuple(f"{misfit.path}: {misfit.detail}" for misfit in found.misfits)
        return Refusal(Unreadable.MISFIT, details)
    record["eventName"] = kind.name
    record.update({name: _mend_id(record[name]) for name in _IDS})
    canonical_activity(record)
    return Notification(record, tuple(found.unread))


def _lower(pairs: list[tuple[str, Any]], target: Composite, found: Found) -> list[tuple[str, Any]]:
    """Put into the data what stands beside it."""
    envelope, rest = sort(pairs, target, found, "")
    inner, facts = target.members["data"], envelope.get("data")
    if not isinstance(inner, Composite) or not isinstance(facts, dict | None):
        return [*envelope.items(), *rest]
    hoisted, unknown = sort(rest, inner, found, "data")
    if hoisted:
        known, unread = sort([*(facts or {}).items(), *hoisted.items()], inner, found, "data")
        envelope["data"] = known | dict(unread)
    return [*envelope.items(), *unknown]


def _mend(text: bytes) -> bytes:
    """Return a text with the brace that a sample lacks, and without the label behind another."""
    stripped = text.strip()
    opened = b"{" + stripped if stripped.startswith(b'"') else stripped
    return _LABEL.sub(b"}", opened)


def _mend_id(text: str | None) -> str | None:
    """Return an id without blanks if it is a UUID then: extraction broke one sample's."""
    joined = "".join((text or "").split())
    return joined if _UUID.fullmatch(joined) else text
