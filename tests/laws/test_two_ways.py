"""The short way of an event and the careful one are one: in verdict, content and bytes."""

from collections.abc import Mapping
from typing import Any

import msgspec
from hypothesis import event as note
from hypothesis import given, settings
from hypothesis import strategies as st

from loyaltystream.definitions.registry import Definitions
from loyaltystream.dialects import canonical
from loyaltystream.dialects.strict_json import parse
from loyaltystream.events import Origin, Record, ValidEvent
from loyaltystream.rules import Rules
from loyaltystream.steps.read import read, read_carefully
from loyaltystream.steps.stages import Rejected
from loyaltystream.validation.plain import check_plain
from loyaltystream.verdicts import Violation
from tests.core import EVENT_SCHEMA_ID, NOW_MS, TOPICS, read_event
from tests.laws.strategies import LAW, PSI, definitions, events_of


def judge(record: Record, view: Definitions, rules: Rules) -> ValidEvent | Rejected:
    """Return what reading makes of one record."""
    batch = read([record], topic=TOPICS.ingest, clock_ms=0, definitions=view, rules=rules)
    return (batch.valid + batch.rejected)[0]


@settings(LAW, max_examples=300)
@given(st.data())
def test_both_ways_are_one(data: st.DataObject) -> None:
    """Any event of any definition is judged alike whichever way it takes, to the last byte."""
    usual = data.draw(st.sampled_from([True, True, False]))
    definition = data.draw(definitions(usual=usual))
    value = data.draw(events_of(definition, usual=usual))
    record = Record(0, 0, NOW_MS, None, value, ())
    origin = Origin(TOPICS.ingest, 0, 0, NOW_MS)
    rules = Rules(strict_fields=data.draw(st.booleans()))
    view = Definitions([definition], EVENT_SCHEMA_ID, data.draw(PSI))
    careful = read_carefully(record, origin, NOW_MS, definitions=view, rules=rules)
    assert as_dictionary(judge(record, view, rules)) == as_dictionary(careful)
    plain = canonical.read_plain(value)
    if isinstance(parse(value, max_bytes=rules.max_event_bytes), Violation):
        assert plain is None
    compiled = plain and view.get(plain.orgId, plain.eventName)
    short = (
        plain
        and compiled
        and check_plain(record, origin, NOW_MS, plain, value.count(b'"'), compiled, "")
    )
    note("the short way" if short else "careful after all")


def as_dictionary(checked: ValidEvent | Rejected) -> Mapping[str, Any]:
    """Return every part of a verdict by name."""
    return msgspec.structs.asdict(checked) | {"type": type(checked)}


@LAW
@given(st.data())
def test_what_was_sent_is_what_is_read(data: st.DataObject) -> None:
    """Decoded by fastavro, an accepted event has the values that its producer wrote."""
    usual = data.draw(st.booleans())
    definition = data.draw(definitions(usual=usual))
    value = data.draw(events_of(definition, usual=usual))
    record = Record(0, 0, NOW_MS, None, value, ())
    parsed = parse(value, max_bytes=len(value))
    if isinstance(parsed, Violation):
        return
    found = canonical.read_careful(parsed)
    shown = definition.model_copy(
        update={"fields": tuple(f.model_copy(update={"psi": False}) for f in definition.fields)}
    )
    valid = judge(record, Definitions([shown], EVENT_SCHEMA_ID), Rules())
    if isinstance(valid, Rejected):
        return
    sent, content = found[0], read_event(valid.value)
    assert (content["orgId"], content["eventId"]) == (sent.org_id, sent.event_id)
    assert content["definitionVersion"] == definition.version
    assert content["tillCode"] == sent.till_code
    assert content["customer"]["identifiers"][0]["type"] == sent.identifiers[0].type
    declared = {field.name: field.type.value for field in definition.fields}
    kept = {name for name, one in sent.fields.items() if one is not None}
    assert content["fields"].keys() | content["nested"].keys() == kept
    for name, one in content["fields"].items():
        as_sent = sent.fields[name]
        if isinstance(one, str) or declared.get(name) in {"double", "integer"}:
            assert one == as_sent or isinstance(as_sent, str) != isinstance(one, str)
        else:
            assert (one, type(one)) == (as_sent, type(as_sent))
