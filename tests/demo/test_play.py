"""A whole run on fakes: a story, a world that judges it, a worker that dies on the way."""

from collections.abc import Callable, Iterator, Sequence
from threading import Event

import pytest

from loyaltystream.audit import Findings, PartitionFindings
from loyaltystream.demo.counting import Seen
from loyaltystream.demo.play import Cast, audit_when_still, play
from loyaltystream.demo.screen import Snapshot
from loyaltystream.demo.sending import Pacer
from loyaltystream.demo.watching import Watcher
from loyaltystream.errors import PlatformError, RetryableBrokerError
from loyaltystream.events import Record
from loyaltystream.story import Intent, Recipe, generate
from tests.demo.test_sending import Tape
from tests.story.world import NOW_MS, TOPICS, World


class Actor:
    """A worker that keeps a journal."""

    def __init__(self) -> None:
        self.journal: list[str] = []

    def start(self) -> None:
        """Note it."""
        self.journal.append("start")

    def kill(self) -> None:
        """Note it."""
        self.journal.append("kill")

    def demand_life(self) -> None:
        """Live for ever."""


class Corpse(Actor):
    """A worker that has ended by itself."""

    def demand_life(self) -> None:
        """Say so.

        Raises:
            PlatformError: always.
        """
        raise PlatformError("the notify worker ended with 2")


class Committed:
    """A log that has everything committed already."""

    def __init__(self, records: Sequence[tuple[str, Record]]) -> None:
        self._records = records
        self.read = Event()

    def follow(
        self, topics: Sequence[str], *, oldest: bool, stopping: Callable[[], bool]
    ) -> Iterator[tuple[str, Record]]:
        """Yield all of it."""
        assert oldest
        assert not stopping()
        assert set(topics) >= {topic for topic, _ in self._records}
        yield from self._records
        self.read.set()


class Broken(Committed):
    """A log that can't be read to its end."""

    def follow(
        self, topics: Sequence[str], *, oldest: bool, stopping: Callable[[], bool]
    ) -> Iterator[tuple[str, Record]]:
        """Yield all of it, then fail.

        Raises:
            RetryableBrokerError: always.
        """
        yield from super().follow(topics, oldest=oldest, stopping=stopping)
        raise RetryableBrokerError("the broker went away")


class Wall:
    """A screen that keeps everything."""

    def __init__(self) -> None:
        self.shown: list[Snapshot] = []

    def show(self, snapshot: Snapshot) -> None:
        """Keep it."""
        self.shown.append(snapshot)


RECIPE = Recipe(events=1_000)


def _play(log: Committed, notify: Actor) -> tuple[Actor, Wall, Snapshot]:
    """Play the recipe on a log, by a clock of its own."""
    now, ingest, wall = [0.0], Actor(), Wall()

    def sleep(seconds: float) -> None:
        now[0] += seconds

    pacer = Pacer(Tape(), per_second=1_000_000)
    with Watcher(log, TOPICS) as watcher:
        assert log.read.wait(60)
        cast = Cast(ingest, notify, pacer, watcher, sleep=sleep, clock=lambda: now[0])
        story = generate(RECIPE, 3, now_ms=NOW_MS)
        return ingest, wall, play(cast, RECIPE, story, wall)


@pytest.fixture(scope="module")
def judged_story() -> list[tuple[str, Record]]:
    """Return everything that is in all topics once the story is judged."""
    world = World(RECIPE.partitions)
    world.live(generate(RECIPE, 3, now_ms=NOW_MS))
    return world.written


def test_a_run_kills_restarts_and_ends(judged_story: list[tuple[str, Record]]) -> None:
    """The ingest worker dies once and comes back; the run ends when every event has its verdict."""
    notify = Actor()
    ingest, wall, last = _play(Committed(judged_story), notify)
    assert ingest.journal == ["kill", "start"]
    assert notify.journal == []
    assert last.seen[Seen.ACCEPTED] == sum(
        RECIPE.counts()[intent] for intent in (Intent.NEW, Intent.WRONG_KEY)
    )
    assert wall.shown[-1] == last
    assert len({snapshot.note for snapshot in wall.shown}) == 2


def test_a_worker_that_ends_by_itself_ends_the_run(
    judged_story: list[tuple[str, Record]],
) -> None:
    """Nobody waits for a worker that is not there any more."""
    with pytest.raises(PlatformError, match="notify worker ended"):
        _play(Committed(judged_story), Corpse())


def test_a_lost_broker_ends_the_run() -> None:
    """What the watcher could not read is the run's failure, not a count of nothing."""
    with pytest.raises(RetryableBrokerError, match="went away"):
        _play(Broken([]), Actor())


def _findings(lag: int) -> Findings:
    part = PartitionFindings("notify", "emf", 0, 0, 0, 5, lag, 5, {"accepted": 5}, {}, {})
    return Findings([part], {}, {}, [])


def test_the_audit_waits_for_the_last_notification() -> None:
    """An audit that finds something left to do is run again until nothing is."""
    runs = [_findings(2), _findings(1), _findings(0)]
    now = [0.0]
    found = audit_when_still(lambda: runs.pop(0), sleep=lambda _: None, clock=lambda: now[0])
    assert found == _findings(0)
    assert runs == []


def test_the_audit_does_not_wait_for_ever() -> None:
    """After a minute the findings are what they are, lag included."""
    moments = iter(range(0, 1_000, 50))
    found = audit_when_still(
        lambda: _findings(9), sleep=lambda _: None, clock=lambda: float(next(moments))
    )
    assert found == _findings(9)
