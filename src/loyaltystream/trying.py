"""A sample event and definitions in, what would become of it out; nothing is written. Pure.

It is read and held against its definition as stage ingest does. What only a memory can tell, as
whether the event was seen before, is left out.
"""

from typing import Any, Final

import msgspec

from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import Origin, Record, ValidEvent
from loyaltystream.rules import Rules
from loyaltystream.steps.read import read_carefully
from loyaltystream.verdicts import VENDOR_CODES, Verdict, Violation

_TOPIC: Final = "dry-run"


class Trial(msgspec.Struct, frozen=True, rename="camel"):
    """What would become of an event.

    Attributes:
        verdict: `accepted` or `rejected`.
        partition_key: of an accepted event.
        version: of the definition that it was held against, where there is one.
        actions: where an accepted event would go.
        violations: everything that is wrong: code, the vendor's number, path, message.
    """

    verdict: str
    event_name: str | None
    version: int | None
    partition_key: str | None
    actions: tuple[str, ...]
    violations: tuple[dict[str, Any], ...]


def try_event(value: bytes, definitions: Definitions, rules: Rules, *, now_ms: int) -> Trial:
    """Return what would become of an event that arrived now."""
    record = Record(0, 0, now_ms, None, value)
    origin = Origin(_TOPIC, 0, 0, now_ms)
    judged = read_carefully(record, origin, now_ms, definitions=definitions, rules=rules)
    if isinstance(judged, ValidEvent):
        definition = judged.definition
        return Trial(
            Verdict.ACCEPTED.value,
            judged.event_name,
            definition.version,
            judged.key.decode(),
            tuple(action.value for action in definition.actions),
            (),
        )
    return _rejected(judged.violations, judged.event_name, judged.version)


def _rejected(
    violations: tuple[Violation, ...], event_name: str | None, version: int | None
) -> Trial:
    told = tuple(
        {
            "code": violation.reason.value,
            "vendorCode": VENDOR_CODES.get(violation.reason),
            "path": violation.path,
            "message": violation.detail,
        }
        for violation in violations
    )
    return Trial(Verdict.REJECTED.value, event_name, version, None, (), told)
