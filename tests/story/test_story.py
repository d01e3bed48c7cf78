"""What a story holds, and what becomes of it."""

from collections import Counter, defaultdict
from itertools import islice

import msgspec
import pytest

from loyaltystream.errors import ConfigurationError
from loyaltystream.story import CARELESS, SHOP, Intent, Recipe, Sent, definitions, generate
from loyaltystream.story.faults import INVALID_REASONS, MALFORMED_REASONS
from loyaltystream.story.shop import parsed_definitions
from loyaltystream.verdicts import Verdict
from tests.story.world import NOW_MS, World

NAMES = {"customerRegistered", "purchaseCompleted", "couponRedeemed", "productViewed", "appOpened"}


def _tell(recipe: Recipe, seed: int = 7) -> list[Sent]:
    return list(generate(recipe, seed, now_ms=NOW_MS))


@pytest.fixture(scope="module")
def shop() -> list[Sent]:
    """Return the demo's story."""
    return _tell(SHOP)


@pytest.mark.parametrize("recipe", [SHOP, CARELESS, Recipe(events=333, customers=5, partitions=1)])
def test_the_shares_are_met_exactly(recipe: Recipe) -> None:
    """A story has exactly as many records of each intent as its recipe asks for."""
    told = Counter(sent.intent for sent in _tell(recipe))
    assert told == Counter({intent: n for intent, n in recipe.counts().items() if n})
    assert told.total() == recipe.events
    assert told[Intent.WRONG_KEY] == round(recipe.events * recipe.wrong_keys)


def test_a_seed_tells_one_story() -> None:
    """The same seed tells the same story byte for byte, and another seed another one."""
    recipe = Recipe(events=600)
    assert _tell(recipe, 1) == _tell(recipe, 1)
    assert _tell(recipe, 1) != _tell(recipe, 2)


@pytest.mark.parametrize("recipe", [SHOP, CARELESS, Recipe(events=4_000, partitions=1)])
def test_every_record_is_judged_as_it_was_meant(recipe: Recipe) -> None:
    """The real pipeline judges each record, wherever it was sent, as its intent says."""
    world = World(recipe.partitions)
    world.live(generate(recipe, 11, now_ms=NOW_MS))
    judged: defaultdict[Intent, Counter[Verdict]] = defaultdict(Counter)
    for place, intent in world.sent.items():
        judged[intent][world.verdicts[place]] += 1
    assert judged == {
        intent: Counter({intent.verdict: count})
        for intent, count in recipe.counts().items()
        if count
    }
    assert world.tally.consumed == recipe.events + world.tally.verdicts[Verdict.REKEYED]


def test_every_fault_is_found(shop: list[Sent]) -> None:
    """Each way to break an event that a story knows is rejected for its own reason."""
    world = World(SHOP.partitions)
    world.live(shop)
    assert world.tally.reasons.keys() >= MALFORMED_REASONS | INVALID_REASONS


def test_a_wrong_key_leads_astray() -> None:
    """An event under a wrong key lies in a partition that is not its own; without one, anywhere."""
    wrong = [sent for sent in _tell(CARELESS) if sent.intent is Intent.WRONG_KEY]
    keyed = [sent for sent in wrong if sent.key is not None]
    world = World(CARELESS.partitions)
    world.live(keyed)
    assert world.tally.verdicts[Verdict.REKEYED] == len(keyed)
    assert len(wrong) - len(keyed) == len(wrong) // 4


def test_resends_are_byte_for_byte(shop: list[Sent]) -> None:
    """A resend is an earlier record again; one that was written anew has the same id at least."""
    seen: set[tuple[bytes | None, bytes | None]] = set()
    ids = set()
    for sent in shop:
        if sent.intent is Intent.RESEND:
            assert (sent.key, sent.value) in seen
        if sent.intent is Intent.REWRITTEN:
            assert (sent.key, sent.value) not in seen
            assert msgspec.json.decode(sent.value or b"")["eventId"] in ids
        if sent.intent in {Intent.NEW, Intent.WRONG_KEY}:
            seen.add((sent.key, sent.value))
            ids.add(msgspec.json.decode(sent.value or b"")["eventId"])


def test_resends_come_soon_and_late(shop: list[Sent]) -> None:
    """Half of the resends follow their original closely; some come thousands of records later."""
    first = {sent.value: place for place, sent in reversed(list(enumerate(shop)))}
    gaps = [
        place - first[sent.value] for place, sent in enumerate(shop) if sent.intent is Intent.RESEND
    ]
    assert sum(gap < 100 for gap in gaps) >= len(gaps) // 2
    assert max(gaps) > 5_000


def test_events_are_as_large_as_real_ones(shop: list[Sent]) -> None:
    """New events have about 580 bytes, as those that the hot path was measured with."""
    sizes = [len(sent.value or b"") for sent in shop if sent.intent is Intent.NEW]
    assert 540 <= sum(sizes) / len(sizes) <= 620


def test_events_are_recent(shop: list[Sent]) -> None:
    """Events occurred at most 90 seconds before the time that the story is told at."""
    events = [msgspec.json.decode(sent.value or b"") for sent in shop if sent.intent is Intent.NEW]
    moments = [event["occurredAt"] for event in events]
    assert NOW_MS - 90_000 <= min(moments) <= max(moments) <= NOW_MS
    assert {event["eventName"] for event in events} == NAMES
    assert all(len(event["customer"]["identifiers"]) == 2 for event in events)


def test_some_customers_come_often(shop: list[Sent]) -> None:
    """The ten best customers cause more events than a thousand of the others, but not all."""
    visits = Counter(sent.key for sent in shop if sent.intent is Intent.NEW)
    ranked = [count for _, count in visits.most_common()]
    assert sum(ranked[:10]) > sum(ranked[-500:])
    assert ranked[0] < len(shop) / 20


def test_the_shop_has_five_definitions() -> None:
    """The example definitions are usable as they are, and one of them has a unique key."""
    assert {body["eventName"] for body in definitions()} == NAMES
    assert {parsed.event_name for parsed in parsed_definitions()} == NAMES
    assert any(parsed.unique_fields for parsed in parsed_definitions())


@pytest.mark.parametrize(
    "shares", [{"malformed": 0.9, "invalid": 0.2}, {"resends": 1.0}, {"tombstones": -0.1}]
)
def test_impossible_recipes_are_refused(shares: dict[str, float]) -> None:
    """Shares beyond the whole, below nothing, or of repeats without originals make no recipe."""
    with pytest.raises(ConfigurationError):
        Recipe(**shares)  # type: ignore[arg-type]  # only shares are given


def test_a_story_begins_at_once() -> None:
    """The first records of a large story can be had without the rest of it."""
    story = generate(Recipe(events=50_000), 3, now_ms=NOW_MS)
    assert all(sent.intent is Intent.NEW for sent in islice(story, 100))
