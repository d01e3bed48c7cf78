"""On the real broker: each expression of every panel and rule, asked of a real Prometheus."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

import pytest

from loyaltystream.audit.findings import Findings
from loyaltystream.platform import Addresses
from loyaltystream.story import Recipe
from tests.observing.alerts import ALERTS, RECORDINGS
from tests.observing.board import Panel
from tests.observing.live import Observed, as_asked, dump, observed, panels, settled, work
from tests.observing.rule import Alert, Recording
from tests.shop import eventually

pytestmark = pytest.mark.broker

RECIPE: Final = Recipe(events=9_000, customers=900, partitions=4, malformed=0.03, conflicts=0.02)
ONLY_WHEN_WRONG: Final = {
    "Share of errors: 5xx": "the gateway has answered with no error of its own",
    "Share of errors: 429": "nobody sent more than the gateway takes",
    "GatewayFails": "the gateway has answered with no error of its own",
    "GatewayRefuses": "nobody sent more than the gateway takes",
    "MemoryWindowShortened": "it compares two series, and no window was shortened",
}
"""Expressions that have no sample while all is well, and why."""

_BOUND = re.compile(r" (?:>|<|==) [\d.]+(?= |\)|\n|$)")

Counts = Counter[tuple[str, ...]]


class Told:
    """What Prometheus and the audit say of the same work."""

    def __init__(self, watched: Observed, findings: Findings) -> None:
        self.watched = watched
        self.findings = findings

    def counts(self, expr: str, *labels: str) -> Counts:
        """Return a count's samples by labels, those that are not 0."""
        found: Counts = Counter()
        for sample in self.watched.prometheus.query(expr):
            name = tuple(sample["metric"].get(label, "") for label in labels)
            found[name] += round(float(sample["value"][1]))
        return +found

    def audited(self, stage: str) -> Counts:
        """Return what the audit counts of a stage, by verdict or outcome."""
        found: Counts = Counter()
        for partition in self.findings.partitions:
            if partition.stage == stage:
                found.update({(name,): count for name, count in partition.found.items()})
        return +found


@pytest.fixture(scope="module")
def told(proven_cluster: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Let a shop work for half a minute under the eyes of a Prometheus, and audit it."""
    with observed(proven_cluster, tmp_path_factory.mktemp("observed")) as watched:
        work(watched, RECIPE, slices=20, pause_s=lambda _: 1.0)
        findings = watched.shop.audit()
        assert findings.exact, findings.to_json()
        for stage, metric in (("ingest", "records"), ("notify", "notify_records")):
            consumed = sum(one.consumed for one in findings.partitions if one.stage == stage)
            expr = f"loyaltystream_{metric}_total"
            eventually(
                lambda expr=expr, consumed=consumed: settled(watched, expr, consumed),  # type: ignore[misc]  # mypy infers no lambda's default
                f"Prometheus has seen {consumed} of {metric}",
            )
        yield Told(watched, findings)


PANELS: Final = [
    (f"{panel.title}: {query.legend}" if len(panel.queries) > 1 else panel.title, query.expr)
    for _, panel in panels()
    for query in panel.queries
]


def samples(told: Told, expr: str) -> list[float]:
    """Return the numbers that an expression had while all was at work."""
    found = told.watched.prometheus.query(as_asked(expr), told.watched.busy_s)
    return [value for one in found if not math.isnan(value := float(one["value"][1]))]


@pytest.mark.parametrize(("name", "expr"), PANELS, ids=[name for name, _ in PANELS])
def test_every_panel_has_numbers(told: Told, name: str, expr: str) -> None:
    """Each expression of every panel has a sample, unless it waits for something to go wrong."""
    assert bool(samples(told, expr)) != (name in ONLY_WHEN_WRONG), name


@pytest.mark.parametrize("rule", RECORDINGS, ids=lambda rule: rule.name)
def test_every_recording_has_numbers(told: Told, rule: Recording) -> None:
    """Each recorded series is there, and so is what it is made of."""
    assert samples(told, rule.name)
    assert samples(told, rule.expr)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_every_alert_asks_for_what_there_is(told: Told, alert: Alert) -> None:
    """Without its bounds each alert's expression has samples: it would see it if they rose."""
    found = samples(told, _BOUND.sub("", alert.expr))
    assert bool(found) != (alert.name in ONLY_WHEN_WRONG), alert.name


def test_no_alert_fires_while_all_is_well(told: Told) -> None:
    """The shop's bad events are as usual; nobody is woken for them."""
    firing = told.watched.prometheus.query('ALERTS{alertstate="firing"}')
    assert firing == [], dump(firing)


def _table(title: str) -> Panel:
    [found] = [panel for _, panel in panels() if panel.title == title]
    assert found.kind == "table"
    return found


def _expr(title: str) -> str:
    return as_asked(_table(title).queries[0].expr)


def test_verdicts_are_what_the_audit_counts(told: Told) -> None:
    """The table of verdicts has the numbers of the audit, by event or over all."""
    audited = told.audited("ingest")
    assert told.counts(_expr("Verdicts since the workers started"), "verdict") == audited
    assert told.counts(_expr("Since the workers started"), "verdict") == audited


def test_reasons_are_what_the_audit_counts(told: Told) -> None:
    """Reasons by event add up to those that the independent judge gives."""
    audited: Counts = Counter()
    for partition in told.findings.partitions:
        if partition.stage == "ingest":
            audited.update({(name,): count for name, count in partition.reasons.items()})
    expr = 'sum by (reason) (loyaltystream_event_reasons_total{stage="ingest"})'
    assert told.counts(expr, "reason") == audited


def test_notifications_are_those_on_the_topic(told: Told) -> None:
    """The tables of subscribers have as many notifications and outcomes as there are records."""
    shop = told.watched.shop
    written = len(shop.read(shop.deployment.topics.notifications))
    by_type = told.counts(_expr("Notifications since the workers started"), "type")
    assert by_type.total() == written > 0
    outcomes = told.counts(_expr("Outcomes since the workers started"), "outcome")
    accepted = told.audited("ingest")[("accepted",)]
    assert outcomes.total() <= accepted
    assert outcomes.total() == told.audited("notify").total()


def test_what_the_gateway_acknowledged_is_counted(told: Told) -> None:
    """As many events as clients had a 202 for, by route."""
    by_route = told.counts(_expr("Since the gateway started"), "route")
    assert by_route.total() == told.watched.posted
    assert set(by_route) == {("/events",), ("/events/batch",)}


def test_nearly_all_was_judged_in_time(told: Told) -> None:
    """The promise's share is a share: between nothing and all, and here nearly all."""
    [late] = told.watched.prometheus.query("loyaltystream:late:ratio1h")
    assert 0 <= float(late["value"][1]) < 0.05
