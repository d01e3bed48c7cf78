"""Events placed by their ids, on the real broker."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from loyaltystream.story import Intent, Sent
from tests.broker.golden import fresh, write_definitions
from tests.core import COUNTED, VIEWED
from tests.shop import QUICK, Shop

pytestmark = pytest.mark.broker

EVENTS = 300
BY_ID = {"rules.partition_by": "event_id"}
RUN = ("run", "--from", "earliest")


def customer(number: int) -> dict[str, object]:
    """Return a customer."""
    return {"identifiers": [{"type": "mobile", "value": f"9198123{number:05}"}]}


def plain_definitions(folder: Path) -> str:
    """Write definitions without unique keys."""
    (folder / "1800").mkdir(parents=True)
    for body in (VIEWED, COUNTED):
        (folder / "1800" / f"{body['eventName']}.json").write_text(json.dumps(body))
    return str(folder)


def work(shop: Shop, log: str) -> None:
    """Run workers until everything is judged."""
    workers = shop.start(*RUN, log=log)
    shop.drain()
    assert shop.stop(workers) == 0, shop.log(log)


def refused(shop: Shop, code: int) -> str:
    """Return what a worker says that does not start."""
    told = shop.command(*RUN, "--stage", "ingest", code=code).stderr
    assert "Traceback" not in told
    return told


def test_an_id_is_unique_in_the_whole_org(make_shop: Callable[..., Shop], tmp_path: Path) -> None:
    """Keyed by their ids events are judged once wherever they come, and no strategy mixes."""
    settings = QUICK | BY_ID | {"rules.definitions": plain_definitions(tmp_path / "plain")}
    shop = make_shop(4, **settings)
    ours = [fresh(f"event {number}", customer=customer(number)) for number in range(EVENTS)]
    theirs = [fresh(f"event {number}", customer=customer(number + 1)) for number in range(EVENTS)]
    shop.command("send", "-", given="".join(f"{value.decode()}\n" for value in ours))
    work(shop, "first")
    assert shop.lag("ingest") == 0
    # Copies come under a customer's key, as if their producer knew nothing of all this.
    shop.send(
        Sent(f"a key {n % 7}".encode(), value, (), Intent.RESEND) for n, value in enumerate(ours)
    )
    shop.send(Sent(None, value, (), Intent.CONFLICT) for value in theirs)
    work(shop, "second")
    findings = shop.audit()
    assert findings.exact, findings.to_json()
    judged = [found.judged for found in findings.partitions if found.stage == "ingest"]
    sums = {
        verdict: sum(found.get(verdict, 0) for found in judged)
        for verdict in ("accepted", "duplicate", "conflict")
    }
    assert sums == {"accepted": EVENTS, "duplicate": EVENTS, "conflict": EVENTS}
    keys = {record.key for record in shop.read(shop.deployment.topics.emf)}
    assert keys == {f"1800|event {number}".encode() for number in range(EVENTS)}
    with shop.changed({"rules.partition_by": "customer"}):
        assert "rule 1, by event_id" in refused(shop, 5)
    with shop.changed({"rules.definitions": str(write_definitions(tmp_path / "unique"))}):
        assert "1800/orderBilled" in refused(shop, 2)
    with shop.changed({"topics.partitions": "7"}):
        shop.command("memory", "relayout")
        shop.send(Sent(None, value, (), Intent.RESEND) for value in ours)
        work(shop, "third")
        findings = shop.audit()
        assert findings.exact, findings.to_json()
        judged = [found.judged for found in findings.partitions if found.stage == "ingest"]
        assert sum(found.get("duplicate", 0) for found in judged) == 2 * EVENTS
