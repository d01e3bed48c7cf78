"""Each dialect by Kafka: what producers write as they are used to ends as one canonical event."""

import json
import time
from typing import Any

import pytest

from loyaltystream.dialects.sources import Dialect
from loyaltystream.platform import Addresses
from loyaltystream.story import Intent, Sent
from tests.broker.golden import sources, write_definitions
from tests.core import read_avro
from tests.facts import CREATES, Facts, Written, canonical, write
from tests.shop import Shop, opened

pytestmark = pytest.mark.broker

KEY = b"1800|mobile|919812345678"
THEIR_OWN = {"dialect", "eventId", "ingestedAt", "webhookId", "createCustomer"}


def routed(shop: Shop) -> list[tuple[bytes | None, dict[str, Any]]]:
    """Return keys and values of all records on EMFConsumer, in order."""
    found = []
    for record in shop.read(shop.deployment.topics.emf):
        schema_id = int.from_bytes((record.value or b"")[1:5])
        event = read_avro("loyalty.event.v1.BehavioralEvent", record.value, schema_id)
        found.append((record.key, event))
    return found


def record(written: Written, key: bytes | None) -> Sent:
    """Return what is sent of a document."""
    return Sent(key, written.value, written.headers, Intent.NEW)


def judge(shop: Shop) -> None:
    """Judge all that was sent."""
    worker = shop.start("run", "--stage", "ingest", "--from", "earliest")
    shop.drain(["ingest"])
    assert shop.stop(worker) == 0, shop.log()


def test_each_dialect_ends_as_the_same_event(
    proven_cluster: Addresses, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """An event of each dialect is the canonical one, and its resend in another is a duplicate."""
    folder = tmp_path_factory.mktemp("dialects")
    definitions = write_definitions(folder / "definitions")
    settings = {"rules.definitions": str(definitions), **sources()}
    moment_ms = int(time.time()) * 1000 - 60_000
    with opened(proven_cluster, folder / "shop", 3, **settings) as shop:
        sent: list[Sent] = []
        for dialect in Dialect:
            facts = Facts(event_id=f"of {dialect}", occurred_ms=moment_ms)
            # Under its key the first lies before those that are put there.
            sent.append(record(write(facts, dialect), KEY))
            sent.append(record(write(facts, dialect, told=False), None))
            sent.append(record(write(facts, Dialect.VOUCHERIFY), None))
        shop.send(sent)
        line = {"event_name": "Room Reserved", "Phone": "919812345678", "Hotel Name": "Lotus"}
        given = json.dumps(line | {"reference": "by send"})
        shop.command("send", "-", "--dialect", "capillary", "--source", "front-desk", given=given)
        judge(shop)
        by_id = {event["eventId"]: (key, event) for key, event in routed(shop)}
        assert by_id.keys() == {*(f"of {dialect}" for dialect in Dialect), "by send"}
        assert {key for key, _ in by_id.values()} == {KEY}
        assert by_id["by send"][1]["webhookId"] == "front-desk"
        events = [by_id[f"of {dialect}"][1] for dialect in Dialect]
        for dialect, event in zip(Dialect, events, strict=True):
            assert event["dialect"] == dialect.value
            creates = CREATES.get(dialect)
            assert event["createCustomer"] == (True if creates is None else creates)
        told = [
            {name: value for name, value in event.items() if name not in THEIR_OWN}
            for event in events
        ]
        assert told == [told[0]] * len(told)
        assert told[0]["fields"] == dict(Facts().fields)
        assert canonical(Facts())["fields"] == told[0]["fields"]
        findings = shop.audit()
        assert findings.exact, findings.to_json()
        found = [one.found for one in findings.partitions if one.stage == "ingest"]
        assert sum(one.get("duplicate", 0) for one in found) == 2 * len(Dialect)
