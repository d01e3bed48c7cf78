"""`loyaltystream init` on the real broker and registry."""

import json
from typing import Any

import pytest
from confluent_kafka.admin import ResourceType
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from loyaltystream.avro import schemas
from loyaltystream.contracts.releases import PUBLISHED
from tests.cluster import alter
from tests.shop import Shop

pytestmark = pytest.mark.broker


def init(shop: Shop, *options: str) -> dict[str, Any]:
    """Return what `init --json` says."""
    done: dict[str, Any] = json.loads(shop.command("init", "--json", *options).stdout)
    return done


def actions(told: dict[str, Any]) -> set[str]:
    """Return what was done, or is to be done, to topics."""
    return {topic["action"] for topic in told["topics"]}


def error_of(shop: Shop, *command: str, code: int) -> str:
    """Return the only error that a command ends with."""
    told = shop.command(*command, code=code).stderr
    assert "Traceback" not in told
    assert told.count("error: ") == 1, told
    return told


def test_a_second_run_changes_nothing(counter: Shop) -> None:
    """What is as it has to be is left alone, and every schema keeps its id."""
    first, second = init(counter), init(counter)
    assert first == second
    assert actions(second) == {"keep"}
    assert len(second["topics"]) == 9
    assert all(isinstance(schema["id"], int) for schema in second["schemas"])
    assert {schema["schema"] for schema in second["schemas"]} == set(PUBLISHED)


def test_a_dry_run_touches_nothing(counter: Shop) -> None:
    """A dry run tells what is missing, and leaves neither a topic nor a subject behind."""
    with counter.changed({"topics.prefix": f"{counter.settings.topics.prefix}dry."}):
        told = init(counter, "--dry-run")
        again = init(counter, "--dry-run")
        assert told == again
        assert actions(told) == {"create"}
        assert {schema["id"] for schema in told["schemas"]} == {None}
        text = counter.command("init", "--dry-run").stdout
        assert "to be created" in text
        assert "not registered" in text
    subjects = SchemaRegistryClient({"url": counter.settings.registry.url}).get_subjects()
    assert not [name for name in subjects if ".dry." in name or "dry." in name]


def test_an_altered_setting_is_refused_by_run_and_mended(counter: Shop) -> None:
    """Somebody's change of a topic is named by `run`, and `init` puts it right."""
    topic = counter.deployment.topics.ingest
    alter(
        counter.settings.kafka.bootstrap_servers,
        (ResourceType.TOPIC, topic),
        "message.timestamp.type",
        "CreateTime",
    )
    told = error_of(counter, "run", "--stage", "ingest", "--from", "earliest", code=2)
    assert f"{topic}: message.timestamp.type is CreateTime, needs LogAppendTime" in told
    assert "loyaltystream init" in told
    (altered,) = [one for one in init(counter)["topics"] if one["action"] == "alter"]
    assert altered["name"] == topic
    assert actions(init(counter)) == {"keep"}


def test_a_longer_retention_is_nobodys_fault(counter: Shop) -> None:
    """An operator may keep a subscriber's topic for longer than asked for, even for ever."""
    alter(
        counter.settings.kafka.bootstrap_servers,
        (ResourceType.TOPIC, counter.deployment.topics.emf),
        "retention.ms",
        "-1",
    )
    assert actions(init(counter)) == {"keep"}


@pytest.mark.parametrize(
    "command", [("init",), ("run", "--from", "earliest", "--stage", "notify")], ids=" ".join
)
def test_another_number_of_partitions_is_refused(counter: Shop, command: tuple[str, ...]) -> None:
    """Keys would move with the partitions, so that their number is refused in one line."""
    with counter.changed({"topics.partitions": "5"}):
        told = error_of(counter, *command, code=2)
    assert "has 3 partitions, not 5" in told


def test_run_asks_for_the_topics_that_are_missing(counter: Shop) -> None:
    """A worker makes no topic; it says which are missing and what makes them."""
    with counter.changed({"topics.ei": "nobody-made-this"}):
        told = error_of(counter, "run", "--stage", "ingest", "--from", "earliest", code=2)
    assert "nobody-made-this is missing" in told
    assert "loyaltystream init" in told


def test_an_incompatible_schema_is_refused(counter: Shop) -> None:
    """A subject with another history refuses ours, and the command says which and where."""
    prefix = f"{counter.settings.topics.prefix}other."
    name = schemas.DEAD_LETTER
    space, _, short = name.rpartition(".")
    other = {
        "type": "record",
        "name": short,
        "namespace": space,
        "fields": [{"name": "stage", "type": "long"}],
    }
    subject = f"{prefix}behavioral-events.dead-letter-{name}"
    registry = SchemaRegistryClient({"url": counter.settings.registry.url})
    registry.register_schema(subject, Schema(json.dumps(other), "AVRO"))
    registry.set_compatibility(subject_name=subject, level="FULL_TRANSITIVE")
    with counter.changed({"topics.prefix": prefix}):
        told = error_of(counter, "init", code=3)
    assert subject in told
    assert counter.settings.registry.url in told
    assert "compatib" in told.lower()


def test_a_schema_has_one_id_whoever_registers_it(counter: Shop) -> None:
    """Processes that order their sets in another way register the very same text."""
    ids = []
    for seed in ("1", "2", "3"):
        prefix = f"{counter.settings.topics.prefix}seed{seed}."
        with counter.changed({"topics.prefix": prefix, "topics.partitions": "1"}):
            counter.environment["PYTHONHASHSEED"] = seed
            ids.append([schema["id"] for schema in init(counter)["schemas"]])
    assert ids[0] == ids[1] == ids[2]
