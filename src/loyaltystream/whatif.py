"""Records that were judged and another definition in, what that would have changed out. Pure.

Each record of the event is read twice, by the definition in force and by the other one. What only
a memory can tell, as whether it was seen before, is left out: resends count as often as they came.
"""

from collections import Counter
from enum import StrEnum
from typing import Any, Final

import msgspec

from loyaltystream.definitions.model import EventDefinition
from loyaltystream.definitions.registry import NO_SCHEMA, Definitions
from loyaltystream.events import Origin, Record, ValidEvent
from loyaltystream.rules import Rules
from loyaltystream.steps.read import read_carefully
from loyaltystream.steps.stages import Rejected

SAMPLES: Final = 5


class Effect(StrEnum):
    """What another definition does to one record."""

    FIXES = "fixes"
    REJECTS = "rejects"
    REROUTES = "reroutes"
    SAME = "same"


class Case(msgspec.Struct, frozen=True, rename="camel"):
    """One record that another definition would have changed the fate of."""

    effect: Effect
    place: str
    event_id: str | None
    told: tuple[str, ...]


class Outlook(msgspec.Struct, rename="camel"):
    """How many records of the event would have fared how, and a few of each kind.

    Attributes:
        records: that were looked at, other events' included.
        complete: whether these are all that were asked for.
        unopened: letters of the event that can't be opened, by why.
    """

    records: int = 0
    complete: bool = True
    unopened: Counter[str] = msgspec.field(default_factory=Counter)
    effects: Counter[Effect] = msgspec.field(default_factory=Counter)
    cases: list[Case] = []

    def to_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {"records": self.records, **self.of_the_event()}

    def of_the_event(self) -> dict[str, Any]:
        """Return what tells of no other event, nor how many of them there are."""
        effects = {effect.value: self.effects[effect] for effect in Effect}
        cases = msgspec.to_builtins(self.cases)
        return {
            **effects,
            "complete": self.complete,
            "unopened": self.unopened.total(),
            "cases": cases,
        }


class WhatIf:
    """Holds records against two definitions of one event.

    Args:
        other: the definition that may come.
        current: that is in force; None: there is none.
        rules: what a valid event is.
        topic: where the records are from.
    """

    def __init__(
        self, other: EventDefinition, current: EventDefinition | None, rules: Rules, topic: str
    ) -> None:
        self.outlook = Outlook()
        self._name = other.org_id, other.event_name
        self._spelling = other.event_name.encode()
        self._other = Definitions([other], NO_SCHEMA)
        self._current = Definitions([current] if current else [], NO_SCHEMA)
        self._rules = rules
        self._topic = topic

    def take(self, record: Record) -> None:
        """Look at one record; those of other events count as records only."""
        self.outlook.records += 1
        # An event's name is ASCII: a text without escapes that lacks it is of another event.
        value = record.value or b""
        if self._spelling not in value and b"\\" not in value:
            return
        old, new = (self._read(record, view) for view in (self._current, self._other))
        if self._name not in {(one.org_id, one.event_name) for one in (old, new)}:
            return
        effect = _effect(old, new)
        self.outlook.effects[effect] += 1
        if effect is not Effect.SAME and self.outlook.effects[effect] <= SAMPLES:
            place = f"{self._topic}/{record.partition}/{record.offset}"
            self.outlook.cases.append(Case(effect, place, new.event_id, _told(old, new)))

    def _read(self, record: Record, definitions: Definitions) -> ValidEvent | Rejected:
        moment_ms = max(record.timestamp_ms, 0)
        origin = Origin(self._topic, record.partition, record.offset, moment_ms)
        return read_carefully(record, origin, moment_ms, definitions=definitions, rules=self._rules)


def _effect(old: ValidEvent | Rejected, new: ValidEvent | Rejected) -> Effect:
    if isinstance(old, ValidEvent) and isinstance(new, ValidEvent):
        same = old.key == new.key and old.definition.actions == new.definition.actions
        return Effect.SAME if same else Effect.REROUTES
    if isinstance(new, ValidEvent):
        return Effect.FIXES
    return Effect.REJECTS if isinstance(old, ValidEvent) else Effect.SAME


def _told(old: ValidEvent | Rejected, new: ValidEvent | Rejected) -> tuple[str, ...]:
    """Return the violations that go or come."""
    for one in (new, old):
        if isinstance(one, Rejected):
            return tuple(f"{found.reason} {found.path}: {found.detail}" for found in one.violations)
    return ("another key or other actions",)
