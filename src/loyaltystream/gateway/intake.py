"""What was posted in, the record for the ingest topic out; or what forbids taking it. Pure.

Refused is what can't be read at all, an event whose org can't be told, and one without a usable id.
All else is taken, whatever is wrong with it: INGEST judges it, and its dead letter tells
(reliability.md section 4).

The id is fixed here, and stamped as a header: what is sent again, by whomever, is the same event.
An id that is made of a document that names its own moment is left to INGEST, which makes the same.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from loyaltystream.dialects import reading
from loyaltystream.dialects.envelope import (
    DIALECT_HEADER,
    ID_HEADER,
    SOURCE_HEADER,
    TIME_HEADER,
    id_of_place,
)
from loyaltystream.dialects.inspection import Inspection
from loyaltystream.dialects.sources import Dialect
from loyaltystream.events import TRACE_HEADER, Header, Origin, RawEvent, Record
from loyaltystream.gateway.usual import UsualEvent, read_usual
from loyaltystream.rules import Rules
from loyaltystream.sending import Keyer
from loyaltystream.verdicts import Reason, Violation

IDEMPOTENCY_KEY: Final = "idempotency-key"
PASSED_ON: Final = (TIME_HEADER, TRACE_HEADER)
"""Headers of a request that its record has as well."""

_NOWHERE: Final = Origin("", 0, 0, 0)
_MADE_OF_PLACE: Final = id_of_place(_NOWHERE)
_CANONICAL: Final = (DIALECT_HEADER, Dialect.CANONICAL.encode())


class Asked(NamedTuple):
    """An id that a request says beside its event, and where."""

    event_id: str
    place: str


class Offer(msgspec.Struct, frozen=True, gc=False):
    """An event as it was posted.

    Attributes:
        value: its bytes.
        dialect: that its route says.
        source: its webhook, store or project; None: it has none, or the default one.
        asked: the id that its request says; None: it says none.
        headers: what its record has besides.
    """

    value: bytes
    dialect: Dialect
    source: str | None = None
    asked: Asked | None = None
    headers: Sequence[Header] = ()


class Posting(msgspec.Struct, frozen=True, gc=False):
    """One record for the ingest topic, and whose event under which id it is."""

    event_id: str
    org_id: int
    value: bytes
    key: bytes | None
    headers: Sequence[Header]


Refusal = tuple[Violation, ...]


class Intake:
    """Turns what was posted into records.

    Args:
        keyer: tells keys, by the definitions in force.
        rules: what can be read.
        mint: makes an id for an event that has none and is in a dialect without.

    Attributes:
        rules: likewise.
    """

    def __init__(self, keyer: Keyer, rules: Rules, mint: Callable[[], str]) -> None:
        self._keyer = keyer
        self.rules = rules
        self._mint = mint

    def take(self, offer: Offer) -> Posting | Refusal:
        """Return the record, or everything that is wrong with an event that can't be taken."""
        if offer.asked is None and offer.dialect is Dialect.CANONICAL:
            event = (
                read_usual(offer.value) if len(offer.value) <= self.rules.max_event_bytes else None
            )
            if event is not None:
                return self._taken(event, offer)
        return self._take_careful(offer)

    def _taken(self, event: UsualEvent, offer: Offer) -> Posting:
        event_id, org_id = event.eventId, event.orgId
        key = self._keyer.key_for(org_id, event.eventName, event_id, event.customer.identifiers)
        headers = [_CANONICAL, *offer.headers, (ID_HEADER, event_id.encode())]
        return Posting(event_id, org_id, offer.value, key, headers)

    def _take_careful(self, offer: Offer) -> Posting | Refusal:
        headers = [(DIALECT_HEADER, offer.dialect.encode()), *offer.headers]
        if offer.source is not None:
            headers.append((SOURCE_HEADER, offer.source.encode()))
        record = Record(0, 0, -1, None, offer.value, headers)
        read = reading.read(record, _NOWHERE, find=self._keyer.find, rules=self.rules)
        if isinstance(read, Violation):
            return (read,)
        event, violations = read
        told = [found for found in violations if found.path != "eventId"]
        event_id = self._identify(event, violations, offer.asked)
        if isinstance(event_id, tuple) or any(found.path == "orgId" for found in violations):
            wrong = event_id if isinstance(event_id, tuple) else ()
            return tuple(event.placed(found) for found in (*wrong, *told))
        if event_id != event.event_id or event.event_id_origin != "DERIVED":
            headers.append((ID_HEADER, event_id.encode()))
        key = self._keyer.key_of(replace(event, event_id=event_id))
        return Posting(event_id, event.org_id, offer.value, key, headers)

    def _identify(
        self, event: RawEvent, violations: Sequence[Violation], asked: Asked | None
    ) -> str | Refusal:
        """Return the event's id: its own, else the one asked for, else one that is made."""
        wrong = tuple(found for found in violations if found.path == "eventId")
        has_own = event.event_id_origin != "DERIVED" and not _is_missing(wrong)
        if asked is None:
            if wrong:
                return wrong
            made = event.event_id_origin == "DERIVED" and event.event_id == _MADE_OF_PLACE
            return self._mint() if made else event.event_id
        look = Inspection()
        checked = look.event_id(asked.event_id, asked.place)
        if look.violations or (has_own and wrong):
            return (*wrong, *look.violations)
        if has_own and checked != event.event_id:
            detail = "is another id than the event's own: it can be only one"
            return (Violation(Reason.ID_FORMAT, asked.place, detail),)
        return checked


def _is_missing(wrong: Sequence[Violation]) -> bool:
    return any(found.reason is Reason.NO_ID for found in wrong)
