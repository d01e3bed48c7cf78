"""`loyaltystream schemas` at a real registry."""

import copy
import json
from typing import Any

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from loyaltystream.avro import schemas
from loyaltystream.contracts.releases import PUBLISHED
from tests.shop import Shop

pytestmark = pytest.mark.broker

_NAME = "loyalty.notification.v1.BadgeEarned"


def register(shop: Shop, topic: str, **later: object) -> None:
    """Register a record as a later release might have it."""
    schema = copy.deepcopy(schemas.load(_NAME))
    schema["fields"].append({"type": ["null", "string"], "default": None, **later})
    client = SchemaRegistryClient({"url": shop.settings.registry.url})
    client.register_schema(f"{topic}-{_NAME}", Schema(schemas.text(schema), "AVRO"))


def test_what_init_has_registered_is_the_same(counter: Shop) -> None:
    """After `init` nothing differs, and registering again gives the same ids."""
    told = json.loads(counter.command("schemas", "diff", "--json").stdout)
    assert {found["state"] for found in told} == {"same"}
    assert {found["schema"] for found in told} == set(PUBLISHED)
    once, again = (counter.command("schemas", "register", "--json").stdout for _ in range(2))
    assert once == again
    assert counter.command("schemas", "diff").stdout == f"same: {len(told)} schemas\n"


def test_a_registry_that_knows_more_refuses(counter: Shop) -> None:
    """A field that a subscriber may read already is missed, by its name, and nothing registered."""
    with counter.changed({"topics.prefix": counter.settings.topics.prefix + "later."}):
        topic = counter.deployment.topics.notifications
        told: list[Any] = json.loads(counter.command("schemas", "diff", "--json", code=4).stdout)
        assert {found["state"] for found in told} == {"new"}
        register(counter, topic, name="colour")
        line = f"{topic}-{_NAME}: colour is gone (version 1)"
        assert f"refused {line}\n" in counter.command("schemas", "diff", code=4).stdout
        for command in (("schemas", "register"), ("init",)):
            error = counter.command(*command, code=3).stderr
            assert f"  - {line}\n" in error
            assert "Traceback" not in error
        told = json.loads(counter.command("schemas", "diff", "--json", code=4).stdout)
        assert [found["schema"] for found in told if found["state"] != "new"] == [_NAME]
