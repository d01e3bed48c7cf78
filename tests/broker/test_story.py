"""The whole way of a story, by the real commands on the real broker."""

import time
from collections import Counter
from collections.abc import Callable

import pytest

from loyaltystream.story import generate
from loyaltystream.story.recipe import Recipe
from loyaltystream.verdicts import Verdict
from tests.shop import Shop

pytestmark = pytest.mark.broker


def test_every_record_gets_the_verdict_that_its_producer_asked_for(
    make_shop: Callable[..., Shop],
) -> None:
    """A shop's story is judged as meant, astray keys and all, and the audit calls it exact."""
    shop = make_shop()
    story = list(generate(Recipe(events=4000, partitions=4), 1, now_ms=int(time.time() * 1000)))
    shop.send(story)
    workers = shop.start("run", "--from", "earliest")
    shop.drain()
    assert shop.stop(workers) == 0, shop.log()
    findings = shop.audit()
    assert findings.exact, findings
    meant = Counter(sent.intent.verdict for sent in story)
    judged: Counter[Verdict] = Counter()
    for partition in findings.partitions:
        if partition.stage == "ingest":
            judged.update({Verdict(name): count for name, count in partition.judged.items()})
    judged.pop(Verdict.REKEYED)
    assert judged == meant


def test_a_group_that_never_read_is_told_to_choose(make_shop: Callable[..., Shop]) -> None:
    """Without --from a fresh group refuses to start, and says what there is to choose."""
    shop = make_shop(partitions=1)
    done = shop.command("run", "--stage", "ingest", code=2)
    assert "--from earliest" in done.stderr
    assert "--from latest" in done.stderr
