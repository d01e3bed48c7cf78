"""The same facts are the same event, whichever dialect they are written in."""

from typing import Any

import pytest
from hypothesis import event as note
from hypothesis import given, settings
from hypothesis import strategies as st

from loyaltystream.definitions.registry import Definitions
from loyaltystream.dialects.sources import Dialect, Dialects
from loyaltystream.events import Origin, Record, ValidEvent
from loyaltystream.rules import Rules
from loyaltystream.sending import Keyer
from loyaltystream.steps.read import read, read_carefully
from loyaltystream.steps.stages import Rejected
from loyaltystream.validation.theirs import check_theirs
from tests.core import (
    DEFINITIONS,
    DIALECTS,
    EVENT_SCHEMA_ID,
    NOW_MS,
    RESERVED,
    SHOP,
    SOURCES,
    TOPICS,
    define,
    field,
    raw,
    read_event,
)
from tests.facts import CREATES, CUSTOMER_KEYS, Facts, Written, canonical, write
from tests.laws.strategies import LAW, NUMBERS, TEXTS, THEIRS, USUAL_ONES, USUAL_TEXTS, VALUES

OTHERS = [Dialect.CAPILLARY, Dialect.OPEN_LOYALTY, Dialect.VOUCHERIFY]
ENVELOPE = {
    "event_name",
    "eventDateTime",
    "external_event_id",
    "orgResolver",
    "customer",
    *CUSTOMER_KEYS.values(),
}
"""Keys that are no fields in Capillary's dialect."""

SOME_HEADERS = st.lists(
    st.sampled_from(
        [
            ("x-event-source", b"kiosk"),
            ("x-event-source", b"kiosk"),
            ("x-event-source", b"berlin"),
            ("x-event-source", b"front-desk"),
            ("x-event-source", "h\u00f6tels".encode()),
            ("x-event-id", b"h-1"),
            ("x-event-id", b" "),
            ("x-event-id", "\u00e9".encode()),
            ("x-event-time", str(NOW_MS).encode()),
            ("x-event-time", b"yesterday"),
            ("x-event-dialect", b"voucherify"),
            ("traceparent", b"t"),
        ]
    ),
    max_size=2,
)
PREFIXES = {
    Dialect.CAPILLARY: "",
    Dialect.OPEN_LOYALTY: "event.body.",
    Dialect.VOUCHERIFY: "metadata.",
}
_TEXT = st.sampled_from(["Lotus", "", " ", "é", 7]) | VALUES
_NUMBER = st.sampled_from([3, 3.0, "3", -0.0, 2**53 + 1, "many"]) | VALUES
FIELDS = st.fixed_dictionaries(
    {"hotel": _TEXT},
    optional={
        "nights": _NUMBER,
        "rate": _NUMBER,
        "breakfast": st.booleans() | VALUES,
        "till": st.just(""),
        "orderId": _TEXT,
        "amount": _NUMBER,
    },
)
USUAL = st.builds(
    Facts,
    event_id=st.sampled_from(["a-1", "0b6f3c1e-8d1f-4b52-9f6e-2d0c6f1f4a11"]),
    name=st.just("roomReserved"),
    mobile=st.sampled_from(["919812345678", "919812345679"]),
    occurred_ms=st.integers(-(10**6), 300).map(lambda seconds: NOW_MS + seconds * 1000),
    fields=st.fixed_dictionaries(
        {"hotel": USUAL_TEXTS.map(lambda text: f"H{text}")},
        optional={
            "nights": st.integers(-9, 9),
            "rate": st.floats(-1e9, 1e9),
            "breakfast": st.booleans(),
            "till": st.sampled_from(["", "T1"]),
            "view": st.just("sea"),
            "extras": st.dictionaries(TEXTS, NUMBERS, max_size=2),
        },
    ),
)
FACTS = USUAL | st.builds(
    Facts,
    event_id=st.sampled_from(["a-1", "é", "0b6f3c1e-8d1f-4b52-9f6e-2d0c6f1f4a11", "a|b"]),
    name=st.sampled_from(["roomReserved", "roomReserved", "orderPlaced", "unheard-of"]),
    mobile=st.sampled_from(["919812345678", "+91 98123 45678", "call me"]),
    occurred_ms=st.integers(-(10**6), 400).map(lambda seconds: NOW_MS + seconds * 1000),
    fields=st.one_of(
        FIELDS,
        st.builds(
            lambda known, other: {
                name: value for name, value in (other | known).items() if name not in ENVELOPE
            },
            FIELDS,
            st.dictionaries(TEXTS, VALUES, max_size=2),
        ),
    ),
)


def judge(written: Written, rules: Rules) -> ValidEvent | Rejected:
    """Return what reading makes of a record."""
    return judge_record(Record(0, 0, NOW_MS, None, written.value, written.headers), rules)


def judge_record(
    record: Record, rules: Rules, view: Definitions = DEFINITIONS
) -> ValidEvent | Rejected:
    """Return the same of a record."""
    batch = read([record], topic=TOPICS.ingest, clock_ms=0, definitions=view, rules=rules)
    [judged] = batch.valid + batch.rejected
    return judged


def ours(facts: Facts, dialect: Dialect) -> Written:
    """Return the facts as a canonical event that says what the dialect says by itself."""
    event = canonical(facts)
    if (creates := CREATES[dialect]) is not None:
        event["createCustomer"] = creates
    if dialect is Dialect.CAPILLARY:
        event["webhookId"] = "default"
        if isinstance(till := facts.fields.get("till"), str):
            event["tillCode"] = till
    return Written(raw(event), [])


@LAW
@given(FACTS, st.sampled_from(OTHERS), st.booleans())
def test_the_same_facts_are_the_same_event(facts: Facts, dialect: Dialect, strict: bool) -> None:  # noqa: FBT001 (drawn)
    """An event of another dialect is what the canonical one is: key, content, id, time, fields."""
    rules = Rules(strict_fields=strict, dialects=DIALECTS)
    theirs, expected = judge(write(facts, dialect), rules), judge(ours(facts, dialect), rules)
    note(f"{dialect}: {type(theirs).__name__}")
    if isinstance(expected, Rejected) or isinstance(theirs, Rejected):
        assert as_told(theirs) == as_told(expected)
        return
    assert decided(theirs) == decided(expected)
    found, wanted = read_event(theirs.value), read_event(expected.value)
    assert found == wanted | {"dialect": dialect.value}


def decided(event: ValidEvent) -> tuple[object, ...]:
    """Return everything of an event that decides its fate."""
    return (
        event.org_id,
        event.event_name,
        event.event_id,
        event.occurred_at_ms,
        event.key,
        event.fingerprint,
        event.unique_values,
        event.definition,
    )


def as_told(judged: ValidEvent | Rejected) -> object:
    """Return why a record was rejected, and what its letter says of it.

    Of an unknown event not all dialects know which key is the customer's.
    """
    assert isinstance(judged, Rejected), judged
    reasons = sorted(found.reason.value for found in judged.violations)
    if "UNKNOWN_EVENT" in reasons:
        reasons = [reason for reason in reasons if reason != "MOBILE"]
    return reasons, judged.org_id, judged.event_name, judged.event_id, judged.version


@LAW
@given(FACTS, st.sampled_from(OTHERS))
def test_a_violation_names_a_place_in_the_document(facts: Facts, dialect: Dialect) -> None:
    """The path of a field that is wrong is the one under which its producer wrote it."""
    rules = Rules(dialects=DIALECTS)
    theirs, expected = judge(write(facts, dialect), rules), judge(ours(facts, dialect), rules)
    if isinstance(theirs, Rejected) and isinstance(expected, Rejected):
        wanted = {
            PREFIXES[dialect] + found.path.removeprefix("fields.")
            for found in expected.violations
            if found.path.startswith("fields.")
        }
        assert wanted <= {found.path for found in theirs.violations}
        canonical_only = ("fields.", "customer.identifiers", "occurredAt", "eventName")
        assert not any(found.path.startswith(canonical_only) for found in theirs.violations)


@LAW
@given(FACTS, st.sampled_from([*OTHERS, Dialect.CANONICAL]), st.booleans())
def test_it_was_sent_under_its_key(facts: Facts, dialect: Dialect, told: bool) -> None:  # noqa: FBT001 (drawn)
    """`send` gives an event of any dialect the key that the pipeline computes."""
    rules = Rules(dialects=DIALECTS)
    written = write(facts, dialect, told=told)
    judged = judge(written, rules)
    if isinstance(judged, ValidEvent):
        assert Keyer(SHOP, rules, written.headers).key(written.value) == judged.key


@LAW
@given(FACTS, st.sampled_from([*OTHERS, Dialect.CANONICAL]), st.booleans())
def test_both_ways_are_one_in_every_dialect(facts: Facts, dialect: Dialect, told: bool) -> None:  # noqa: FBT001 (drawn)
    """The short way of an event and the careful one agree in every dialect, to the last byte."""
    check_both_ways(write(facts, dialect, told=told), DIALECTS)


@settings(LAW, max_examples=400)
@given(THEIRS, SOME_HEADERS | st.just([]), st.sampled_from([*["auto"] * 9, *Dialect]))
def test_both_ways_are_one_whatever_the_document(
    value: bytes, headers: list[tuple[str, bytes]], assumed: str
) -> None:
    """So do they on any document, header and setting, whatever of the envelope is there."""
    check_both_ways(Written(value, headers), Dialects(**SOURCES | {"assumed": assumed}))


@pytest.mark.parametrize("document", USUAL_ONES, ids=["capillary", "open_loyalty", "voucherify"])
@pytest.mark.parametrize("headers", [[], [("x-event-id", b"h-1"), ("traceparent", b"t")]])
def test_a_usual_event_takes_the_short_way(
    document: dict[str, Any], headers: list[tuple[str, bytes]]
) -> None:
    """An event with all that its dialect usually has needs no careful look."""
    value = raw(document)
    record = Record(0, 7, NOW_MS, None, value, headers)
    origin = Origin(TOPICS.ingest, 0, 7, NOW_MS)
    marks, rules = value.count(b'"'), Rules(dialects=DIALECTS)
    assert check_theirs(record, origin, NOW_MS, marks, DEFINITIONS.by_name, rules) is not None


@pytest.mark.parametrize(
    "declared",
    [
        field("eventDateTime", "date"),
        field("eventDateTime", "tillCode"),
        field("external_event_id", "string", isUniqueKeyField="true"),
        field("external_event_id", "tillCode"),
        field("external_event_id", "integer"),
        field("orgResolver", "json"),
        field("event_name", "string"),
        field("event", "string"),
        field("gr\u00f6\u00dfe", "tillCode"),
        field("storeUnitID", "integer", isRequired="true"),
    ],
    ids=lambda declared: f"{declared['name']} {declared['type']}",
)
@given(data=st.data())
@settings(LAW, max_examples=40)
def test_a_definition_may_declare_what_the_envelope_uses(
    declared: dict[str, Any], data: st.DataObject
) -> None:
    """A key of the envelope that is a field as well is both, whichever way the event takes."""
    body = RESERVED | {"fields": [*RESERVED["fields"], declared]}
    view = Definitions([define(body)], EVENT_SCHEMA_ID)
    written = {
        "event_name": "roomReserved",
        "guest": data.draw(st.sampled_from(["919812345678", 919812345678, 10**22])),
        "hotel": "Lotus",
        "eventDateTime": data.draw(st.sampled_from(["2025-11-24 16:00:00", "24-11-2025", "T1"])),
        "external_event_id": data.draw(st.sampled_from(["c-1", "c-1", 7, ""])),
    }
    more = {
        "orgResolver": {"a": 1},
        "event": "x",
        "till": "T2",
        "gr\u00f6\u00dfe": "T3",
        "storeUnitID": data.draw(st.sampled_from([5, "5"])),
    }
    kept = data.draw(st.sets(st.sampled_from([*more, declared["name"]]), max_size=2))
    value = raw(written | {key: more[key] for key in kept & more.keys()})
    check_both_ways(Written(value, []), DIALECTS, view)


def check_both_ways(written: Written, dialects: Dialects, view: Definitions = DEFINITIONS) -> None:
    """Check that a record is judged alike whichever way it takes."""
    rules = Rules(dialects=dialects, country_codes={1801: "91"})
    record = Record(0, 7, NOW_MS, None, written.value, written.headers)
    origin = Origin(TOPICS.ingest, 0, 7, NOW_MS)
    careful: Any = read_carefully(record, origin, NOW_MS, definitions=view, rules=rules)
    found: Any = judge_record(record, rules, view)
    assert type(found) is type(careful)
    assert struct_values(found) == struct_values(careful)
    marks, by_name = written.value.count(b'"'), view.by_name
    is_short = written.value.isascii() and b"\\" not in written.value
    short = is_short and check_theirs(record, origin, NOW_MS, marks, by_name, rules)
    if short:
        assert struct_values(short) == struct_values(careful)
    note("the short way" if short else f"careful: {type(careful).__name__}")


def struct_values(struct: Any) -> list[object]:
    """Return everything that a verdict has."""
    return [getattr(struct, name) for name in struct.__struct_fields__]
