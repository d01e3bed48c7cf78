"""Takes a JSON object apart key by key, noting what does not fit instead of stopping. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final

from loyaltystream.content import number_text
from loyaltystream.dialects.strict_json import name_type
from loyaltystream.events import MAX_ID_CHARACTERS
from loyaltystream.times import occurred_at_ms
from loyaltystream.verdicts import Reason, Violation

MAX_NAME_CHARACTERS: Final = 100

_FORBIDDEN_IN_ID: Final = re.compile("[\x00-\x1f\x7f-\x9f|]")
_TIME_DETAILS = {
    Reason.TYPE: "a time is epoch milliseconds or ISO 8601 text",
    Reason.TIME_FORMAT: "neither epoch milliseconds nor ISO 8601 with date, time and zone",
    Reason.TIME_ZONE: "ISO 8601 without a zone",
}


class Inspection:
    """The violations found so far in one event; every method returns what is usable.

    Null counts as absent everywhere (reliability.md section 4, row 31).
    """

    def __init__(self) -> None:
        self.violations: list[Violation] = []

    def refuse(self, reason: Reason, path: str, detail: str) -> None:
        """Note a violation."""
        self.violations.append(Violation(reason, path, detail))

    def refuse_type(self, path: str, needed: str, value: object) -> None:
        """Note that something else was needed there, without saying the value."""
        self.refuse(Reason.TYPE, path, f"{needed} is needed, not {name_type(value)}")

    def integer(self, value: object, path: str) -> int:
        """Return a required integer of 0 to 2^63 - 1; 5.0 is 5. Unusable: 0."""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if value is None:
            self.refuse(Reason.REQUIRED, path, "missing")
        elif not isinstance(value, int) or isinstance(value, bool):
            self.refuse_type(path, "an integer", value)
        elif not 0 <= value < 2**63:
            self.refuse(Reason.RANGE, path, "negative, or beyond 64 bits")
        else:
            return value
        return 0

    def text(self, value: object, path: str, *, longest: int = 2**31) -> str:
        """Return a required text of `longest` characters at most. Unusable: an empty one."""
        if value is None or value == "":
            self.refuse(Reason.REQUIRED, path, "missing")
        elif not isinstance(value, str):
            self.refuse_type(path, "a text", value)
        elif len(value) > longest:
            self.refuse(Reason.SIZE, path, f"{len(value)} characters, {longest} allowed")
        else:
            return value
        return ""

    def event_id(self, value: object, path: str = "eventId") -> str:
        """Return a required eventId. Unusable: an empty one."""
        if is_blank(value):
            self.refuse(Reason.NO_ID, path, "missing or blank")
        elif not isinstance(value, str):
            self.refuse_type(path, "a text", value)
        elif len(value) > MAX_ID_CHARACTERS:
            detail = f"{len(value)} characters, {MAX_ID_CHARACTERS} allowed"
            self.refuse(Reason.ID_FORMAT, path, detail)
        elif _FORBIDDEN_IN_ID.search(value):
            self.refuse(Reason.ID_FORMAT, path, "holds | or a control character")
        else:
            return value
        return ""

    def optional_text(self, value: object, path: str) -> str | None:
        """Return a text, or None where it is absent, empty or unusable."""
        if value is None or value == "":
            return None
        return self.text(value, path) or None

    def flag(self, value: object, path: str) -> bool | None:
        """Return true or false, or None where it is absent or unusable."""
        if value is None or isinstance(value, bool):
            return value
        self.refuse_type(path, "true or false", value)
        return None

    def table(self, value: object, path: str) -> dict[str, Any]:
        """Return a required object. Unusable: an empty one."""
        if isinstance(value, dict):
            return value
        if value is None:
            self.refuse(Reason.REQUIRED, path, "missing")
        else:
            self.refuse_type(path, "an object", value)
        return {}

    def optional_table(self, value: object, path: str) -> Mapping[str, Any]:
        """Return an object, or an empty one where it is absent or unusable."""
        return {} if value is None else self.table(value, path)

    def moment(self, value: object, path: str) -> int | None:
        """Return epoch milliseconds, or None where it is absent or unusable."""
        if value is None:
            return None
        moment = occurred_at_ms(value)
        if isinstance(moment, Reason):
            self.refuse(moment, path, _TIME_DETAILS[moment])
            return None
        return moment


def is_blank(value: object) -> bool:
    """Say whether a value is absent, or a text of nothing but white space."""
    return value is None or (isinstance(value, str) and not value.strip())


def spelled(value: object) -> object:
    """Return a number as its text, and anything else as it is."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return number_text(value) if is_number else value  # type: ignore[arg-type]  # it is a number


def extend(
    extensions: dict[str, Any], table: Mapping[str, Any], known: frozenset[str], path: str = ""
) -> None:
    """Keep what this release does not know: nothing that was sent is dropped."""
    for key in table.keys() - known:
        if table[key] is not None:
            extensions[path + key] = table[key]
