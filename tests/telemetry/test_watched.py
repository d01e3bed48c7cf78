"""What running workers tell of themselves: logs and metrics, held against the records."""

import json
from collections import Counter

import pytest
from prometheus_client.parser import text_string_to_metric_families

from loyaltystream.app import STAGES
from loyaltystream.memory.units import KeyKind
from loyaltystream.notifications.catalog import CATALOG
from loyaltystream.story import ORG_ID
from loyaltystream.telemetry.names import OTHER
from loyaltystream.verdicts import NotifyOutcome, Reason, Verdict
from tests.telemetry.conftest import CANARIES, RECIPE, WORKERS, Counts, Watched, counted

pytestmark = pytest.mark.broker

DROPPED_S = 300
"""After so long a gap the group goes on without a worker."""


@pytest.mark.parametrize(
    ("stage", "metric"),
    [
        ("ingest", "loyaltystream_records_total"),
        ("notify", "loyaltystream_notify_records_total"),
    ],
)
def test_metrics_equal_the_recount(watched: Watched, stage: str, metric: str) -> None:
    """The counters of all workers together are what the audit finds among the records."""
    assert watched.findings.exact, watched.findings.to_json()
    recount: Counts = Counter()
    for found in watched.findings.partitions:
        if found.stage == stage:
            for name, count in found.found.items():
                recount[_as_metric(stage, found.partition, name)] += count
    assert counted(watched.pages[stage], metric) == +recount


def _as_metric(stage: str, partition: int, name: str) -> tuple[str, ...]:
    """Return a recount's labels as the metric has them, in the order of their names."""
    if stage == "ingest":
        return str(partition), name
    # A letter calls its event rejected in either stage.
    return "unmapped" if name == "rejected" else name, str(partition)


def test_reasons_equal_the_recount(watched: Watched) -> None:
    """Every reason is counted as often as the independent judge gives it."""
    recount: Counts = Counter()
    for found in watched.findings.partitions:
        if found.stage == "ingest":
            recount.update({(reason,): count for reason, count in found.reasons.items()})
    assert counted(watched.pages["ingest"], "loyaltystream_reasons_total") == recount
    assert len(recount) >= 15


def test_events_are_counted_by_name(watched: Watched) -> None:
    """By org and event everything adds up to the same verdicts and reasons."""
    pages = watched.pages["ingest"]
    for by_event, whole in (("event_records", "records"), ("event_reasons", "reasons")):
        parts: Counter[str] = Counter()
        for (*_, last), count in counted(pages, f"loyaltystream_{by_event}_total").items():
            parts[last] += count
        sums: Counter[str] = Counter()
        for (*_, last), count in counted(pages, f"loyaltystream_{whole}_total").items():
            sums[last] += count
        assert parts == sums, by_event
    named = {labels[0] for labels in counted(pages, "loyaltystream_event_records_total")}
    assert named >= {"purchaseCompleted", "cardLinked", OTHER}


def test_notifications_are_counted_by_type(watched: Watched) -> None:
    """As many notifications are counted as lie on their topic, each under its type."""
    written: Counts = Counter()
    for record in watched.shop.read(watched.shop.deployment.topics.notifications):
        written[((record.header("ce_type") or b"").decode(),)] += 1
    told = counted(watched.pages["notify"], "loyaltystream_notifications_total")
    assert told.total() == written.total() > 0
    assert sorted(told.values()) == sorted(written.values())


def test_every_record_has_an_age(watched: Watched) -> None:
    """Each record is in the histogram of ages once, and none took longer than the test."""
    for stage, metric in (("ingest", "records"), ("notify", "notify_records")):
        pages = watched.pages[stage]
        ages = counted(pages, "loyaltystream_age_seconds_count")
        assert ages.total() == counted(pages, f"loyaltystream_{metric}_total").total()
        soon = counted(pages, "loyaltystream_age_seconds_bucket")[("1800.0",)]
        assert soon == ages.total()


def test_partitions_and_registry_are_told(watched: Watched) -> None:
    """Owned and existing partitions agree, the registry answers, and no transaction hangs."""
    for stage in STAGES:
        pages = watched.pages[stage]
        owned = counted(pages, "loyaltystream_partitions").total()
        assert owned == RECIPE.partitions
        assert counted(pages, "loyaltystream_topic_partitions").total() == owned * WORKERS
        assert counted(pages, "loyaltystream_registry_up").total() == WORKERS
        assert counted(pages, "loyaltystream_held_seconds").total() < DROPPED_S
        assert counted(pages, "loyaltystream_rebalances_total")[("came",)] >= WORKERS


def test_every_worker_has_a_page_of_its_own(watched: Watched) -> None:
    """Workers of one machine share no port, and the partitions are divided among their pages."""
    for stage in STAGES:
        owned = [
            sum(counted([page], "loyaltystream_partitions").values())
            for page in watched.pages[stage]
        ]
        assert len(owned) == WORKERS
        assert sum(owned) == RECIPE.partitions
        assert min(owned) > 0, stage


def test_the_gap_between_polls_is_told(watched: Watched) -> None:
    """A worker that has restored and judged was away from its group for a moment at least."""
    for page in (page for stage in STAGES for page in watched.pages[stage]):
        [gap_s] = [
            sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
            if sample.name == "loyaltystream_poll_gap_seconds"
        ]
        assert 0 < gap_s < DROPPED_S


def test_labels_come_from_closed_sets(watched: Watched) -> None:
    """No label has a value that an event, a customer or a file could have chosen."""
    allowed = {
        "partition": {str(number) for number in range(RECIPE.partitions)},
        "verdict": {verdict.value for verdict in Verdict},
        "reason": {reason.value for reason in Reason},
        "org": {str(ORG_ID), OTHER},
        "event": {OTHER, *(one.event_name for one in watched.shop.deployment.event_definitions)},
        "type": set(CATALOG),
        "change": {"came", "went"},
        "outcome": {
            *("committed", "aborted", "written", "failed", "refused", "answered"),
            *(outcome.value for outcome in NotifyOutcome),
        },
        "source": {"snapshot", "changelog"},
        "kind": {kind.name.lower() for kind in KeyKind},
        "window_days": {"30", "90", "400"},
    }
    for page in (page for pages in watched.pages.values() for page in pages):
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                for label, value in sample.labels.items():
                    assert label == "le" or value in allowed[label], sample


def test_nothing_that_workers_tell_names_a_customer(watched: Watched) -> None:
    """No log line, not even the most talkative level's, and no metric holds what an event held."""
    log = watched.shop.log()
    assert '"level": "debug"' in log or '"level": "info"' in log
    assert log.count("worker.started") == 2 * WORKERS
    for told in (log, *(page for pages in watched.pages.values() for page in pages)):
        assert [canary for canary in CANARIES if canary in told] == []


def test_every_log_line_says_who_tells_what(watched: Watched) -> None:
    """Each line is one JSON object with event, level and time, and a worker's lines name it."""
    for line in watched.shop.log().splitlines():
        told = json.loads(line)
        assert told.keys() >= {"event", "level", "timestamp"}
        if not told["event"].split(" ")[0].isupper():
            assert told["stage"] in STAGES
            assert told["worker"].split(".")[1] == told["stage"]
