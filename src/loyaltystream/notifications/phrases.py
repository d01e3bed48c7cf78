"""A text with braces in, a function that fills it from an event and its notification out. Pure.

`{orgId}_{data.transactionId}`: what begins with `data.` is a field of the notification, everything
else a path into the event. Where a part is unknown there is no text.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from loyaltystream.definitions.model import EventDefinition
from loyaltystream.notifications.fitting import Misfit, fit
from loyaltystream.notifications.paths import Event, can_fit, find_source
from loyaltystream.notifications.targets import Composite, Kind, Listing, Scalar, Target

Phrase = Callable[[Event, dict[str, Any]], str | None]
"""Takes the event and the notification's data."""

_PART = re.compile(r"\{([^{}]*)\}")
_TEXT: Final = Scalar(Kind.STRING, nullable=True)
_DATA: Final = "data."


def compile_phrase(
    text: str, target: Composite, definition: EventDefinition
) -> tuple[Phrase, list[str]]:
    """Return the function that fills `text`, and what is wrong with the text.

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
    reads = []
    for path in paths:
        read = _find(path, target, definition)
        if isinstance(read, str):
            problems.append(f"{{{path}}}: {read}")
        else:
            reads.append(read)

    def phrase(event: Event, data: dict[str, Any]) -> str | None:
        filled = [literals[0]]
        for read, literal in zip(reads, literals[1:], strict=True):
            part = _to_text(read(event, data))
            if not part:
                return None
            filled += (part, literal)
        return "".join(filled)

    return phrase, problems


def _to_text(value: object) -> str | None:
    if isinstance(value, Misfit):
        return None
    fitted: str | None = fit(value, _TEXT, [])
    return fitted


def _find(
    path: str, target: Composite, definition: EventDefinition
) -> Callable[[Event, dict[str, Any]], Any] | str:
    if path.startswith(_DATA):
        return _find_member(path.removeprefix(_DATA).split("."), target)
    source = find_source(path, definition)
    if isinstance(source, str):
        return source
    if not can_fit(source.holds, _TEXT):
        return f"holds {source.holds}, which is not a single value"
    return lambda event, _: source.read(event)


def _find_member(steps: list[str], target: Target) -> Callable[[Event, dict[str, Any]], Any] | str:
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
    return lambda _, data: _walk(data, steps)


def _walk(value: Any, steps: list[str]) -> Any:  # noqa: ANN401 (any Avro value)
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list):
            value = value[int(step)] if int(step) < len(value) else None
        else:
            return None
    return value
