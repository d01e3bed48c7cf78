"""A text with braces in, its literal parts and the ways to what fills it out. Pure.

`{orgId}_{data.transactionId}`: what begins with `data.` is a field of the notification, as are
`apiRequestId` and `loyaltyEventId`; everything else is a path into the event. Where a part is
unknown there is no text.
"""

import re
from collections.abc import Callable
from typing import Final

import msgspec

from loyaltystream.content import EXACT
from loyaltystream.notifications.fitting import Misfit, fit
from loyaltystream.notifications.paths import Move, Source, Way, can_fit
from loyaltystream.notifications.targets import Composite, Kind, Listing, Scalar, Target


class Part(msgspec.Struct, frozen=True):
    """What stands in braces: where its way begins (`Source.root`, or `DATA` or `OWN`), the way."""

    root: str
    way: Way


class Phrase(msgspec.Struct, frozen=True):
    """A text with one literal more than there are parts between them."""

    literals: tuple[str, ...]
    parts: tuple[Part, ...]


_PART = re.compile(r"\{([^{}]*)\}")
DATA: Final = "data"
"""The notification's data."""
OWN: Final = "own"
"""The notification's envelope, of which a phrase may name a few fields."""
OWN_NAMES: Final = ("apiRequestId", "loyaltyEventId")

_TEXT: Final = Scalar(Kind.STRING, nullable=True)


def compile_phrase(
    text: str, target: Composite, find: Callable[[str], Source | str]
) -> tuple[Phrase, list[str]]:
    """Return `text` taken apart, and what is wrong with it.

    Args:
        text: literal text with paths in braces.
        target: the shape of the notification's data.
        find: returns the source at a path, or why there is none.
    """
    pieces = _PART.split(text)
    literals, paths = pieces[::2], pieces[1::2]
    problems = []
    if any("{" in literal or "}" in literal for literal in literals):
        problems.append("braces stand in pairs, around one path each")
    parts = []
    for path in paths:
        part = _find(path, target, find)
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


def _find(path: str, target: Composite, find: Callable[[str], Source | str]) -> Part | str:
    if path.startswith(f"{DATA}."):
        return _find_member(path.split(".")[1:], target)
    if path in OWN_NAMES:
        return Part(OWN, ((Move.AT, path),))
    source = find(path)
    if isinstance(source, str):
        return source
    if not can_fit(source.holds, _TEXT):
        return f"holds {source.holds}, which is not a single value"
    return Part(source.root, source.way)


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
    return Part(DATA, tuple((Move.INTO, step) for step in steps))
