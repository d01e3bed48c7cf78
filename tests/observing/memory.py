"""The dashboard of memories: what is remembered, and how soon a restart has it. Pure."""

from typing import Final

from tests.observing.asked import INSTANCE, MINE
from tests.observing.board import Board, Panel, Query

MEMORY: Final = Board(
    "loyaltystream-memory",
    "loyaltystream: memory and recovery",
    "What is remembered, how far back, and how soon a restart has it again.",
    [
        Panel(
            "Ids remembered",
            "By kind of key and window in days; grows for a window, then stays.",
            [
                Query(
                    f"sum by (kind, window_days) (loyaltystream_memory_ids{{{MINE}}})",
                    "{{kind}} {{window_days}} d",
                )
            ],
            stacked=True,
        ),
        Panel(
            "Bytes",
            "What ids take, and what of it lies in files beyond memory.max_bytes.",
            [
                Query(f"sum by (instance) (loyaltystream_memory_bytes{{{MINE}}})", "{{instance}}"),
                Query(
                    f"sum by (instance) (loyaltystream_memory_mapped_bytes{{{MINE}}})",
                    "{{instance}} in files",
                ),
            ],
            "bytes",
        ),
        Panel(
            "Window known",
            "Effective window beside the one that is wanted: below 1 events may be held as late.",
            [
                Query(
                    f"min by (kind, window_days) "
                    f"(loyaltystream_memory_effective_window_seconds{{{MINE}}}"
                    f" / on (instance, kind, window_days) "
                    f"loyaltystream_memory_window_seconds{{{MINE}}})",
                    "{{kind}} {{window_days}} d",
                )
            ],
            "percentunit",
            warn=1,
            alarm=0.5,
        ),
        Panel(
            "Age of the newest snapshot",
            "By partition; rises and falls with memory.snapshot_minutes, and only rises where "
            "nothing comes.",
            [
                Query(
                    f"max by (partition) (loyaltystream_memory_snapshot_age_seconds{{{MINE}}})",
                    "{{partition}}",
                )
            ],
            "s",
            alarm=3600,
        ),
        Panel(
            "Snapshots",
            "In ten minutes, by what became of them.",
            [
                Query(
                    "sum by (outcome) "
                    f"(increase(loyaltystream_memory_snapshots_total{{{MINE}}}[10m]))",
                    "{{outcome}}",
                )
            ],
        ),
        Panel(
            "Size of snapshots",
            "The newest of all partitions, by worker.",
            [
                Query(
                    f"sum by (instance) (loyaltystream_memory_snapshot_bytes{{{MINE}}})",
                    "{{instance}}",
                )
            ],
            "bytes",
        ),
        Panel(
            "Still to be restored",
            "Offsets of the changelog that partitions being opened have still to read.",
            [
                Query(
                    f"sum by (instance) (loyaltystream_memory_restore_pending_records{{{MINE}}})",
                    "{{instance}}",
                )
            ],
            width=12,
        ),
        Panel(
            "Seconds to open a partition",
            "Mean since the worker started, from a snapshot or the whole changelog.",
            [
                Query(
                    f"sum by (source) (loyaltystream_memory_restore_seconds_sum{{{MINE}}})"
                    f" / sum by (source) (loyaltystream_memory_restore_seconds_count{{{MINE}}})",
                    "{{source}}",
                )
            ],
            "s",
            width=12,
        ),
    ],
    [INSTANCE],
)
