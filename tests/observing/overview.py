"""The first dashboard: is it healthy, how much, how late, what is rejected and why. Pure."""

from typing import Final

from tests.observing.alerts import DEAD
from tests.observing.asked import BEHIND_S, R, quantiles
from tests.observing.board import Board, Panel, Query, one

OVERVIEW: Final = Board(
    "loyaltystream-overview",
    "loyaltystream: overview",
    "Is it healthy, how much comes, how late is it, what is not accepted and why.",
    [
        one(
            "Alerts",
            "How many alerts fire. The runbook has a section for each.",
            'count(ALERTS{alertstate="firing"}) or vector(0)',
            warn=1,
            alarm=2,
        ),
        one(
            "Judged a second",
            "Records that got a verdict, over all workers.",
            f"sum(rate(loyaltystream_records_total{R}))",
            "ops",
        ),
        one(
            "Judged within 30 s",
            "Of the last hour's records; the promise is 99.9 %.",
            "1 - loyaltystream:late:ratio1h",
            "percentunit",
            warn=0.999,
            alarm=0.99,
        ),
        one(
            "Oldest unread",
            "How old the oldest unread record of any partition is at most.",
            "max(loyaltystream_lag_seconds)",
            "s",
            warn=10,
            alarm=BEHIND_S,
        ),
        one(
            "Not accepted",
            "Share of the last ten minutes' records that became dead letters. Duplicates are none.",
            f'sum(increase(loyaltystream_records_total{{verdict=~"{DEAD}"}}[10m]))'
            " / (sum(increase(loyaltystream_records_total[10m])) > 0)",
            "percentunit",
            warn=0.05,
            alarm=0.2,
        ),
        one(
            "Without a worker",
            "Partitions that nobody reads. Above 0 for a while when a worker starts.",
            "sum(loyaltystream:partitions:without_worker)",
            warn=1,
            alarm=2,
        ),
        Panel(
            "Verdicts",
            "Records judged a second, by verdict.",
            [Query(f"sum by (verdict) (rate(loyaltystream_records_total{R}))", "{{verdict}}")],
            "ops",
            stacked=True,
        ),
        Panel(
            "Why not simply accepted",
            "The ten most frequent reasons, records a second.",
            [
                Query(
                    f"topk(10, sum by (reason) (rate(loyaltystream_reasons_total{R})))",
                    "{{reason}}",
                )
            ],
            "ops",
        ),
        Panel(
            "Age of records",
            "From a record's append to its committed verdict or notification.",
            quantiles("age_seconds", by="stage"),
            "s",
            alarm=BEHIND_S,
        ),
        Panel(
            "Lag in seconds",
            "How old the oldest unread record is at most, by stage.",
            [Query("max by (stage) (loyaltystream_lag_seconds)", "{{stage}}")],
            "s",
            alarm=BEHIND_S,
        ),
        Panel(
            "Lag in records",
            "Offsets behind the ends of all partitions, by stage.",
            [Query("sum by (stage) (loyaltystream_lag_records)", "{{stage}}")],
        ),
        Panel(
            "Late over four windows",
            "Share of records judged later than 30 s. Alerts: 1.44 % over 1 h and 5 min, "
            "0.6 % over 6 h and 30 min.",
            [
                Query(f"loyaltystream:late:ratio{window}", window)
                for window in ("5m", "30m", "1h", "6h")
            ],
            "percentunit",
        ),
        Panel(
            "Verdicts since the workers started",
            "Over all workers; with none of them restarted what an audit counts.",
            [Query("sum by (verdict) (loyaltystream_records_total)", "")],
            kind="table",
        ),
        Panel(
            "Processes",
            "1: scraped.",
            [Query('up{job="loyaltystream"}', "{{stage}} {{instance}}")],
            warn=1,
            alarm=0.5,
        ),
        Panel(
            "Notifications",
            "Written a second, all types.",
            [Query(f"sum(rate(loyaltystream_notifications_total{R}))", "notifications")],
            "ops",
        ),
    ],
)
