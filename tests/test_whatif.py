"""What another definition would have done to records that were judged."""

from collections import Counter
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

from loyaltystream.app import Deployment
from loyaltystream.cli.what_if import _letters
from loyaltystream.letters.letter import LetterReader
from loyaltystream.rules import Rules
from loyaltystream.sealing.ring import NO_KEYS
from loyaltystream.whatif import SAMPLES, Effect, Outlook, WhatIf
from tests.audit.world import viewed
from tests.core import ORDERED, TOPICS, VIEWED, define, event, field, raw, record
from tests.sealing.rings import OLD
from tests.why.world import Town, writer_schema

STRICT = VIEWED | {"fields": [*VIEWED["fields"], field("shelf", "enum", possibleValues=["upper"])]}


def looked(
    *values: bytes | None, other: Mapping[str, Any], current: Mapping[str, Any] | None = VIEWED
) -> Outlook:
    """Return what would have become of these values."""
    known = None if current is None else define(current)
    what_if = WhatIf(define(other), known, Rules(), "behavioral-events")
    for offset, value in enumerate(values):
        what_if.take(record(value, offset))
    return what_if.outlook


def shelved(shelf: object) -> bytes:
    """Return a good event with a field that only the stricter definition knows."""
    return raw(event(fields={"sku": "S", "shelf": shelf}))


def test_newly_rejected_events_are_counted_with_their_reasons() -> None:
    """What is accepted now and would not be then is told by place, id and violation."""
    outlook = looked(shelved("upper"), shelved("floor"), raw(event()), other=STRICT)
    assert outlook.records == 3
    assert outlook.effects == {Effect.SAME: 2, Effect.REJECTS: 1}
    [case] = outlook.cases
    assert (case.place, case.event_id) == ("behavioral-events/0/1", event()["eventId"])
    assert case.told == ("NOT_POSSIBLE fields.shelf: not among possibleValues",)


def test_events_that_would_be_accepted_are_counted() -> None:
    """What is rejected now for its definition would be mended, with what was wrong told."""
    outlook = looked(shelved("floor"), other=VIEWED, current=STRICT)
    assert outlook.effects == {Effect.FIXES: 1}
    assert outlook.cases[0].told[0].startswith("NOT_POSSIBLE")
    assert looked(raw(event()), other=VIEWED, current=None).effects == {Effect.FIXES: 1}


def test_other_routes_are_counted() -> None:
    """Other actions or another customer's identifier would lead events elsewhere."""
    elsewhere = VIEWED | {"actions": ["EIConsumer"]}
    assert looked(raw(event()), other=elsewhere).effects == {Effect.REROUTES: 1}


def test_other_events_are_of_no_interest() -> None:
    """Records of other events, orgs and no event at all count as records only."""
    values = [
        raw(event(eventName="orderPlaced", fields={"orderId": "A", "amount": 1})),
        raw(event(orgId=1801)),
        raw({"note": "productViewed"}),
        b"{",
        None,
    ]
    outlook = looked(*values, other=STRICT)
    assert (outlook.records, +outlook.effects) == (5, {})
    assert looked(values[0], other=ORDERED, current=ORDERED).effects == {Effect.SAME: 1}


def test_a_name_in_escapes_is_found() -> None:
    """However its JSON writes it, an event is looked at."""
    value = shelved("floor").replace(b"productViewed", b"\\u0070roductViewed")
    assert looked(value, other=STRICT).effects == {Effect.REJECTS: 1}


def test_only_a_few_of_each_kind_are_shown() -> None:
    """The counts are true, and the cases are samples."""
    outlook = looked(*[shelved("floor")] * 20, other=STRICT)
    assert outlook.effects == {Effect.REJECTS: 20}
    assert len(outlook.cases) == SAMPLES
    assert outlook.to_json()["rejects"] == 20
    assert outlook.to_json()["fixes"] == 0


def test_letters_that_cannot_be_opened_are_counted() -> None:
    """Sealed letters are looked at where the key is; without it their number is told."""
    town = Town()
    town.seal(OLD)
    town.place(viewed(1, 1, fields={}))
    town.run()
    for ring, looked_at, missed in ((OLD, 1, 0), (NO_KEYS, 0, 1)):
        reader = LetterReader(writer_schema, ring)
        log = SimpleNamespace(bounds=town.log.settled_bounds, records=town.log.records)
        found = SimpleNamespace(topics=TOPICS, letter_reader=reader, reader=log)
        locked = Counter[str]()
        events = list(_letters(cast("Deployment", found), town.now_ms + 1, locked))
        assert (len(events), locked.total()) == (looked_at, missed)
