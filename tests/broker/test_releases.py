"""Held letters that a person releases, and letters of stage notify that go back, on a broker."""

import json
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from loyaltystream.audit.findings import Notice
from loyaltystream.letters.signing import LETTER_HEADER, released_id
from tests.broker.test_definitions import apply, follow
from tests.broker.test_why import bought, letters, running, why
from tests.core import event, raw
from tests.notifications.shop import body, transaction
from tests.shop import Shop, eventually

__all__ = ["running"]

pytestmark = pytest.mark.broker

HELD: Final = 150
DAY_MS: Final = 86_400_000
REASON: Final = "the till said so"


def late(event_id: str, mobile: str) -> str:
    """Return a purchase of forty days ago as a line."""
    said = json.loads(bought(event_id, mobile, amount=5))
    return json.dumps(said | {"occurredAt": int(time.time() * 1000) - 40 * DAY_MS})


def held(number: int) -> Iterator[str]:
    """Yield a purchase, another one under its id, and one that is late."""
    mobile = f"9198123{number:05d}"
    yield bought(f"bill {number}", mobile, amount=5)
    yield bought(f"bill {number}", mobile, amount=6, billNumber=f"other {number}")
    yield late(f"late {number}", mobile)


def sent_again(shop: Shop, topic: str) -> Counter[bytes]:
    """Return how often each letter lies on a topic again."""
    found = [one.header(LETTER_HEADER) for one in shop.read(topic)]
    return Counter(letter for letter in found if letter)


def test_a_conflict_and_a_late_event_are_released_once(running: Shop) -> None:
    """By command, with a reason; repeating it does nothing, and `why` tells it under both ids."""
    running.command("send", "-", given="\n".join(held(0)))
    running.drain()
    conflict, past = (letters(running, "list", "--verdict", one)[0] for one in ("conflict", "late"))
    named = conflict["letter"], past["letter"]
    running.command("dead-letters", "release", *named, code=2)  # without a reason
    forecast = letters(running, "release", *named, "--because", REASON, "--dry-run")
    assert (forecast["done"], forecast["forecast"]["verdicts"]) == (0, {"accepted": 2})
    assert letters(running, "release", *named, "--because", REASON)["done"] == 2
    again = letters(running, "release", *named, "--because", REASON)
    assert (again["done"], again["staying"]) == (0, {"done": [*named]})
    running.drain()
    topic = running.deployment.topics.dead_letter
    for letter, old in ((conflict, "bill 0"), (past, "late 0")):
        new = released_id(f"{topic}/{letter['letter']}")
        told = why(running, new)["arrivals"]
        assert told == why(running, old)["arrivals"]
        assert [one["verdict"] for one in told][-1] == "accepted"
        assert told[-1]["eventId"] == new
        assert told[-1]["notified"]
        assert f"released, attempt 1, {REASON}; as event {new}" in {
            one.get("handled") for one in told
        }
    text = running.command("why", "late 0").stdout
    assert "spared: late" in text
    assert "late, which its release spares it" in text
    findings = running.audit()
    assert findings.exact, findings.to_json()
    assert sum(one.replayed for one in findings.partitions) == 2


def test_a_killed_release_sends_each_letter_once(running: Shop) -> None:
    """Killed and repeated under live traffic, it releases each letter once, and all is exact."""
    running.command(
        "send", "-", given="\n".join(line for number in range(HELD) for line in held(number))
    )
    running.drain()
    ingest = running.deployment.topics.ingest
    command = ("dead-letters", "release", "--all", "--because", REASON)
    for least in (1, HELD):
        process = running.start(*command, "--rate", "100", log="release")
        eventually(
            lambda: sent_again(running, ingest).total() >= least,  # noqa: B023
            "a release that goes on",
            90,
        )
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        running.command("send", "-", given=bought("live", amount=3))
    running.command(*command)
    running.command(*command)
    running.drain()
    sent = sent_again(running, ingest)
    assert set(sent.values()) == {1}
    assert len(sent) == 2 * HELD
    assert len(letters(running, "list", "-n", "9999", "--state", "released")) == 2 * HELD
    # A bill, the other bill under its id, and the late one, for each; and the one that was live.
    assert len(running.read(running.deployment.topics.emf)) == 3 * HELD + 1
    findings = running.audit()
    assert findings.exact, findings.to_json()


def test_everything_that_was_ever_refused_may_be_replayed(running: Shop) -> None:
    """Letters of every verdict, sent again and released in any order, accept nothing twice."""
    lines = [line for number in range(10) for line in held(number)]
    running.command("send", "-", given="\n".join([*lines, "{", bought("no amount")]))
    running.drain()
    for _ in range(2):
        letters(running, "replay", "--all")
        running.drain()
    accepted = len(running.read(running.deployment.topics.emf))
    assert accepted == 10
    letters(running, "release", "--all", "--because", REASON)
    running.drain()
    letters(running, "replay", "--all")
    running.drain()
    assert len(running.read(running.deployment.topics.emf)) == 3 * 10
    assert running.audit().exact


BROKEN: Final = body(transaction(amount="fields.amount", lineItemCount="nested.cart.lines"))
MENDED: Final = body(transaction(amount="fields.amount"))


def test_a_letter_of_notify_is_mapped_once_its_definition_is_mended(
    make_shop: Callable[..., Shop],
) -> None:
    """It goes back to `EMFConsumer`, marked, and causes its notifications under the same ids."""
    shop = make_shop()
    follow(shop)
    apply(shop, BROKEN)
    workers = shop.start("run", "--from", "earliest")
    happening: dict[str, Any] = event(
        eventName="thingHappened", fields={"amount": 5, "cart": {"lines": "many"}}
    )
    del happening["occurredAt"]
    shop.command("send", "-", given=raw(happening).decode())
    shop.drain()
    [letter] = letters(shop, "list", "--stage", "notify")
    foretold = letters(shop, "replay", letter["letter"], "--dry-run")
    assert foretold["forecast"]["verdicts"] == {"rejected": 1}
    [step] = [one for one in apply(shop, MENDED) if one["action"] == "update"]
    assert step["version"] == 2
    foretold = letters(shop, "replay", letter["letter"], "--dry-run")
    assert foretold["forecast"]["verdicts"] == {"notified": 1}
    assert letters(shop, "replay", letter["letter"])["done"] == 1
    assert letters(shop, "replay", letter["letter"])["done"] == 0
    shop.drain()
    assert shop.stop(workers) == 0, shop.log()
    topics = shop.deployment.topics
    first, again = shop.read(topics.emf)
    assert (first.value, first.key, first.partition) == (again.value, again.key, again.partition)
    assert (first.header(LETTER_HEADER), bool(again.header(LETTER_HEADER))) == (None, True)
    assert len(shop.read(topics.notifications)) == 1
    [arrival] = why(shop, happening["eventId"])["arrivals"]
    assert (arrival["notify"], len(arrival["notified"])) == ("notified", 1)
    assert arrival["notifyHandled"] == "replayed, attempt 1"
    assert len(arrival["routed"]) == 2
    findings = shop.audit()
    assert findings.exact, findings.to_json()
    assert Notice.OTHER_DEFINITION not in findings.notices
    [notify] = [one for one in findings.partitions if one.stage == "notify" and one.consumed]
    assert (notify.consumed, notify.replayed) == (2, 1)
    assert notify.found == {"notified": 1, "rejected": 1}
