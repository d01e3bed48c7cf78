"""Offsets, asked for while leaders change; without a broker."""

from concurrent.futures import Future
from typing import Any, cast

import pytest
from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, ListOffsetsResultInfo, OffsetSpec

from loyaltystream.errors import RetryableBrokerError
from loyaltystream.kafka.offsets import list_offsets

PLACE = TopicPartition("t", 0)
PATIENCE_S = 30.0
SOON_S = 6.0


class Changing:
    """A broker's client that answers with errors at first."""

    def __init__(self, *codes: int) -> None:
        self._codes = list(codes)
        self.waits_s: list[float] = []

    def list_offsets(
        self, places: dict[TopicPartition, OffsetSpec], *, request_timeout: float, **_: Any
    ) -> dict[TopicPartition, Future[ListOffsetsResultInfo]]:
        """Answer as a broker does, or as the client does for one that is silent."""
        self.waits_s.append(request_timeout)
        found: Future[ListOffsetsResultInfo] = Future()
        if self._codes:
            found.set_exception(KafkaException(KafkaError(self._codes.pop(0))))
        else:
            found.set_result(ListOffsetsResultInfo(42, -1, 0))
        return dict.fromkeys(places, found)


def end(admin: Changing, timeout_s: float) -> int:
    """Return an offset of a partition."""
    spec, isolation = OffsetSpec.for_timestamp(1), IsolationLevel.READ_COMMITTED
    found = list_offsets(cast("AdminClient", admin), [PLACE], spec, isolation, timeout_s)
    return found["t", 0]


@pytest.mark.parametrize("code", [KafkaError._TIMED_OUT, KafkaError.OFFSET_NOT_AVAILABLE])
def test_a_leader_that_does_not_know_is_asked_again(code: int) -> None:
    """One that has died is left in seconds, one that is new soon knows what is committed."""
    admin = Changing(code, code)
    assert end(admin, PATIENCE_S) == 42
    assert len(admin.waits_s) == 3
    assert max(admin.waits_s) < SOON_S


def test_nobody_is_asked_for_ever() -> None:
    """Where no leader knows, the error is told once patience has ended."""
    admin = Changing(*[KafkaError.OFFSET_NOT_AVAILABLE] * 100)
    with pytest.raises(RetryableBrokerError, match="offsets of t"):
        end(admin, 0.2)
