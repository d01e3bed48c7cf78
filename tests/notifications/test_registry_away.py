"""Stage NOTIFY beside a registry that fails: events wait, and none becomes a letter for that."""

from collections.abc import Callable, Iterator
from typing import Final

import pytest
from pydantic import SecretStr

from loyaltystream.avro import schemas
from loyaltystream.avro.dead_letter import LetterEncoder
from loyaltystream.avro.registry import Registry
from loyaltystream.avro.wire import FRAME_BYTES, frame
from loyaltystream.clients import RegistrySettings
from loyaltystream.errors import RetryableBrokerError
from loyaltystream.events import Record
from loyaltystream.notify import Notify
from loyaltystream.pipeline import Plan
from loyaltystream.rules import Rules
from tests.core import EVENT_SCHEMA_ID, LETTER_SCHEMA_ID, NOW_MS, TOPICS, outputs
from tests.notifications.shop import REGISTERED, SCHEMA_IDS, SHOP, accept
from tests.registry import Answer, StubRegistry, serving

EVENT: Final = schemas.load(schemas.BEHAVIORAL_EVENT)
Fails = Callable[[StubRegistry], None]
MANY: Final = [REGISTERED | {"eventId": f"customer {number}"} for number in range(50)]


class Stage:
    """The stage, its registry, and a second one at hand that both know the event's schema."""

    def __init__(self, stub: StubRegistry) -> None:
        self.stub = stub
        settings = RegistrySettings(url=stub.url, client={"max.retries": SecretStr("0")})
        self.registry = Registry(settings, pause=lambda _seconds: None)
        assert self.registry.register(TOPICS.emf, EVENT) == EVENT_SCHEMA_ID
        self.registry.demand(TOPICS.emf, EVENT)
        self._notify = Notify(
            TOPICS,
            letters=LetterEncoder("notify", LETTER_SCHEMA_ID, 1_048_576),
            schema_ids=SCHEMA_IDS,
            writer_schema=self.registry.writer_schema,
            rules=Rules(),
        )

    def plan(self, records: list[Record]) -> Plan:
        """Return what the stage makes of records."""
        return self._notify.plan(records, definitions=SHOP, generation=0)


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Return the stage beside a registry that works."""
    with serving(StubRegistry(EVENT_SCHEMA_ID)) as stub:
        yield Stage(stub)


def emptied(stub: StubRegistry) -> None:
    stub.restart(1)


def handed_out_anew(stub: StubRegistry) -> None:
    """Give other schemas under the ids that were given, as one that was restored may."""
    letter, event_schema = (
        schemas.text(schemas.load(name)) for name in (schemas.DEAD_LETTER, schemas.BEHAVIORAL_EVENT)
    )
    stub.restart(1)
    stub.answer("POST", "/subjects/a/versions", {"schema": letter})
    stub.answer(
        "POST", f"/subjects/{TOPICS.emf}-{EVENT['name']}/versions", {"schema": event_schema}
    )


def failing(stub: StubRegistry) -> None:
    stub.instead = lambda _path: Answer(503)


def hidden_by_a_proxy(stub: StubRegistry) -> None:
    stub.instead = lambda _path: Answer(404, b"default backend - 404")


@pytest.mark.parametrize("fails", [emptied, handed_out_anew, failing, hidden_by_a_proxy])
def test_no_event_becomes_a_letter_because_of_the_registry(stage: Stage, fails: Fails) -> None:
    """However the registry fails, events wait for it; once it is back all are notified of."""
    records, before = accept(*MANY), stage.stub.kept
    fails(stage.stub)
    for _ in range(3):
        with pytest.raises(RetryableBrokerError):
            stage.plan(records)
    stage.stub.kept, stage.stub.instead = before, lambda _path: None
    made = stage.plan(records)
    assert outputs(made, TOPICS.dead_letter) == []
    assert len(outputs(made, TOPICS.notifications)) == len(MANY)


@pytest.mark.parametrize("fails", [emptied, handed_out_anew, failing, hidden_by_a_proxy])
def test_a_stage_that_has_begun_goes_on(stage: Stage, fails: Fails) -> None:
    """Once the stage has read an event, no failure of the registry holds it up."""
    stage.plan(accept(REGISTERED))
    fails(stage.stub)
    made = stage.plan(accept(*MANY))
    assert len(outputs(made, TOPICS.notifications)) == len(MANY)


def test_a_record_of_somebody_elses_becomes_one_letter(stage: Stage) -> None:
    """A schema that a sound registry does not have condemns its record, and no other."""
    [good] = accept(REGISTERED)
    foreign = frame(99) + (good.value or b"")[FRAME_BYTES:]
    made = stage.plan([good, Record(0, 1, NOW_MS, b"k", foreign)])
    assert len(outputs(made, TOPICS.notifications)) == 1
    assert len(outputs(made, TOPICS.dead_letter)) == 1
