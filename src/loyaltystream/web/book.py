"""An org's definitions, as its tokens may see and change them. Does I/O through the desk.

Every call is one of a token, and sees and changes nothing but what is its org's. What can't be done
ends the call with everything that is wrong with it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from loyaltystream.definitions import bodies, changing
from loyaltystream.definitions.applying import Applied, Step, active_events, apply
from loyaltystream.definitions.changing import Changed, Mark
from loyaltystream.definitions.history import Name
from loyaltystream.definitions.limits import Limits
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.definitions.parsing import parse_definition
from loyaltystream.definitions.problem import Problem
from loyaltystream.definitions.samples import Sample, sample_event
from loyaltystream.definitions.standard import standard_body
from loyaltystream.definitions.stored import StoredEvent, definition_of
from loyaltystream.definitions.written import Written
from loyaltystream.desk import ChangeOne, Desk
from loyaltystream.places.topic import apply_all
from loyaltystream.web.answers import RefusedError, refusal
from loyaltystream.web.tokens import Token

Events = Mapping[Name, StoredEvent]


class Book:
    """All definitions, a page for each org.

    Args:
        desk: reads and changes the topic.
        limits: of the deployment.

    Attributes:
        limits: likewise.
    """

    def __init__(self, desk: Desk, limits: Limits) -> None:
        self._desk = desk
        self.limits = limits

    def create(self, token: Token, body: Mapping[str, Any], *, draft: bool = False) -> StoredEvent:
        """Store a new event, published at once or as a draft."""
        definition = self._read(token, body)

        def change(events: Events, mark: Mark) -> Changed:
            known = events.get(_name(definition))
            # That a name is taken is told before there are too many of them.
            others = None if known else active_events(events, token.org)
            refusals = self.limits.refusals(definition, others=others)
            if known is None and refusals:
                return refusals
            return changing.create(known, definition, dict(body), mark=mark, draft=draft)

        return self._change(token, change)

    def replace(self, token: Token, body: Mapping[str, Any], *, draft: bool = False) -> StoredEvent:
        """Give an event its next version, or a draft of it."""
        definition = self._read(token, body)

        def change(events: Events, mark: Mark) -> Changed:
            known = events.get(_name(definition))
            return self.limits.refusals(definition, others=None) or changing.replace(
                known, definition, dict(body), mark=mark, draft=draft
            )

        return self._change(token, change)

    def disable(self, token: Token, event_name: str) -> StoredEvent:
        """Reject an event from now on, for good."""

        def change(events: Events, mark: Mark) -> Changed:
            return changing.disable(events.get((token.org, event_name)), event_name, mark=mark)

        return self._change(token, change)

    def enable(self, token: Token, event_name: str) -> StoredEvent:
        """Publish one of the vendor's standard events."""
        body = standard_body(event_name)
        if body is None:
            raise refusal(changing.NOT_FOUND, f"no standard event {event_name}")
        return self.create(token, body)

    def verify(self, token: Token, event_name: str) -> StoredEvent:
        """Note that the draft of an event was tried and found right."""

        def change(events: Events, mark: Mark) -> Changed:
            return changing.verify(events.get((token.org, event_name)), event_name, mark=mark)

        return self._change(token, change)

    def publish(self, token: Token, event_name: str) -> StoredEvent:
        """Make the verified draft of an event its next version."""

        def change(events: Events, mark: Mark) -> Changed:
            return changing.publish(events.get((token.org, event_name)), event_name, mark=mark)

        return self._change(token, change)

    def definition(
        self, token: Token, event_name: str, *, version: int | None = None, draft: bool = False
    ) -> EventDefinition:
        """Return what an event's last version, another one, or its draft says."""
        stored = self._found(token, event_name)
        if draft:
            if stored.draft is None:
                raise refusal(changing.NO_DRAFT, f"{event_name} has no draft")
            return self._read(token, stored.draft.body)
        wanted = stored.version if version is None else version
        found = stored.published(wanted)
        if found is not None:
            return definition_of(stored, found)
        raise refusal(changing.NOT_FOUND, f"{event_name} has no published version {wanted or ''}")

    def in_force(self, token: Token, event_name: str) -> EventDefinition | None:
        """Return what an event's last version says; None: nothing was ever published."""
        stored = self._desk.read().events.get((token.org, event_name))
        if stored is not None and stored.disabled_from is not None:
            raise refusal(changing.DISABLED, f"{event_name} is disabled for good")
        return changing.current(stored) if stored is not None else None

    def events(self, token: Token) -> list[dict[str, Any]]:
        """Return all events of the org, by name."""
        events = self._desk.read().events
        return [_shown(stored) for name, stored in sorted(events.items()) if name[0] == token.org]

    def event(self, token: Token, event_name: str, version: int | None) -> dict[str, Any]:
        """Return one event."""
        stored = self._found(token, event_name)
        if version is None:
            return _shown(stored)
        found = stored.published(version)
        if found is not None:
            return _shown(stored) | bodies.shown(found.body) | {"version": version}
        raise refusal(changing.NOT_FOUND, f"{event_name} has no published version {version}")

    def history(self, token: Token, event_name: str) -> StoredEvent:
        """Return everything that is stored of an event."""
        return self._found(token, event_name)

    def diff(self, token: Token, bodies: Sequence[Any]) -> list[Step]:
        """Return what applying definitions would change, and what would be refused."""
        events = self._desk.read().events
        written = self._read_all(token, bodies)
        return apply(events, written, mark=Mark(1, 0, ""), limits=self.limits).steps

    def apply(self, token: Token, bodies: Sequence[Any]) -> Applied:
        """Store definitions, all or, if one is refused, none; return what became of each."""
        written = self._read_all(token, bodies)
        return apply_all(self._desk, written, who=token.name, limits=self.limits)

    def sample(self, token: Token, event_name: str) -> Sample:
        """Return an event that the definition accepts: the last version, or else the draft."""
        draft = not self._found(token, event_name).versions
        return sample_event(self.definition(token, event_name, draft=draft))

    def read_inline(self, token: Token, body: Mapping[str, Any]) -> EventDefinition:
        """Return what a body says that nobody stores."""
        definition = self._read(token, body)
        if refusals := self.limits.refusals(definition, others=None):
            raise RefusedError(refusals)
        return definition

    def _read(self, token: Token, body: Mapping[str, Any]) -> EventDefinition:
        found = parse_definition(token.org, body, extended=self.limits.extended_types)
        if isinstance(found, EventDefinition):
            return found
        raise RefusedError(found)

    def _read_all(self, token: Token, bodies: Sequence[Any]) -> list[Written]:
        """Return what bodies say, which all have to be right, by name."""
        written, problems = [], []
        for position, body in enumerate(bodies):
            found = parse_definition(token.org, body, extended=self.limits.extended_types)
            if isinstance(found, EventDefinition):
                written.append(Written(found, body))
            else:
                problems += [replace(one, field=_place(position, one.field)) for one in found]
        names = Counter(one.definition.event_name for one in written)
        problems += [
            Problem(changing.EXISTS, f"{name} event already exists in this list")
            for name, count in names.items()
            if count > 1
        ]
        if problems:
            raise RefusedError(problems)
        return sorted(written, key=lambda one: one.definition.event_name)

    def _found(self, token: Token, event_name: str) -> StoredEvent:
        stored = self._desk.read().events.get((token.org, event_name))
        if stored is None:
            raise refusal(changing.NOT_FOUND, f"no event {event_name} in this org")
        return stored

    def _change(self, token: Token, change: ChangeOne) -> StoredEvent:
        made = self._desk.change_one(token.name, change)
        if isinstance(made, StoredEvent):
            return made
        raise RefusedError(made)


def _place(position: int, field: str | None) -> str:
    place = f"definitions[{position}]"
    return place if field is None else f"{place}.fields.{field}"


def _name(definition: EventDefinition) -> Name:
    return definition.org_id, definition.event_name


def _shown(stored: StoredEvent) -> dict[str, Any]:
    """Return an event as the vendor's GET shows it, with its state and versions."""
    last = stored.versions[-1].body if stored.versions else None
    draft = stored.draft.body if stored.draft is not None else None
    shown = {
        **bodies.shown(last or draft or {"fields": []}),
        "state": stored.state,
        "version": stored.version,
        "versions": [
            {
                "version": one.version,
                "publishedAt": one.published_at_ms,
                "publishedBy": one.published_by,
            }
            for one in stored.versions
        ],
    }
    if stored.draft is not None:
        shown["draft"] = {**msgspec.to_builtins(stored.draft), "body": bodies.shown(draft or {})}
    return shown
