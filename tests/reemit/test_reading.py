"""What a notification says, and who is to blame if it says nothing."""

import pytest

from loyaltystream.avro import schemas
from loyaltystream.avro.schemas import Schema
from loyaltystream.errors import RetryableBrokerError, SchemaError
from loyaltystream.reemit.reading import reader
from tests.core import TOPICS, outputs
from tests.notifications.shop import NAMES, REGISTERED, accept, plan


def registry(schema_id: int) -> Schema | None:
    return schemas.load(NAMES[schema_id]) if schema_id in NAMES else None


def away(_schema_id: int) -> Schema | None:
    raise RetryableBrokerError("the registry is away")


def notification() -> bytes:
    [output] = outputs(plan(accept(REGISTERED)), TOPICS.notifications)
    return output.value or b""


def test_a_notification_is_read_as_it_was_written() -> None:
    """By the schema that it names."""
    found = reader(registry)(notification())
    assert isinstance(found, dict)
    assert found["data"]["customerIdentifiers"]["customerId"] is not None
    assert found["causeEventId"] == REGISTERED["eventId"]


@pytest.mark.parametrize("value", [None, b"", b"{}", notification()[:-1], notification() + b"x"])
def test_a_record_that_is_none_is_told(value: bytes | None) -> None:
    """What is wrong with a record is said of that record, and the others go on."""
    assert isinstance(reader(registry)(value), str)


def test_a_registry_that_is_away_stops_it() -> None:
    """A customer's notifications are not passed over because nobody could say whose they are."""
    with pytest.raises(RetryableBrokerError):
        reader(away)(notification())


def test_a_registry_that_lost_its_schemas_stops_it() -> None:
    """So does one that was emptied: what it lacks is named."""
    with pytest.raises(SchemaError, match="has no schema"):
        reader(lambda _schema_id: None)(notification())
