"""A worker beside a registry that has other schemas than its topics were written with."""

from collections.abc import Callable
from typing import Final

import pytest

from loyaltystream.avro import schemas
from loyaltystream.avro.schemas import Schema, parse
from loyaltystream.errors import RetryableBrokerError, SchemaError
from loyaltystream.events import Record
from loyaltystream.readable import demand_readable
from loyaltystream.topology import Output
from tests.audit.world import MemoryLog
from tests.core import EVENT_SCHEMA_ID, LETTER_SCHEMA_ID, TOPICS, Partition, outputs, record
from tests.judged import JudgedLog
from tests.notifications.shop import NAMES, REGISTERED, SCHEMA_IDS, accept, plan

Known = dict[int, Schema]
NOTIFICATION_ID: Final = SCHEMA_IDS["loyalty.notification.v1.CustomerAdded"]


def known() -> Known:
    """Return the schemas of a sound registry."""
    names = {EVENT_SCHEMA_ID: schemas.BEHAVIORAL_EVENT, LETTER_SCHEMA_ID: schemas.DEAD_LETTER}
    return {schema_id: schemas.load(name) for schema_id, name in (NAMES | names).items()}


def written() -> MemoryLog:
    """Return topics with an event, its notification and a letter, a marker behind each."""
    log, routed = MemoryLog(), accept(REGISTERED)
    letter = outputs(Partition().judge([record(b"{")]), TOPICS.dead_letter)
    for topic in (TOPICS.emf, TOPICS.ei):
        log.append(topic, routed[0])
    for output in [*plan(routed).outputs, *letter]:
        log.append(output.topic, _lying(output))
    for topic in (TOPICS.emf, TOPICS.ei, TOPICS.notifications, TOPICS.dead_letter):
        log.mark(topic, 0)
    return log


def _lying(output: Output) -> Record:
    return Record(0, 0, 0, output.key, output.value, output.headers)


def demand(log: MemoryLog, find: Callable[[int], Schema | None]) -> None:
    """Look whether all can be read."""
    demand_readable(JudgedLog(log), TOPICS, find)


def test_a_sound_registry_is_taken() -> None:
    """Where each topic's newest record is what its schema says, nothing is refused."""
    demand(written(), known().get)


def test_empty_topics_ask_nothing() -> None:
    """A deployment that begins needs no answer."""

    def never(_schema_id: int) -> Schema | None:
        raise AssertionError("asked")

    demand(MemoryLog(), never)


@pytest.mark.parametrize("missing", [EVENT_SCHEMA_ID, NOTIFICATION_ID, LETTER_SCHEMA_ID])
def test_an_emptied_registry_is_refused(missing: int) -> None:
    """A schema that is gone is told in one line, with the record that needs it and what to do."""
    found = {schema_id: schema for schema_id, schema in known().items() if schema_id != missing}
    with pytest.raises(SchemaError) as error:
        demand(written(), found.get)
    told = str(error.value)
    assert f"/0/0 can't be read: the registry has no schema {missing}. " in told
    assert "put its schemas back under the ids that records carry" in told
    assert "\n" not in told


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({EVENT_SCHEMA_ID: schemas.DEAD_LETTER}, "has another schema"),
        ({LETTER_SCHEMA_ID: schemas.BEHAVIORAL_EVENT}, "has another schema"),
        ({NOTIFICATION_ID: "loyalty.notification.v1.CustomerUpdated"}, "registry has "),
    ],
)
def test_ids_that_were_handed_out_anew_are_refused(changes: dict[int, str], why: str) -> None:
    """An id that is another record's now is found by reading what carries it."""
    others = {schema_id: schemas.load(name) for schema_id, name in changes.items()}
    with pytest.raises(SchemaError, match=why):
        demand(written(), (known() | others).get)


def test_a_record_of_another_name_is_refused() -> None:
    """Bytes that fit by chance are held against the name that they ought to have."""
    alike = parse(schemas.load(schemas.BEHAVIORAL_EVENT) | {"name": "a.Bill", "namespace": ""})
    with pytest.raises(SchemaError, match=r"the registry has a\.Bill as schema 7, not loyalty"):
        demand(written(), (known() | {EVENT_SCHEMA_ID: alike}).get)


def test_what_is_somebody_elses_is_not_asked_about() -> None:
    """A record that names no source of ours, whatever it holds, keeps no worker from its start."""
    log = written()
    log.append(TOPICS.emf, Record(0, 0, 0, None, b"\0\0\0\0\x63junk", ()))
    demand(log, known().get)


def test_an_outage_is_no_refusal() -> None:
    """A registry that is away is waited for, as at any other moment."""

    def away(_schema_id: int) -> Schema | None:
        raise RetryableBrokerError("nobody there")

    with pytest.raises(RetryableBrokerError):
        demand(written(), away)
