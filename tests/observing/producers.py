"""The dashboard of producers: what becomes of each event of each org. Pure."""

from typing import Final

from tests.observing.asked import THEIRS, R
from tests.observing.board import Board, Panel, Query, Variable

PRODUCERS: Final = Board(
    "loyaltystream-producers",
    "loyaltystream: producers",
    "What each org's events become. Events without a definition, or beyond the first hundred, are "
    "`other`.",
    [
        Panel(
            "Events",
            "Records judged a second, by event.",
            [
                Query(
                    f"sum by (org, event) (rate(loyaltystream_event_records_total{{{THEIRS}}}{R}))",
                    "{{org}} {{event}}",
                )
            ],
            "ops",
            stacked=True,
            width=12,
        ),
        Panel(
            "Became dead letters",
            "Share of each event's records over ten minutes, of `other` of all records: rejected, "
            "conflict or late. An alert fires at five times what is usual.",
            [Query(f"loyaltystream:event_dead:ratio10m{{{THEIRS}}}", "{{org}} {{event}}")],
            "percentunit",
            alarm=0.05,
            width=12,
        ),
        Panel(
            "Why",
            "The ten most frequent reasons, by event.",
            [
                Query(
                    "topk(10, sum by (org, event, reason) "
                    f"(rate(loyaltystream_event_reasons_total{{{THEIRS}}}{R})))",
                    "{{org}} {{event}} {{reason}}",
                )
            ],
            "ops",
            width=12,
        ),
        Panel(
            "Sent more than once",
            "Share of each event's records that are duplicates over ten minutes. Rises when a "
            "producer resends, or its till asks again.",
            [
                Query(
                    "sum by (org, event) (increase(loyaltystream_event_records_total"
                    f'{{verdict="duplicate",{THEIRS}}}[10m]))\n'
                    "  / (sum by (org, event) "
                    f"(increase(loyaltystream_event_records_total{{{THEIRS}}}[10m])) > 0)",
                    "{{org}} {{event}}",
                )
            ],
            "percentunit",
            width=12,
        ),
        Panel(
            "Wrong partition",
            "Records a second that went back under their right key: a producer places its keys "
            "otherwise. It costs time, and nothing else.",
            [
                Query(
                    "sum by (org, event) (rate(loyaltystream_event_records_total"
                    f'{{verdict="rekeyed",{THEIRS}}}{R}))',
                    "{{org}} {{event}}",
                )
            ],
            "ops",
            width=12,
        ),
        Panel(
            "Dead letters that wait",
            "Of both stages, in all partitions: nobody has replayed, released or discarded them. "
            "Falls when people deal with them, and when the broker removes them.",
            [Query("sum(loyaltystream_dead_letter_backlog)", "letters")],
            warn=1_000,
            width=12,
        ),
        Panel(
            "Oldest dead letter that waits",
            "How old it is, beside how long letters are kept: beyond, the broker removes it. An "
            "alert fires at seven tenths.",
            [
                Query("max(loyaltystream_dead_letter_oldest_seconds)", "oldest"),
                Query("max(loyaltystream_dead_letter_retention_seconds)", "kept for"),
            ],
            "s",
            width=12,
        ),
        Panel(
            "Since the workers started",
            "Records by event and verdict.",
            [
                Query(
                    "sum by (org, event, verdict) "
                    f"(loyaltystream_event_records_total{{{THEIRS}}}) > 0",
                    "",
                )
            ],
            kind="table",
            width=12,
        ),
    ],
    [
        Variable("org", "Org", "loyaltystream_event_records_total"),
        Variable("event", "Event", "loyaltystream_event_records_total"),
    ],
)
