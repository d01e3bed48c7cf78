"""What is stored of an event and what somebody wants in, what is to be stored out. Pure.

A name is taken for good once it was stored, whatever became of it (domain.md 3.2, code 1806). What
can't be done is told as problems, all of them; then nothing is to be stored.
"""

from typing import Any, Final

import msgspec

from loyaltystream.definitions.additive import changes_beyond, is_same
from loyaltystream.definitions.bodies import normalise
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.definitions.parsing import parse_definition
from loyaltystream.definitions.problem import Problem
from loyaltystream.definitions.stored import (
    MAX_BYTES,
    StoredDraft,
    StoredEvent,
    StoredVersion,
    definition_of,
    encode,
)

NOT_ADDITIVE: Final = "NOT_ADDITIVE"
NOT_FOUND: Final = "NOT_FOUND"
DISABLED: Final = "DISABLED"
NO_DRAFT: Final = "NO_DRAFT"
NOT_VERIFIED: Final = "NOT_VERIFIED"
LIMIT_EXCEEDED: Final = "LIMIT_EXCEEDED"
EXISTS: Final = 1806


class Mark(msgspec.Struct, frozen=True):
    """The change that is being made: its revision, when, and who makes it."""

    revision: int
    at_ms: int
    by: str


Changed = StoredEvent | list[Problem]
"""What is to be stored, or why nothing is."""


def create(
    known: StoredEvent | None,
    definition: EventDefinition,
    body: dict[str, Any],
    *,
    mark: Mark,
    draft: bool = False,
) -> Changed:
    """Return a new event, published at once or as a draft.

    Args:
        known: what is stored under its name.
        definition: what `body` says.
        body: of the Create Event API.
        mark: the change.
        draft: whether to store it as a draft.
    """
    if known is not None:
        return [Problem(EXISTS, f"{definition.event_name} event already exists")]
    blank = StoredEvent(definition.org_id, definition.event_name, mark.revision, "draft", 0)
    if draft:
        return _fitting(_drafted(blank, body, mark))
    return _fitting(_published(blank, definition, body, mark))


def replace(
    known: StoredEvent | None,
    definition: EventDefinition,
    body: dict[str, Any],
    *,
    mark: Mark,
    draft: bool = False,
) -> Changed:
    """Return the event with a next version, published at once or as a draft.

    The same once more is no new version: what is stored comes back.
    """
    if known is None:
        return [_not_found(definition.event_name)]
    if known.disabled_from is not None:
        return [_disabled(known)]
    if beyond := _beyond(known, definition):
        return beyond
    last = current(known)
    if last is not None and is_same(last, definition) and not draft:
        return known
    if draft:
        return _fitting(_drafted(known, body, mark))
    return _fitting(_published(known, definition, body, mark))


def disable(known: StoredEvent | None, event_name: str, *, mark: Mark) -> Changed:
    """Return the event, disabled from now on and for good; once more changes nothing."""
    if known is None:
        return [_not_found(event_name)]
    if known.disabled_from is not None:
        return known
    return msgspec.structs.replace(
        known, revision=mark.revision, state="disabled", disabled_from=mark.revision, draft=None
    )


def verify(known: StoredEvent | None, event_name: str, *, mark: Mark) -> Changed:
    """Return the event with its draft verified; whoever calls this has tried it."""
    if known is None:
        return [_not_found(event_name)]
    if known.draft is None:
        return [Problem(NO_DRAFT, f"{event_name} has no draft")]
    draft = StoredDraft("verified", known.draft.body)
    state = known.state if known.versions else "verified"
    return msgspec.structs.replace(known, revision=mark.revision, state=state, draft=draft)


def publish(known: StoredEvent | None, event_name: str, *, mark: Mark) -> Changed:
    """Return the event with its verified draft as the next version."""
    if known is None:
        return [_not_found(event_name)]
    if known.draft is None:
        return [Problem(NO_DRAFT, f"{event_name} has no draft")]
    if known.draft.state != "verified":
        text = f"the draft of {event_name} is not verified: send it a sample event first"
        return [Problem(NOT_VERIFIED, text)]
    found = parse_definition(known.org_id, known.draft.body)
    if not isinstance(found, EventDefinition):
        return found
    # What it was held against when it was drafted may have got another version since.
    return _beyond(known, found) or _fitting(_published(known, found, known.draft.body, mark))


def current(known: StoredEvent) -> EventDefinition | None:
    """Return the last published version, disabled or not."""
    return definition_of(known, known.versions[-1]) if known.versions else None


def _beyond(known: StoredEvent, definition: EventDefinition) -> list[Problem]:
    last = current(known)
    beyond = changes_beyond(last, definition) if last is not None else []
    return [Problem(NOT_ADDITIVE, text) for text in beyond]


def _drafted(known: StoredEvent, body: dict[str, Any], mark: Mark) -> StoredEvent:
    state = known.state if known.versions else "draft"
    draft = StoredDraft("draft", normalise(body))
    return msgspec.structs.replace(known, revision=mark.revision, state=state, draft=draft)


def _published(
    known: StoredEvent, definition: EventDefinition, body: dict[str, Any], mark: Mark
) -> StoredEvent:
    # A body's own version counts where it is ahead: files that were in force keep their numbers.
    number = max(known.version + 1, definition.version)
    version = StoredVersion(number, mark.revision, mark.at_ms, mark.by, normalise(body))
    return msgspec.structs.replace(
        known,
        revision=mark.revision,
        state="published",
        version=number,
        versions=(*known.versions, version),
        draft=None,
    )


def _fitting(stored: StoredEvent) -> Changed:
    size = len(encode(stored))
    if size <= MAX_BYTES:
        return stored
    text = f"{stored.event_name} takes {size} bytes with all its versions, {MAX_BYTES} at most"
    return [Problem(LIMIT_EXCEEDED, text)]


def _not_found(event_name: str) -> Problem:
    return Problem(NOT_FOUND, f"no event {event_name} in this org")


def _disabled(known: StoredEvent) -> Problem:
    return Problem(DISABLED, f"{known.event_name} is disabled for good; define another event")
