"""What stage ingest tells of its memories."""

from typing import cast

from loyaltystream.definitions.source import Fixed
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.memory.units import KeyKind, Unit
from loyaltystream.rules import Rules
from loyaltystream.stage import IngestStage, Keeper
from loyaltystream.times import DAY_MS
from tests.core import DEFINITIONS, NOW_MS, ingest, layout

EVENT_IDS = Unit(KeyKind.EVENT_ID, Rules().window_days)


class Lost:
    """Keeps memories that begin anew now, or that never lost anything."""

    def __init__(self, begins_ms: int) -> None:
        self._begins_ms = begins_ms

    def recover(self, partition: int, **_: object) -> PartitionMemory:
        del partition
        memory = PartitionMemory(layout(), 0)
        memory.covers_from_ms = self._begins_ms
        memory._clock_ms = NOW_MS
        return memory


def windows(begins_ms: int) -> dict[Unit, int]:
    """Return how far back a worker knows that has judged nothing since it began."""
    stage = IngestStage(
        ingest(),
        definitions=Fixed(DEFINITIONS),
        layout=layout(),
        keeper=cast("Keeper", Lost(begins_ms)),
        fresh=lambda _partition: 0,
    )
    stage.open(0, None)
    told = stage.remembered()
    assert told.ids == {EVENT_IDS: 0}
    return dict(told.windows_ms)


def test_a_lost_memory_tells_its_short_window_before_it_knows_an_id() -> None:
    """Events that occurred before the loss are late, and are no ids: the window must be told."""
    assert windows(NOW_MS - 2 * DAY_MS) == {EVENT_IDS: 2 * DAY_MS}


def test_a_new_memory_has_its_whole_window() -> None:
    """Where nothing was lost, nothing is short, however little is known."""
    assert windows(0) == {EVENT_IDS: EVENT_IDS.window_days * DAY_MS}
