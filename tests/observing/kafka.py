"""The dashboard of Kafka: partitions, transactions, and what holds them up. Pure."""

from typing import Final

from tests.observing.asked import BEHIND_S, INSTANCE, MINE, R, quantiles
from tests.observing.board import Board, Panel, Query

KAFKA: Final = Board(
    "loyaltystream-kafka",
    "loyaltystream: Kafka and transactions",
    "Partitions, transactions, and whether anything holds them up.",
    [
        Panel(
            "Lag by partition",
            "Seconds, at most.",
            [
                Query(
                    f"max by (stage, partition) (loyaltystream_lag_seconds{{{MINE}}})",
                    "{{stage}}/{{partition}}",
                )
            ],
            "s",
            alarm=BEHIND_S,
        ),
        Panel(
            "Held up by an open transaction",
            "For how long the last stable offset has stood still below the end. A few seconds are "
            "usual where a worker died.",
            [
                Query(
                    f"max by (stage, partition) (loyaltystream_held_seconds{{{MINE}}})",
                    "{{stage}}/{{partition}}",
                )
            ],
            "s",
            alarm=30,
        ),
        Panel(
            "Partitions",
            "Owned by each worker, and all there are.",
            [
                Query(f"loyaltystream_partitions{{{MINE}}}", "{{stage}} {{instance}}"),
                Query("max by (stage) (loyaltystream_topic_partitions)", "{{stage}} all"),
            ],
        ),
        Panel(
            "Transactions",
            "A second, by what became of them.",
            [
                Query(
                    "sum by (stage, outcome) "
                    f"(rate(loyaltystream_transactions_total{{{MINE}}}{R}))",
                    "{{stage}} {{outcome}}",
                )
            ],
            "ops",
        ),
        Panel(
            "Commit",
            "From submitting a commit to knowing its outcome; 20 to 50 ms is usual.",
            quantiles("commit_seconds", MINE, "stage"),
            "s",
        ),
        Panel(
            "Turn",
            "One turn of the loop: poll, judge, settle, send.",
            quantiles("turn_seconds", MINE, "stage"),
            "s",
        ),
        Panel(
            "Records a transaction",
            "At worker.batch_records it works at its limit.",
            quantiles("batch_records", MINE, "stage"),
        ),
        Panel(
            "Producer's queue",
            "Records that no broker has confirmed yet.",
            [Query(f"loyaltystream_producer_queue_records{{{MINE}}}", "{{stage}} {{instance}}")],
        ),
        Panel(
            "Gap between polls",
            "The longest of the last one to two minutes; beyond five minutes the group goes on "
            "without the worker.",
            [Query(f"loyaltystream_poll_gap_seconds{{{MINE}}}", "{{stage}} {{instance}}")],
            "s",
            warn=150,
            alarm=300,
        ),
        Panel(
            "Rebalances",
            "Times in ten minutes that partitions came or went.",
            [
                Query(
                    "sum by (stage, change) "
                    f"(increase(loyaltystream_rebalances_total{{{MINE}}}[10m]))",
                    "{{stage}} {{change}}",
                )
            ],
        ),
        Panel(
            "Waits and replaced producers",
            "In ten minutes: the broker or the registry was away, or an outcome was not known.",
            [
                Query(
                    f"sum by (stage) (increase(loyaltystream_broker_waits_total{{{MINE}}}[10m]))",
                    "{{stage}} waits",
                ),
                Query(
                    "sum by (stage) "
                    f"(increase(loyaltystream_producers_replaced_total{{{MINE}}}[10m]))",
                    "{{stage}} replaced",
                ),
            ],
        ),
        Panel(
            "Schema registry",
            "Whether it answers each worker, and questions a second.",
            [
                Query(f"min by (stage) (loyaltystream_registry_up{{{MINE}}})", "{{stage}} up"),
                Query(
                    f"sum by (outcome) (rate(loyaltystream_registry_requests_total{{{MINE}}}{R}))",
                    "{{outcome}} a second",
                ),
            ],
        ),
        Panel(
            "Definitions heard",
            "Revision of the topic that each worker is at; 0: definitions come from files.",
            [Query(f"loyaltystream_definitions_revision{{{MINE}}}", "{{stage}} {{instance}}")],
        ),
    ],
    [INSTANCE],
)
