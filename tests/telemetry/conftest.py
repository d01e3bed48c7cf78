"""Workers that are watched while they judge: a story, bad input, and events to be looked for."""

import json
import shutil
import socket
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from prometheus_client.parser import text_string_to_metric_families

from loyaltystream.app import STAGES
from loyaltystream.audit.findings import Findings
from loyaltystream.platform import Addresses
from loyaltystream.story import ORG_ID, Intent, Recipe, Sent, definitions_folder, generate
from loyaltystream.working import PORTS_PER_STAGE
from tests.broker.golden import refused
from tests.core import field
from tests.shop import QUICK, Shop, eventually, opened

RECIPE = Recipe(events=800, customers=100, partitions=4, malformed=0.03, conflicts=0.02)
WORKERS = 2
LONG_AGO_MS = 40 * 86_400_000

MOBILE = "919700000017"
EMAIL = "canary.petra@mail.example"
CARD = "4929000000006"
FIELD = "canary-field-7731"
TILL = "canary-till-7731"
PAN = "psi-7731-zebra"
INCOME = 51234.758
SENSITIVE = (PAN, PAN[::-1], str(INCOME))
CANARIES = (MOBILE, EMAIL, CARD, FIELD, TILL, "canary", *SENSITIVE)
LINKED: dict[str, Any] = {
    "eventName": "cardLinked",
    "actions": ["EMFConsumer", "EIConsumer"],
    "notifications": [
        {
            "type": "transactionAdded",
            "data": {"billNumber": {"path": "fields.bank", "required": True}},
        }
    ],
    "fields": [
        field("customer", "customer", identifierType="mobile"),
        field("pan", "string", isUniqueKeyField="true", isPsiData="true"),
        field("income", "double", isPsiData="true"),
        field("bank", "string"),
    ],
}
"""An event with sensitive fields, one of which is its unique key."""

Counts = Counter[tuple[str, ...]]


class Watched(NamedTuple):
    """Workers that have judged everything and still run: where each serves its metrics."""

    shop: Shop
    pages: dict[str, list[str]]
    findings: Findings


def free_ports(*beside: int) -> int:
    """Return a port such that all the workers' ports from it on are free, and those so far off."""
    for first in range(21_500, 29_500, 2 * PORTS_PER_STAGE):
        with ExitStack() as held:
            try:
                for port in (*worker_ports(first), *(first + off for off in beside)):
                    held.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
            return first
    raise AssertionError("no free ports")


def worker_ports(first: int) -> list[int]:
    """Return the port of every worker, by stage and then by slot."""
    return [
        first + place * PORTS_PER_STAGE + slot
        for place in range(len(STAGES))
        for slot in range(WORKERS)
    ]


def canaries(now_ms: int) -> Iterator[Sent]:
    """Yield events of one customer, good ones and bad ones of every sort."""
    event: dict[str, Any] = {
        "eventId": "canary-1",
        "eventName": "purchaseCompleted",
        "orgId": ORG_ID,
        "occurredAt": now_ms,
        "tillCode": TILL,
        "loyaltyCard": {"code": CARD},
        "customer": {
            "identifiers": [{"type": "mobile", "value": MOBILE}, {"type": "email", "value": EMAIL}]
        },
        "fields": {"billNumber": FIELD, "amount": 5, "transactionId": 7, "basket": {"a": FIELD}},
    }
    fields = event["fields"]
    spoilt: list[dict[str, Any]] = [
        event,
        event,
        event | {"fields": fields | {"amount": 6}},
        event | {"eventId": "canary-2"},
        event | {"eventId": "canary-3", "occurredAt": now_ms - LONG_AGO_MS},
        event | {"eventId": "canary-4", "fields": fields | {"amount": FIELD}},
        event | {"eventId": "canary-5", "fields": fields | {"billType": FIELD}},
        event | {"eventId": "canary-6", "eventName": FIELD},
        event | {"eventId": f"{FIELD}|"},
        event | {"eventId": "canary-7", "occurredAt": FIELD},
        event | {"eventId": "canary-8", "customer": _named("mobile", f"{MOBILE}x")},
        event | {"eventId": "canary-9", "customer": _named("email", f"{EMAIL}@")},
        event | {"eventId": "canary-10", "fields": _unmappable(fields)},
        event | {"eventId": "canary-11", FIELD: FIELD, "fields": fields | {FIELD: FIELD}},
    ]
    for number, one in enumerate(spoilt):
        key = None if number % 2 else MOBILE.encode()
        yield Sent(key, json.dumps(one).encode(), [("traceparent", FIELD.encode())], Intent.NEW)
    yield Sent(MOBILE.encode(), f'{{"{EMAIL}": "{CARD}'.encode(), (), Intent.MALFORMED)


def sensitive(now_ms: int) -> Iterator[Sent]:
    """Yield events with sensitive values: a good one, and every way in which one is not."""
    fields = {"pan": PAN, "income": INCOME, "bank": "Alpine"}
    event: dict[str, Any] = {
        "eventId": "psi-1",
        "eventName": "cardLinked",
        "orgId": ORG_ID,
        "occurredAt": now_ms,
        "customer": _named("mobile", MOBILE),
        "fields": fields,
    }
    told: list[dict[str, Any]] = [
        event,
        event,
        event | {"fields": fields | {"income": INCOME + 1}},
        event | {"eventId": "psi-2"},
        event | {"eventId": "psi-3", "fields": fields | {"income": f"{INCOME}x"}},
        event | {"eventId": "psi-4", "fields": {"pan": f"{PAN}\u00e9", "bank": "Alpin\u00e9"}},
        event | {"eventId": "psi-5", "fields": {"pan": f"{PAN}5", "income": INCOME}},
        event | {"eventId": "psi-6", "eventName": "cardLinkd"},
        event
        | {"eventId": "psi-7", "occurredAt": now_ms - LONG_AGO_MS}
        | {"fields": fields | {"pan": f"{PAN}7"}},
        {"event_name": "cardLinked", "customer": MOBILE, **fields},
    ]
    for one in told:
        yield Sent(MOBILE.encode(), json.dumps(one).encode(), (), Intent.NEW)
    yield Sent(MOBILE.encode(), json.dumps(event).encode()[:-1], (), Intent.MALFORMED)


def _named(kind: str, value: str) -> dict[str, Any]:
    return {"identifiers": [{"type": kind, "value": value}]}


def _unmappable(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"billNumber": f"{FIELD} 10", "basket": {"lineItemCount": FIELD}}


@pytest.fixture(scope="module")
def watched(
    proven_cluster: Addresses, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    """Let two workers a stage judge a story, the golden cases and the canaries."""
    directory, first = tmp_path_factory.mktemp("watched"), free_ports()
    settings = QUICK | {
        "telemetry.log_level": "debug",
        "telemetry.metrics_port": str(first),
        "rules.definitions": str(_definitions(directory / "definitions")),
    }
    with opened(proven_cluster, directory / "shop", RECIPE.partitions, **settings) as shop:
        workers = shop.start("run", "--workers", str(WORKERS), "--from", "earliest")
        eventually(lambda: all(map(_works, worker_ports(first))), "every worker has partitions")
        now_ms = int(time.time() * 1000)
        golden = (case.record for case in refused())
        shop.send(generate(RECIPE, 5, now_ms=now_ms))
        shop.send(Sent(one.key, one.value, one.headers, Intent.INVALID) for one in golden)
        shop.send(canaries(now_ms))
        shop.send(sensitive(now_ms))
        shop.drain()
        findings = shop.audit()
        pages = {stage: _pages(first, stage, findings) for stage in STAGES}
        assert shop.stop(workers) == 0, shop.log()
        yield Watched(shop, pages, findings)


def _definitions(folder: Path) -> Path:
    """Write the story's definitions, and one with sensitive fields; return their folder."""
    shutil.copytree(definitions_folder(), folder)
    (folder / str(ORG_ID) / f"{LINKED['eventName']}.json").write_text(json.dumps(LINKED))
    return folder


def _pages(first: int, stage: str, findings: Findings) -> list[str]:
    """Return the pages of a stage's workers, once they have counted all that is committed."""
    place = STAGES.index(stage) * WORKERS
    ports = worker_ports(first)[place : place + WORKERS]
    consumed = sum(found.consumed for found in findings.partitions if found.stage == stage)
    pages: list[str] = []

    def all_counted() -> bool:
        pages[:] = [_page(port) for port in ports]
        return sum(counted(pages, "loyaltystream_batch_records_sum").values()) >= consumed

    eventually(all_counted, f"{stage} has counted {consumed} records")
    return list(pages)


def _works(port: int) -> bool:
    try:
        return counted([_page(port)], "loyaltystream_partitions").total() > 0
    except OSError:
        return False


def _page(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
        return str(page.read().decode())


def counted(pages: list[str], name: str) -> Counts:
    """Return a metric's samples over all pages, by the values of their labels."""
    counts: Counts = Counter()
    for page in pages:
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                if sample.name == name and sample.value:
                    counts[tuple(sample.labels[label] for label in sorted(sample.labels))] += int(
                        sample.value
                    )
    return counts
