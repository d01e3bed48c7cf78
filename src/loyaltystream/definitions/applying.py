"""Definitions of files and what a topic holds in, what has to be written to it out. Pure.

All or nothing: if one file can't be applied, none is.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace as changed

from loyaltystream.definitions.additive import additions, is_same
from loyaltystream.definitions.changing import Changed, Mark, create, current, disable, replace
from loyaltystream.definitions.limits import Limits
from loyaltystream.definitions.problem import Problem
from loyaltystream.definitions.stored import StoredEvent
from loyaltystream.definitions.written import Written

Action = Literal["create", "update", "disable", "keep", "refuse"]


class Step(msgspec.Struct, frozen=True, rename="camel"):
    """What becomes of one definition.

    Attributes:
        version: that is in force afterwards; 0: none.
        told: what is added or other, or why it is refused.
    """

    org_id: int
    event_name: str
    action: Action
    version: int
    told: tuple[str, ...] = ()


class Applied(msgspec.Struct, frozen=True):
    """Everything that is to be stored, and what becomes of each definition."""

    stored: list[StoredEvent]
    steps: list[Step]

    @property
    def refused(self) -> list[Step]:
        """Those that can't be applied."""
        return [step for step in self.steps if step.action == "refuse"]


def apply(
    events: Mapping[tuple[int, str], StoredEvent],
    written: Sequence[Written],
    *,
    mark: Mark,
    limits: Limits,
) -> Applied:
    """Return what files change on a topic.

    Args:
        events: what the topic holds.
        written: what the files say.
        mark: the first change.
        limits: of the deployment.
    """
    applied = Applied([], [])
    active = _active(events)
    for one in written:
        known = events.get((one.definition.org_id, one.definition.event_name))
        others = active.get(one.definition.org_id, 0)
        refusals = limits.refusals(one.definition, others=None if known else others)
        made, step = _apply(known, one, mark, refusals)
        applied.steps.append(step)
        if step.action not in {"keep", "refuse"} and made is not None:
            applied.stored.append(made)
            mark = changed(mark, revision=mark.revision + 1)
        if step.action == "create":
            active[one.definition.org_id] = others + 1
    return applied


def active_events(events: Mapping[tuple[int, str], StoredEvent], org_id: int) -> int:
    """Return how many events an org has that are not disabled."""
    return _active(events).get(org_id, 0)


def _active(events: Mapping[tuple[int, str], StoredEvent]) -> dict[int, int]:
    counts: dict[int, int] = {}
    for stored in events.values():
        if stored.disabled_from is None:
            counts[stored.org_id] = counts.get(stored.org_id, 0) + 1
    return counts


def _apply(
    known: StoredEvent | None, one: Written, mark: Mark, refusals: list[Problem]
) -> tuple[StoredEvent | None, Step]:
    definition = one.definition
    old = current(known) if known is not None else None

    def step(action: Action, version: int, told: Sequence[str] = ()) -> Step:
        return Step(definition.org_id, definition.event_name, action, version, tuple(told))

    disabled = known is not None and known.disabled_from is not None
    if known is not None and disabled and definition.disabled:
        return known, step("keep", known.version)
    if old is not None and not disabled and is_same(old, definition):
        return known, step("keep", old.version)
    made = refusals or _change(known, one, mark)
    if isinstance(made, list):
        told = [problem.line for problem in made]
        return None, step("refuse", known.version if known else 0, told)
    if old is None:
        return made, step("create", made.version)
    action: Action = "disable" if definition.disabled else "update"
    return made, step(action, made.version, additions(old, definition))


def _change(known: StoredEvent | None, one: Written, mark: Mark) -> Changed:
    # A draft that nobody published is overtaken: files say what is in force.
    wanted = one.definition.model_copy(update={"disabled": False})
    if known is None:
        made = create(None, wanted, one.body, mark=mark)
    else:
        made = replace(known, wanted, one.body, mark=mark)
    if one.definition.disabled and isinstance(made, StoredEvent):
        return disable(made, wanted.event_name, mark=mark)
    return made
