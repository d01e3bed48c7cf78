"""What a record of an import claims, and all that counts for nothing."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.backfill.claim import IMPORT_HEADERS, ImportSigner, either
from loyaltystream.events import Check, Header, Import, Record, Waiver, no_waiver
from loyaltystream.rules import Rules
from loyaltystream.times import SKEW_MS
from tests.audit.world import viewed
from tests.core import (
    NOW_MS,
    TOPICS,
    Partition,
    header,
    ingest,
    outputs,
    raw,
    record,
    verdicts,
)

DAY_MS: Final = 86_400_000
SIGNER: Final = ImportSigner("a secret of sixteen or more")
RULES: Final = Rules(waiver_of=SIGNER.waiver_of)
CLAIM: Final = Import("tills-2019", NOW_MS - DAY_MS, NOW_MS + 10 * DAY_MS, NOW_MS)


def partition() -> Partition:
    """Return a partition whose judge knows our signature."""
    return Partition(ingest(RULES))


def imported(body: bytes, offset: int = 0, claim: Import = CLAIM, at_ms: int = NOW_MS) -> Record:
    """Return a record of an import."""
    return record(body, offset, timestamp_ms=at_ms, headers=SIGNER.headers(claim, body))


def aged(days: float, number: int = 1) -> bytes:
    """Return an event of so many days ago."""
    return raw(viewed(number, occurredAt=NOW_MS - int(days * DAY_MS)))


def test_an_old_event_of_an_import_is_accepted_and_said_to_be_late() -> None:
    """Years do not matter; its routed records say that it is late, and which import brought it."""
    plan = partition().judge([imported(aged(2000))])
    assert verdicts(plan) == {"accepted": 1}
    routed = [*outputs(plan, TOPICS.emf), *outputs(plan, TOPICS.ei)]
    assert len(routed) == 2
    assert {header(one, "late") for one in routed} == {"true"}
    assert {header(one, "import-id") for one in routed} == {"tills-2019"}
    assert {header(one, "import-quiet") for one in routed} == {None}


def test_an_event_within_the_window_is_not_late_because_it_was_imported() -> None:
    """Only what is older than the memory reaches has the header, whichever way it came."""
    plan = partition().judge([imported(aged(5))])
    assert {header(one, "late") for one in outputs(plan, TOPICS.emf)} == {None}
    assert {header(one, "import-id") for one in outputs(plan, TOPICS.emf)} == {"tills-2019"}


def test_an_event_that_occurred_behind_the_claim_is_judged_like_a_live_one() -> None:
    """`until` is a moment, and the event of that very moment is not history any more."""
    claim = Import("tills", NOW_MS - 100 * DAY_MS, NOW_MS + DAY_MS, NOW_MS)
    assert verdicts(partition().judge([imported(aged(100), claim=claim)])) == {"late": 1}
    just_before = raw(viewed(1, occurredAt=NOW_MS - 100 * DAY_MS - 1))
    assert verdicts(partition().judge([imported(just_before, claim=claim)])) == {"accepted": 1}
    assert verdicts(partition().judge([imported(aged(3), claim=claim)])) == {"accepted": 1}


def test_a_claim_ends_with_the_first_clock_at_which_something_is_forgotten() -> None:
    """An import that arrives at that clock or later is late like everything else."""
    last = CLAIM.before_ms - 1
    assert verdicts(partition().judge([imported(aged(100), at_ms=last)])) == {"accepted": 1}
    assert verdicts(partition().judge([imported(aged(100), at_ms=last + 1)])) == {"late": 1}


def test_a_memory_that_was_lost_since_a_claim_proves_nothing_of_it() -> None:
    """What the import brought before the loss is forgotten: it would be accepted once more."""
    for lost_ms, verdict in ((NOW_MS - SKEW_MS, "accepted"), (NOW_MS - SKEW_MS + 1, "late")):
        here = partition()
        here.memory.covers_from_ms = lost_ms
        assert verdicts(here.judge([imported(aged(2000))])) == {verdict: 1}


def test_an_import_is_a_duplicate_of_live_events_and_they_of_it() -> None:
    """The memory is asked first, and what an import brings is remembered as anything else."""
    here = partition()
    here.commit([record(aged(3)), imported(aged(3), 1)])
    assert verdicts(here.commit([imported(aged(3), 2), imported(aged(2000, 2), 3)])) == {
        "duplicate": 1,
        "accepted": 1,
    }
    assert verdicts(here.judge([record(aged(2000, 2), 4), imported(aged(2000, 2), 5)])) == {
        "duplicate": 2
    }


def test_a_quiet_import_says_so_on_what_is_routed() -> None:
    """Stage notify hears from that header that nobody is to be told."""
    claim = Import("tills", CLAIM.until_ms, CLAIM.before_ms, NOW_MS, quiet=True)
    plan = partition().judge([imported(aged(100), claim=claim)])
    assert {header(one, "import-quiet") for one in outputs(plan, TOPICS.emf)} == {"true"}


def test_an_import_keeps_its_claim_in_the_partition_of_its_key() -> None:
    """Astray it is sent on with its headers, and judged there by the same claim."""
    plan = Partition(ingest(RULES, partitions=12)).judge([imported(aged(2000))])
    assert verdicts(plan) == {"rekeyed": 1}
    [sent] = outputs(plan, TOPICS.ingest)
    assert SIGNER.import_of(sent.headers, sent.value) == CLAIM
    home = record(sent.value, 0, headers=sent.headers)
    assert verdicts(partition().judge([home])) == {"accepted": 1}


@pytest.mark.parametrize("changed", sorted(IMPORT_HEADERS))
def test_a_changed_claim_counts_for_nothing(changed: str) -> None:
    """Forged, moved to another event, cut of a part, or of another secret: the event is late."""
    old = aged(2000)
    headers = SIGNER.headers(CLAIM, old)
    other = b"9" * 13
    forged = [(name, other if name == changed else content) for name, content in headers]
    lacking = [(name, content) for name, content in headers if name != changed]
    moved = SIGNER.headers(CLAIM, aged(2001))
    others = ImportSigner("another secret of ours").headers(CLAIM, old)
    for claim in (forged, lacking, moved, others):
        plan = partition().judge([record(old, headers=claim)])
        assert verdicts(plan) == {"late": 1}
        recent = partition().judge([record(aged(1), headers=claim)])
        assert {header(one, "import-id") for one in outputs(recent, TOPICS.emf)} == {None}


@given(
    st.lists(st.tuples(st.sampled_from(sorted(IMPORT_HEADERS)), st.binary(max_size=20)), max_size=6)
)
def test_no_header_of_a_stranger_claims_anything(found: list[Header]) -> None:
    """Whatever stands in headers of these names, only what we signed counts, and nothing raises."""
    assert SIGNER.waiver_of(record(b"{}", headers=found)) is None
    signed = SIGNER.headers(CLAIM, b"{}")
    assert SIGNER.import_of([*found, *signed], b"{}") == CLAIM


def test_a_null_header_claims_nothing() -> None:
    """A header may have no value at all: the client hands on what stands in the record."""
    nulls: list[Header] = [(name, None) for name in IMPORT_HEADERS]  # type: ignore[misc]  # it is so
    assert SIGNER.waiver_of(record(b"{}", headers=nulls)) is None
    assert SIGNER.import_of(SIGNER.headers(CLAIM, b"{}"), None) is None


def test_a_release_is_asked_before_an_import() -> None:
    """What a person released is spared as that person said."""
    spared = Waiver(frozenset({Check.EVENT_ID}))
    asked = record(b"{}", headers=SIGNER.headers(CLAIM, b"{}"))
    assert either(lambda _: spared, SIGNER.waiver_of)(asked) is spared
    waiver = either(no_waiver, SIGNER.waiver_of)(asked)
    assert waiver is not None
    assert waiver.imported == CLAIM


def test_what_is_signed_is_written_down_once_and_for_ever() -> None:
    """A later release has to know the records of today's imports, or an audit would doubt them."""
    assert SIGNER.headers(CLAIM, b"{}") == [
        ("import-id", b"tills-2019"),
        ("import-until", b"1763913600000"),
        ("import-before", b"1764864000000"),
        ("import-begun", b"1764000000000"),
        ("import-quiet", b"false"),
        ("import-mac", b"0a9ebd98073eca949f44f6e83a7f0693d9eae616987bdccec48e15095bb07f36"),
    ]
