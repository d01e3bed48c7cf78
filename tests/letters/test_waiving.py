"""What a signed release spares one record, and all that it spares nobody."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.dialects.envelope import NAMESPACE
from loyaltystream.events import Check, Header, Record
from loyaltystream.letters.signing import Release, Replay, Signer
from loyaltystream.pipeline import Plan
from loyaltystream.rules import Rules
from tests.audit.world import viewed
from tests.core import (
    NOW_MS,
    TOPICS,
    Partition,
    header,
    ingest,
    outputs,
    raw,
    read_event,
    read_letter,
    record,
    verdicts,
)
from tests.why.world import SIGNER

RULES: Final = Rules(waiver_of=SIGNER.waiver_of)
DAY_MS: Final = 86_400_000
LETTER: Final = "behavioral-events.dead-letter/3/1042"


def release(*checks: Check, letter: str = LETTER) -> Replay:
    """Return what a release of a letter claims."""
    return Replay(letter, 1, Release(letter, frozenset(checks)))


def released(
    value: dict[str, Any], offset: int, *checks: Check, headers: Sequence[Header] = ()
) -> Record:
    """Return a released event's record."""
    body = raw(value)
    return record(body, offset, headers=[*headers, *SIGNER.headers(release(*checks), body)])


def partition() -> Partition:
    """Return a partition whose judge knows our signature."""
    return Partition(ingest(RULES))


def billed(number: int, note: str) -> dict[str, Any]:
    """Return an event whose unique key conflicts where its content differs."""
    fields = {"orderId": "B", "amount": 1, "note": note}
    return viewed(number, eventName="orderBilled", fields=fields)


def routed_ids(plan: Plan) -> set[str]:
    """Return the ids of all routed records."""
    routed = [*outputs(plan, TOPICS.emf), *outputs(plan, TOPICS.ei)]
    return {read_event(output.value)["eventId"] for output in routed}


def test_a_conflict_is_released_under_an_id_of_its_own() -> None:
    """The body may name an id that is taken: the released event goes by its letter's."""
    here = partition()
    here.commit([record(raw(viewed(1, fields={"sku": "A"})), 0)])
    other = viewed(1, fields={"sku": "B"})
    assert verdicts(here.commit([record(raw(other), 1)])) == {"conflict": 1}
    plan = here.commit([released(other, 2, Check.EVENT_ID)])
    assert verdicts(plan) == {"accepted": 1}
    assert routed_ids(plan) == {release().release.event_id}  # type: ignore[union-attr]  # it is one


def test_an_event_without_a_conflict_of_its_unique_key_is_not_spared_that() -> None:
    """A release that spares the eventId's check leaves the unique key's as it is."""
    here = partition()
    here.commit([record(raw(billed(1, "x")), 0)])
    assert verdicts(here.judge([released(billed(1, "y"), 1, Check.EVENT_ID)])) == {"conflict": 1}
    assert verdicts(here.judge([released(billed(2, "y"), 1, Check.LATE)])) == {"conflict": 1}
    assert verdicts(here.judge([released(billed(2, "y"), 1, Check.UNIQUE_KEY)])) == {"accepted": 1}


def test_a_released_unique_key_is_remembered_as_any_other() -> None:
    """After a release the key stands for the released content: that is what comes back."""
    here = partition()
    here.commit([record(raw(billed(1, "x")), 0)])
    here.commit([released(billed(2, "y"), 1, Check.UNIQUE_KEY)])
    assert verdicts(here.judge([record(raw(billed(3, "y")), 2)])) == {"duplicate": 1}
    assert verdicts(here.judge([record(raw(billed(3, "x")), 2)])) == {"conflict": 1}


def test_a_late_event_is_released_as_late() -> None:
    """It is routed with the header that an accepted late event has."""
    here, late = partition(), viewed(1, occurredAt=NOW_MS - 40 * DAY_MS)
    assert verdicts(here.commit([record(raw(late), 0)])) == {"late": 1}
    plan = here.commit([released(late, 1, Check.LATE)])
    assert verdicts(plan) == {"accepted": 1}
    assert {header(one, "late") for one in outputs(plan, TOPICS.ei)} == {"true"}
    assert verdicts(here.judge([released(late, 2, Check.EVENT_ID)])) == {"duplicate": 1}
    assert verdicts(partition().judge([released(late, 2, Check.EVENT_ID)])) == {"late": 1}


@pytest.mark.parametrize("apart", [False, True])
def test_a_release_that_arrives_twice_is_a_duplicate(*, apart: bool) -> None:
    """Its new id is remembered as any other id is, in one batch and over two."""
    here, late = partition(), viewed(1, occurredAt=NOW_MS - 40 * DAY_MS)
    records = [released(late, 0, Check.LATE), released(late, 1, Check.LATE)]
    if apart:
        here.commit(records[:1])
        assert verdicts(here.commit(records[1:])) == {"duplicate": 1}
    else:
        assert verdicts(here.commit(records)) == {"accepted": 1, "duplicate": 1}


def test_a_release_is_no_excuse_for_what_is_wrong() -> None:
    """An invalid event stays rejected, and its letter is found under the id that it goes by."""
    plan = partition().judge([released(viewed(1, fields={}), 0, *Check)])
    assert verdicts(plan) == {"rejected": 1}
    [letter] = outputs(plan, TOPICS.dead_letter)
    assert read_letter(letter.value)["eventId"] == SIGNER_ID


SIGNER_ID: Final = Release(LETTER, frozenset()).event_id


def test_the_id_of_a_release_is_a_uuid_of_version_5_of_its_letter() -> None:
    """The same letter always makes the same id: it is written down here once and for ever."""
    assert SIGNER_ID == "415cd242-2b90-53d0-a12f-50a06211b0ce" == str(uuid5(NAMESPACE, LETTER))
    assert Release("behavioral-events.dead-letter/3/1043", frozenset()).event_id != SIGNER_ID


def test_a_released_event_in_a_wrong_partition_is_sent_on_once() -> None:
    """It keeps its headers on the way; astray a second time it is a dead letter."""
    judge = ingest(RULES, partitions=12)
    origin = ("origin", b"behavioral-events/7/3/1")
    astray = released(viewed(1), 0, Check.LATE, headers=[origin])
    here = Partition(judge)
    plan = here.judge([astray])
    assert verdicts(plan) == {"rekeyed": 1}
    [sent] = outputs(plan, TOPICS.ingest)
    assert dict(astray.headers).items() <= dict(sent.headers).items()
    again = record(sent.value, 0, headers=sent.headers)
    assert verdicts(here.judge([again])) == {"rejected": 1}


NAMES: Final = ["replay-of", "replay-attempt", "replay-mac", "release-of", "release-waives"]


@pytest.mark.parametrize("changed", NAMES)
def test_a_changed_release_spares_nothing(changed: str) -> None:
    """Forged, moved to another event, or cut of a part: the record is judged as if it had none."""
    body, late = raw(viewed(1)), raw(viewed(1, occurredAt=NOW_MS - 40 * DAY_MS))
    headers = SIGNER.headers(release(Check.LATE), late)
    forged = [(name, b"late" if name == changed else content) for name, content in headers]
    forged = [
        (name, b"unique-key" if name == "release-waives" == changed else content)
        for name, content in forged
    ]
    lacking = [(name, content) for name, content in headers if name != changed]
    moved = SIGNER.headers(release(Check.LATE), body)
    others = Signer("another secret of ours").headers(release(Check.LATE), late)
    for claim in (forged, lacking, moved, others):
        assert verdicts(partition().judge([record(late, headers=claim)])) == {"late": 1}
    assert verdicts(partition().judge([record(late, headers=headers)])) == {"accepted": 1}


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.binary(max_size=20)), max_size=6),
    st.sets(st.sampled_from(list(Check)), min_size=1),
)
def test_no_header_of_a_stranger_spares_anything(found: list[Header], checks: set[Check]) -> None:
    """Whatever stands in headers of these names, only what we signed counts; none raises."""
    value = raw(viewed(1))
    assert SIGNER.waiver_of(record(value, headers=found)) is None
    signed = SIGNER.headers(release(*checks), value)
    waiver = SIGNER.waiver_of(record(value, headers=[*found, *signed]))
    assert waiver is not None
    assert (waiver.checks, waiver.event_id) == (frozenset(checks), SIGNER_ID)


def test_a_release_that_is_replayed_is_still_the_same_event() -> None:
    """Another letter and attempt, but what was released is signed along."""
    value = raw(viewed(1))
    again = Replay("dead/0/7", 2, Release(LETTER, frozenset({Check.LATE})))
    assert SIGNER.replay_of(SIGNER.headers(again, value), value) == again
