"""Where stage notify goes on when a broker has forgotten its offsets."""

from collections.abc import Iterator, Mapping

import pytest

from loyaltystream.errors import RetryableBrokerError
from loyaltystream.events import Record
from loyaltystream.reached import Reached, going_on
from loyaltystream.times import SKEW_MS
from tests.audit.world import PARTITIONS, MemoryLog
from tests.core import NOW_MS, TOPICS

LATER_MS = NOW_MS + 3 * SKEW_MS


class TimedLog(MemoryLog):
    """A log that finds records by their time, and may have an open transaction at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[tuple[str, int], int] = {}
        self.starts: list[int] = []
        self.looks_at_events = 0

    def records(self, topic: str, partition: int, start: int, end: int) -> Iterator[Record]:
        self.looks_at_events += topic == TOPICS.emf
        return super().records(topic, partition, start, end)

    def high_watermark(self, topic: str, partition: int) -> int:
        return self.ends.get((topic, partition), 0) + self.hidden.get((topic, partition), 0)

    def offset_at(self, topic: str, partition: int, moment_ms: int) -> int:
        found = (
            one.offset for one in self.topics[topic][partition] if one.timestamp_ms >= moment_ms
        )
        start = next(found, self.ends.get((topic, partition), 0))
        self.starts.append(start)
        return start


def routed(log: TimedLog, partition: int, count: int = 1, moment_ms: int = LATER_MS) -> None:
    for _ in range(count):
        log.append(TOPICS.emf, Record(partition, 0, moment_ms, b"key", b"event", ()))


def caused(
    log: TimedLog, topic: str, cause: tuple[int, int], *, lies: int = 0, moment_ms: int = LATER_MS
) -> None:
    partition, offset = cause
    source = ("src", f"{TOPICS.emf}/{partition}/{offset}/0/7".encode())
    log.append(topic, Record(lies, 0, moment_ms, b"key", b"output", (source,)))


def start(partition: int) -> int:
    return -1 - partition


def begun(log: TimedLog, partition: int) -> tuple[int, Mapping[int, int]]:
    told: dict[int, int] = {}
    begin = going_on(Reached(log, TOPICS), start, told.__setitem__)
    return begin(partition), told


def test_a_partition_without_outputs_begins_where_an_operator_says() -> None:
    """What was never worked on is no loss."""
    log = TimedLog()
    routed(log, 1, 5)
    caused(log, TOPICS.notifications, (2, 3))
    assert begun(log, 1) == (start(1), {})


def test_a_partition_that_is_empty_asks_for_nothing() -> None:
    """Partitions that were added have caused nothing, however much the others have."""
    log = TimedLog()
    routed(log, 0)
    caused(log, TOPICS.notifications, (0, 0))
    assert begun(log, 1) == (start(1), {})
    assert log.starts == []


@pytest.mark.parametrize("topic", [TOPICS.notifications, TOPICS.dead_letter])
def test_a_forgotten_partition_goes_on_behind_its_last_output(topic: str) -> None:
    """Whichever topic and partition of it the last output lies in; it is told."""
    log = TimedLog()
    routed(log, 1, 9)
    for lies, offset in ((0, 2), (2, 6), (1, 4)):
        caused(log, topic, (1, offset), lies=lies)
    caused(log, topic, (0, 8))
    assert begun(log, 1) == (7, {1: 7})


def test_letters_of_stage_ingest_are_no_outputs_of_stage_notify() -> None:
    """They name an event of the ingest topic."""
    log = TimedLog()
    routed(log, 1, 9)
    source = ("src", f"{TOPICS.ingest}/1/5/0/7".encode())
    log.append(TOPICS.dead_letter, Record(1, 0, LATER_MS, b"key", b"letter", (source,)))
    assert begun(log, 1) == (start(1), {})


def test_an_open_transaction_is_waited_for() -> None:
    """What it hides may be an output that is committed yet."""
    log = TimedLog()
    routed(log, 1, 9)
    caused(log, TOPICS.notifications, (1, 2))
    log.hidden[TOPICS.notifications, PARTITIONS - 1] = 1
    with pytest.raises(RetryableBrokerError, match="a transaction is open there"):
        begun(log, 1)


def test_only_what_may_have_a_cause_is_read_and_once() -> None:
    """Outputs from before the oldest event there is are passed over, and the rest is read once."""
    log = TimedLog()
    caused(log, TOPICS.notifications, (1, 900), moment_ms=NOW_MS)
    routed(log, 1, 9)
    caused(log, TOPICS.notifications, (1, 2))
    reached = Reached(log, TOPICS)
    assert reached.in_partition(1) == 3
    asked = list(log.starts)
    assert asked[0] == 1
    caused(log, TOPICS.notifications, (1, 5))
    assert reached.in_partition(1) == 6
    assert log.starts == asked


def test_the_oldest_event_is_looked_for_once() -> None:
    """However many partitions there are outputs in, each partition of events is looked at once."""
    log = TimedLog()
    routed(log, 1, 9)
    caused(log, TOPICS.notifications, (1, 2))
    reached = Reached(log, TOPICS)
    reached.in_partition(1)
    reached.in_partition(1)
    assert log.looks_at_events == PARTITIONS
