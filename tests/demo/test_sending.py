"""The pace at which a story is sent."""

from collections import Counter
from collections.abc import Sequence

from loyaltystream.demo.sending import Pacer
from loyaltystream.events import Header
from loyaltystream.story import Recipe, generate
from tests.story.world import NOW_MS


class Tape:
    """A channel that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes | None, bytes | None, Sequence[Header]]] = []
        self.flushed = 0

    def send(self, value: bytes | None, key: bytes | None, headers: Sequence[Header] = ()) -> None:
        """Keep it."""
        self.sent.append((value, key, headers))

    def flush(self) -> None:
        """Note how much there was."""
        self.flushed = len(self.sent)


def test_a_story_is_sent_whole_in_order_and_in_time() -> None:
    """A thousand records at 500 a second are all sent, in order, over two seconds."""
    recipe, tape, now = Recipe(events=1_000), Tape(), [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    pacer = Pacer(tape, per_second=500)
    story = list(generate(recipe, 1, now_ms=NOW_MS))
    pacer.send(story, sleep=sleep, clock=lambda: now[0])
    assert tape.sent == [(sent.value, sent.key, sent.headers) for sent in story]
    assert tape.flushed == len(story)
    assert round(now[0], 6) == 2.0
    assert pacer.sent() == Counter(recipe.counts())


def test_a_stopped_pacer_sends_no_more() -> None:
    """After a stop nothing more is sent, and what was sent is flushed."""
    tape = Tape()
    pacer = Pacer(tape, per_second=500)
    pacer.stop()
    pacer.send(generate(Recipe(events=1_000), 1, now_ms=NOW_MS), sleep=lambda _: None)
    assert tape.sent == []
