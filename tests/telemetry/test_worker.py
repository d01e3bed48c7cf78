"""What a worker tells of itself, from facts to a scrape; no broker."""

from collections import Counter
from collections.abc import Mapping

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from loyaltystream.errors import RetryableBrokerError
from loyaltystream.events import Record
from loyaltystream.pipeline import Plan, count_appended
from loyaltystream.stage import Remembered
from loyaltystream.telemetry.ages import BUCKETS_S, Ages
from loyaltystream.telemetry.behind import Behind
from loyaltystream.telemetry.metrics import Metrics
from loyaltystream.telemetry.names import EventLabels
from loyaltystream.telemetry.registry import RegistryWatch
from loyaltystream.telemetry.worker import Readings, WorkerTelemetry
from loyaltystream.verdicts import Reason, Tally, Verdict

DEFINED = {(1800, "purchaseCompleted"): 1, (1800, "cardLinked"): 1}


class Told:
    """A worker's telemetry, and what a scrape of it says."""

    def __init__(self, lags: Mapping[int, int] | None = None, held_s: float = 0.0) -> None:
        self.metrics = Metrics()
        self.telemetry = WorkerTelemetry(
            self.metrics,
            Readings(
                lags=lambda: lags or {},
                held_s=lambda: dict.fromkeys(lags or {}, held_s),
                poll_gap_s=lambda: 3.5,
                queued=lambda: 12,
                defined=lambda: DEFINED,
                remembered=lambda: Remembered({}, {}, 0),
            ),
        )

    def scraped(self, name: str) -> dict[tuple[str, ...], float]:
        """Return a metric's samples by their labels' values, in the order of their names."""
        page = generate_latest(self.metrics.registry).decode()
        return {
            tuple(sample.labels[label] for label in sorted(sample.labels)): sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
            if sample.name == name
        }

    def counted(self, name: str) -> dict[tuple[str, ...], float]:
        """Return the same, those that are not 0."""
        return {labels: count for labels, count in self.scraped(name).items() if count}


def test_events_are_counted_under_names_that_definitions_gave() -> None:
    """Whatever an event calls itself: a label is the name of one in force, or `other`."""
    told = Told()
    tally = Tally()
    tally.verdicts[Verdict.TOMBSTONE] = 3
    for name, count in {
        (1800, "cardLinked"): 7,
        (1800, "someCustomersName"): 2,
        (77, "cardLinked"): 1,
        (None, None): 4,
    }.items():
        tally.events[name, Verdict.REJECTED] = count
        tally.event_reasons[name, Reason.REQUIRED] = count
    told.telemetry.committed([Plan(0, 1, [], tally)])
    assert told.counted("loyaltystream_event_records_total") == {
        ("cardLinked", "1800", "rejected"): 7,
        ("other", "1800", "rejected"): 2,
        ("other", "other", "rejected"): 5,
        ("other", "other", "tombstone"): 3,
    }
    assert told.counted("loyaltystream_event_reasons_total") == {
        ("cardLinked", "1800", "REQUIRED"): 7,
        ("other", "1800", "REQUIRED"): 2,
        ("other", "other", "REQUIRED"): 5,
    }


def test_only_so_many_events_have_a_name() -> None:
    """Beyond the limit a further definition makes no series, and who has a name keeps it."""
    labels = EventLabels(most=2)
    labels.learn([(1, "b"), (1, "c")])
    labels.learn([(1, "a"), (2, "b"), (1, "c")])
    assert [labels.of(name) for name in ((1, "b"), (1, "c"), (1, "a"), (2, "b"))] == [
        ("1", "b"),
        ("1", "c"),
        ("1", "other"),
        ("other", "other"),
    ]


def test_ages_are_those_of_the_records() -> None:
    """Each record counts with its own age; one without a broker's time has none."""
    ages = Ages("a", "")
    ages.note({10_000: 3, 39_000: 2, 41_000: 1, -1: 9}, now_ms=40_000)
    [family] = ages.collect()
    found = {sample.labels.get("le", sample.name): sample.value for sample in family.samples}
    assert found == {
        **{str(end): 3.0 if end < 30 else 6.0 for end in BUCKETS_S if end >= 1},
        **{str(end): 1.0 for end in BUCKETS_S if end < 1},
        "+Inf": 6.0,
        "a_count": 6.0,
        "a_sum": 92.0,
    }


def test_appends_are_counted_by_their_time() -> None:
    """Neighbours of one request are one entry, also when another one lies between."""
    moments = [5, 5, 7, 5, -1, -1]
    records = [Record(0, offset, at, None, b"") for offset, at in enumerate(moments)]
    assert count_appended(records) == Counter({5: 3, 7: 1, -1: 2})


def test_lag_in_seconds_is_that_of_the_oldest_unread_record() -> None:
    """It grows from the last record read, or from the moment when there was nothing to read."""
    clock = [100_000]
    behind = Behind(lambda: clock[0])
    behind.begin(3)
    behind.read(3, Counter({40_000: 5, 41_000: 2}))
    behind.heard(3, is_level=False)
    assert behind.lag_s(3) == 59
    behind.heard(3, is_level=True)
    clock[0] = 500_000
    assert behind.lag_s(3) == 0
    behind.heard(3, is_level=True)
    clock[0] = 502_000
    behind.heard(3, is_level=False)
    assert behind.lag_s(3) == 2
    behind.leave(3)
    assert behind.lag_s(3) == 0


def test_a_loop_that_stands_still_is_seen_to_fall_behind() -> None:
    """Lag in seconds and the gap between polls are those of the scrape, not of the last turn."""
    told = Told({0: 5})
    told.telemetry.owns([0])
    told.telemetry._behind._read_ms[0] -= 60_000
    [lag_s] = told.scraped("loyaltystream_lag_seconds").values()
    assert 60 <= lag_s < 90
    assert told.scraped("loyaltystream_poll_gap_seconds") == {(): 3.5}


def test_gauges_are_read_off_once_a_second() -> None:
    """What is held up counts as behind even where the end was reached before."""
    told = Told({0: 0, 9: 4}, held_s=8.0)
    told.telemetry.owns([0])
    told.telemetry._gauged_s -= 1
    told.telemetry.turned()
    assert told.scraped("loyaltystream_lag_records") == {("0",): 0}
    assert told.scraped("loyaltystream_held_seconds") == {("0",): 8}
    assert told.scraped("loyaltystream_producer_queue_records") == {(): 12}
    assert told.telemetry._behind._level == set()


def test_partitions_that_come_and_go_are_counted_and_forgotten() -> None:
    """A partition that went leaves no gauge behind, or two workers would tell of it."""
    told = Told({0: 1, 1: 1})
    told.telemetry.owns([0, 1])
    told.telemetry._gauged_s -= 1
    told.telemetry.turned()
    told.telemetry.owns([1])
    told.telemetry.owns([1])
    assert told.scraped("loyaltystream_rebalances_total") == {("came",): 1, ("went",): 1}
    for name in ("lag_records", "lag_seconds", "held_seconds"):
        assert list(told.scraped(f"loyaltystream_{name}")) == [("1",)], name


def test_the_registry_is_looked_after() -> None:
    """One that does not answer is told at once, and so is that it is back."""
    metrics, answers = Metrics(), [True, False, True]

    def ask() -> None:
        if not answers.pop(0):
            raise RetryableBrokerError("away")

    watch = RegistryWatch(metrics, ask)
    told = []
    while answers:
        watch.look()
        told.append(metrics.registry.get_sample_value("loyaltystream_registry_up"))
    assert told == [1, 0, 1]
    failed = metrics.registry.get_sample_value(
        "loyaltystream_registry_requests_total", {"outcome": "failed"}
    )
    assert failed == 1


def test_counters_begin_at_nothing() -> None:
    """The first rejection of an event is a rise: its counter stood at 0 before."""
    told = Told()
    told.telemetry._gauged_s -= 1
    told.telemetry.turned()
    zeros = told.scraped("loyaltystream_event_records_total")
    assert set(zeros.values()) == {0}
    assert ("cardLinked", "1800", "rejected") in zeros
    assert told.scraped("loyaltystream_transactions_total") == {("aborted",): 0, ("committed",): 0}
