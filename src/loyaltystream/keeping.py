"""Puts together what keeps a worker's memories on the disk. Does I/O: asks the broker for ids."""

import time
from collections.abc import Callable
from pathlib import Path

from loyaltystream.kafka.changelog import ChangelogReader
from loyaltystream.kafka.reading import LogReader
from loyaltystream.memory.changelog import Layout
from loyaltystream.memory.manifest import Origin
from loyaltystream.settings import Settings
from loyaltystream.snapshots.cap import Cap
from loyaltystream.snapshots.files import Files
from loyaltystream.snapshots.hand import ThreadHand
from loyaltystream.snapshots.keeper import Clocks, Keeper, Policy
from loyaltystream.snapshots.scratch import Scratch
from loyaltystream.snapshots.verifying import Done, Verification
from loyaltystream.telemetry.memory import MemoryWatch
from loyaltystream.topology import Topics

_BOUND_S = 2.0
"""How long a broker is asked for an end of the changelog, of which an older one would do."""


def snapshots_directory(settings: Settings, group: str) -> Path:
    """Return where the snapshots of a group lie: below, each partition has a directory."""
    return settings.worker.state_dir / "snapshots" / group


def origins(
    reader: LogReader, topics: Topics, *, group: str, layout: Layout
) -> Callable[[int], Origin]:
    """Return what says whose memory a partition's is.

    Raises:
        BrokerError: if the broker does not answer.
    """
    ids = reader.topic_id(topics.ingest), reader.topic_id(topics.changelog)
    return lambda partition: Origin(group, partition, layout, *ids)


def build_keeper(  # noqa: PLR0913 (whose memories, where from, and who is told)
    settings: Settings,
    reader: LogReader,
    topic: str,
    *,
    group: str,
    origin: Callable[[int], Origin],
    watch: MemoryWatch,
) -> Keeper:
    """Put the keeper of a worker's memories together.

    Args:
        settings: of the deployment.
        reader: reads the changelog at a restart.
        topic: the changelog's name.
        group: the consumer group.
        origin: says whose memory a partition's is.
        watch: is told what becomes of snapshots.
    """
    memory = settings.memory
    scratch = Scratch(settings.worker.state_dir / "scratch")
    return Keeper(
        Files(snapshots_directory(settings, group)),
        ThreadHand(),
        changelog=ChangelogReader(reader, topic, watch.restoring),
        bounds=ChangelogReader(LogReader(settings.kafka, timeout_s=_BOUND_S), topic),
        origin=origin,
        policy=Policy(memory.snapshot_ids, memory.snapshot_minutes * 60),
        cap=Cap(memory.max_bytes, scratch, watch, time.monotonic),
        watch=watch,
        clocks=Clocks(time.monotonic, lambda: int(time.time() * 1000)),
    )


def build_verification(  # noqa: PLR0913 (likewise)
    settings: Settings,
    reader: LogReader,
    topic: str,
    *,
    group: str,
    origin: Callable[[int], Origin],
    done: Done,
) -> Verification:
    """Put together what holds a group's snapshots against the changelog; as `build_keeper`."""
    return Verification(
        Files(snapshots_directory(settings, group)), ChangelogReader(reader, topic), origin, done
    )
