"""The alerts: every symptom that a person must act on, and none else. Pure.

docs/runbook.md has a section for each: what it means, what to look at, what to do, and how to know
that it is over.
"""

from typing import Final

from tests.observing.rule import Alert, Recording

PROMISED_S: Final = 30
BUDGET: Final = 0.001
"""Of a thousand records one may be judged later than promised."""

WINDOWS: Final = ("5m", "30m", "1h", "6h")
EXPIRING: Final = 0.7
"""Of seven days two are left: a weekend."""

DEAD: Final = "rejected|conflict|late"
_EVENT_DEAD: Final = f'loyaltystream_event_records_total{{verdict=~"{DEAD}"}}'


_NAMED: Final = 'event!="other"'
_UNNAMED: Final = 'event="other"'


def _dead(events: str) -> str:
    dead = f'loyaltystream_event_records_total{{verdict=~"{DEAD}",{events}}}'
    return f"sum by (org, event) (increase({dead}[10m]))"


def _judged(*labels: str) -> str:
    chosen = ",".join(['verdict!~"rekeyed|tombstone"', *labels])
    return f"(increase(loyaltystream_event_records_total{{{chosen}}}[10m]))"


def _late(window: str) -> Recording:
    age = f'loyaltystream_age_seconds_bucket{{stage="ingest",le="{PROMISED_S}.0"}}'
    everything = 'loyaltystream_age_seconds_count{stage="ingest"}'
    return Recording(
        f"loyaltystream:late:ratio{window}",
        f"1 - sum(rate({age}[{window}])) / (sum(rate({everything}[{window}])) > 0)",
    )


RECORDINGS: Final = [
    *map(_late, WINDOWS),
    Recording(
        "loyaltystream:event_dead:ratio10m",
        # What has no name is hardly ever accepted: its share is that of everything.
        f"{_dead(_NAMED)}\n"
        f"  / (sum by (org, event) {_judged(_NAMED)} > 0)\n"
        f"or {_dead(_UNNAMED)}\n"
        f"  / on () group_left () (sum{_judged()} > 0)",
    ),
    Recording(
        "loyaltystream:partitions:without_worker",
        "max by (stage) (max_over_time(loyaltystream_topic_partitions[6h]))\n"
        "  - (sum by (stage) (loyaltystream_partitions)\n"
        "     or max by (stage) (max_over_time(loyaltystream_topic_partitions[6h])) * 0)",
    ),
]


def _burning(factor: float, long: str, short: str) -> str:
    bound = f"{factor * BUDGET:.4f}"
    return (
        f"loyaltystream:late:ratio{long} > {bound}\nand loyaltystream:late:ratio{short} > {bound}"
    )


_WORK: Final = [
    Alert(
        "NothingJudged",
        "sum by (stage) (increase(loyaltystream_age_seconds_count[2m])) == 0\n"
        "and on (stage) sum by (stage) (loyaltystream_lag_records) > 0",
        "1m",
        "critical",
        "{{ $labels.stage }} does nothing, though events wait",
        "No transaction of stage {{ $labels.stage }} has committed for two minutes, and there are "
        "events that nobody has read. Nothing is lost; producers can go on.",
    ),
    Alert(
        "LagInSeconds",
        f"max by (stage, partition) (loyaltystream_lag_seconds) > {PROMISED_S}",
        "1m",
        "warning",
        "Partition {{ $labels.partition }} of {{ $labels.stage }} is more than 30 s behind",
        "The oldest unread record of partition {{ $labels.partition }} is up to "
        "{{ $value | humanizeDuration }} old; the promise is 30 s.",
    ),
    Alert(
        "PromiseBurnsFast",
        _burning(14.4, "1h", "5m"),
        "1m",
        "critical",
        "Many events are judged later than 30 s",
        "{{ $value | humanizePercentage }} of the last hour's records were judged late, and so it "
        "goes on: the month's allowance of 0.1 % would be gone in two days.",
    ),
    Alert(
        "PromiseBurnsSlowly",
        _burning(6, "6h", "30m"),
        "5m",
        "warning",
        "Some events are judged later than 30 s, for hours",
        "{{ $value | humanizePercentage }} of the last six hours' records were judged late: the "
        "month's allowance of 0.1 % would be gone in five days.",
    ),
    Alert(
        "RejectionsSurge",
        "loyaltystream:event_dead:ratio10m > 0.05\n"
        "and loyaltystream:event_dead:ratio10m > 5 * (\n"
        "  avg_over_time(loyaltystream:event_dead:ratio10m[1d] offset 15m)\n"
        "  or loyaltystream:event_dead:ratio10m * 0\n"
        ")\n"
        f"and sum by (org, event) (increase({_EVENT_DEAD}[10m])) > 20",
        "2m",
        "warning",
        "Far more {{ $labels.event }} of org {{ $labels.org }} are not accepted than usual",
        "{{ $value | humanizePercentage }} of the last ten minutes' {{ $labels.event }} became "
        "dead letters, five times what it was over the last day.",
    ),
    Alert(
        "DeadLettersPileUp",
        f'sum(increase(loyaltystream_records_total{{verdict=~"{DEAD}"}}[1d]))\n'
        '  + (sum(increase(loyaltystream_notify_records_total{outcome="unmapped"}[1d]))'
        " or vector(0)) > 1000\n"
        # Where nobody has counted them, it is as if none were dealt with.
        "and (sum(loyaltystream_dead_letter_backlog) or vector(Inf)) > 1000",
        "10m",
        "warning",
        "More than a thousand dead letters in a day, and more than a thousand wait",
        "{{ $value | humanize }} records became dead letters within a day, and people have not "
        "dealt with them.",
    ),
    Alert(
        "DeadLettersExpire",
        "max(loyaltystream_dead_letter_oldest_seconds)\n"
        f"  / max(loyaltystream_dead_letter_retention_seconds) > {EXPIRING}",
        "10m",
        "warning",
        "Dead letters that nobody has dealt with will be removed soon",
        "The oldest one has used up {{ $value | humanizePercentage }} of the time for which "
        "letters are kept. At 100 % the broker may remove it, and its event with it.",
    ),
]

_KAFKA: Final = [
    Alert(
        "HangingTransaction",
        "max by (stage, partition) (loyaltystream_held_seconds) > 30",
        "15s",
        "critical",
        "An open transaction holds up partition {{ $labels.partition }} of {{ $labels.stage }}",
        "The last stable offset has stood still for {{ $value | humanizeDuration }}. Ours time out "
        "in seconds: it is most likely another program's.",
    ),
    Alert(
        "TransactionsAborted",
        "sum by (stage) "
        '(increase(loyaltystream_transactions_total{outcome="aborted"}[10m])) > 5\n'
        'and sum by (stage) (rate(loyaltystream_transactions_total{outcome="aborted"}[10m]))\n'
        "  / sum by (stage) (rate(loyaltystream_transactions_total[10m])) > 0.05",
        "2m",
        "warning",
        "Many transactions of {{ $labels.stage }} are aborted",
        "{{ $value | humanize }} transactions did not commit in ten minutes. Their events are "
        "judged again, so nothing is lost, but time is.",
    ),
    Alert(
        "ProducersReplaced",
        "sum by (stage, instance) (increase(loyaltystream_producers_replaced_total[15m])) > 3",
        "0s",
        "warning",
        "{{ $labels.instance }} replaces its producer again and again",
        "{{ $value | humanize }} times in 15 minutes. After five without a commit it ends.",
    ),
    Alert(
        "PartitionsWithoutWorker",
        "loyaltystream:partitions:without_worker > 0",
        "2m",
        "critical",
        "{{ $value }} partitions of {{ $labels.stage }} have no worker",
        "Nobody reads them: their events wait. A worker that starts reads its memory first, and "
        "owns its partitions only then.",
    ),
    Alert(
        "WorkerAway",
        'up{job="loyaltystream"} == 0',
        "2m",
        "warning",
        "{{ $labels.instance }} ({{ $labels.stage }}) can't be scraped",
        "The process does not run, or its port is not reached. While others have its partitions, "
        "nothing waits.",
    ),
    Alert(
        "PollGap",
        "loyaltystream_poll_gap_seconds > 150",
        "0s",
        "warning",
        "{{ $labels.instance }} has not polled its group for {{ $value | humanizeDuration }}",
        "Beyond five minutes the group goes on without it, and another worker reads everything "
        "again that this one has in hand.",
    ),
    Alert(
        "RegistryAway",
        "loyaltystream_registry_up == 0",
        "2m",
        "warning",
        "The schema registry does not answer {{ $labels.instance }}",
        "What runs goes on with the schemas that it knows. A worker that starts, or meets a new "
        "schema, waits.",
    ),
]

_MEMORY: Final = [
    Alert(
        "MemoryWindowShortened",
        "loyaltystream_memory_effective_window_seconds\n"
        "  < on (instance, stage, kind, window_days) loyaltystream_memory_window_seconds",
        "5m",
        "warning",
        "{{ $labels.instance }} remembers less than its window of {{ $labels.window_days }} days",
        "It knows {{ $labels.kind }} for {{ $value | humanizeDuration }} back. Older events are "
        "held as late, since nobody can say that they are new.",
    ),
    Alert(
        "MemoryOnTheDisk",
        "loyaltystream_memory_mapped_bytes / (loyaltystream_memory_bytes > 0) > 0.5",
        "30m",
        "warning",
        "Most of what {{ $labels.instance }} remembers lies on the disk",
        "{{ $value | humanizePercentage }} is beyond memory.max_bytes: what is asked for often "
        "waits for the disk.",
    ),
    Alert(
        "SnapshotsFail",
        "sum by (instance, stage) "
        '(increase(loyaltystream_memory_snapshots_total{outcome="failed"}[30m])) > 2\n'
        "or max by (instance, stage) (\n"
        "  loyaltystream_memory_snapshot_age_seconds > 3600\n"
        "  and on (instance, partition)\n"
        "    sum by (instance, partition) (increase(loyaltystream_records_total[50m])) > 0\n"
        ")",
        "5m",
        "warning",
        "{{ $labels.instance }} has no fresh snapshot of its memory",
        "The work goes on, the changelog has everything; a restart reads the changelog from the "
        "last snapshot on, and takes longer every hour.",
    ),
]

_GATEWAY: Final = [
    Alert(
        "GatewayFails",
        'sum by (instance) (rate(loyaltystream_gateway_requests_total{status=~"5.."}[5m]))\n'
        "  / sum by (instance) (rate(loyaltystream_gateway_requests_total[5m])) > 0.01",
        "2m",
        "critical",
        "The gateway {{ $labels.instance }} answers with errors",
        "{{ $value | humanizePercentage }} of all answers are 5xx: these events are not in Kafka. "
        "Producers that keep to the answer send them again.",
    ),
    Alert(
        "GatewayRefuses",
        'sum by (instance) (rate(loyaltystream_gateway_requests_total{status="429"}[15m]))\n'
        "  / sum by (instance) (rate(loyaltystream_gateway_requests_total[15m])) > 0.05",
        "10m",
        "warning",
        "The gateway {{ $labels.instance }} tells producers to slow down",
        "{{ $value | humanizePercentage }} of all answers are 429: a producer sends more than "
        "gateway.rate, or the broker takes less than comes.",
    ),
]

ALERTS: Final = [*_WORK, *_KAFKA, *_MEMORY, *_GATEWAY]
