"""What a scrape finds of the letters that wait, and who counts them; no broker."""

from collections.abc import Collection, Mapping

import msgspec
import pytest

from loyaltystream.errors import RetryableBrokerError
from loyaltystream.telemetry import log_events
from loyaltystream.telemetry.letters import LetterWatch, Rest, WaitingLetters
from loyaltystream.telemetry.metrics import Metrics

NOW_MS = 1_764_000_000_000
BACKLOG = "loyaltystream_dead_letter_backlog"
OLDEST = "loyaltystream_dead_letter_oldest_seconds"


class Found(msgspec.Struct, frozen=True):
    """What waits in a partition."""

    letters: int
    oldest_ms: int | None = None


class Counter:
    """Counts what it is told to; fails where that is nothing."""

    def __init__(self, found: Mapping[int, Found]) -> None:
        self.found: Mapping[int, Found] | None = found
        self.asked: list[list[int]] = []

    def __call__(self, partitions: Collection[int]) -> Mapping[int, Found]:
        self.asked.append(sorted(partitions))
        if self.found is None:
            raise RetryableBrokerError("the broker is away")
        return {number: self.found[number] for number in partitions}


def told(letters: WaitingLetters, name: str) -> dict[str, float]:
    """Return the samples of a gauge, by partition."""
    return {
        sample.labels.get("partition", ""): sample.value
        for family in letters.collect()
        for sample in family.samples
        if sample.name == name
    }


def test_nothing_is_told_before_it_is_known() -> None:
    """A partition that was not counted yet has no number, rather than 0."""
    letters = WaitingLetters()
    letters.owns([0, 1])
    assert told(letters, BACKLOG) == told(letters, OLDEST) == {}
    LetterWatch(letters, Counter({0: Found(0), 1: Found(3, 5)})).look()
    assert told(letters, BACKLOG) == {"0": 0, "1": 3}


def test_a_partition_that_went_is_told_of_no_more() -> None:
    """Its next owner tells of it, and nobody else: not even what was counted meanwhile."""
    letters = WaitingLetters()
    letters.owns([0, 1])
    letters.counted({0: Found(2), 1: Found(3)})
    letters.owns([1, 2])
    assert told(letters, BACKLOG) == {"1": 3}
    letters.counted({0: Found(2), 1: Found(4)})
    assert told(letters, BACKLOG) == {"1": 4}
    letters.owns([0, 1])
    assert told(letters, BACKLOG) == {"1": 4}


def test_the_age_is_that_of_the_scrape() -> None:
    """A letter grows older while nobody counts; where none waits there is no age."""
    clock = [NOW_MS]
    letters = WaitingLetters(lambda: clock[0])
    letters.owns([0, 1, 2])
    letters.counted({0: Found(1, NOW_MS - 5_000), 1: Found(0), 2: Found(1, NOW_MS + 9)})
    assert told(letters, OLDEST) == {"0": 5, "1": 0, "2": 0}
    clock[0] += 60_000
    assert told(letters, OLDEST) == {"0": 65, "1": 0, "2": pytest.approx(59.991)}


def test_whoever_counts_nothing_tells_no_retention() -> None:
    """A worker of stage notify has no number of letters, and no 0 either."""
    metrics = Metrics()
    name = "loyaltystream_dead_letter_retention_seconds"
    assert metrics.registry.get_sample_value(name) is None
    metrics.letters.retention_s = 604_800
    assert metrics.registry.get_sample_value(name) == 604_800


def test_an_outage_keeps_the_last_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it can't be counted the last count stands, and the log has one line of it."""
    said: list[str] = []
    monkeypatch.setattr(log_events, "letters_uncounted", lambda *, why: said.append(why))
    letters, count = WaitingLetters(), Counter({0: Found(7)})
    letters.owns([0])
    watch = LetterWatch(letters, count)
    watch.look()
    before, count.found = count.found, None
    for _ in range(1_000):
        watch.look()
    assert told(letters, BACKLOG) == {"0": 7}
    assert said == ["the broker is away"]
    count.found = before
    watch.look()
    assert count.asked == [[0]] * 1_002


def test_a_fault_of_ours_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is raised by a count is told by its name, and the thread goes on."""
    said: list[str] = []
    monkeypatch.setattr(log_events, "letters_uncounted", lambda *, why: said.append(why))

    def count(_partitions: Collection[int]) -> Mapping[int, Found]:
        raise AssertionError

    LetterWatch(WaitingLetters(), count).look()
    assert said == ["AssertionError"]


def test_whoever_counts_uses_a_tenth_of_a_processor() -> None:
    """Nine parts of rest follow each part of work, by the thread's own use of the processor."""
    used, slept = iter([4.0, 4.001, 4.003]), list[float]()
    rest = Rest(0.1, used_s=lambda: next(used), sleep=slept.append)
    for _ in range(3):
        rest.take()
    assert slept == pytest.approx([0.009, 0.018])
