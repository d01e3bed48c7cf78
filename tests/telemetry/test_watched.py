"""What running workers tell of themselves: logs and metrics, held against the records."""

import json
from collections import Counter

import pytest
from prometheus_client.parser import text_string_to_metric_families

from loyaltystream.app import STAGES
from loyaltystream.memory.units import KeyKind
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
        "outcome": {
            *("committed", "aborted", "written", "failed", "refused"),
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
