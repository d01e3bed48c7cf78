"""Every golden case over HTTP: taken and judged as by Kafka, or refused as the page says."""

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest

from loyaltystream.dialects import reading
from loyaltystream.dialects.envelope import DIALECT_HEADER, ID_HEADER, SOURCE_HEADER, TIME_HEADER
from loyaltystream.dialects.sources import Dialect
from loyaltystream.dialects.strict_json import ANY_SIZE, parse
from loyaltystream.events import TRACE_HEADER, Record
from loyaltystream.rules import Rules
from loyaltystream.verdicts import Reason
from tests.core import Partition, ingest, verdicts
from tests.gateway.conftest import Counter, reasons, refused
from tests.golden.notation import to_bytes, to_record
from tests.golden.test_golden import _rules, cases

UNREADABLE: Final = {
    Reason.EMPTY,
    Reason.NOT_OBJECT,
    Reason.JSON_SYNTAX,
    Reason.JSON_NUMBER,
    Reason.DUP_KEY,
    Reason.DEPTH,
    Reason.ENCODING,
    Reason.CTRL_CHAR,
    Reason.SIZE,
}
NAMELESS: Final = {Reason.NO_ID, Reason.ID_FORMAT, Reason.NO_ORG}
PLACES: Final = {"eventId", "external_event_id", "orgId"}
"""Where an event says its id, or its org; Capillary's documents by the settings of these tests."""
OF_REQUESTS: Final = {SOURCE_HEADER, ID_HEADER, TIME_HEADER, TRACE_HEADER, DIALECT_HEADER}
"""What a request may say beside its body; the dialect says its route."""


def over_http(case: Mapping[str, Any]) -> bool:
    """Say whether a case is one of bytes and of what a request can say of them."""
    written, out = case["in"], case["out"]
    return (
        "null" not in written
        and "partitions" not in case
        and "assumed" not in case.get("rules", {})
        and not written.get("headers", {}).keys() - OF_REQUESTS
        and Reason.NO_DIALECT not in out.get("reasons", [])
    )


CASES: Final = [one for one in cases("in") if over_http(one.values[0])]


def path_of(record: Record, rules: Rules) -> str:
    """Return the route of a record's dialect, and of its source."""
    told = reading.told_dialect(record, rules.dialects)
    value = parse(record.value or b"", max_bytes=ANY_SIZE)
    dialect = reading._detect(value, told) if isinstance(value, dict) else told
    source = (record.header(SOURCE_HEADER) or b"default").decode()
    paths = {
        Dialect.CAPILLARY: f"/webhooks/{source}",
        Dialect.OPEN_LOYALTY: f"/api/{source}/customEvent",
        Dialect.VOUCHERIFY: "/v1/events",
    }
    return next((paths[one] for one in paths if one == dialect), "/events")


def post(counter: Counter, record: Record) -> Any:
    """Return the answer to a record's value, by whichever org's till may send it."""
    headers = {name: value.decode() for name, value in record.headers if name != DIALECT_HEADER}
    path = path_of(record, counter.rules)
    answers = [counter.post(path, record.value, by=by, **headers) for by in ("till", "stranger")]
    return min(answers, key=lambda one: one.status_code in {403, 404})


@pytest.mark.parametrize("case", CASES)
def test_a_case_is_judged_as_by_kafka_or_refused(case: dict[str, Any]) -> None:
    """What can't be read, or has no id or no org, is a problem with its reasons and no record."""
    rules, out = Rules(**_rules(case)), case["out"]
    counter, record = Counter(rules), to_record(case["in"], 0)
    answer = post(counter, record)
    expected = {*out.get("reasons", [])}
    if len(record.value or b"") > rules.max_event_bytes:
        refused(answer, 413)
        assert expected == {Reason.SIZE}
    elif answer.status_code == 403:
        assert json.loads(record.value or b"")["orgId"] not in {1800, 1801}
    elif answer.status_code == 404:
        assert Reason.NO_ORG in expected
    elif not answer.is_success:
        told = {*reasons(answer)}
        if told != {(Reason.ID_FORMAT, f"headers.{ID_HEADER}")}:  # one id too many
            assert {reason for reason, _ in told} <= expected
            assert any(is_needed(*one) for one in told)
    else:
        assert out.get("paths") != [""] or not expected & UNREADABLE
        [taken] = counter.channel.taken
        came = Record(0, 0, record.timestamp_ms, taken.key, taken.value, taken.headers)
        plan = Partition(ingest(rules)).commit([came])
        assert verdicts(plan) == {out["verdict"]: 1}
        assert {*plan.tally.reasons} == expected
    assert len(counter.channel.taken) == answer.is_success


def is_needed(reason: str, path: str) -> bool:
    """Say whether that keeps an event from being taken: none is there, or its id or org is not."""
    is_unreadable = reason in UNREADABLE and not path
    return is_unreadable or reason in NAMELESS or path.rpartition(".")[2] in PLACES


@pytest.mark.parametrize("case", list(cases("cut")))
def test_an_event_is_refused_wherever_it_is_cut(case: dict[str, Any]) -> None:
    """A body that ends at any byte too early is no event, and leaves no record."""
    counter, whole = Counter(), to_bytes(case["cut"]) or b""
    for end in range(1, len(whole)):
        assert reasons(counter.post("/events", whole[:end])) == [(Reason.JSON_SYNTAX, "")]
    assert counter.channel.taken == []


def test_most_cases_are_among_them() -> None:
    """Every file of cases but those of a topic alone is tried over HTTP."""
    files = {str(one.id).partition(":")[0] for one in CASES}
    elsewhere = {"01_tombstone"}
    assert {str(one.id).partition(":")[0] for one in cases("in")} - files <= elsewhere
    assert len(CASES) > 300
