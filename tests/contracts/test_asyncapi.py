"""The AsyncAPI document: valid by its own parser, true to the code, and the committed one is it."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import pytest
from typer.testing import CliRunner

from loyaltystream.app import asyncapi_of
from loyaltystream.avro import schemas
from loyaltystream.cli import app
from loyaltystream.contracts import headers, ingested, samples
from loyaltystream.contracts.asyncapi import CHANNELS
from loyaltystream.contracts.messages import AVRO_FORMAT
from loyaltystream.deployment import Deployment
from loyaltystream.dialects.sources import Dialect
from loyaltystream.notifications.catalog import CATALOG
from loyaltystream.partitioning import PartitionBy
from loyaltystream.plans import published_schemas
from loyaltystream.rules import Rules
from loyaltystream.settings import Settings
from loyaltystream.tailing.topics import ROLES
from loyaltystream.topology import Output
from loyaltystream.verdicts import Reason
from tests.contracts.parser import ask
from tests.core import TOPICS, Partition, ingest, outputs, raw, read_event, read_letter, record
from tests.golden.notation import to_record
from tests.golden.test_golden import cases
from tests.notifications.shop import accept, plan
from tests.notifications.test_standard import CASES, STANDARD

_FILE: Final = Path(__file__).parents[2] / "docs" / "asyncapi.json"
_INTERNAL: Final = {"changelog", "definitions", "letter-state"}
"""The topics that only loyaltystream itself reads."""

_TRACED: Final = [("traceparent", headers.SAMPLE_TRACE.encode())]
_OF_ANY_EVENT: Final = {
    Reason.REQUIRED,
    Reason.NO_ID,
    Reason.ID_FORMAT,
    Reason.NO_CUSTOMER,
    Reason.TYPE,
}
"""Reasons that lie in the form of an event, as far as they are not about its fields."""

_NOT_OF_ANY_EVENT: Final = ("80_dialects", "no identifier of the type that the definition names")
"""Cases that are about other dialects, or about what a definition asks for."""


def document(**settings: Any) -> dict[str, Any]:
    """Return the document of a deployment."""
    return asyncapi_of(Deployment(Settings(**settings)))


def reached(made: Any, reference: str) -> Any:
    """Return what a reference inside the document leads to."""
    for step in reference.removeprefix("#/").split("/"):
        made = made[step]
    return made


def test_the_official_parser_has_nothing_against_it() -> None:
    """AsyncAPI's own parser finds neither error nor warning, and reads every message."""
    made = document()
    answer = ask(made)
    assert answer["told"] == []
    read = {address: dict(found) for address, found in answer["read"]}
    assert set(read) == {made["channels"][role]["address"] for role in CHANNELS}
    assert read[TOPICS.notifications] == dict.fromkeys(CATALOG, True)


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        ("components/messages/pointsIssued/payload/schema/fields", 5, "fields"),
        ("operations/sendNotifications/channel/$ref", "#/channels/none", "does not exist"),
        ("operations/sendNotifications/action", "shout", "action"),
        ("info/version", None, "version"),
    ],
)
def test_the_official_parser_sees_what_is_broken(place: str, value: object, told: str) -> None:
    """A document with one thing wrong is refused, so that silence means something."""
    broken = copy.deepcopy(document())
    *way, last = place.split("/")
    reached(broken, "/".join(way))[last] = value
    assert any(told in line for line in ask(broken)["told"])


def test_the_committed_document_is_what_the_code_makes() -> None:
    """docs/asyncapi.json is the document of a deployment with nothing set."""
    made = CliRunner().invoke(app, ["schemas", "asyncapi"])
    assert made.exit_code == 0, made.output
    again = "make it again: loyaltystream schemas asyncapi docs/asyncapi.json"
    assert _FILE.read_text() == made.output, again


def test_it_can_be_written_to_a_file(tmp_path: Path) -> None:
    """A file has the same text, and one that can't be written is told."""
    file = tmp_path / "asyncapi.json"
    assert CliRunner().invoke(app, ["schemas", "asyncapi", str(file)]).exit_code == 0
    assert json.loads(file.read_text()) == document()
    refused = CliRunner().invoke(app, ["schemas", "asyncapi", str(tmp_path / "no" / "file")])
    assert refused.exit_code != 0


def test_every_topic_is_published_or_internal() -> None:
    """No topic is forgotten: each has a channel, or only loyaltystream reads it."""
    assert set(ROLES) == {*CHANNELS} | _INTERNAL
    made = document(topics={"prefix": "eu."})
    for role, channel in made["channels"].items():
        assert channel["address"] == f"eu.{getattr(TOPICS, ROLES[role])}"


def test_every_operation_has_the_messages_of_its_channel() -> None:
    """Producers' events are received, all else is sent, each channel in one operation."""
    made = document()
    for operation in made["operations"].values():
        channel = reached(made, operation["channel"]["$ref"])
        assert operation["action"] == ("receive" if channel["address"] == TOPICS.ingest else "send")
        listed = [one["$ref"].rpartition("/")[2] for one in operation["messages"]]
        assert listed == [*channel["messages"]]
    channels = [operation["channel"]["$ref"] for operation in made["operations"].values()]
    assert channels == [f"#/channels/{role}" for role in CHANNELS]


def test_payloads_of_avro_are_the_registered_schemas() -> None:
    """A payload is the schema that the registry has, and its example can be written by it."""
    checked = set()
    for message in document()["components"]["messages"].values():
        if message["payload"].get("schemaFormat") == AVRO_FORMAT:
            checked.add(message["name"])
            schema = schemas.parse(message["payload"]["schema"])
            assert schemas.text(schema) == schemas.text(schemas.load(message["name"]))
            [example] = message["examples"]
            shown = copy.deepcopy(example["payload"])
            if message["name"] == schemas.DEAD_LETTER:
                shown["value"]["bytes"] = shown["value"]["bytes"].encode()
            schemas.encode(schema, shown)
    assert checked == {name for _, name in _published()}


def _published() -> list[tuple[str, str]]:
    return [
        (topic, schema["name"])
        for topic, schema in published_schemas(Deployment(Settings()).topics)
    ]


def test_examples_have_the_headers_of_their_topic() -> None:
    """The headers of every example are those that the schema demands, and no others."""
    made = document()
    for message in made["components"]["messages"].values():
        schema = closed(reached(made, message["headers"]["$ref"]))
        for example in message.get("examples", []):
            jsonschema_rs.validate(schema, example.get("headers", {}))


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that knows all headers."""
    return schema | {"additionalProperties": False}


def written() -> Iterator[Output]:
    """Yield what is written for all golden cases: of INGEST, and of NOTIFY for the pack."""
    for case in cases("in"):
        arrived = to_record(case.values[0]["in"], 0)
        yield from Partition().commit([arrived]).outputs
    good = record(raw(samples.EVENT), headers=_TRACED)
    yield from Partition().commit([good, record(good.value, 1, headers=_TRACED)]).outputs
    for path in CASES:
        event = json.loads(path.read_text())["event"]
        caused = accept(event, definitions=STANDARD, headers=_TRACED)
        yield from plan(caused, STANDARD).outputs


def test_every_header_that_is_written_is_described() -> None:
    """Whatever the stages write on a published topic has headers that the document describes."""
    made = document()
    of_topic = {made["channels"][role]["address"]: role for role in CHANNELS if role != "ingest"}
    seen = set()
    for output in written():
        if (role := of_topic.get(output.topic)) is not None:
            shown = {name: value.decode() for name, value in output.headers}
            jsonschema_rs.validate(closed(headers.headers_of(role)), shown)
            seen.add(role)
    assert seen == set(of_topic.values())


def test_what_is_judged_as_an_event_has_the_form_of_one() -> None:
    """A canonical event that is accepted fits the schema; one of another form does not."""
    fits = jsonschema_rs.validator_for(ingested.CANONICAL_EVENT).is_valid
    counted = {True: 0, False: 0}
    for case in cases("in"):
        written_down, expected = case.values[0]["in"], case.values[0]["out"]
        if not isinstance(value := readable(written_down), dict) or "fields" not in value:
            continue
        if any(part in str(case.id) for part in _NOT_OF_ANY_EVENT):
            continue
        if "x-event-id" in written_down.get("headers", {}) or "event" in value:
            continue
        paths = expected.get("paths", [""])
        in_form = {*map(Reason, expected.get("reasons", []))} <= _OF_ANY_EVENT
        if expected["verdict"] == "accepted":
            assert fits(value), case.id
            counted[True] += 1
        elif in_form and all(_of_the_envelope(path) for path in paths):
            assert not fits(value), case.id
            counted[False] += 1
    assert counted[True] > 50
    assert counted[False] > 20


def _of_the_envelope(path: str) -> bool:
    return path != "" and not path.startswith("fields.")


def readable(written_down: Any) -> Any:
    """Return what a record's value holds, None where it is not JSON."""
    try:
        return json.loads(to_record(written_down, 0).value or b"")
    except (ValueError, RecursionError):
        return None


def test_every_dialect_is_described() -> None:
    """The documents that the dialects' page shows have the form that is published."""
    page = (_FILE.parent / "dialects.md").read_text()
    shown = [json.loads(part.partition("```")[0]) for part in page.split("```json\n")[1:]]
    theirs = [ingested.DIALECTS[dialect] for dialect in Dialect if dialect is not Dialect.CANONICAL]
    for example, schema in zip(shown, theirs, strict=True):
        jsonschema_rs.validate(schema, example)
        assert not jsonschema_rs.is_valid(schema, {})
    jsonschema_rs.validate(ingested.CANONICAL_EVENT, samples.EVENT)


def test_the_samples_are_what_the_code_makes() -> None:
    """The accepted event and the dead letter in the document are those that INGEST writes."""
    [routed] = outputs(Partition().commit([record(raw(samples.EVENT))]), TOPICS.emf)
    assert (routed.key or b"").decode() == samples.KEY
    assert read_event(routed.value) == as_read(schemas.BEHAVIORAL_EVENT, samples.BEHAVIORAL_EVENT)
    cut = record(samples.DEAD_LETTER["value"]["bytes"].encode(), 1042)
    [letter] = outputs(Partition().commit([cut]), TOPICS.dead_letter)
    shown = copy.deepcopy(samples.DEAD_LETTER)
    shown["value"]["bytes"] = cut.value
    assert read_letter(letter.value) == as_read(schemas.DEAD_LETTER, shown)


@pytest.mark.parametrize("partition_by", PartitionBy)
def test_keys_are_those_of_the_deployment(partition_by: PartitionBy) -> None:
    """The key that is shown for the sample event is the one that INGEST gives it."""
    made = document(rules={"partition_by": partition_by})
    judge = Partition(ingest(Rules(partition_by=partition_by)))
    [routed] = outputs(judge.commit([record(raw(samples.EVENT))]), TOPICS.emf)
    for name in ("canonicalEvent", "acceptedEvent", "acceptedEventForEi", "duplicateEvent"):
        key = made["components"]["messages"][name]["bindings"]["kafka"]["key"]
        assert key["examples"] == [(routed.key or b"").decode()]


def as_read(name: str, value: dict[str, Any]) -> dict[str, Any]:
    """Return a value as a subscriber reads it."""
    schema = schemas.load(name)
    return schemas.decode(schema, None, schemas.encode(schema, value))


def test_it_says_how_to_get_in_and_no_secret() -> None:
    """Each broker is a server with its protocol and mechanism; no password is written."""
    made = document(
        kafka={
            "bootstrap_servers": "a.example:9093, b.example:9093",
            "client": {
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.username": "mira",
                "sasl.password": "hush-hush",
            },
        },
        registry={"url": "https://mira:hush-hush@registry.example/v7"},
    )
    servers = made["servers"]
    assert [server["host"] for server in servers.values()] == ["a.example:9093", "b.example:9093"]
    for server in servers.values():
        assert server["protocol"] == "kafka-secure"
        assert server["security"] == [{"type": "scramSha512"}]
        assert server["bindings"]["kafka"]["schemaRegistryUrl"] == "https://registry.example/v7"
    assert "hush" not in json.dumps(made)
    assert "mira" not in json.dumps(servers)
    assert ask(made)["told"] == []


@pytest.mark.parametrize(
    ("client", "protocol", "security"),
    [
        ({}, "kafka", None),
        ({"security.protocol": "ssl"}, "kafka-secure", [{"type": "X509"}]),
        ({"security.protocol": "sasl_plaintext"}, "kafka", [{"type": "gssapi"}]),
        ({"security.protocol": "sasl_ssl", "sasl.mechanism": "OAUTHBEARER"}, "kafka-secure", None),
    ],
)
def test_every_way_in_has_its_name(client: Any, protocol: str, security: object) -> None:
    """What librdkafka is told decides what the document says of the door."""
    [server] = document(kafka={"client": client})["servers"].values()
    assert server["protocol"] == protocol
    assert server.get("security") == security
