"""The vendor's JSON values in, those of our Avro records out, as fastavro reads them. Pure.

What does not fit is noted with its place, as is what no record has a place for: nothing is guessed,
and nothing lost in silence.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

import msgspec

from loyaltystream.notifications.catalog import CUSTOMER_IDENTIFIERS
from loyaltystream.notifications.fitting import Misfit, fit, mismatch, number_of
from loyaltystream.notifications.targets import Composite, Kind, Listing, Scalar, Table, Target
from loyaltystream.rendering.differences import OTHER_SOURCES, SPELLINGS, fold, places
from loyaltystream.rendering.shapes import EPOCH, MILLISECOND, Json

_TWICE: Final = "stands there twice, with different values"

Pairs = Iterable[tuple[str, Any]]


class Found(msgspec.Struct, frozen=True):
    """What was found on the way: values that do not fit, and paths that no record has."""

    misfits: list[Misfit] = []
    unread: list[str] = []

    def refuse(self, path: str, detail: str) -> None:
        """Note a value that does not fit."""
        self.misfits.append(Misfit(path, detail))


def read(value: Any, target: Target, found: Found, path: str) -> Any:  # noqa: ANN401 (any JSON)
    """Return `value` as the record has it; what does not fit is noted."""
    match target:
        case Scalar():
            return _read_scalar(value, target, found, path)
        case Composite() if isinstance(value, dict):
            return read_record(value.items(), target, found, path)
        case Table(values=values) if isinstance(value, dict):
            return {name: read(part, values, found, f"{path}.*") for name, part in value.items()}
        case Listing(items=items) if isinstance(value, list):
            return [
                read(part, items, found, f"{path}[{position}]")
                for position, part in enumerate(value)
            ]
    if value is not None:
        needed = "an array" if isinstance(target, Listing) else "an object"
        found.refuse(path, mismatch(needed, value))
    elif not target.nullable and not isinstance(target, Listing):
        found.refuse(path, "missing")
    return [] if isinstance(target, Listing) else None


def read_record(pairs: Pairs, target: Composite, found: Found, path: str) -> Json:
    """Return the record that keys and values make, with all its members.

    Args:
        pairs: keys in any spelling.
        target: the record.
        found: takes what does not fit.
        path: of the record; empty: the notification itself.
    """
    known, rest = sort(pairs, target, found, path)
    if target.name == CUSTOMER_IDENTIFIERS:
        rest = _gather(known, rest, found, path)
    found.unread.extend(_join(path, key) for key, part in rest if part is not None)
    return {
        name: read(known.get(name), member, found, _join(path, name))
        for name, member in target.members.items()
    }


def sort(
    pairs: Pairs, target: Composite, found: Found, path: str
) -> tuple[Json, list[tuple[str, Any]]]:
    """Return what a record has a member for, by the member's name, and the rest."""
    known: Json = {}
    rest = []
    for key, part in pairs:
        name = places(target).get(fold(key))
        if name is None:
            rest.append((key, part))
        elif known.get(name) is None:
            known[name] = part
        elif part is not None and part != known[name]:
            found.refuse(_join(path, name), _TWICE)
    return known, rest


def _gather(
    customer: Json, rest: list[tuple[str, Any]], found: Found, path: str
) -> list[tuple[str, Any]]:
    """Put each key that is a source into the map of sources; return the others."""
    sources = {key: part for key, part in rest if _is_source(part)}
    kept = customer.get(OTHER_SOURCES)
    if sources and isinstance(kept, dict | None):
        if any(sources.get(key, part) != part for key, part in (kept or {}).items()):
            found.refuse(_join(path, OTHER_SOURCES), _TWICE)
        customer[OTHER_SOURCES] = sources | (kept or {})
    return [(key, part) for key, part in rest if key not in sources]


def _is_source(part: object) -> bool:
    return isinstance(part, dict) and {fold(key) for key in part} <= {"accounts"}


def _read_scalar(value: Any, target: Scalar, found: Found, path: str) -> Any:  # noqa: ANN401
    is_blank = value is None or (isinstance(value, str) and not value.strip())
    if target.kind is Kind.MOMENT and not is_blank:
        moment = _moment(value)
        if moment is None:
            found.refuse(path, mismatch(Kind.MOMENT, value))
        return moment
    fitted = fit(value, target, found.misfits, path)
    if target.kind is Kind.DYNAMIC and fitted is not None:
        return fitted[1]
    return fitted


def _moment(value: object) -> datetime | None:
    """Return the moment of milliseconds or text; of any year, since a sample's is 1974."""
    number = number_of(value)
    try:
        if number is not None:
            return EPOCH + int(number) * MILLISECOND if int(number) == number else None
        written = datetime.fromisoformat(value) if isinstance(value, str) else None
        return written.astimezone(EPOCH.tzinfo) if written and written.tzinfo else None
    except (ValueError, OverflowError):
        return None


def canonical_activity(record: Json) -> None:
    """Give the activity in a notification's data the one spelling of its name."""
    activity = (record["data"] or {}).get("triggeringActivity")
    if activity is not None:
        activity["name"] = SPELLINGS.get(activity["name"], activity["name"])


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
