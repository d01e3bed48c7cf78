"""What the vendor has no word for in a definition: keys, windows, versions, notifications. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from loyaltystream.definitions.causes import check_notifications
from loyaltystream.definitions.model import DAY_CLASSES
from loyaltystream.definitions.problem import Problem

KEYS: Final = {
    "eventName",
    "actions",
    "description",
    "fields",
    "notifications",
    "version",
    "uniquenessWindow",
    "uniqueKeyConflicts",
    "acceptsLate",
    "disabled",
}
_FIELD_KEYS: Final = {"name", "type", "attributes"}


def check_ours(body: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield everything wrong with a body whose vendor's parts are right."""
    yield from _check_keys(body)
    if not isinstance(body.get("description"), str | None):
        yield Problem("TYPE", "description is a text")
    window = body.get("uniquenessWindow", 30)
    if isinstance(window, bool) or window not in DAY_CLASSES:
        yield Problem("WINDOW", f"uniquenessWindow is one of {DAY_CLASSES} days")
    version = body.get("version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or not 0 < version < 2**31:
        yield Problem("VERSION", "version is a positive integer")
    for flag in ("uniqueKeyConflicts", "acceptsLate", "disabled"):
        if not isinstance(body.get(flag, False), bool):
            yield Problem("TYPE", f"{flag} is true or false")
    for detail in check_notifications(body.get("notifications", [])):
        yield Problem("NOTIFICATION", detail)


def _check_keys(body: Mapping[str, Any]) -> Iterator[Problem]:
    for key in sorted(body.keys() - KEYS):
        yield Problem("UNKNOWN_KEY", f"{key} is not part of a definition")
    for field in body.get("fields", []):
        # As an attribute beside its field's name: left alone, it would be lost in silence.
        for key in sorted(field.keys() - _FIELD_KEYS):
            text = f"{key} is not part of a field: name, type and attributes are"
            yield Problem("UNKNOWN_KEY", text, field["name"])


def is_text(value: object) -> bool:
    """Say whether that is a text that is not blank."""
    return isinstance(value, str) and bool(value.strip())
