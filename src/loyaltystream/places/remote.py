"""Definitions behind a running service, for people without Kafka. Does I/O through the line.

A token is of one org: no other's events are there, and none can be changed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import quote

import msgspec

from loyaltystream.definitions.applying import Step
from loyaltystream.definitions.bodies import normalise
from loyaltystream.definitions.stored import StoredEvent
from loyaltystream.definitions.written import Written
from loyaltystream.errors import BrokerError, ConfigurationError
from loyaltystream.places.line import Answer, Line
from loyaltystream.places.place import Listed

_EVENTS: Final = "/v2/events"
T = TypeVar("T")

_OK: Final = 200
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_TRY_AGAIN: Final = frozenset({429, 500, 502, 503, 504})
_OF_THE_EVENT: Final = frozenset({"state", "versions", "draft"})
"""What the service shows beside a body."""


class _Meta(msgspec.Struct, rename="camel"):
    """Whose the token is."""

    org_id: int


class _Shown(msgspec.Struct, rename="camel"):
    """What is shown of an event beside its body."""

    event_name: str
    state: str
    version: int


class RemotePlace:
    """A definitions service.

    Args:
        name: its address.
        line: leads to it.
    """

    def __init__(self, name: str, line: Line) -> None:
        self.name = name
        self._line = line

    def listed(self) -> list[Listed]:
        """Return all events of the token's org, by name."""
        org_id = self._org()
        answer = self._line("GET", _EVENTS)
        known = self._asked(answer, list[_Shown])
        bodies = self._asked(answer, list[dict[str, Any]])
        return [
            Listed(org_id, one.event_name, one.state, one.version, _body(body))
            for one, body in zip(known, bodies, strict=True)
        ]

    def find(self, org_id: int, event_name: str) -> StoredEvent | None:
        """Return everything that is stored of an event, or None."""
        if org_id != self._org():
            return None
        answer = self._line("GET", f"{_EVENTS}/{quote(event_name, safe='')}/history")
        if answer.status == _NOT_FOUND and _codes(answer) == ["NOT_FOUND"]:
            return None
        return self._asked(answer, StoredEvent)

    def preview(self, written: Sequence[Written]) -> list[Step]:
        """Return what applying definitions would change, and what would be refused."""
        self._demand_own(written)
        answer = self._line("POST", f"{_EVENTS}/diff", _definitions(written))
        return self._asked(answer, list[Step])

    def apply(self, written: Sequence[Written]) -> list[Step]:
        """Store definitions, all or, if one is refused, none; return what became of each."""
        self._demand_own(written)
        answer = self._line("POST", f"{_EVENTS}/apply", _definitions(written))
        if answer.status == _CONFLICT and "data" in answer.body:
            return self._read(answer.body["data"], list[Step])
        return self._asked(answer, list[Step])

    def disable(self, org_id: int, event_name: str) -> None:
        """Reject an event from now on, for good."""
        if org_id != (own := self._org()):
            raise ConfigurationError(
                f"the token for {self.name} is of org {own}: it can't change org {org_id}"
            )
        self._told(self._line("POST", f"{_EVENTS}/{quote(event_name, safe='')}/disable"))

    def _org(self) -> int:
        return self._asked(self._line("GET", f"{_EVENTS}/meta"), _Meta).org_id

    def _demand_own(self, written: Sequence[Written]) -> None:
        own = self._org()
        others = sorted({one.definition.org_id for one in written} - {own})
        if others:
            told = ", ".join(map(str, others))
            raise ConfigurationError(
                f"the token for {self.name} is of org {own}, and there are definitions of org "
                f"{told}: apply each org's folder with a token of its own"
            )

    def _asked(self, answer: Answer, kind: type[T]) -> T:
        return self._read(self._told(answer).get("data"), kind)

    def _told(self, answer: Answer) -> Mapping[str, Any]:
        """Return the body of an answer that is no refusal."""
        if answer.status == _OK:
            return answer.body
        told = "; ".join(str(error.get("message")) for error in _errors(answer))
        text = f"{self.name} answered {answer.status}: {told or 'it is no definitions service'}"
        raise (BrokerError if answer.status in _TRY_AGAIN else ConfigurationError)(text)

    def _read(self, content: object, kind: type[T]) -> T:
        try:
            return msgspec.convert(content, kind)
        except msgspec.ValidationError as error:
            raise ConfigurationError(
                f"{self.name} answers in words of another release: {error}"
            ) from error


def _definitions(written: Sequence[Written]) -> dict[str, Any]:
    return {"definitions": [one.body for one in written]}


def _codes(answer: Answer) -> list[Any]:
    return [error.get("code") for error in _errors(answer)]


def _errors(answer: Answer) -> list[dict[str, Any]]:
    errors = answer.body.get("errors")
    return [one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []


def _body(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body as it is stored, of what the service shows."""
    own = {name: value for name, value in shown.items() if name not in _OF_THE_EVENT}
    return normalise(own)
