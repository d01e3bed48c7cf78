"""What goes on beside the requests: definitions are followed, and an end waits for Kafka."""

import asyncio
from collections.abc import Callable

import pytest

from loyaltystream.errors import RetryableBrokerError
from loyaltystream.gateway.following import keep_up
from loyaltystream.gateway.intake import Intake
from loyaltystream.gateway.serving import build_gateway
from loyaltystream.sending import Keyer
from tests.core import SHOP, event
from tests.gateway.conftest import RULES, Counter


class EndedError(Exception):
    """Ends a test's endless loop."""


def follow_for(counter: Counter, rounds: int, follow: Callable[[], Intake]) -> None:
    """Have the definitions followed for so many rounds."""
    left = iter(range(rounds))

    async def pause(_seconds: float) -> None:
        if next(left, None) is None:
            raise EndedError

    with pytest.raises(EndedError):
        asyncio.run(keep_up(counter.gateway, follow, pause))


def test_a_new_definition_gives_its_events_a_key(counter: Counter) -> None:
    """Before it is heard of they are taken without one."""
    counter.gateway.intake = Intake(Keyer([], RULES), RULES, str)
    assert counter.post("/events", event()).is_success
    follow_for(counter, 1, lambda: Intake(Keyer(SHOP, RULES), RULES, str))
    assert counter.post("/events", event()).is_success
    keys = [posting.key for posting in counter.channel.taken]
    assert keys == [None, b"1800|mobile|919812345678"]


def test_a_topic_that_is_away_changes_nothing(counter: Counter) -> None:
    """What was known stays in use, and it is told each time."""

    def away() -> Intake:
        raise RetryableBrokerError("gone")

    before = counter.gateway.intake
    follow_for(counter, 2, away)
    assert counter.gateway.intake is before
    assert counter.watched.failures == ["gone", "gone"]


@pytest.mark.parametrize("follows", [True, False])
def test_an_end_closes_the_channel(counter: Counter, *, follows: bool) -> None:
    """What was taken is written before the process goes."""
    intake = counter.gateway.intake
    app = build_gateway(
        counter.gateway,
        counter.enquiry,
        mint=str,
        follow=(lambda: intake) if follows else None,
    )

    async def live() -> None:
        async with app.router.lifespan_context(app):
            assert not counter.channel.closed

    asyncio.run(live())
    assert counter.channel.closed
