"""History beside live events on the real broker: killed, repeated, and each event accepted once."""

import gzip
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loyaltystream.story import ORG_ID
from loyaltystream.tailing.shown import moment
from tests.shop import Shop, eventually

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

DAY_MS = 86_400_000
OLD, LIVE, BOTH = 1_800, 400, 200
IMPORT = "tills-2019"


def bought(number: int, occurred_at_ms: int) -> str:
    """Return a purchase of one of some customers."""
    return json.dumps(
        {
            "eventId": f"bill {number}",
            "eventName": "purchaseCompleted",
            "orgId": ORG_ID,
            "occurredAt": occurred_at_ms,
            "customer": {
                "identifiers": [{"type": "mobile", "value": f"9198123{number % 300:05d}"}]
            },
            "fields": {"billNumber": f"B {number}", "amount": 12.5, "transactionId": number},
        }
    )


def write(folder: Path, lines: list[str]) -> None:
    """Write a history of three files, one of them zipped."""
    folder.mkdir()
    third = len(lines) // 3
    (folder / "2019.ndjson").write_text("\n".join(lines[:third]) + "\n")
    with gzip.open(folder / "2020.ndjson.gz", "wt") as zipped:
        zipped.write("\n".join(lines[third : 2 * third]))
    (folder / "2021.jsonl").write_text("\n".join(lines[2 * third :]) + "\n")


def told(shop: Shop, *arguments: str) -> dict[str, Any]:
    """Return what a command tells as JSON."""
    found: dict[str, Any] = json.loads(shop.command(*arguments, "--json").stdout)
    return found


def test_history_and_live_events_are_accepted_once_each(
    make_shop: Callable[..., Shop],
) -> None:
    """Neither a kill in its middle, nor repetitions, nor an overlap lose or double an event."""
    shop = make_shop(worker__batch_records="200")
    now_ms = int(time.time() * 1000)
    chance = random.Random(5)
    live = [
        bought(OLD + at, now_ms - chance.randrange(2 * DAY_MS, 20 * DAY_MS)) for at in range(LIVE)
    ]
    old = [bought(at, now_ms - chance.randrange(35 * DAY_MS, 2_000 * DAY_MS)) for at in range(OLD)]
    history = [*old, *live[:BOTH]]
    chance.shuffle(history)
    write(shop.directory / "history", history)
    workers = shop.start("run", "--from", "earliest")
    shop.command("send", "-", given="\n".join(live))
    shop.drain()
    until = moment(now_ms - DAY_MS) or ""
    asked = ("backfill", "history", "--import-id", IMPORT, "--until", until)

    foreseen = told(shop, *asked, "--dry-run")
    assert foreseen["dryRun"]["verdicts"] == {"accepted": OLD, "duplicate": BOTH}
    assert foreseen["forecast"]["lines"] == foreseen["forecast"]["beforeUntil"] == OLD + BOTH

    journal = shop.directory / "state" / "backfill" / f"{IMPORT}.json"
    first = shop.start(*asked, "--rate", "500", log="first")
    eventually(journal.exists, "some of it is written down")
    first.kill()
    first.wait()
    again = told(shop, *asked, "--rate", "5000")
    assert 0 < again["sentBefore"] < OLD + BOTH
    assert again["sent"] == OLD + BOTH - again["sentBefore"]
    assert told(shop, *asked)["sent"] == 0
    assert told(shop, *asked, "--from-start", "--rate", "5000")["sent"] == OLD + BOTH
    # Live tills send what the history has brought.
    shop.command("send", "-", given="\n".join([*old[:50], *live[:50]]))
    shop.drain()
    assert shop.stop(workers) == 0, shop.log()

    findings = shop.audit()
    assert findings.exact, findings.to_json()
    judged: Counter[str] = Counter()
    for partition in findings.partitions:
        if partition.stage == "ingest":
            judged.update(partition.judged)
    assert judged["accepted"] == OLD + LIVE
    # What is resent may have been sent already when the import was killed, and live old ones are
    # duplicates as well, for their ids are remembered.
    assert set(judged) == {"accepted", "duplicate"}
    routed = shop.read(shop.deployment.topics.emf)
    assert len(routed) == OLD + LIVE
    assert Counter(record.header("import-id") for record in routed) == {
        IMPORT.encode(): OLD,
        None: LIVE,
    }
    assert sum(record.header("late") is not None for record in routed) == OLD
    notified = shop.read(shop.deployment.topics.notifications)
    assert sum(record.header("import-id") == IMPORT.encode() for record in notified) == OLD
    story = told(shop, "why", "bill 7")
    assert story["arrivals"][0]["importId"] == IMPORT
    assert IMPORT in shop.command("why", "bill 7").stdout


def test_a_quiet_import_notifies_nobody(make_shop: Callable[..., Shop]) -> None:
    """With --no-notify events are routed, and cause nothing."""
    shop = make_shop()
    now_ms = int(time.time() * 1000)
    lines = [bought(at, now_ms - 400 * DAY_MS) for at in range(20)]
    until = moment(now_ms - DAY_MS) or ""
    asked = ("backfill", "-", "--import-id", "quiet", "--until", until, "--no-notify")
    shop.command(*asked, given="\n".join(lines))
    workers = shop.start("run", "--from", "earliest")
    shop.drain()
    assert shop.stop(workers) == 0, shop.log()
    assert len(shop.read(shop.deployment.topics.emf)) == 20
    assert shop.read(shop.deployment.topics.notifications) == []
    assert shop.audit().exact
    refused = shop.command(*asked[:-1], given="", code=2).stderr
    assert "begun with --no-notify" in refused
    late = shop.command(
        *("backfill", "-", "--import-id", "later", "--until", "2099-01-01T00:00:00Z"), code=2
    )
    assert "has not come yet" in late.stderr


def test_history_waits_for_live_events(make_shop: Callable[..., Shop]) -> None:
    """While more records wait than may, nothing is sent, and that is told."""
    shop = make_shop()
    now_ms = int(time.time() * 1000)
    shop.command("send", "-", given="\n".join(bought(at, now_ms) for at in range(40)))
    old = [bought(100 + at, now_ms - 400 * DAY_MS) for at in range(10)]
    (shop.directory / "old.ndjson").write_text("\n".join(old))
    held = shop.start(
        *("backfill", "old.ndjson", "--import-id", "slow", "--until", moment(now_ms) or ""),
        *("--max-lag", "20", "--rate", "1000"),
        log="held",
    )
    waits = "40 records are not judged yet"
    eventually(lambda: shop.log("held").count(waits) > 1, "it is told whenever it looks")
    assert held.poll() is None
    assert len(shop.read(shop.deployment.topics.ingest)) == 40
    workers = shop.start("run", "--from", "earliest")
    assert held.wait(60) == 0, shop.log("held")
    shop.drain()
    assert shop.stop(workers) == 0
    assert shop.audit().exact
