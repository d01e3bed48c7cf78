"""Sealed letters on the real broker: written by a worker, opened by the command line."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.broker.test_why import MENDED, bought, letters, why
from tests.shop import Shop

pytestmark = pytest.mark.broker

MOBILE = "919876500001"
OLD, NEW = "0f" * 32, "f0" * 32


def keys(active: str, **secrets: str) -> dict[str, str]:
    """Return the settings that give those keys, one of them active."""
    return {"letters.keys": json.dumps(secrets), "letters.active_key": active}


def tail(shop: Shop) -> list[dict[str, Any]]:
    """Return all letters as `tail` decodes them."""
    done = shop.command("tail", "dead-letter", "--from-start", "--json")
    return [json.loads(line) for line in done.stdout.splitlines()]


def judge(shop: Shop) -> None:
    """Let one worker a stage do what is there."""
    worker = shop.start("run", "--from", "earliest")
    shop.drain()
    assert shop.stop(worker) == 0, shop.log()


def test_a_sealed_event_is_found_repaired_and_replayed(make_shop: Callable[..., Shop]) -> None:
    """Its letter names no customer, stays without the key, comes back after a rotation."""
    shop = make_shop(2, **keys("old", old=OLD))
    shop.command("send", "-", given=bought("wrong-1", MOBILE) + "\n")
    judge(shop)

    [record] = shop.read(shop.deployment.topics.dead_letter)
    assert record.key is None
    assert MOBILE.encode() not in (record.value or b"")

    with shop.changed({"letters.keys": None, "letters.active_key": None}):
        [listed] = letters(shop, "list")
        assert listed["sealed"] == {"alg": "AES-GCM", "keyId": "old", "locked": "NO_KEY"}
        assert (listed["eventId"], listed["eventName"]) == ("wrong-1", "purchaseCompleted")
        name = listed["letter"]
        shown = letters(shop, "show", name, "--reveal")
        assert (shown["event"], shown["violations"][0]["code"]) == (None, "REQUIRED")
        assert letters(shop, "replay", name)["staying"] == {"sealed": [name]}
        [told] = tail(shop)
        assert told["locked"] == "sealed under a key that letters.keys does not have"
        assert shop.command("audit", code=4).stdout.count("was not compared") == 1

    with shop.changed(keys("new", old=OLD, new=NEW)):
        shop.command("send", "-", given=bought("wrong-2", MOBILE) + "\n")
        judge(shop)
        assert [one["sealed"]["keyId"] for one in letters(shop, "list")] == ["old", "new"]
        assert letters(shop, "show", name, "--reveal")["event"]["eventId"] == "wrong-1"
        assert {MOBILE in one["value"]["value"]["bytes"] for one in tail(shop)} == {True}
        repaired = letters(shop, "repair", "--all", "--patch", MENDED)
        assert (repaired["done"], repaired["forecast"]["verdicts"]) == (2, {"accepted": 2})
        assert letters(shop, "replay", "--all")["done"] == 2
        judge(shop)
        before, after = why(shop, "wrong-1")["arrivals"]
        assert (before["verdict"], after["verdict"]) == ("rejected", "accepted")
        findings = shop.audit()
        assert findings.exact, findings.to_json()
