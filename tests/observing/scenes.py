"""Made-up series for the alerts, and what fires then. Pure."""

from typing import Final

import msgspec

AGES: Final = 'loyaltystream_age_seconds_%s{stage="ingest",instance="a"%s}'
EVENTS: Final = 'loyaltystream_event_records_total{org="7",event="e",verdict="%s"}'
UNNAMED: Final = 'loyaltystream_event_records_total{org="7",event="other",verdict="%s"}'
LINE: Final = 'job="loyaltystream",stage="ingest",instance="a"'


class Scene(msgspec.Struct, frozen=True):
    """What Prometheus saw, a sample a minute, and what fires after so many minutes.

    Attributes:
        why: what the scene shows.
        series: in promtool's notation: `0+10x5` begins at 0 and rises by 10 five times.
        fires: the alerts, and nothing else.
    """

    why: str
    series: dict[str, str]
    minutes: int
    fires: tuple[str, ...] = ()


def judged(soon: str, everything: str) -> dict[str, str]:
    """Return the histogram of ages: those within 30 s, and all."""
    return {AGES % ("bucket", ',le="30.0"'): soon, AGES % ("count", ""): everything}


def gauge(name: str, values: str, labels: str = "") -> dict[str, str]:
    """Return one series of one worker."""
    return {f"loyaltystream_{name}{{{LINE}{labels}}}": values}


MANY_DEAD: Final = {
    f'loyaltystream_records_total{{{LINE},verdict="late"}}': "0+2x800",
    f'loyaltystream_records_total{{{LINE},verdict="accepted"}}': "0+90x800",
}
IN_TIME: Final = "0+6000x800"
SCENES: Final = [
    Scene(
        "Events wait and none is judged.",
        judged("90x20", "90x20") | gauge("lag_records", "5+5x20", ',partition="0"'),
        10,
        ("NothingJudged",),
    ),
    Scene(
        "Events wait while others are judged.",
        judged("0+90x20", "0+90x20") | gauge("lag_records", "5+5x20", ',partition="0"'),
        10,
    ),
    Scene(
        "Nothing comes, and nothing waits.",
        judged("90x20", "90x20") | gauge("lag_records", "0x20", ',partition="0"'),
        10,
    ),
    Scene(
        "One partition is behind for minutes.",
        gauge("lag_seconds", "0 10 31 60 90 90", ',partition="4"')
        | gauge("lag_seconds", "0x9", ',partition="5"'),
        4,
        ("LagInSeconds",),
    ),
    Scene(
        "A partition was behind for a moment.",
        gauge("lag_seconds", "0 10 31 2 2 2", ',partition="4"'),
        4,
    ),
    Scene(
        "Two in a hundred are late for an hour, which burns fast.",
        judged("0+5880x800", IN_TIME),
        70,
        ("PromiseBurnsFast", "PromiseBurnsSlowly"),
    ),
    Scene(
        "Eight in a thousand are late for half a day.",
        judged("0+5952x800", IN_TIME),
        400,
        ("PromiseBurnsSlowly",),
    ),
    Scene("Five in ten thousand are late.", judged("0+5997x800", IN_TIME), 400),
    Scene(
        "An hour that was late is over, and the last half hour was in time.",
        judged("0+4500x60 276000+6000x90", IN_TIME),
        100,
    ),
    Scene(
        "A third of an event's records is rejected all of a sudden.",
        {EVENTS % "accepted": "0+60x400", EVENTS % "rejected": "0x300 30+30x100"},
        320,
        ("RejectionsSurge",),
    ),
    Scene(
        "An event of which a third is always rejected is as usual.",
        {EVENTS % "accepted": "0+60x400", EVENTS % "rejected": "0+30x400"},
        320,
    ),
    Scene(
        "What has no name is never accepted, and there is no more of it than always.",
        {
            EVENTS % "accepted": "0+600x400",
            UNNAMED % "rejected": "0+20x400",
        },
        320,
    ),
    Scene(
        "A tenth of everything has a name that nobody has defined, all of a sudden.",
        {
            EVENTS % "accepted": "0+600x400",
            UNNAMED % "rejected": "0x300 60+60x100",
        },
        320,
        ("RejectionsSurge",),
    ),
    Scene(
        "A few of a rare event are rejected.",
        {EVENTS % "accepted": "0+1x400", EVENTS % "rejected": "0x300 1 2 3 3 3 3x100"},
        305,
    ),
    Scene(
        "More than a thousand letters in a day, and nobody does anything about them.",
        MANY_DEAD | gauge("dead_letter_backlog", "0+2x800", ',partition="0"'),
        600,
        ("DeadLettersPileUp",),
    ),
    Scene(
        "More than a thousand letters in a day, and nobody counts them.",
        MANY_DEAD,
        600,
        ("DeadLettersPileUp",),
    ),
    Scene(
        "More than a thousand letters in a day, and people have dealt with them.",
        MANY_DEAD | gauge("dead_letter_backlog", "0+2x590 40x200", ',partition="0"'),
        600,
    ),
    Scene(
        "More than a thousand letters wait, and hardly any come.",
        {f'loyaltystream_records_total{{{LINE},verdict="rejected"}}': "0+0.1x800"}
        | gauge("dead_letter_backlog", "4000x800", ',partition="0"'),
        600,
    ),
    Scene(
        "A letter of five and a half days waits, of seven that it is kept.",
        gauge("dead_letter_retention_seconds", "604800x30")
        | gauge("dead_letter_oldest_seconds", "474000+60x30", ',partition="0"')
        | gauge("dead_letter_oldest_seconds", "0x30", ',partition="1"'),
        20,
        ("DeadLettersExpire",),
    ),
    Scene(
        "A letter of three days waits, of seven that it is kept.",
        gauge("dead_letter_retention_seconds", "604800x30")
        | gauge("dead_letter_oldest_seconds", "259200+60x30", ',partition="0"'),
        20,
    ),
    Scene(
        "An old letter was dealt with in time.",
        gauge("dead_letter_retention_seconds", "604800x30")
        | gauge("dead_letter_oldest_seconds", "474000+60x9 0x20", ',partition="0"'),
        20,
    ),
    Scene(
        "Fifty letters in a day.",
        {f'loyaltystream_records_total{{{LINE},verdict="rejected"}}': "0+0.1x800"},
        600,
    ),
    Scene(
        "The last stable offset stands still.",
        gauge("held_seconds", "0 2 40 100 160", ',partition="1"'),
        3,
        ("HangingTransaction",),
    ),
    Scene(
        "Transactions are open, and end.",
        gauge("held_seconds", "0 2 4 0 8 2 6 0", ',partition="1"'),
        6,
    ),
    Scene(
        "One transaction in five is aborted.",
        gauge("transactions_total", "0+4x30", ',outcome="committed"')
        | gauge("transactions_total", "0+1x30", ',outcome="aborted"'),
        20,
        ("TransactionsAborted",),
    ),
    Scene(
        "Six transactions of thousands are aborted at a rebalance.",
        gauge("transactions_total", "0+300x30", ',outcome="committed"')
        | gauge("transactions_total", "0x9 6x30", ',outcome="aborted"'),
        20,
    ),
    Scene(
        "A producer is replaced every other minute.",
        gauge("producers_replaced_total", "0 0 1 1 2 2 3 3 4 4 5 5 6"),
        12,
        ("ProducersReplaced",),
    ),
    Scene(
        "A producer was replaced once.",
        gauge("producers_replaced_total", "0x5 1x20"),
        12,
    ),
    Scene(
        "A worker is gone, and nobody takes its partitions.",
        {
            'loyaltystream_topic_partitions{stage="ingest",instance="a"}': "6x20",
            'loyaltystream_partitions{stage="ingest",instance="a"}': "3x20",
            'loyaltystream_partitions{stage="ingest",instance="b"}': "3x4 _x20",
        },
        13,
        ("PartitionsWithoutWorker",),
    ),
    Scene(
        "The only worker is gone: its own word of its partitions has ended.",
        {
            'loyaltystream_topic_partitions{stage="ingest",instance="a"}': "6x4 _x20",
            'loyaltystream_partitions{stage="ingest",instance="a"}': "6x4 _x20",
            f"up{{{LINE}}}": "1x4 0x20",
        },
        13,
        ("PartitionsWithoutWorker", "WorkerAway"),
    ),
    Scene(
        "Two workers own all partitions, and a third stands by.",
        {
            'loyaltystream_topic_partitions{stage="ingest",instance="a"}': "6x20",
            'loyaltystream_partitions{stage="ingest",instance="a"}': "3x20",
            'loyaltystream_partitions{stage="ingest",instance="b"}': "3x20",
            'loyaltystream_partitions{stage="ingest",instance="c"}': "0x20",
        },
        13,
    ),
    Scene("A process is away.", {f"up{{{LINE}}}": "1 1 0 0 0 0 0"}, 5, ("WorkerAway",)),
    Scene("A process starts again.", {f"up{{{LINE}}}": "1 1 0 1 1 1 1"}, 5),
    Scene("A loop stands still.", gauge("poll_gap_seconds", "1 60 160"), 2, ("PollGap",)),
    Scene("A restore takes a minute.", gauge("poll_gap_seconds", "1 60 60"), 2),
    Scene(
        "The registry does not answer.",
        gauge("registry_up", "1 0 0 0 0"),
        4,
        ("RegistryAway",),
    ),
    Scene("The registry starts again.", gauge("registry_up", "1 0 1 1 0"), 4),
    Scene(
        "Ten days of thirty are known.",
        gauge("memory_window_seconds", "2592000x9", ',kind="event_id",window_days="30"')
        | gauge("memory_effective_window_seconds", "864000x9", ',kind="event_id",window_days="30"'),
        7,
        ("MemoryWindowShortened",),
    ),
    Scene(
        "All of the window is known.",
        gauge("memory_window_seconds", "2592000x9", ',kind="event_id",window_days="30"')
        | gauge(
            "memory_effective_window_seconds", "2592000x9", ',kind="event_id",window_days="30"'
        ),
        7,
    ),
    Scene(
        "Most of the memory lies in files.",
        gauge("memory_bytes", "100x50") | gauge("memory_mapped_bytes", "60x50"),
        40,
        ("MemoryOnTheDisk",),
    ),
    Scene(
        "Some of the memory lies in files.",
        gauge("memory_bytes", "100x50") | gauge("memory_mapped_bytes", "20x50"),
        40,
    ),
    Scene(
        "Snapshots fail one after the other.",
        gauge("memory_snapshots_total", "0+1x20", ',outcome="failed"'),
        15,
        ("SnapshotsFail",),
    ),
    Scene(
        "A partition's events are two hours ahead of its snapshot.",
        gauge("memory_snapshot_age_seconds", "0+60x140", ',partition="2"')
        | gauge("records_total", "0+9x140", ',partition="2",verdict="accepted"'),
        130,
        ("SnapshotsFail",),
    ),
    Scene(
        "A partition's events are twenty minutes ahead of its snapshot.",
        gauge("memory_snapshot_age_seconds", "1200x140", ',partition="2"')
        | gauge("records_total", "0+9x140", ',partition="2",verdict="accepted"'),
        130,
    ),
    Scene(
        "A partition that nothing comes to has an old snapshot.",
        gauge("memory_snapshot_age_seconds", "0+60x140", ',partition="2"')
        | gauge("records_total", "90x140", ',partition="2",verdict="accepted"')
        | gauge("memory_snapshots_total", "1x140", ',outcome="failed"'),
        130,
    ),
    Scene(
        "One answer in twenty is a 503.",
        gauge("gateway_requests_total", "0+95x20", ',route="/events",status="202"')
        | gauge("gateway_requests_total", "0+5x20", ',route="/events",status="503"'),
        10,
        ("GatewayFails",),
    ),
    Scene(
        "Clients make mistakes.",
        gauge("gateway_requests_total", "0+50x40", ',route="/events",status="202"')
        | gauge("gateway_requests_total", "0+50x40", ',route="/events",status="422"'),
        30,
    ),
    Scene(
        "A tenth of all answers is a 429.",
        gauge("gateway_requests_total", "0+90x40", ',route="/events",status="202"')
        | gauge("gateway_requests_total", "0+10x40", ',route="/events",status="429"'),
        30,
        ("GatewayRefuses",),
    ),
]
