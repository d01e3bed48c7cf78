"""A text with braces in, its literal parts and the ways to what fills it out. Pure.

`{orgId}_{data.transactionId}`: what begins with `data.` is a field of the notification, everything
else a path into the event. Where a part is unknown there is no text.
"""

import re
from typing import Final

import msgspec

from loyaltystream.content import EXACT
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.notifications.fitting import Misfit, fit
from loyaltystream.notifications.paths import Move, Way, can_fit, find_source
from loyaltystream.notifications.targets import Composite, Kind, Listing, Scalar, Target


class Part(msgspec.Struct, frozen=True):
    """What stands in braces: the way from the notification's data, or else from the event."""

    in_data: bool
    way: Way


class Phrase(msgspec.Struct, frozen=True):
    """A text with one literal more than there are parts between them."""

    literals: tuple[str, ...]
    parts: tuple[Part, ...]


_PART = re.compile(r"\{([^{}]*)\}")
_TEXT: Final = Scalar(Kind.STRING, nullable=True)
_DATA: Final = "data."


def compile_phrase(
    text: str, target: Composite, definition: EventDefinition
) -> tuple[Phrase, list[str]]:
    """Return `text` taken apart, and what is wrong with it.

    Args:
        text: literal text with paths in braces.
        target: the shape of the notification's data.
        definition: of the events.
    """
    pieces = _PART.split(text)
    literals, paths = pieces[::2], pieces[1::2]
    problems = []
    if any("{" in literal or "}" in literal for literal in literals):
        problems.append("braces stand in pairs, around one path each")
    parts = []
    for path in paths:
        part = _find(path, target, definition)
        if isinstance(part, str):
            problems.append(f"{{{path}}}: {part}")
        else:
            parts.append(part)
    return Phrase(tuple(literals), tuple(parts)), problems


def to_text(value: object) -> str | None:
    """Return a part of a phrase as text; what has none, and what can't be read, is None."""
    if isinstance(value, int) and value.__class__ is int and -EXACT < value < EXACT:
        return str(value)  # as usual
    if isinstance(value, Misfit):
        return None
    fitted: str | None = fit(value, _TEXT, [])
    return fitted


def _find(path: str, target: Composite, definition: EventDefinition) -> Part | str:
    if path.startswith(_DATA):
        return _find_member(path.removeprefix(_DATA).split("."), target)
    source = find_source(path, definition)
    if isinstance(source, str):
        return source
    if not can_fit(source.holds, _TEXT):
        return f"holds {source.holds}, which is not a single value"
    return Part(in_data=False, way=source.way)


def _find_member(steps: list[str], target: Target) -> Part | str:
    for step in steps:
        match target:
            case Composite(members=members) if step in members:
                target = members[step]
            case Listing(items=items) if step.isascii() and step.isdigit():
                target = items
            case _:
                return "the notification has no such field"
    if not isinstance(target, Scalar):
        return "not a single value"
    return Part(in_data=True, way=tuple((Move.INTO, step) for step in steps))
