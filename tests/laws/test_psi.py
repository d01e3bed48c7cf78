"""No sensitive value of any event occurs in any output, but where it is allowed."""

import json
import struct
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.avro.text import zigzag
from loyaltystream.definitions.model import Action
from loyaltystream.definitions.psi import Psi
from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import Record
from loyaltystream.rules import Rules
from loyaltystream.topology import Output
from tests.core import (
    CUSTOMER,
    DIALECTS,
    EVENT_SCHEMA_ID,
    NOW_MS,
    TOPICS,
    Partition,
    define,
    event,
    field,
    ingest,
    outputs,
    raw,
    read_letter,
)
from tests.laws.strategies import LAW, PSI
from tests.notifications.shop import notify

PAN, INCOME, AGE, BORN = "canary-4929000000006", 51234.758, 2**45 + 7731, "1917-03-29"
"""Values that nothing else in an event has."""

TRACES = (
    PAN.encode(),
    PAN[::-1].encode(),
    str(INCOME).encode(),
    struct.pack("<d", INCOME),
    str(AGE).encode(),
    zigzag(AGE).encode("latin-1"),
    struct.pack("<d", AGE),
    BORN.encode(),
)
"""How they could be written, in Avro or as text."""

RULE = {
    "type": "transactionAdded",
    "data": {"billNumber": {"path": "fields.bank", "required": True}},
}
SENSITIVE: dict[str, Any] = {
    "eventName": "cardLinked",
    "actions": ["EMFConsumer", "EIConsumer"],
    "notifications": [RULE],
    "fields": [
        CUSTOMER,
        field("pan", "string", isPsiData="true", isUniqueKeyField="true"),
        field("income", "double", isPsiData="true"),
        field("age", "integer", isPsiData="true", regex="[0-9]+"),
        field("born", "date", isPsiData="true"),
        field("bank", "string"),
    ],
}
VALUES = {
    "pan": st.sampled_from([PAN, PAN, PAN + "\u00e9", [PAN], {"a": PAN}]),
    "income": st.sampled_from([INCOME, str(INCOME), f"{INCOME}x", [INCOME]]),
    "age": st.sampled_from([AGE, str(AGE), AGE + 0.5, f"{AGE}?"]),
    "born": st.sampled_from([BORN, f"{BORN}?", {"day": BORN}]),
    "bank": st.sampled_from(["Alpine", "Alpin\u00e9", "", 7]),
}
FIELDS = st.fixed_dictionaries({}, optional=VALUES)


@st.composite
def logs(draw: st.DrawFn) -> list[Record]:
    """Return events of one customer, right ones, wrong ones and repetitions, in two dialects."""
    records = []
    for offset in range(draw(st.integers(1, 6))):
        fields, event_id = draw(FIELDS), draw(st.sampled_from("abc"))
        value = raw(event(eventId=event_id, eventName="cardLinked", fields=fields))
        if draw(st.integers(0, 3)) == 0:
            flat = {"event_name": "cardLinked", "customer": "919812345678", **fields}
            value = json.dumps(flat).encode()
        records.append(Record(0, offset, NOW_MS, None, value, ()))
    return records


@LAW
@given(logs(), PSI)
def test_no_sensitive_value_leaks(log: list[Record], psi: Psi) -> None:
    """Records of both consumers, notifications, headers, keys and violations hold none of them."""
    definitions = Definitions([define(SENSITIVE)], EVENT_SCHEMA_ID, psi)
    plan = Partition(ingest(Rules(dialects=DIALECTS)), definitions).judge(log)
    routed = outputs(plan, TOPICS.emf)
    arrived = [
        Record(0, offset, NOW_MS, one.key, one.value, one.headers)
        for offset, one in enumerate(routed)
    ]
    caused = (
        notify().plan(arrived, definitions=definitions, generation=0).outputs if arrived else []
    )
    for output in [*plan.outputs, *caused]:
        for told in told_by(output, psi):
            assert [trace for trace in TRACES if trace in told] == []
    if psi.clear_to:
        assert all(PAN.encode() in (one.value or b"") for one in routed)


def told_by(output: Output, psi: Psi) -> list[bytes]:
    """Return everything in an output but the original bytes that a letter or a resend keeps."""
    told = [output.key or b"", *(content for _, content in output.headers)]
    if output.topic == TOPICS.dead_letter:
        letter = read_letter(output.value)
        return [*told, *(repr(part).encode() for name, part in letter.items() if name != "value")]
    allowed = output.topic == TOPICS.duplicates or (
        output.topic == TOPICS.emf and Action.EMF in psi.clear_to
    )
    return told if allowed else [*told, output.value or b""]
