"""Definitions on their topic, by real commands, a real service and real workers."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from loyaltystream.audit.findings import Notice
from loyaltystream.audit.version import of_event
from loyaltystream.kafka.sending import Sender
from loyaltystream.platform.ports import free_port
from loyaltystream.settings import variable
from tests.core import ORDERED, VIEWED, field, raw
from tests.shop import Shop, eventually

pytestmark = pytest.mark.broker

SHELF: Final = field("shelf", "enum", possibleValues=["upper", "lower"])
STRICT: Final = VIEWED | {"fields": [*VIEWED["fields"], SHELF]}
EVENTS: Final = 300


def told(number: int, **changes: object) -> bytes:
    """Return an event of one of twenty customers, with a field that only version 2 knows."""
    mobile = f"9198123456{number % 20:02}"
    return raw(
        {
            "eventId": f"e-{number}",
            "eventName": "productViewed",
            "orgId": 1800,
            "customer": {"identifiers": [{"type": "mobile", "value": mobile}]},
            "fields": {"sku": "SKU-1", "shelf": "floor" if number % 3 == 0 else "upper"},
            **changes,
        }
    )


def ordered(number: int, name: str = "orderPlaced") -> bytes:
    """Return an event with a unique key."""
    return told(number, eventName=name, fields={"orderId": f"O-{number}", "amount": 5})


def send(shop: Shop, values: Sequence[bytes]) -> None:
    """Send events without keys; the broker has all of them afterwards."""
    sender = Sender(shop.deployment.settings.kafka, shop.deployment.topics.ingest)
    for value in values:
        sender.send(value, None)
    sender.flush()


def write(shop: Shop, *bodies: Mapping[str, Any]) -> Path:
    """Write definitions into the shop's own folder."""
    folder = shop.directory / "definitions"
    for body in bodies:
        file = folder / "1800" / f"{body['eventName']}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(body))
    return folder


def follow(shop: Shop) -> None:
    """Have the shop's commands take definitions from the topic."""
    shop.environment[variable("definitions.source")] = "topic"
    shop.environment[variable("rules.definitions")] = str(shop.directory / "definitions")


def apply(shop: Shop, *bodies: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Apply definitions; return what became of each."""
    write(shop, *bodies)
    steps: list[dict[str, Any]] = json.loads(shop.command("definitions", "apply", "--json").stdout)
    return steps


def versions(shop: Shop) -> dict[int, int]:
    """Return how many accepted events there are of each version of the product's event."""
    counts: dict[int, int] = {}
    for record in shop.read(shop.deployment.topics.ei):
        judged = of_event(record.value)
        assert judged is not None
        assert judged.version is not None
        if judged.event_name == "productViewed":
            counts[judged.version] = counts.get(judged.version, 0) + 1
    return counts


def test_a_worker_takes_a_new_version_without_a_restart(make_shop: Callable[..., Shop]) -> None:
    """Events on both sides of a change are judged and stamped by their version."""
    shop = make_shop()
    follow(shop)
    assert {step["action"] for step in apply(shop, VIEWED, ORDERED)} == {"create"}
    workers = shop.start("run", "--from", "earliest")
    send(shop, [told(number) for number in range(EVENTS)])
    shop.drain()
    assert versions(shop) == {1: EVENTS}
    [step] = [one for one in apply(shop, STRICT) if one["action"] == "update"]
    assert step["version"] == 2
    eventually(lambda: shop.log().count('"revision": 3') >= 2, "both workers hear of revision 3")
    send(shop, [told(number) for number in range(EVENTS, 2 * EVENTS)])
    send(shop, [told(number) for number in range(EVENTS)])  # resends of what version 1 accepted
    shop.drain()
    assert shop.stop(workers) == 0, shop.log()
    rejected = EVENTS // 3
    assert versions(shop) == {1: EVENTS, 2: EVENTS - rejected}
    assert len(shop.read(shop.deployment.topics.dead_letter)) == 2 * rejected
    assert len(shop.read(shop.deployment.topics.duplicates)) == EVENTS - rejected
    findings = shop.audit()
    assert findings.exact, findings.to_json()
    assert Notice.OTHER_DEFINITION not in findings.notices


def test_changes_under_load_are_exact(make_shop: Callable[..., Shop]) -> None:
    """While two workers judge, definitions change again and again; every event has its version."""
    shop = make_shop()
    follow(shop)
    apply(shop, VIEWED, ORDERED)
    workers = shop.start("run", "--from", "earliest", "--workers", "2")
    for change in range(1, 5):
        send(shop, [told(number) for number in range(change * 1000, change * 1000 + EVENTS)])
        more = [field(f"more{number}", "enum", possibleValues=["a"]) for number in range(change)]
        apply(shop, VIEWED | {"fields": [*VIEWED["fields"], *more]})
        fresh = ORDERED | {"eventName": f"order{change}"}
        apply(shop, fresh)
        # Who defines an event and sends one at once finds it judged.
        send(shop, [ordered(change * 1000 + 900, f"order{change}")])
    shop.command("definitions", "disable", "1800", "orderPlaced", "--yes")
    send(shop, [ordered(number) for number in range(20)])
    shop.drain()
    assert shop.stop(workers) == 0, shop.log()
    letters = shop.read(shop.deployment.topics.dead_letter)
    assert len(letters) == 20  # of the disabled event only
    findings = shop.audit()
    assert findings.exact, findings.to_json()
    assert Notice.OTHER_DEFINITION not in findings.notices


def test_a_worker_waits_for_the_first_definition(make_shop: Callable[..., Shop]) -> None:
    """While nothing is defined no event is judged; then all are, and none was rejected."""
    shop = make_shop(partitions=2)
    follow(shop)
    send(shop, [told(number) for number in range(20)])
    workers = shop.start("run", "--from", "earliest")
    eventually(lambda: shop.log().count("holds no published definition") >= 2, "both wait")
    assert '"event": "broker.awaited"' in shop.log()
    apply(shop, VIEWED)
    shop.drain()
    assert shop.stop(workers) == 0, shop.log()
    assert versions(shop) == {1: 20}
    assert shop.read(shop.deployment.topics.dead_letter) == []


def test_a_broken_record_stops_a_worker_until_it_is_mended(
    make_shop: Callable[..., Shop],
) -> None:
    """What is no definition is named with its offset, and nothing is judged by a guess."""
    shop = make_shop(partitions=1)
    follow(shop)
    apply(shop, VIEWED)
    topic = shop.deployment.topics.definitions
    sender = Sender(shop.deployment.settings.kafka, topic)
    sender.send(b"{", b"1800|productViewed")
    sender.flush()
    failed = shop.command("run", "--stage", "ingest", "--from", "earliest", code=2)
    assert f"{topic}, offset " in failed.stderr
    sender.send(None, b"1800|productViewed")
    sender.flush()
    apply(shop, VIEWED)
    workers = shop.start("run", "--stage", "ingest", "--from", "earliest")
    send(shop, [told(1)])
    shop.drain(["ingest"])
    assert shop.stop(workers) == 0, shop.log()


class Caller:
    """Asks a running service."""

    def __init__(self, shop: Shop, name: str, org: int) -> None:
        self.port = free_port(range(20_000, 30_000))
        self._shop = shop
        self.token = shop.command(
            "serve", "token", name, "--org", str(org), "--role", "editor"
        ).stdout.strip()

    def start(self, log: str) -> Any:
        """Start a service, and wait until it answers."""
        self._shop.environment[variable("http.port")] = str(self.port)
        service = self._shop.start("serve", "definitions", log=log)
        eventually(lambda: self._answers() == 200, "the service answers")
        return service

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return status and body of an answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            json.dumps(body).encode() if body is not None else None,
            {"X-CAP-API-OAUTH-TOKEN": self.token},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def _answers(self) -> int:
        try:
            return self.ask("GET", "/v2/events")[0]
        except OSError:
            return 0


def test_the_service_defines_what_workers_judge(make_shop: Callable[..., Shop]) -> None:
    """What two services define at once is defined once, and judged as soon as it is told."""
    shop = make_shop(partitions=2)
    follow(shop)
    apply(shop, VIEWED)
    workers = shop.start("run", "--from", "earliest")
    callers = [Caller(shop, f"owner{number}", 1800) for number in range(2)]
    services = [caller.start(f"service{number}") for number, caller in enumerate(callers)]
    answers: list[tuple[int, Any]] = []

    def define(caller: Caller, number: int) -> None:
        for turn in range(4):
            body = ORDERED | {"eventName": f"order{number}x{turn}"}
            answers.append(caller.ask("POST", "/v2/events", body))
        answers.append(caller.ask("POST", "/v2/events", ORDERED))

    threads = [
        threading.Thread(target=define, args=(caller, number))
        for number, caller in enumerate(callers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = sorted(status for status, _ in answers)
    assert statuses == [200] * 9 + [400], answers
    [refused] = [body for status, body in answers if status == 400]
    assert refused["errors"][0]["code"] == 1806
    assert len(callers[0].ask("GET", "/v2/events")[1]["data"]) == 10
    send(shop, [ordered(number, "order1x3") for number in range(5)])
    shop.drain()
    assert len(shop.read(shop.deployment.topics.emf)) == 5
    for process in (*services, workers):
        assert shop.stop(process) == 0, shop.log()
    assert shop.audit().exact
