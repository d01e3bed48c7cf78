"""Every file of `cases` is a class of input with the verdict that each record of it gets."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from loyaltystream.dialects.sources import Dialects
from loyaltystream.events import Record
from loyaltystream.memory.changelog import encode
from loyaltystream.pipeline import Plan
from loyaltystream.rules import Rules
from loyaltystream.topology import Output
from loyaltystream.verdicts import Reason, Verdict
from tests.core import (
    DIALECTS,
    GOOD,
    SOURCES,
    TOPICS,
    Partition,
    header,
    ingest,
    outputs,
    raw,
    read_event,
    read_letter,
    record,
    source_offset,
    verdicts,
)
from tests.golden.notation import to_bytes, to_record
from tests.why.world import SIGNER

FOLDER = Path(__file__).parent / "cases"

VERDICT_TOPICS = {
    Verdict.ACCEPTED: {TOPICS.emf, TOPICS.ei},
    Verdict.DUPLICATE: {TOPICS.duplicates},
    Verdict.CONFLICT: {TOPICS.dead_letter},
    Verdict.LATE: {TOPICS.dead_letter},
    Verdict.REJECTED: {TOPICS.dead_letter},
    Verdict.REKEYED: {TOPICS.ingest},
    Verdict.TOMBSTONE: set(),
}


def cases(kind: str) -> Iterator[Any]:
    """Yield the cases of one kind: with `in` and `out`, with a `story`, or to be `cut`."""
    for file in sorted(FOLDER.glob("*.json")):
        for case in json.loads(file.read_text()):
            if kind in case:
                yield pytest.param(case, id=f"{file.stem}: {case['why']}")


@pytest.mark.parametrize("case", list(cases("in")))
def test_a_record_gets_its_verdict(case: dict[str, Any]) -> None:
    """A record gets the verdict and reasons that its case names, and does no harm to the next."""
    judged = to_record(case["in"], 0)
    partition = Partition(ingest(Rules(**_rules(case)), case.get("partitions", 1)))
    plan = partition.commit([judged])
    check(plan, judged, case["out"])
    # One partition more or less decides where the neighbour belongs, so it is judged in one.
    neighbour = Partition(ingest(Rules(**_rules(case))))
    follower = Record(0, 1, judged.timestamp_ms, None, raw(GOOD | {"eventId": "the next"}), [])
    assert verdicts(neighbour.commit([judged, follower]))[case.get("next", "accepted")] >= 1


@pytest.mark.parametrize("case", list(cases("story")))
def test_a_story_comes_out_as_told(case: dict[str, Any]) -> None:
    """Records that meet earlier ones, in a batch or over several, get the verdicts of the case."""
    partition = Partition(ingest(Rules(**_rules(case)), case.get("partitions", 1)))
    offset = 0
    for batch in case["story"]:
        records = [to_record(step["in"], offset + at) for at, step in enumerate(batch)]
        offset += len(batch)
        plan = partition.commit(records)
        assert plan.tally.consumed == len(records)
        for told, step in zip(records, batch, strict=True):
            check_outputs(plan, told, step["out"])


@pytest.mark.parametrize("case", list(cases("cut")))
def test_an_event_is_unreadable_wherever_it_is_cut(case: dict[str, Any]) -> None:
    """A record that was cut off at any byte is rejected, each with the same reason."""
    whole = to_bytes(case["cut"]) or b""
    records = [Record(0, at, 1, None, whole[: at + 1], []) for at in range(len(whole) - 1)]
    plan = Partition().commit(records)
    assert verdicts(plan) == {case["out"]["verdict"]: len(records)}
    assert dict(plan.tally.reasons) == {Reason(case["out"]["reasons"][0]): len(records)}


def test_every_reason_of_the_core_has_a_case() -> None:
    """No reason that INGEST gives is without a golden case."""
    named = {
        reason
        for kind in ("in", "story", "cut")
        for parameter in cases(kind)
        for reason in _reasons(parameter.values[0])
    }
    of_notify = {Reason.AVRO_FRAME, Reason.AVRO_DECODE, Reason.SCHEMA_ID, Reason.UNMAPPED}
    assert {reason.value for reason in set(Reason) - of_notify} - named == set()


def check(plan: Plan, judged: Record, expected: Mapping[str, Any]) -> None:
    """Check the plan of a single record."""
    assert verdicts(plan) == {expected["verdict"]: 1}
    assert {reason.value for reason in plan.tally.reasons} == set(expected.get("reasons", []))
    check_outputs(plan, judged, expected)


def check_outputs(plan: Plan, judged: Record, expected: Mapping[str, Any]) -> None:
    """Check what one record of a batch caused: the topics of one verdict, and their content."""
    caused = [
        output
        for output in plan.outputs
        if output.topic != TOPICS.changelog and source_offset(output) == judged.offset
    ]
    verdict = Verdict(expected["verdict"])
    assert {output.topic for output in caused} <= VERDICT_TOPICS[verdict]
    assert bool(caused) == bool(VERDICT_TOPICS[verdict])
    for output in caused:
        if output.topic == TOPICS.dead_letter:
            check_letter(output, judged, expected)
        elif output.topic in VERDICT_TOPICS[Verdict.ACCEPTED]:
            check_event(output, expected)
        else:
            assert output.value == judged.value
    if verdict is Verdict.DUPLICATE:
        assert [header(output, "reason") for output in caused] == expected["reasons"]
    for name, text in expected.get("headers", {}).items():
        assert {header(output, name) for output in caused} == {text}
    if "key" in expected:
        assert {output.key for output in caused} == {expected["key"].encode()}


def check_letter(letter: Output, judged: Record, expected: Mapping[str, Any]) -> None:
    """Check that a letter holds the record unchanged, and all that is wrong with it."""
    content = read_letter(letter.value)
    assert content["verdict"] == header(letter, "verdict") == expected["verdict"]
    assert (
        content["value"]["bytes"]
        == (judged.value or b"")[: 1 << 16 if content["truncated"] else None]
    )
    assert content["valueBytes"] == len(judged.value or b"")
    assert letter.key == judged.key
    found = [violation["code"] for violation in content["violations"]]
    assert found == expected["reasons"]
    assert content["violationCount"] == len(found)
    assert header(letter, "reason") == found[0]
    if "paths" in expected:
        assert [violation["path"] for violation in content["violations"]] == expected["paths"]
    assert content["originOffset"] == expected.get("letter", {}).get("originOffset", judged.offset)
    for name, value in expected.get("letter", {}).items():
        assert content[name] == value


def check_event(output: Output, expected: Mapping[str, Any]) -> None:
    """Check that a routed event says what the case expects of it, path by path."""
    content = read_event(output.value)
    for path, value in expected.get("event", {}).items():
        found: Any = content
        for step in path.split("/"):
            found = found[int(step) if step.isdigit() else step]
        if isinstance(found, datetime):
            found = round(found.timestamp() * 1000)
        assert found == value
        assert type(found) is type(value)


def _rules(case: Mapping[str, Any]) -> dict[str, Any]:
    rules = {"dialects": DIALECTS, "waiver_of": SIGNER.waiver_of, **case.get("rules", {})}
    if "assumed" in rules:
        rules["dialects"] = Dialects(**SOURCES, assumed=rules.pop("assumed"))
    if codes := rules.get("country_codes"):
        rules["country_codes"] = {int(org): code for org, code in codes.items()}
    return rules


def _reasons(case: Mapping[str, Any]) -> Iterator[str]:
    steps = [step for batch in case["story"] for step in batch] if "story" in case else [case]
    for step in steps:
        yield from step["out"].get("reasons", [])


def test_the_changelog_learns_of_accepted_events_alone() -> None:
    """A transaction's record in the changelog holds an id for each accepted event, and no other."""
    partition = Partition()
    plan = partition.commit([record(raw(GOOD)), record(b"{", 1)])
    assert plan.delta is not None
    assert [len(section.entries) for section in plan.delta.sections] == [1]
    assert [output.value for output in outputs(plan, TOPICS.changelog)] == [encode(plan.delta)]
