"""What a committed record counts as."""

from collections import Counter

import pytest

from loyaltystream.demo.counting import Meter, Seen, due, judged, look
from loyaltystream.events import Header, Record
from loyaltystream.story import Intent, Recipe, generate
from loyaltystream.verdicts import Verdict
from tests.story.world import NOW_MS, TOPICS, World


def _record(*headers: Header) -> Record:
    return Record(0, 0, NOW_MS, None, b"", headers)


@pytest.mark.parametrize(
    ("topic", "headers", "seen"),
    [
        (TOPICS.ingest, (), Seen.ARRIVED),
        (TOPICS.ingest, (("origin", b"in/1/2/3"),), Seen.REKEYED),
        (TOPICS.emf, (("src", b"in/1/2/0/7"),), Seen.ACCEPTED),
        (TOPICS.ei, (("src", b"in/1/2/0/7"),), Seen.ACCEPTED),
        (TOPICS.ei, (("src", b"in/1/2/1/7"),), None),
        (TOPICS.emf, (("src", b"who knows"),), None),
        (TOPICS.emf, (), None),
        (TOPICS.duplicates, (("src", b"in/1/2/0/7"),), Seen.DUPLICATE),
        (TOPICS.notifications, (("src", b"emf/1/2/0/7"),), Seen.NOTIFICATION),
        (TOPICS.dead_letter, (("src", b"in/1/2/0/7"), ("verdict", b"late")), Seen.LATE),
        (TOPICS.dead_letter, (("src", b"emf/1/2/0/7"), ("verdict", b"rejected")), Seen.UNMAPPED),
    ],
)
def test_a_record_shows_one_thing(
    topic: str, headers: tuple[Header, ...], seen: Seen | None
) -> None:
    """Topic and headers alone say what a record shows; a second output shows nothing new."""
    assert look(TOPICS, topic, _record(*headers)) is seen


def test_the_counts_of_a_story_are_its_verdicts() -> None:
    """Counting all outputs of a story gives each event its verdict, once."""
    recipe = Recipe(events=2_000)
    world = World(recipe.partitions)
    world.live(generate(recipe, 5, now_ms=NOW_MS))
    seen = Counter(what for topic, record in world.written if (what := look(TOPICS, topic, record)))
    must = due(intent for intent, n in recipe.counts().items() for _ in range(n))
    assert judged(seen) == recipe.events - recipe.counts()[Intent.TOMBSTONE]
    for verdict in (Verdict.ACCEPTED, Verdict.DUPLICATE, Verdict.CONFLICT, Verdict.REJECTED):
        assert seen[Seen(verdict.value)] == must[verdict]
    assert seen[Seen.REKEYED] == world.tally.verdicts[Verdict.REKEYED]


def test_the_rate_is_that_of_the_last_seconds() -> None:
    """The rate forgets what was long ago, and is zero where nothing is known."""
    meter = Meter()
    assert meter.rate(0, now_s=0.0) == 0
    assert meter.rate(500, now_s=1.0) == 500
    assert meter.rate(500, now_s=10.0) == 0
    assert meter.rate(700, now_s=12.0) == 100
